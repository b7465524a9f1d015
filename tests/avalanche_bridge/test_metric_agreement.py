"""Our accuracy, forgetting and backward transfer against Avalanche's own, in the same runs."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Generator
from types import ModuleType
from typing import Any

import pytest

from cilsim import hookimpl
from cilsim.avalanche_bridge import scenario_to_avalanche
from cilsim.metrics.metric_sets import metric_set
from cilsim.testing import Project

pytestmark = pytest.mark.filterwarnings("ignore")
FACTORY = "avalanche_metrics_of_this_test"


class _AvalancheEvaluation:
    """After each experience, lets the stock strategy evaluate itself by Avalanche's metrics."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self.results: list[dict[str, float]] = []

    @hookimpl(wrapper=True)
    def cilsim_train_experience(self, strategy: Any, experience: Any) -> Generator[None, Any, Any]:
        result = yield
        if experience.index == 0:
            self._benchmark = scenario_to_avalanche(self._project.folder / "toy.yaml")
        with warnings.catch_warnings(record=True):
            parts = list(self._benchmark.test_stream)[: experience.index + 1]
            strategy.stock.eval(parts, num_workers=0)
        evaluator = next(one for one in strategy.stock.plugins if hasattr(one, "of_this_test"))
        self.results.append(dict(evaluator.get_last_metrics()))
        return result


@pytest.fixture
def metrics_plugin(monkeypatch: pytest.MonkeyPatch) -> str:
    """The name under which a scenario can ask for Avalanche's metrics, as a plugin."""

    def evaluation() -> Any:
        from avalanche.evaluation.metrics import accuracy_metrics, bwt_metrics, forgetting_metrics
        from avalanche.training.plugins import EvaluationPlugin

        plugin = EvaluationPlugin(
            accuracy_metrics(experience=True, stream=True),
            forgetting_metrics(experience=True, stream=True),
            bwt_metrics(experience=True, stream=True),
            loggers=[],
        )
        plugin.of_this_test = True
        return plugin

    module = ModuleType(FACTORY)
    module.evaluation = evaluation  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, FACTORY, module)
    return f"{FACTORY}:evaluation"


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("Naive", {}),
        ("Replay", {"mem_size": 40}),
        ("LwF", {"alpha": 1.0, "temperature": 2.0}),
        pytest.param("iCaRL", {"memory_size": 40, "fixed_memory": True}, marks=pytest.mark.slow),
        pytest.param("SLDA", {}, marks=pytest.mark.slow),
    ],
)
def test_accuracy_forgetting_and_transfer_agree_to_1e_6(
    tmp_path: Any, metrics_plugin: str, name: str, options: dict[str, Any]
) -> None:
    project = Project.create(tmp_path)
    choice = {"name": "avalanche", "strategy": name, "options": options}
    recipe = {"epochs": 4, "batch_size": 16, "lr": 0.02, "schedule": "constant"}
    scenario = project.ring_scenario(
        {**choice, "plugins": [{"name": metrics_plugin}]},
        {"kind": "class_incremental", "sizes": [4, 2, 2]},
        base_training=recipe,
        training=recipe,
    )
    spy = _AvalancheEvaluation(project)
    outcome = project.run(scenario, reporters=lambda start: [spy])
    assert not outcome.failures
    (result,) = outcome.results
    history = [evaluation.predictions for evaluation in result.evaluations]
    for after, (theirs, evaluation) in enumerate(zip(spy.results, result.evaluations, strict=True)):
        ours = evaluation.values
        stream = "eval_phase/test_stream"
        assert theirs[f"Top1_Acc_Stream/{stream}/Task000"] == pytest.approx(ours["A_all"], abs=1e-6)
        for part in range(after + 1):
            key = f"{stream}/Task000/Exp{part:03d}"
            assert theirs[f"Top1_Acc_Exp/{key}"] == pytest.approx(
                ours[f"accuracy_by_experience/{part:02d}"], abs=1e-6
            )
        if after == 0:
            continue
        table = metric_set("avalanche", history[: after + 1], result.run.stream)
        assert theirs[f"StreamForgetting/{stream}"] == pytest.approx(
            table["StreamForgetting"], abs=1e-6
        )
        assert theirs[f"StreamBWT/{stream}"] == pytest.approx(ours["bwt"], abs=1e-6)
        for part in range(after):
            since_learnt = (
                result.evaluations[part].values[f"accuracy_by_experience/{part:02d}"]
                - ours[f"accuracy_by_experience/{part:02d}"]
            )
            key = f"{stream}/Task000/Exp{part:03d}"
            assert theirs[f"ExperienceForgetting/{key}"] == pytest.approx(since_learnt, abs=1e-6)

"""Stock strategies of Avalanche behind our strategy interface."""

from __future__ import annotations

import json
import warnings
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from cilsim import hookimpl
from cilsim.avalanche_bridge import StockRun, scenario_to_avalanche
from cilsim.avalanche_bridge.endless import no_endless_loop
from cilsim.avalanche_bridge.network import Features, stock_network
from cilsim.avalanche_bridge.stock import Parts, make_stock
from cilsim.errors import Interrupted, ScenarioError
from cilsim.runner.interruption import StopRequest
from cilsim.testing import DomainContract, Project, StrategyContract
from cilsim.testing.spies import StopAfterCheckpoint
from cilsim_avalanche.options import AvalancheOptions
from cilsim_avalanche.stock_names import ALIASES, PLUGINS, STOCK, UNFIT

pytestmark = pytest.mark.filterwarnings("ignore")  # of what avalanche imports

# one output per class of the stream, all trained from the start, wants smaller steps than ours
GENTLE = {"epochs": 6, "batch_size": 16, "lr": 0.02, "schedule": "constant"}


SHORT = {**GENTLE, "epochs": 2}


class _Contract(StrategyContract):
    strategy = "avalanche"
    changes = {"base_training": GENTLE, "training": GENTLE}
    recipe = {"lr": 0.02}


class TestNaive(_Contract):
    forgets = True

    def test_forgets_the_first_three_experiences(self, project: Project) -> None:
        last = self.run(project).accuracy_matrix()[-1]
        np.testing.assert_array_equal(last[:3], [0.0, 0.0, 0.0])


@pytest.mark.slow
class TestReplay(_Contract):
    options = {"strategy": "Replay", "options": {"mem_size": 100}}


@pytest.mark.slow
class TestIcarl(_Contract):
    options = {"strategy": "iCaRL", "options": {"memory_size": 100, "fixed_memory": True}}


@pytest.mark.slow
class TestNaiveOnDomains(DomainContract):
    strategy = "avalanche"
    changes = {"base_training": GENTLE, "training": GENTLE}


# as avalanche's own examples set them; the ring needs no more
RUNS: dict[str, dict[str, Any]] = {
    "AGEM": {"patterns_per_exp": 30},
    "CWRStar": {},
    "CoPE": {"mem_size": 100},
    "Cumulative": {},
    "DER": {"mem_size": 100},
    "ER_ACE": {"mem_size": 100, "batch_size_mem": 16},
    "ER_AML": {"mem_size": 320, "batch_size_mem": 16},
    "EWC": {"ewc_lambda": 1.0},
    "FeatureReplay": {"mem_size": 100, "batch_size_mem": 16},
    "FromScratchTraining": {},
    "GDumb": {"mem_size": 100},
    "GSS_greedy": {"mem_size": 100},
    "ICaRL": {"memory_size": 100, "fixed_memory": True},
    "LFL": {"lambda_e": 0.1},
    "LwF": {"alpha": 1.0, "temperature": 2.0},
    "MAS": {"lambda_reg": 0.1},
    "MER": {"mem_size": 50},
    "MIR": {"mem_size": 100, "subsample": 50, "batch_size_mem": 16},
    "Naive": {},
    "Replay": {"mem_size": 100},
    "SCR": {"mem_size": 100, "batch_size_mem": 16},
    "StreamingLDA": {},
    "SynapticIntelligence": {"si_lambda": 0.1},
}
NAMED_BY_USERS = ("AGEM", "DER", "EWC", "GDumb", "ICaRL", "LwF", "Naive", "Replay", "StreamingLDA")
KEEPS = ("Cumulative", "ER_ACE", "ER_AML", "GDumb", "ICaRL", "Replay", "StreamingLDA")


@pytest.fixture
def project(tmp_path: Any) -> Project:
    return Project.create(tmp_path)


def _run(project: Project, choice: dict[str, Any], epochs: int = 3, **changes: Any) -> Any:
    recipe = {**GENTLE, "epochs": epochs}
    scenario = project.ring_scenario(
        {"name": "avalanche", **choice},
        {"kind": "class_incremental", "sizes": [2, 2, 2]},
        **{"base_training": recipe, "training": recipe, **changes},
    )
    outcome = project.run(scenario)
    assert not outcome.failures
    return outcome, project.files("toy", "avalanche")


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in NAMED_BY_USERS else pytest.mark.slow) for name in RUNS],
)
def test_each_stock_strategy_runs_and_those_with_a_memory_keep_old_classes(
    project: Project, name: str
) -> None:
    epochs = {"MER": 1, **dict.fromkeys(KEEPS, 8)}.get(name, 2)
    outcome, files = _run(project, {"strategy": name, "options": RUNS[name]}, epochs)
    matrix = files.accuracy_matrix()
    assert np.isfinite(matrix[np.tril_indices(3)]).all()
    if name in KEEPS:
        assert matrix[-1].min() > 0.6
    assert len(outcome.results[0].evaluations) == 3


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if name in NAMED_BY_USERS else pytest.mark.slow) for name in RUNS],
)
def test_each_stock_strategy_trains_on_a_benchmark_of_ours_without_our_engine(
    project: Project, name: str
) -> None:
    scenario = project.ring_scenario("nmc", {"kind": "class_incremental", "sizes": [2, 2, 2]})
    (project.folder / "toy.yaml").write_text(json.dumps(scenario))
    benchmark = scenario_to_avalanche(project.folder / "toy.yaml")
    trunk = nn.Sequential(nn.Linear(2, 16), nn.ReLU())
    features = Features(trunk, 16)
    network = stock_network("linear", features, benchmark.n_classes)
    parts = Parts(
        network, features, torch.optim.SGD(network.parameters(), lr=0.02), nn.CrossEntropyLoss(),
        benchmark.n_classes, (2,), 16, torch.device("cpu"),
    )  # fmt: skip
    stock = make_stock(name, RUNS[name], [], parts)
    for experience in benchmark.train_stream:
        with warnings.catch_warnings(record=True), no_endless_loop(name):
            stock.train(experience, eval_streams=[], num_workers=0)
            stock.eval(list(benchmark.test_stream)[:1], num_workers=0)
    assert stock.clock.train_exp_counter == 3
    assert all(tensor.isfinite().all() for tensor in stock.model.parameters())


def _image_scenario(project: Project, **choice: Any) -> dict[str, Any]:
    """Return a scenario on images of three classes, each of its own brightness."""
    generator = np.random.default_rng(0)
    arrays: dict[str, Any] = {}
    for part, count in (("train", 12), ("test", 6)):
        y = np.repeat(np.arange(3), count)
        noise = generator.integers(0, 40, size=(len(y), 8, 8, 1))
        arrays[f"x_{part}"] = (noise + 100 * y[:, None, None, None]).clip(0, 255).astype(np.uint8)
        arrays[f"y_{part}"] = y
    np.savez(project.folder / "images.npz", **arrays)
    recipe = {**SHORT, "augmentation": {"flip": True, "crop_padding": 1}}
    stream = {"kind": "class_incremental", "sizes": [2, 1]}
    dataset = {"dataset": {"name": "arrays", "path": "images.npz"}}
    sections = {"base_training": recipe, "training": recipe, "backbone": "small"}
    return project.ring_scenario({"name": "avalanche", **choice}, {**stream, **dataset}, **sections)


@pytest.mark.parametrize(
    ("name", "options"), [("GenerativeReplay", {}), ("AGEM", {"patterns_per_exp": 10})]
)
def test_images_with_convolutions_and_augmentation(
    project: Project, name: str, options: dict[str, Any]
) -> None:
    scenario = _image_scenario(project, strategy=name, options=options)
    outcome = project.run(scenario)
    assert not outcome.failures
    assert len(project.files("toy", "avalanche").predictions()) == 2


def test_the_recipe_s_augmentation_changes_what_is_learnt(project: Project) -> None:
    plain = _image_scenario(project)
    for part in ("base_training", "training"):
        plain[part] = SHORT
    losses: dict[str, list[float]] = {"plain": [], "augmented": []}
    for name, scenario in (("plain", plain), ("augmented", _image_scenario(project))):

        class Losses:
            found = losses[name]

            @hookimpl
            def cilsim_on_scalars(self, scalars: Any) -> None:
                self.found.append(scalars.values["train/loss"])

        assert not project.run(scenario, name, reporters=lambda start: [Losses()]).failures
    assert len(losses["plain"]) == len(losses["augmented"]) == 4  # two epochs, two experiences
    assert losses["plain"][0] != losses["augmented"][0]


def test_the_list_of_strategies_that_run_is_the_one_that_is_tested() -> None:
    assert set(RUNS) == set(STOCK) - {"GenerativeReplay"}  # for images, below


PLUGIN_RUNS: dict[str, Any] = {
    "RWalkPlugin": ({}, "linear"),
    "RARPlugin": ({"batch_size_mem": 16, "mem_size": 100, "name_ext_layer": "extractor"}, "linear"),
    "FeatureDistillationPlugin": ({}, "linear"),
    "ReplayPlugin": ({"mem_size": 100}, "incremental"),
    "CurrentDataNCMUpdate": ({}, "ncm"),
    "MemoryNCMUpdate": ({"mem_size": 100}, "ncm"),
    "CurrentDataFeCAMUpdate": ({}, "fecam"),
    "MemoryFeCAMUpdate": ({"mem_size": 100}, "fecam"),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", PLUGIN_RUNS)
def test_plugins_and_classifiers_are_added(project: Project, name: str) -> None:
    options, head = PLUGIN_RUNS[name]
    choice = {"plugins": [{"name": name, "options": options}], "head": head}
    _, files = _run(project, choice)
    matrix = files.accuracy_matrix()
    assert matrix[0, 0] == 1.0
    assert np.isfinite(matrix[np.tril_indices(3)]).all()


def test_every_name_and_argument_is_as_avalanche_has_it() -> None:
    import inspect

    from avalanche.training import plugins, supervised
    from avalanche.training.templates.base import BaseTemplate

    from cilsim.avalanche_bridge.stock import SPECIAL

    found = {
        name
        for name, kind in vars(supervised).items()
        if inspect.isclass(kind) and issubclass(kind, BaseTemplate)
    }
    assert found == set(STOCK) | set(UNFIT)
    assert set(ALIASES.values()) <= set(STOCK)
    assert set(SPECIAL) <= set(STOCK)
    for home, known in ((supervised, STOCK), (plugins, PLUGINS)):
        for name, arguments in known.items():
            parameters = inspect.signature(getattr(home, name)).parameters
            assert set(arguments.names) <= set(parameters), name


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"strategy": "Replai"},
            "Avalanche has no strategy 'Replai'; did you mean 'Replay'?",
        ),
        (
            {"strategy": "BiC"},
            "Avalanche's BiC cannot run here: it calls MultiStepLR(verbose=...), which torch no "
            "longer has",
        ),
        (
            {"strategy": "Replay", "options": {"mem_sise": 3}},
            "Replay has no option 'mem_sise'; did you mean 'mem_size'?",
        ),
        ({"options": {"mem_size": 3}}, "Naive has no option 'mem_size'; it has none"),
        ({"strategy": "EWC"}, "EWC needs its option 'ewc_lambda'"),
        (
            {"plugins": [{"name": "LwfPlugin"}]},
            "Avalanche has no plugin 'LwfPlugin'; did you mean 'LwFPlugin'?",
        ),
    ],
)
def test_names_and_arguments_are_checked_without_avalanche(
    given: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError, match="1 validation error") as caught:
        AvalancheOptions(**given)
    assert caught.value.errors()[0]["msg"] == f"Value error, {message}"  # type: ignore[attr-defined]


def test_a_scenario_with_a_wrong_name_is_refused_at_its_line(project: Project) -> None:
    scenario = project.ring_scenario({"name": "avalanche", "strategy": "Replai"})
    with pytest.raises(ScenarioError) as caught:
        project.run(scenario)
    (problem,) = caught.value.problems
    assert problem.path.endswith("strategy")
    assert problem.message == "Avalanche has no strategy 'Replai'; did you mean 'Replay'?"


def test_fp16_is_refused(project: Project) -> None:
    recipe = {**GENTLE, "precision": "fp16"}
    outcome = project.run(project.ring_scenario({"name": "avalanche"}, training=recipe))
    assert outcome.failures[0].message == (
        "strategy 'avalanche': precision 'fp16' needs a loss that is scaled, which Avalanche's "
        "loop does not do; use 'bf16' or 'float32'"
    )


def test_a_buffer_smaller_than_a_batch_is_an_error_and_no_endless_loop(project: Project) -> None:
    choice = {"name": "avalanche", "strategy": "ER_AML", "options": {"mem_size": 20}}
    outcome = project.run(project.ring_scenario(choice))
    assert outcome.failures[0].message == (
        "strategy 'avalanche': ER_AML draws batches from a buffer that is smaller than one - "
        "expected a larger 'mem_size', or smaller batches"
    )


def test_a_class_of_any_module_is_used(project: Project) -> None:
    choices = {"named": "Naive", "imported": "avalanche.training.supervised:Naive"}
    files = {}
    for name, strategy in choices.items():
        choice = {"name": "avalanche", "strategy": strategy}
        assert not project.run(project.ring_scenario(choice, training=SHORT), name).failures
        files[name] = project.files(name, "avalanche").deterministic_bytes()
    assert files["named"] == files["imported"]


def test_a_module_that_is_not_there_is_named(project: Project) -> None:
    outcome = project.run(project.ring_scenario({"name": "avalanche", "strategy": "nowhere:Best"}))
    assert outcome.failures[0].message == (
        "strategy 'avalanche': 'nowhere:Best' cannot be imported: ModuleNotFoundError: No module "
        "named 'nowhere' - expected the name of a class in avalanche.training.supervised, or "
        "package.module:Class"
    )


def test_the_learning_rate_follows_the_schedule_and_steps_count_over_the_run(
    project: Project,
) -> None:
    reported = []

    class Scalars:
        @hookimpl
        def cilsim_on_scalars(self, scalars: Any) -> None:
            reported.append((scalars.step, scalars.values["train/lr"]))

    recipe = {"epochs": 2, "batch_size": 30, "lr": 0.02, "schedule": "step", "milestones": [1]}
    project.run(
        project.ring_scenario(
            {"name": "avalanche"},
            {"kind": "class_incremental", "sizes": [2, 2]},
            base_training=recipe,
            training=recipe,
        ),
        reporters=lambda start: [Scalars()],
    )
    assert reported == [(4, 0.02), (8, 0.002), (12, 0.02), (16, 0.002)]


def test_a_strategy_with_a_memory_resumes_as_if_it_had_not_stopped(project: Project) -> None:
    choice = {"name": "avalanche", "strategy": "Replay", "options": {"mem_size": 20}}
    stream = {"kind": "class_incremental", "sizes": [2, 2, 2]}
    scenario = project.ring_scenario(choice, stream, training=SHORT, base_training=SHORT)
    project.run(scenario, "whole")
    assert project.run_in_parts(scenario, "parts", StopAfterCheckpoint) == 2
    whole, parts = (project.files(name, "avalanche") for name in ("whole", "parts"))
    assert whole.deterministic_bytes() == parts.deterministic_bytes()


def test_a_resume_that_comes_out_otherwise_is_refused(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = project.ring_scenario({"name": "avalanche"}, training=SHORT, base_training=SHORT)
    stop = StopRequest()
    with pytest.raises(Interrupted):
        project.run(scenario, stop=stop, reporters=lambda start: [StopAfterCheckpoint(stop)])
    monkeypatch.setattr(StockRun, "fingerprint", "of another machine")
    outcome = project.run(scenario)
    assert outcome.failures[0].message == (
        "strategy 'avalanche': running the earlier experiences again gave other weights than the "
        "interrupted run had - expected the same machine, threads and versions; remove the run "
        "folder to start over"
    )


def test_nothing_outside_depends_on_what_avalanche_draws(project: Project) -> None:
    import random

    before = (torch.get_rng_state(), random.getstate(), np.random.get_state()[1].copy())
    choice = {"name": "avalanche", "strategy": "Replay", "options": {"mem_size": 20}}
    assert not project.run(project.ring_scenario(choice, training=SHORT)).failures
    assert torch.equal(torch.get_rng_state(), before[0])
    assert random.getstate() == before[1]
    np.testing.assert_array_equal(np.random.get_state()[1], before[2])


def test_the_ledger_counts_exemplars_old_models_and_what_a_resume_needs(project: Project) -> None:
    kept = {}
    for name, options in (
        ("Replay", {"mem_size": 20}),
        ("LwF", {"alpha": 1.0, "temperature": 2.0}),
    ):
        choice = {"name": "avalanche", "strategy": name, "options": options}
        outcome = project.run(project.ring_scenario(choice, training=SHORT), name)
        kept[name] = outcome.results[0].evaluations[-1].kept
    sample = 2 * 4 + 8  # two float32 features, one label
    positions = 600 * 16
    assert kept["Replay"] == {"exemplars": 20 * sample, "tensors": 20 * 4, "positions": positions}
    weights = (2 * 32 + 32) + (32 * 32 + 32) + (32 * 10 + 10)
    assert kept["LwF"] == {"models": 4 * weights, "positions": positions}


def test_the_command_line_leaves_matrix_tensorboard_and_report(
    project: Project, capsys: pytest.CaptureFixture[str]
) -> None:
    from cilsim.cli.main import main

    choice = {"name": "avalanche", "as": "av-replay", "strategy": "Replay"}
    stream = {"kind": "class_incremental", "sizes": [2, 2]}
    scenario = project.ring_scenario(choice, stream, training=SHORT, base_training=SHORT)
    path = project.folder / "both.yaml"
    path.write_text(json.dumps(scenario))
    assert main(["run", str(path), "--out", str(project.folder / "out"), "--no-cache"]) == 0
    run = project.folder / "out" / "both"
    seed = run / "av-replay" / "seed-0"
    assert len((seed / "accuracy_matrix.csv").read_text().splitlines()) == 3
    assert list(seed.glob("events.out.tfevents.*"))
    assert "av-replay" in (run / "report.md").read_text()


@pytest.mark.parametrize(
    ("choice", "message"),
    [
        (
            {"strategy": "avalanche.training.supervised:Replay", "options": {"mem_sise": 3}},
            "strategy 'avalanche': avalanche.training.supervised:Replay has no option 'mem_sise'; "
            "did you mean 'mem_size'?",
        ),
        (
            {"strategy": "avalanche.training.supervised:EWC"},
            "strategy 'avalanche': avalanche.training.supervised:EWC cannot be made with {}: "
            "TypeError: EWC.__init__() missing 1 required keyword-only argument: 'ewc_lambda'",
        ),
    ],
)
def test_arguments_of_imported_classes_are_checked_in_the_run(
    project: Project, choice: dict[str, Any], message: str
) -> None:
    outcome = project.run(project.ring_scenario({"name": "avalanche", **choice}))
    assert outcome.failures[0].message == message


@pytest.mark.gpu
def test_a_strategy_with_a_memory_runs_on_a_gpu(project: Project) -> None:
    choice = {"name": "avalanche", "strategy": "Replay", "options": {"mem_size": 100}}
    scenario = project.ring_scenario(choice, training=GENTLE, base_training=GENTLE)
    outcome = project.run(scenario, device="cuda")
    assert not outcome.failures
    assert project.files("toy", "avalanche").accuracy_matrix()[-1].mean() > 0.8

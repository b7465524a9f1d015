from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.errors import ScenarioError
from cilsim.testing import Project, StrategyContract
from cilsim_nmc.options import NmcOptions

IDENTITY = {"backbone": "identity"}


class TestNmc(StrategyContract):
    strategy = "nmc"


class TestNmcOnTheRingItself(StrategyContract):
    strategy = "nmc"
    changes = IDENTITY

    def test_forgets_nothing(self, project: Project) -> None:
        """The known answer of the ring: class means on the plane itself stay right."""
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.98

    def test_keeps_a_prototype_a_sum_and_a_number_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": classes * 2 * 4, "sums": classes * (2 * 8 + 8)}
            for classes in (2, 4, 6, 8, 10)
        ]


class TestNmcEuclidean(StrategyContract):
    strategy = "nmc"
    options = {"metric": "euclidean"}
    changes = IDENTITY


class TestNmcOfJansonEtAl(StrategyContract):
    strategy = "nmc"
    options = {"preset": "janson"}
    changes = IDENTITY


class TestNmcTaskFree(StrategyContract):
    strategy = "nmc"
    options = {"preset": "task_free"}
    changes = IDENTITY

    def test_keeps_a_prototype_a_mean_and_a_number_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [
            {"prototypes": classes * 2 * 4, "means": classes * (2 * 8 + 8)}
            for classes in (2, 4, 6, 8, 10)
        ]


@pytest.fixture
def stored_run(tmp_path: Path, golden: Path) -> Any:
    """Return a function that runs nmc on golden features and returns arrays and predictions."""

    def run(name: str, preset: str, stream: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
        arrays = dict(np.load(golden / f"{name}.npz", allow_pickle=False))
        parts = {"x_train": "x_train", "y_train": "y_train_raw"}
        parts |= {"x_test": "x_test", "y_test": "y_test_raw"}
        project = Project.create(tmp_path)
        np.savez(tmp_path / "features.npz", **{key: arrays[of] for key, of in parts.items()})
        scenario = {
            "stream": {"dataset": {"name": "arrays", "path": "features.npz"}, **stream},
            "class_order": {"list": arrays["class_order"].tolist()},
            "backbone": "identity",
            "strategy": {"name": "nmc", "preset": preset},
        }
        outcome = project.run(scenario)
        assert not outcome.failures
        return arrays, project.files("toy", "nmc").predictions()

    return run


@pytest.mark.parametrize("preset", ["simplecil", "ranpac_ncm"])
def test_simplecil_and_the_ncm_of_ranpac_predict_what_pilot_predicts(
    stored_run: Any, preset: str
) -> None:
    """Predictions of LAMDA-PILOT's SimpleCIL after each of five tasks."""
    stream = {"kind": "class_incremental", "experiences": 5}
    arrays, predictions = stored_run("nmc_simplecil_signed", preset, stream)
    assert len(predictions) == 5
    for task, stored in enumerate(predictions):
        by_index = dict(zip(stored["index"].tolist(), stored["predicted"].tolist(), strict=True))
        rows = arrays[f"t{task}_test_index"].tolist()
        assert [by_index[row] for row in rows] == arrays[f"t{task}_pred_top3"][:, 0].tolist()


@pytest.mark.parametrize("preset", ["janson", "task_free"])
def test_janson_predicts_what_their_script_predicts(stored_run: Any, preset: str) -> None:
    """Predictions of the script of Janson et al. 2022 after each of ten tasks."""
    stream = {"kind": "class_incremental", "experiences": 10}
    arrays, predictions = stored_run("nmc_janson_class_incremental", preset, stream)
    assert len(predictions) == 10
    for task, stored in enumerate(predictions):
        in_storage_order = np.argsort(stored["index"])
        for ours, theirs in (("predicted", "pred"), ("label", "true")):
            expected = arrays[f"t{task}_{theirs}"]
            np.testing.assert_array_equal(stored[ours][in_storage_order], expected)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ("cosine", "sums")),
        ({"preset": "simplecil"}, ("cosine", "sums")),
        ({"preset": "ranpac_ncm"}, ("cosine", "sums")),
        ({"preset": "janson"}, ("euclidean_normalised", "sums")),
        ({"preset": "task_free"}, ("euclidean_normalised", "running")),
        ({"preset": "janson", "metric": "cosine"}, ("cosine", "sums")),
        ({"metric": "euclidean"}, ("euclidean", "sums")),
    ],
    ids=str,
)
def test_a_preset_gives_the_defaults_and_an_option_beside_it_wins(
    given: dict[str, Any], expected: tuple[str, str]
) -> None:
    options = NmcOptions(**given)
    assert (options.metric, options.update) == expected


def test_an_unknown_preset_is_refused(tmp_path: Path) -> None:
    project = Project.create(tmp_path)
    with pytest.raises(ScenarioError) as caught:
        project.run(project.ring_scenario({"name": "nmc", "preset": "jansen"}))
    assert [problem.message for problem in caught.value.problems] == [
        "expected one of 'simplecil', 'janson', 'task_free', 'ranpac_ncm', found 'jansen'; did you "
        "mean 'janson'?"
    ]


def test_on_other_domains_the_means_are_those_of_all_samples_so_far(tmp_path: Path) -> None:
    """Four points in the plane by hand: the mean of class 0 moves from (1, 0) to (2, 1)."""
    np.savez(
        tmp_path / "points.npz",
        x_train=np.array([[1.0, 0], [0, 4], [3, 2], [0, 4]]),
        y_train=np.array([0, 1, 0, 1]),
        domain_train=np.array([0, 0, 1, 1]),
        x_test=np.array([[2.4, 2.0], [0, 5], [2.4, 2.0], [0, 5]]),
        y_test=np.array([0, 1, 0, 1]),
        domain_test=np.array([0, 0, 1, 1]),
    )
    project = Project.create(tmp_path)
    scenario = {
        "stream": {
            "kind": "domain_incremental",
            "dataset": {"name": "arrays", "path": "points.npz"},
        },
        "backbone": "identity",
        "strategy": {"name": "nmc", "metric": "euclidean"},
    }
    assert not project.run(scenario).failures
    files = project.files("toy", "nmc")
    metrics = files.metrics()
    assert metrics[1, "prototypes/drift"] == pytest.approx(2**0.5 / 2)
    assert metrics[0, "prototypes/norm_new"] == pytest.approx((1 + 4) / 2)
    assert metrics[1, "prototypes/norm_old"] == pytest.approx((5**0.5 + 4) / 2)
    assert [stored["predicted"].tolist() for stored in files.predictions()] == [
        [0, 1],
        [0, 1, 0, 1],
    ]


def test_calibrated_prototypes_stay_where_no_sample_of_their_class_comes(tmp_path: Path) -> None:
    """TEEN over nmc keeps its turned rows although the sums know the raw means."""
    project = Project.create(tmp_path)
    scenario = {
        **project.ring_scenario({"name": "nmc", "calibrators": ["teen"]}),
        "backbone": "identity",
    }
    assert not project.run(scenario).failures
    metrics = project.files("toy", "nmc").metrics()
    assert [metrics[after, "prototypes/drift"] for after in range(1, 5)] == [0.0] * 4

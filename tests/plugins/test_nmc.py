from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.testing import Project, StrategyContract

IDENTITY = {"backbone": "identity"}


class TestNmc(StrategyContract):
    strategy = "nmc"


class TestNmcOnTheRingItself(StrategyContract):
    strategy = "nmc"
    changes = IDENTITY

    def test_forgets_nothing(self, project: Project) -> None:
        """The known answer of the ring: class means on the plane itself stay right."""
        assert self.run(project).accuracy_matrix()[-1].min() >= 0.98

    def test_keeps_one_vector_per_class(self, project: Project) -> None:
        outcome = project.run(self.scenario(project))
        kept = [dict(evaluation.kept) for evaluation in outcome.results[0].evaluations]
        assert kept == [{"prototypes": classes * 2 * 4} for classes in (2, 4, 6, 8, 10)]


class TestNmcEuclidean(StrategyContract):
    strategy = "nmc"
    options = {"metric": "euclidean"}
    changes = IDENTITY


class TestNmcEuclideanNormalised(StrategyContract):
    strategy = "nmc"
    options = {"metric": "euclidean_normalised"}
    changes = IDENTITY


@pytest.fixture
def stored_run(tmp_path: Path, golden: Path) -> Any:
    """Return a function that runs nmc on golden features and returns arrays and predictions."""

    def run(name: str, metric: str, stream: dict[str, Any]) -> tuple[Any, list[dict[str, Any]]]:
        arrays = dict(np.load(golden / f"{name}.npz", allow_pickle=False))
        parts = {"x_train": "x_train", "y_train": "y_train_raw"}
        parts |= {"x_test": "x_test", "y_test": "y_test_raw"}
        project = Project.create(tmp_path)
        np.savez(tmp_path / "features.npz", **{key: arrays[of] for key, of in parts.items()})
        scenario = {
            "stream": {"dataset": {"name": "arrays", "path": "features.npz"}, **stream},
            "class_order": {"list": arrays["class_order"].tolist()},
            "backbone": "identity",
            "strategy": {"name": "nmc", "metric": metric},
        }
        outcome = project.run(scenario)
        assert not outcome.failures
        return arrays, project.files("toy", "nmc").predictions()

    return run


def test_cosine_equals_simplecil(stored_run: Any) -> None:
    """Predictions of LAMDA-PILOT's SimpleCIL after each of five tasks."""
    stream = {"kind": "class_incremental", "experiences": 5}
    arrays, predictions = stored_run("nmc_simplecil_signed", "cosine", stream)
    assert len(predictions) == 5
    for task, stored in enumerate(predictions):
        by_index = dict(zip(stored["index"].tolist(), stored["predicted"].tolist(), strict=True))
        rows = arrays[f"t{task}_test_index"].tolist()
        assert [by_index[row] for row in rows] == arrays[f"t{task}_pred_top3"][:, 0].tolist()


def test_euclidean_normalised_equals_janson_et_al(stored_run: Any) -> None:
    """Predictions of the script of Janson et al. 2022 after each of ten tasks."""
    stream = {"kind": "class_incremental", "experiences": 10}
    name, metric = "nmc_janson_class_incremental", "euclidean_normalised"
    arrays, predictions = stored_run(name, metric, stream)
    assert len(predictions) == 10
    for task, stored in enumerate(predictions):
        in_storage_order = np.argsort(stored["index"])
        for ours, theirs in (("predicted", "pred"), ("label", "true")):
            expected = arrays[f"t{task}_{theirs}"]
            np.testing.assert_array_equal(stored[ours][in_storage_order], expected)

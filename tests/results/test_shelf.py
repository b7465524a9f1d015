"""Arrays of older evaluations are let go and found again on the disk."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from cilsim.errors import CheckpointError
from cilsim.metrics.evaluate import evaluate_predictions
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.shelf import Shelf, Shelved


@pytest.fixture
def measured(evaluations, stream):
    """Two evaluations; matrix and confusion counts of the first follow from its predictions."""
    first, second = evaluations
    known = evaluate_predictions([first.predictions], stream)
    matrix_TT = np.stack([known.accuracy_matrix[0], second.accuracy_matrix[1]])
    own = {"accuracy_matrix": known.accuracy_matrix, "confusion": known.confusion}
    return [replace(first, **own), replace(second, accuracy_matrix=matrix_TT)]


@pytest.fixture
def shelved(tmp_path, measured, stream):
    """The same evaluations, the arrays of the first on the disk."""
    folder = SeedFolder(tmp_path / "teen" / "seed-0", "teen", 0)
    folder.write_evaluation(measured, stream)
    evaluations = list(measured)
    Shelf(folder, stream).tidy(evaluations, limit_bytes=0)
    return evaluations


def test_all_but_the_newest_are_let_go_beyond_the_limit(shelved):
    assert [isinstance(one, Shelved) for one in shelved] == [True, False]


def test_small_evaluations_stay_in_memory(tmp_path, measured, stream):
    evaluations = list(measured)
    Shelf(SeedFolder(tmp_path, "teen", 0), stream).tidy(evaluations)
    assert evaluations == measured


def test_a_shelved_evaluation_says_what_it_said_before(shelved, measured):
    found, before = shelved[0], measured[0]
    for name in ("experience", "values", "seconds", "kept", "unlabelled"):
        assert getattr(found, name) == getattr(before, name)
    for name in ("accuracy_matrix", "confusion"):
        np.testing.assert_array_equal(getattr(found, name), getattr(before, name))
    for name in ("index", "label", "predicted"):
        array = getattr(found.predictions, name)
        np.testing.assert_array_equal(array, getattr(before.predictions, name))


def test_its_metrics_can_be_completed(shelved):
    completed = shelved[0].with_values({**shelved[0].values, "intransigence": 0.5})
    assert completed.values == {"A_all": 0.75, "intransigence": 0.5}
    np.testing.assert_array_equal(completed.confusion, shelved[0].confusion)


def test_its_predictions_are_checked_when_they_are_read(tmp_path, shelved):
    path = tmp_path / "teen" / "seed-0" / "predictions" / "experience-00.npz"
    path.write_bytes(b"")
    with pytest.raises(CheckpointError) as caught:
        _ = shelved[0].predictions
    assert str(caught.value) == (
        f"{path}: is damaged: its checksum does not match the one in SHA256SUMS"
    )

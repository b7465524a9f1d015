from __future__ import annotations

import pytest
import torch

from cilsim.prototypes import drift as module
from cilsim.prototypes.drift import drift, nearest_cosines, prototype_diagnostics
from cilsim.prototypes.table import PrototypeTable

ROWS = torch.tensor([[3.0, 4.0], [0.0, 2.0], [1.0, 0.0]])


def test_nearest_cosines_leave_out_the_row_itself():
    values, indices = nearest_cosines(ROWS)
    torch.testing.assert_close(values, torch.tensor([0.8, 0.8, 0.6]))
    assert indices.tolist() == [1, 0, 0]


@pytest.mark.parametrize("rows_at_a_time", [1, 1024])
def test_nearest_cosines_of_some_rows_are_those_of_all(
    monkeypatch: pytest.MonkeyPatch, rows_at_a_time: int
):
    rows = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    values, indices = nearest_cosines(rows)
    monkeypatch.setattr(module, "ROWS_AT_A_TIME", rows_at_a_time)
    some_values, some_indices = nearest_cosines(rows, [7, 0, 19])
    torch.testing.assert_close(some_values, values[[7, 0, 19]])
    assert torch.equal(some_indices, indices[[7, 0, 19]])


def test_nearest_cosine_of_opposite_rows_is_minus_one():
    assert nearest_cosines(torch.tensor([[1.0], [-2.0]]))[0].tolist() == [-1.0, -1.0]


def test_one_prototype_has_no_nearest():
    with pytest.raises(ValueError, match=r"^1 prototypes; expected at least 2$"):
        nearest_cosines(ROWS[:1])


def test_drift_is_the_distance_of_earlier_rows_to_where_they_were():
    previous = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    assert drift(ROWS, previous).tolist() == [5.0, 0.0]


def test_diagnostics_of_a_later_experience():
    table = PrototypeTable(ROWS, base_classes=2, new=(2,))
    previous = torch.tensor([[0.0, 0.0], [0.0, 2.0]])
    assert prototype_diagnostics(table, previous) == pytest.approx(
        {"norm_new": 1.0, "norm_old": 3.5, "nearest_cosine": 0.6, "drift": 2.5}
    )


def test_diagnostics_of_the_base_have_nothing_old():
    table = PrototypeTable(ROWS, base_classes=3, new=(0, 1, 2))
    assert prototype_diagnostics(table) == pytest.approx(
        {"norm_new": 8 / 3, "nearest_cosine": (0.8 + 0.8 + 0.6) / 3}
    )


def test_diagnostics_without_new_classes_have_nothing_new():
    table = PrototypeTable(ROWS, base_classes=3, new=())
    assert prototype_diagnostics(table) == pytest.approx({"norm_old": 8 / 3})


def test_diagnostics_see_the_rows_after_calibration():
    table = PrototypeTable(ROWS, base_classes=2, new=(2,))
    table.update([2], torch.tensor([[6.0, 8.0]]), by="own")
    assert prototype_diagnostics(table)["norm_new"] == pytest.approx(10.0)
    assert prototype_diagnostics(table)["nearest_cosine"] == pytest.approx(1.0)

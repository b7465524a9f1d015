from __future__ import annotations

import re

import numpy as np
import pytest
import torch

from cilsim.errors import PluginError
from cilsim.prototypes.table import Change, PrototypeTable

ROWS = torch.arange(12.0).view(4, 3)


@pytest.fixture
def table():
    return PrototypeTable(ROWS, base_classes=2, new=(2, 3))


def test_a_new_table_holds_the_rows_and_takes_them_as_raw_means(table):
    assert (table.seen, table.base_classes, table.new) == (4, 2, (2, 3))
    assert torch.equal(table.vectors, ROWS)
    assert torch.equal(table.raw, ROWS)
    assert table.changed_by == ()


def test_update_replaces_the_rows_and_leaves_the_raw_means(table):
    table.update([3, 1], torch.tensor([[1.0, 1.0, 1.0], [2.0, 2.0, 2.0]]), by="teen")
    expected = ROWS.clone()
    expected[3], expected[1] = 1.0, 2.0
    assert torch.equal(table.vectors, expected)
    assert torch.equal(table.raw, ROWS)


def test_changes_are_remembered_in_order(table):
    table.update(range(2, 4), torch.zeros(2, 3), by="teen")
    table.update(torch.tensor([0]), torch.zeros(1, 3), by="own")
    assert table.changed_by == (Change("teen", (2, 3)), Change("own", (0,)))


def test_raw_means_of_earlier_classes_can_differ_from_their_rows():
    table = PrototypeTable(ROWS, ROWS + 1, base_classes=2, new=[3])
    assert torch.equal(table.raw, ROWS + 1)
    assert torch.equal(table.vectors, ROWS)


def test_writing_into_what_the_table_gives_changes_nothing(table):
    table.vectors.zero_()
    table.raw.zero_()
    assert torch.equal(table.vectors, ROWS)
    assert torch.equal(table.raw, ROWS)


def test_writing_into_what_the_table_was_made_of_changes_nothing():
    rows = ROWS.clone()
    table = PrototypeTable(rows, base_classes=2, new=())
    rows.zero_()
    assert torch.equal(table.vectors, ROWS)


def test_rows_carry_no_gradient(table):
    weights = torch.zeros(1, 3, requires_grad=True)
    table.update([0], weights * 2, by="own")
    assert not table.vectors.requires_grad


@pytest.mark.parametrize(
    ("labels", "vectors", "complaint"),
    [
        ([2, 3], torch.zeros(2, 2), "the rows have shape (2, 2); expected (2, 3)"),
        ([2, 3], torch.zeros(1, 3), "the rows have shape (1, 3); expected (2, 3)"),
        (
            [2],
            torch.zeros(1, 3, dtype=torch.float64),
            "the rows are torch.float64 on cpu; expected torch.float32 on cpu",
        ),
        (
            [2],
            torch.zeros(1, 3, device="meta"),
            "the rows are torch.float32 on meta; expected torch.float32 on cpu",
        ),
        ([2], np.zeros((1, 3)), "the rows are a ndarray; expected a torch.Tensor"),
        ([4], torch.zeros(1, 3), "there is no class 4; expected labels from 0 to 3"),
        ([-1], torch.zeros(1, 3), "there is no class -1; expected labels from 0 to 3"),
        ([2, 2], torch.zeros(2, 3), "labels (2, 2) repeat; expected each at most once"),
        (
            [2, 3],
            torch.tensor([[0.0, 0.0, 0.0], [0.0, torch.nan, 0.0]]),
            "the row of class 3 holds NaN or infinity",
        ),
        (
            [3, 2],
            torch.tensor([[torch.inf, 0.0, 0.0], [0.0, 0.0, 0.0]]),
            "the row of class 3 holds NaN or infinity",
        ),
    ],
    ids=[
        "wrong D",
        "wrong number",
        "dtype",
        "device",
        "not a tensor",
        "unseen class",
        "negative",
        "repeated",
        "nan",
        "infinity",
    ],
)
def test_an_update_that_does_not_fit_names_who_did_it(table, labels, vectors, complaint):
    with pytest.raises(PluginError) as caught:
        table.update(labels, vectors, by="teen")
    assert str(caught.value) == f"'teen' cannot change prototypes: {complaint}"
    assert caught.value.plugin == "teen"
    assert torch.equal(table.vectors, ROWS)
    assert table.changed_by == ()


def test_no_rows_can_be_updated(table):
    table.update([], torch.zeros(0, 3), by="own")
    assert torch.equal(table.vectors, ROWS)


def test_raw_means_of_another_shape_are_refused():
    message = "prototypes have shape (4, 3) and raw means (3, 3); expected (K, D) for both"
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        PrototypeTable(ROWS, ROWS[:3], base_classes=2, new=())


@pytest.mark.parametrize(
    ("base_classes", "new", "message"),
    [
        (5, (), "^5 base classes and new labels \\(\\) do not fit 4 rows$"),
        (2, (3, 4), "^2 base classes and new labels \\(3, 4\\) do not fit 4 rows$"),
    ],
    ids=["base", "new"],
)
def test_classes_without_a_row_are_refused(base_classes, new, message):
    with pytest.raises(ValueError, match=message):
        PrototypeTable(ROWS, base_classes=base_classes, new=new)

"""Blocks of classes, against sums worked out by hand."""

import numpy as np
import pytest

from cilsim.report.blocks import MOST_SIDES, in_blocks


def test_few_classes_stay_by_themselves():
    counts = np.arange(16).reshape(4, 4)
    found = in_blocks(counts, most_cells=16)
    assert (found.each, found.counts.tolist()) == (1, counts.tolist())


def test_too_many_counts_are_summed_over_pairs_of_labels_and_a_last_single_one():
    found = in_blocks(np.arange(25).reshape(5, 5), most_cells=9)
    # rows 0 and 1, columns 0 and 1: 0 + 1 + 5 + 6
    assert (found.each, found.counts.tolist()) == (
        2, [[12, 20, 13], [52, 60, 33], [41, 45, 24]]
    )  # fmt: skip


def test_blocks_grow_until_the_counts_are_few_enough():
    found = in_blocks(np.ones((9, 9), dtype=np.int64), most_cells=4)
    assert (found.each, found.counts.tolist()) == (8, [[64, 8], [8, 1]])


def test_counts_that_are_zero_cost_nothing():
    assert in_blocks(np.eye(MOST_SIDES, dtype=np.int64), most_cells=MOST_SIDES).each == 1


@pytest.mark.parametrize(("classes", "each"), [(360, 1), (361, 2), (1000, 3), (3000, 9)])
def test_no_matrix_has_more_rows_than_pixels(classes, each):
    found = in_blocks(np.eye(classes, dtype=np.int64))
    assert (found.each, len(found.counts) <= MOST_SIDES) == (each, True)
    assert found.counts.trace() == classes

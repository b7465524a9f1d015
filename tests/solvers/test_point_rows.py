from __future__ import annotations

import pytest
import torch

from cilsim.solvers import chunking
from cilsim.solvers.point_rows import PointRows, column_means

POINTS = torch.randn(40, 6, generator=torch.Generator().manual_seed(0)).to(torch.bfloat16)
SHIFT = torch.arange(6, dtype=torch.float32)


@pytest.mark.parametrize("max_bytes", [1 << 20, 100, 1], ids=["held", "four at a time", "one"])
def test_points_are_the_same_bits_whether_held_or_moved_each_time(max_bytes: int) -> None:
    rows, moved = PointRows(POINTS, SHIFT, max_bytes), POINTS.float() - SHIFT
    assert torch.equal(rows.part(slice(3, 9)), moved[3:9])
    assert torch.equal(rows.at(torch.tensor([7, 0])), moved[[7, 0]])
    assert torch.equal(rows.squares, moved.square().sum(1))
    assert (len(rows), rows.size, rows.dtype) == (40, 6, torch.float32)


@pytest.mark.parametrize("max_bytes", [1 << 20, 100], ids=["held", "four at a time"])
def test_points_are_embedded_before_they_are_moved(max_bytes: int) -> None:
    rows = PointRows(POINTS, SHIFT, max_bytes, torch.nn.functional.normalize)
    moved = torch.nn.functional.normalize(POINTS).float() - SHIFT
    assert torch.equal(rows.part(slice(3, 9)), moved[3:9])
    assert torch.equal(rows.at(torch.tensor([7, 0])), moved[[7, 0]])
    found = column_means(POINTS, max_bytes, torch.nn.functional.normalize)
    expected = torch.nn.functional.normalize(POINTS).double().mean(0)
    torch.testing.assert_close(found, expected, rtol=1e-14, atol=1e-14)


def test_points_moved_each_time_come_in_slices_that_fit_a_cache(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(chunking, "CPU_CACHE_BYTES", 240)
    rows = PointRows(POINTS, SHIFT, 959)  # all moved points take 960
    assert [part.stop - part.start for part in rows.slices(8)] == [10] * 4


def test_slices_keep_to_the_bound_and_cover_all_points() -> None:
    rows = PointRows(POINTS, SHIFT, 100)  # one moved point has 24 bytes
    assert [part.stop - part.start for part in rows.slices(8)] == [4] * 10
    assert [part.stop - part.start for part in rows.slices(50)] == [2] * 20


def test_column_means_do_not_depend_on_the_slices() -> None:
    points = torch.randn(100, 3) + 1e4
    expected = points.double().mean(0)
    for max_bytes in (24, 240, 1 << 20):
        torch.testing.assert_close(column_means(points, max_bytes), expected, rtol=1e-14, atol=0)

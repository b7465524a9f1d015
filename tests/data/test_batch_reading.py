from __future__ import annotations

import threading

import numpy as np
import pytest
import torch

from cilsim.data.batch_reading import AHEAD, EpochReader, across, consecutive, selected
from cilsim.data.host_rows import HostRows

CPU = torch.device("cpu")
ARRAY = np.arange(23 * 4, dtype=np.float32).reshape(23, 4)


class Watched(HostRows):
    """Notes which places are read, how many of them at once are not yet asked for, and where."""

    def __init__(self, count: int = 23) -> None:
        super().__init__(ARRAY[:count], np.arange(count), CPU)
        self.reads: list[list[int]] = []
        self.threads: set[str] = set()

    def read(self, place_B: torch.Tensor, *, pinned: bool = False) -> torch.Tensor:
        self.reads.append(place_B.tolist())
        self.threads.add(threading.current_thread().name)
        return super().read(place_B, pinned=pinned)


@pytest.mark.parametrize("padded", [False, True], ids=["cut", "padded"])
@pytest.mark.parametrize("count", [0, 1, 5, 10, 23])
def test_batches_from_the_host_are_those_of_the_tensor(count: int, padded: bool) -> None:
    tensor = torch.from_numpy(ARRAY[:count])
    ours = list(consecutive(Watched(count), 5, CPU, padded=padded))
    theirs = list(consecutive(tensor, 5, CPU, padded=padded))
    assert [one.tolist() for one in ours] == [one.tolist() for one in theirs]
    assert [len(one) for one in theirs] == [5 if padded else min(5, count - s) for s in
                                            range(0, count, 5)]  # fmt: skip


def test_the_last_batch_is_padded_with_the_last_sample() -> None:
    *_, last = consecutive(torch.arange(7), 5, CPU, padded=True)
    assert last.tolist() == [5, 6, 6, 6, 6]


def test_batches_are_read_ahead_by_another_thread_but_not_far() -> None:
    rows = Watched()
    batches = consecutive(rows, 2, CPU)
    next(batches)
    list(zip(range(3), batches, strict=False))
    assert len(rows.reads) <= 5 + AHEAD + 1
    assert all(name.startswith("cilsim-reader") for name in rows.threads)


def test_an_abandoned_reader_ends_its_thread() -> None:
    batches = consecutive(Watched(), 2, CPU)
    next(batches)
    batches.close()  # type: ignore[attr-defined]
    assert not [one for one in threading.enumerate() if one.name.startswith("cilsim-reader")]


def test_an_error_of_the_reader_arrives_where_the_batch_is_asked_for() -> None:
    class Broken(Watched):
        def read(self, place_B: torch.Tensor, *, pinned: bool = False) -> torch.Tensor:
            raise OSError(5, "Input/output error")

    with pytest.raises(OSError, match="Input/output error"):
        next(consecutive(Broken(), 2, CPU))


def test_selected_batches_come_in_their_order() -> None:
    places = [torch.tensor([3, 1]), torch.tensor([22])]
    for x in (Watched(), torch.from_numpy(ARRAY)):
        found = [one.tolist() for one in selected(x, places, CPU)]
        assert found == [ARRAY[[3, 1]].tolist(), ARRAY[[22]].tolist()]


@pytest.mark.parametrize("sizes", [[23], [1, 22], [7, 0, 9, 7], [2] * 11 + [1]], ids=str)
@pytest.mark.parametrize("size", [1, 4, 23, 50])
def test_batches_across_parts_are_those_of_the_joined_parts(sizes: list[int], size: int) -> None:
    whole = torch.from_numpy(ARRAY)
    ours = list(across(whole.split(sizes), size))
    assert [one.tolist() for one in ours] == [one.tolist() for one in whole.split(size)]


def test_without_parts_there_are_no_batches() -> None:
    assert list(across([], 4)) == []


BOUNDS = [(0, 8), (8, 16), (16, 23)]


def test_an_epoch_is_read_once_in_its_order() -> None:
    rows, order = Watched(), torch.arange(22, -1, -1)
    reader = EpochReader(rows, BOUNDS, CPU)
    for _ in range(2):
        reader.begin(order)
        for step, (start, stop) in enumerate(BOUNDS):
            assert reader.batch(step).tolist() == ARRAY[order[start:stop]].tolist()
    assert sum(map(len, rows.reads)) == 2 * 23


def test_an_epoch_can_be_entered_anywhere_and_a_step_asked_for_again() -> None:
    reader = EpochReader(Watched(), BOUNDS, CPU)
    reader.begin(torch.arange(23))
    for step in (1, 1, 2, 0):
        start, stop = BOUNDS[step]
        assert reader.batch(step).tolist() == ARRAY[start:stop].tolist()

"""Batches of a part on the device: cut out of a tensor there, or read ahead from the host.

Which samples a batch has never depends on where they lie, so neither does any result.

Axis letters: N samples, B batch.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import torch
from torch import Tensor

from cilsim.data.host_rows import HostRows, Rows

AHEAD = 2
"""Batches that are read while one is in use."""


def consecutive(
    x: Rows, size: int, device: torch.device, *, padded: bool = False
) -> Iterator[Tensor]:
    """Yield all samples in batches of `size`, in their order, on the device.

    Args:
        x: the samples.
        size: B.
        device: where the batches go.
        padded: whether the last batch is filled up with the last sample.
    """
    bounds = ((start, min(start + size, len(x))) for start in range(0, len(x), size))
    if isinstance(x, HostRows):
        places = (_places(start, stop, size if padded else 0) for start, stop in bounds)
        yield from selected(x, places, device)
        return
    for start, stop in bounds:
        batch = x[start:stop]
        if padded and stop - start < size:
            batch = x.index_select(0, _places(start, stop, size).to(x.device))
        yield batch.to(device)


def selected(x: Rows, places: Iterable[Tensor], device: torch.device) -> Iterator[Tensor]:
    """Yield the samples at each of `places`, on the device; rows on the host are read ahead.

    Args:
        x: the samples.
        places: (B,) positions of each batch; on the CPU where the samples are on the host.
        device: where the batches go.
    """
    if isinstance(x, HostRows):
        yield from _read_ahead(x, places, device)
        return
    for place_B in places:
        yield x.index_select(0, place_B).to(device)


def across(parts: Sequence[Tensor], size: int) -> Iterator[Tensor]:
    """Yield the batches that `torch.split(torch.cat(parts), size)` gives, without joining parts."""
    pieces: list[Tensor] = []
    missing = size
    for part in parts:
        start = 0
        while start < len(part):
            pieces.append(part[start : start + missing])
            start += len(pieces[-1])
            missing -= len(pieces[-1])
            if not missing:
                yield _joined(pieces)
                pieces, missing = [], size
    if pieces:
        yield _joined(pieces)


def _joined(pieces: list[Tensor]) -> Tensor:
    return pieces[0] if len(pieces) == 1 else torch.cat(pieces)


def _read_ahead(rows: HostRows, places: Iterable[Tensor], device: torch.device) -> Iterator[Tensor]:
    pinned = device.type == "cuda"
    waiting: deque[Future[Tensor]] = deque()
    with ThreadPoolExecutor(1, thread_name_prefix="cilsim-reader") as reader:
        for place_B in places:
            waiting.append(reader.submit(rows.read, place_B, pinned=pinned))
            if len(waiting) > AHEAD:
                yield waiting.popleft().result().to(device, non_blocking=True)
        while waiting:
            yield waiting.popleft().result().to(device, non_blocking=True)


def _places(start: int, stop: int, padded_to: int) -> Tensor:
    return torch.arange(start, max(stop, start + padded_to)).clamp_(max=stop - 1)


class EpochReader:
    """The batches of one epoch after another, for a loop that asks for them step by step.

    Steps may be left out or asked for again, as after a resume; asked for in turn, each batch was
    read while the one before was in use.
    """

    def __init__(
        self, rows: HostRows, bounds: Sequence[tuple[int, int]], device: torch.device
    ) -> None:
        self._rows = rows
        self._bounds = bounds
        self._device = device
        self._batches: Iterator[Tensor] = iter(())
        self._next = -1

    def begin(self, order_N: Tensor) -> None:
        """Start an epoch over the samples in this order, on the CPU."""
        self._order_N, self._next = order_N, -1

    def batch(self, step: int) -> Tensor:
        """Return the samples of a step, on the device."""
        if step != self._next:
            places = (self._order_N[start:stop] for start, stop in self._bounds[step:])
            self._batches = selected(self._rows, places, self._device)
        self._next = step + 1
        return next(self._batches)

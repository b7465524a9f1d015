"""Noticing the first step whose loss is not finite, without waiting for the device."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor

STEPS_BETWEEN_LOOKS = 16
"""Steps whose losses travel together from a GPU; they are looked at when the next ones follow."""


class LossWatch:
    """Looks at every loss: on the CPU at once, on a GPU at most two looks, 32 steps, later.

    On a GPU the losses of some steps are copied to the host while later steps go on. When the next
    ones are ready to follow, the copy is waited for, which is then that many steps old: the device
    never runs dry.

    Args:
        device: where the losses are.
        first: number of the first step that will be noted.
    """

    def __init__(self, device: torch.device, first: int = 0) -> None:
        self._cuda = device.type == "cuda"
        self._every = 1 if device.type == "cpu" else STEPS_BETWEEN_LOOKS
        self._waiting: list[Tensor] = []
        self._looked_at = first
        self._travelling: tuple[Tensor, torch.cuda.Event | None] | None = None

    def note(self, loss: Tensor) -> tuple[int, float] | None:
        """Note the loss of one more step; return number and loss of the first bad step known."""
        if self._every == 1:
            return self._look([loss.item()])
        self._waiting.append(loss.detach())
        if len(self._waiting) < self._every:
            return None
        found = self._arrived()
        self._send()
        return found

    def settle(self) -> tuple[int, float] | None:
        """Wait for all that was noted; return number and loss of the first bad step."""
        found = self._arrived()
        if found is None and self._waiting:
            self._send()
            found = self._arrived()
        return found

    def _send(self) -> None:
        losses = torch.stack(self._waiting).to("cpu", non_blocking=self._cuda)
        event = None
        if self._cuda:
            event = torch.cuda.Event()  # type: ignore[no-untyped-call]
            event.record()
        self._travelling, self._waiting = (losses, event), []

    def _arrived(self) -> tuple[int, float] | None:
        if self._travelling is None:
            return None
        losses, event = self._travelling
        if event is not None:
            event.synchronize()
        self._travelling = None
        return self._look(losses.tolist())

    def _look(self, losses: Iterable[float]) -> tuple[int, float] | None:
        for loss in losses:
            if not math.isfinite(loss):
                return self._looked_at, loss
            self._looked_at += 1
        return None


def all_finite(tensors: Iterable[Tensor]) -> bool:
    """Return whether no tensor holds NaN or infinity; waits for the device once."""
    # a sum carries NaN and infinity along, and is ten times as fast as looking at each number
    sums = [tensor.detach().sum(dtype=torch.float32) for tensor in tensors]
    return bool(torch.stack(sums).isfinite().all())

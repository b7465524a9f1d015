"""Sending what was drawn on the CPU to the device."""

from __future__ import annotations

import torch
from torch import Tensor


def sent(drawn: Tensor, device: torch.device) -> Tensor:
    """Return a tensor on `device`, where it lies on the CPU without waiting for a GPU.

    A plain copy to a GPU waits until all work before it is done; one from pinned memory takes its
    turn. Losses that draw with a CPU generator at every step should send by this.
    """
    if device.type == "cuda" and drawn.device.type == "cpu":
        return drawn.pin_memory().to(device, non_blocking=True)
    return drawn.to(device)

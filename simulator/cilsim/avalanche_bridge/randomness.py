"""The one place where global generators are used: Avalanche draws from them."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch

from cilsim.seeding import derive_seed


@contextmanager
def own_randomness(device: torch.device, *position: int | str) -> Iterator[None]:
    """Seed the global generators of torch, NumPy and Python; the block's end puts them back.

    So what Avalanche draws depends on `position` alone, and nothing outside on what it drew.

    Args:
        device: of the run; a CUDA device has a generator of its own.
        position: where and for what is drawn, as for `derive_seed`.
    """
    devices = [device] if device.type == "cuda" else []
    legacy, plain = np.random.get_state(), random.getstate()
    with torch.random.fork_rng(devices=devices):
        try:
            torch.manual_seed(derive_seed(*position, "torch"))
            np.random.seed(derive_seed(*position, "numpy") % 2**32)
            random.seed(derive_seed(*position, "python"))
            yield
        finally:
            np.random.set_state(legacy)
            random.setstate(plain)

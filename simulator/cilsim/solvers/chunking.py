"""How much memory the largest intermediate tensor of a solver may take, and slices that keep to it.

Every solver takes `max_bytes`; inputs and results are not counted. What cannot be cut any smaller,
such as the labels of one restart of k-means, may exceed the bound.
"""

from __future__ import annotations

from collections.abc import Iterator

import torch

CPU_BYTES = 1 << 27
"""128 MiB: larger ones are no faster, and several of them exist at a time."""
CPU_CACHE_BYTES = 1 << 22
"""4 MiB: what is read again at once should still be in a processor's cache."""
SHARE_OF_GPU = 64
"""A GPU lends one part in this many of its memory: 1.25 GiB of 80 GiB."""


def default_max_bytes(device: torch.device) -> int:
    """Return the bound on `device`: of all its memory, not the free part, so that runs are equal.

    Where chunks end decides the last bits of a sum, so the bound must not depend on what else is
    on the device.
    """
    if device.type != "cuda":
        return CPU_BYTES
    total = int(torch.cuda.get_device_properties(device).total_memory)
    return max(CPU_BYTES, total // SHARE_OF_GPU)


def bound_for(max_bytes: int | None, device: torch.device) -> int:
    """Return `max_bytes`, or the device's default where it is None.

    Raises:
        ValueError: it is below 1.
    """
    if max_bytes is None:
        return default_max_bytes(device)
    if max_bytes < 1:
        raise ValueError(f"max_bytes={max_bytes}; expected at least 1")
    return max_bytes


def bound_in_cache(max_bytes: int | None, device: torch.device) -> int:
    """Return the bound for elementwise work after a product: on the CPU no more than its cache.

    Raises:
        ValueError: `max_bytes` is below 1.
    """
    bound = bound_for(max_bytes, device)
    return min(bound, CPU_CACHE_BYTES) if device.type == "cpu" else bound


def chunks(rows: int, bytes_per_row: int, max_bytes: int) -> Iterator[slice]:
    """Yield slices over `rows`, each of one row at least and of `max_bytes` at most otherwise."""
    step = max(1, max_bytes // max(1, bytes_per_row))
    for start in range(0, rows, step):
        yield slice(start, min(start + step, rows))

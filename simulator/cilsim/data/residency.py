"""Whether the samples of a data set go to the device as a whole, or batch by batch."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Literal

import torch

from cilsim.data.dataset import DataSet

logger = logging.getLogger(__name__)

SHARE = 0.5
"""Of the free memory that samples may take; the rest is for networks and features."""

ALWAYS_BYTES = 1 << 28
"""Smaller sets are not worth a look at the memory."""

MEMORY = Path("/proc/meminfo")
CONTROL_GROUP = Path("/sys/fs/cgroup")


def resident(dataset: DataSet, wanted: Literal["auto"] | bool, device: torch.device) -> bool:
    """Return whether parts of a data set are to lie on the device, and log it if `auto` says no."""
    if wanted != "auto":
        return wanted
    size = dataset.x_train.nbytes + dataset.x_test.nbytes
    free = None if size <= ALWAYS_BYTES else free_bytes(device)
    if free is None or size <= SHARE * free:
        return True
    logger.info(
        "data set '%s': %.1f GB of samples stay where they are, %s has %.1f GB free; "
        "batches are read when they are needed (data_on_device: auto)",
        *(dataset.name, size / 1e9, device, free / 1e9),
    )
    return False


def free_bytes(device: torch.device) -> int | None:
    """Return the free memory of the device, or of the host for any but CUDA; None if unknown."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    known = [size for size in (_available(), _left_to_group()) if size is not None]
    return min(known, default=None)


def _available() -> int | None:
    """Return what Linux says that programs can have without swapping."""
    for line in _lines(MEMORY):
        name, _, value = line.partition(":")
        if name == "MemAvailable":
            return int(value.split()[0]) * 1024
    return None


def _left_to_group() -> int | None:
    """Return what the limit of a container leaves, if there is one; caches of files give way."""
    limit, used = (_lines(CONTROL_GROUP / f"memory.{name}") for name in ("max", "current"))
    if not limit or not used or limit[0] == "max":
        return None
    stat = dict(line.split(maxsplit=1) for line in _lines(CONTROL_GROUP / "memory.stat"))
    return int(limit[0]) - int(used[0]) + int(stat.get("inactive_file", 0))


def _lines(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="ascii").splitlines()
    except OSError:
        return []

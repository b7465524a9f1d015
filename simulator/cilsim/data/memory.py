"""Memory for tensors: recognising that there was none, and not asking the system twice for it."""

from __future__ import annotations

import ctypes
import os
import sys

import torch

PHRASES = (
    "DefaultCPUAllocator: can't allocate memory",
    "DefaultCPUAllocator: not enough memory",
    "CUBLAS_STATUS_ALLOC_FAILED",
    "CUDNN_STATUS_ALLOC_FAILED",
)
"""What libraries say that have no exception of their own for it; on the host torch has none."""


def is_out_of_memory(error: BaseException) -> bool:
    """Return whether an error says that an allocation failed, so that less may still work."""
    if isinstance(error, torch.cuda.OutOfMemoryError | MemoryError):
        return True
    return isinstance(error, RuntimeError) and any(phrase in str(error) for phrase in PHRASES)


def release_unused(device: torch.device) -> None:
    """Give memory back that the allocator of a CUDA device keeps for later; nothing on others."""
    if device.type == "cuda":
        torch.cuda.empty_cache()


M_TRIM_THRESHOLD, M_MMAP_THRESHOLD = -1, -3
"""Parameters of mallopt in glibc's malloc.h."""

KEPT_BYTES = 512 << 20
LARGEST_KEPT_BYTES = 32 << 20
"""The most that glibc takes; larger blocks go back to the system as soon as they are free."""


def keep_freed_memory() -> bool:
    """Let the C library keep freed memory of the host for the next tensors; return whether it does.

    A training frees its activations at every step and asks for as much in the next. By default
    glibc gives the end of its heap back each time, and the system clears every page again: 3 to 9 %
    of the time of a training on the CPU. Whoever sets one of glibc's variables is left alone, and
    so are other C libraries.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _VARIABLES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except AttributeError:  # not glibc
        return False
    return bool(
        mallopt(M_MMAP_THRESHOLD, LARGEST_KEPT_BYTES) and mallopt(M_TRIM_THRESHOLD, KEPT_BYTES)
    )


_VARIABLES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_")

"""Choosing the device and making its arithmetic repeatable."""

from __future__ import annotations

import os
import re
from typing import Any

import torch

from cilsim.data.memory import keep_freed_memory
from cilsim.errors import CilsimError

WORKSPACE = "CUBLAS_WORKSPACE_CONFIG"


def choose_device(wanted: str) -> torch.device:
    """Return the device for `auto`, `cpu`, `cuda`, `cuda:<n>` or `mps`.

    `auto` takes CUDA if there is any, then Apple's MPS, then the CPU.

    Raises:
        CilsimError: there is no such device here.
    """
    if wanted == "auto":
        return torch.device(_best())
    if not re.fullmatch(r"cpu|mps|cuda(:\d+)?", wanted):
        raise CilsimError(
            f"--device {wanted}: expected 'auto', 'cpu', 'cuda', 'cuda:<number>' or 'mps'"
        )
    device = torch.device(wanted)
    if device.type == "cuda":
        _require_cuda(wanted, device)
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise CilsimError("--device mps: this machine has no MPS device; try --device auto")
    return device


def _best() -> str:
    if torch.cuda.is_available():
        return "cuda:0"
    return "mps" if torch.backends.mps.is_available() else "cpu"


def _require_cuda(wanted: str, device: torch.device) -> None:
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if (device.index or 0) >= count:
        raise CilsimError(
            f"--device {wanted}: this machine has {count} CUDA devices; try --device auto"
        )


def prepare(deterministic: bool, threads: int | None) -> None:
    """Set thread count, determinism and what is kept of freed memory for this process.

    TF32 stays off: prototypes, distances and solvers are compared across machines.
    """
    keep_freed_memory()
    if threads is not None:
        torch.set_num_threads(threads)
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = not deterministic
    if deterministic:
        os.environ.setdefault(WORKSPACE, ":4096:8")
    # what `use_deterministic_algorithms` does, without importing torch's compiler, which evaluation
    # and closed forms do not need (2 seconds); `compile: true` passes the choice on to it
    torch.set_deterministic_debug_mode("error" if deterministic else "default")


def torch_facts(device: torch.device) -> dict[str, Any]:
    """Return what only torch knows of the machine, for the manifest."""
    on_gpu = device.type == "cuda"
    return {
        "cpu_capability": torch.backends.cpu.get_cpu_capability(),
        "cuda": torch.version.cuda if on_gpu else None,
        "gpu": torch.cuda.get_device_name(device) if on_gpu else None,
    }

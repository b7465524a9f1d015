"""Autocast and loss scaling for a recipe's precision."""

from __future__ import annotations

from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch

from cilsim.errors import CilsimError

DTYPES = {"float32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context in which the forward pass runs; float32 needs none.

    Raises:
        CilsimError: fp16 is asked for on a device other than CUDA.
    """
    _refuse_fp16_on_cpu(precision, device)
    if precision == "float32":
        return nullcontext()
    return torch.autocast(device.type, dtype=DTYPES[precision])


def loss_scaler(precision: str, device: torch.device) -> torch.amp.GradScaler | None:
    """Return a scaler for fp16 on CUDA, or None: bf16 has the range of float32."""
    _refuse_fp16_on_cpu(precision, device)
    return torch.amp.GradScaler(device.type) if precision == "fp16" else None


def _refuse_fp16_on_cpu(precision: str, device: torch.device) -> None:
    if precision == "fp16" and device.type != "cuda":
        raise CilsimError(
            f"precision 'fp16' needs a CUDA device, this run is on '{device}'; "
            "use 'bf16' or 'float32'"
        )

"""Compiling a module for the full batches of one training.

Compiled code is for one shape. Full batches have the same in every experience, so that a stream of
any length is compiled once; the last, smaller batch of an epoch runs the module as it is, and so do
features that are extracted in the middle of a training.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import torch
from torch import nn

from cilsim.distributed.batch_norm import SharedBatchNorms

log = logging.getLogger(__name__)


class CompiledForward:
    """The forward pass of a module, compiled while `on` and its own otherwise."""

    def __init__(self, module: nn.Module) -> None:
        self.on = False
        self._own = module.forward
        # tells the compiler too, which whoever made this choice did not import
        torch.use_deterministic_algorithms(torch.are_deterministic_algorithms_enabled())
        self._compiled = torch.compile(module.forward, dynamic=False)

    def __call__(self, *arguments: Any, **keywords: Any) -> Any:
        """Return what the module returns."""
        forward = self._compiled if self.on else self._own
        return forward(*arguments, **keywords)


@contextmanager
def compiled(module: nn.Module | None, device: torch.device) -> Iterator[CompiledForward | None]:
    """Let `module` have a compiled forward pass inside the block; it is off until switched on.

    Where no compiler is found, a warning is logged, nothing changes and the block gets None.
    """
    if module is None or not compiler_found(device):
        yield None
        return
    forward = CompiledForward(module)
    module.forward = forward
    try:
        yield forward
    finally:
        del module.forward


def to_compile(modules: Mapping[str, nn.Module], shared: SharedBatchNorms) -> nn.Module | None:
    """Return the module named `backbone`; none, with a warning, where processes share norms."""
    if len(shared):
        log.warning(
            "compile: batch norms look at the batch of all processes, which is not compiled; "
            "training runs uncompiled"
        )
        return None
    return modules.get("backbone")


def compiler_found(device: torch.device) -> bool:
    """Return whether torch.compile can work on `device`; log a warning if not."""
    wanted = os.environ.get("CXX", "g++")
    if device.type == "cuda" and find_spec("triton") is None:
        wanted = "triton"
    elif shutil.which(wanted) is not None:
        return True
    log.warning("compile: '%s' is not found on this machine; training runs uncompiled", wanted)
    return False

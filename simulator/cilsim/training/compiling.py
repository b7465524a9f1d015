"""Compiling a module for the duration of one training."""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import nn

log = logging.getLogger(__name__)


@contextmanager
def compiled(module: nn.Module | None, device: torch.device) -> Iterator[None]:
    """Run `module` compiled inside the block, and as it was after it.

    Features must not depend on whether a training was compiled, so extraction runs the module as
    it is. Where no compiler is found, a warning is logged and nothing changes.
    """
    if module is None or not compiler_found(device):
        yield
        return
    module.forward = torch.compile(module.forward, dynamic=False)
    try:
        yield
    finally:
        del module.forward


def compiler_found(device: torch.device) -> bool:
    """Return whether torch.compile can work on `device`; log a warning if not."""
    wanted = os.environ.get("CXX", "g++")
    if device.type == "cuda" and find_spec("triton") is None:
        wanted = "triton"
    elif shutil.which(wanted) is not None:
        return True
    log.warning("compile: '%s' is not found on this machine; training runs uncompiled", wanted)
    return False

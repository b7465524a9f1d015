"""What identifies how features came about, besides the samples of the part."""

from __future__ import annotations

import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

from torch import nn


def code_of(module: nn.Module) -> list[list[str]]:
    """Return name and SHA-256 of each source file whose classes a network is made of.

    Weights say nothing of what is done with them. Torch's own layers are left out, for its version
    stands for them.
    """
    names = {type(part).__module__ for part in module.modules()}
    return [[name, _sha256(name)] for name in sorted(names) if name.partition(".")[0] != "torch"]


@cache
def _sha256(name: str) -> str:
    """Return the SHA-256 of a module's file as it was when first asked for, or an empty text."""
    file = getattr(sys.modules.get(name), "__file__", None)
    try:
        return "" if file is None else sha256(Path(file).read_bytes()).hexdigest()
    except OSError:  # such as one out of a zip archive
        return ""

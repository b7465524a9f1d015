"""Counting where Python waits for the device, on a machine that has none.

On a GPU each read of a value by the host waits until all work before it is done, and so does a
plain copy between the two. On the CPU nothing waits; what would wait is recognised by its name.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from types import FrameType
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode

READS = frozenset(
    {
        *("item", "tolist", "numpy", "cpu", "cuda", "__array__", "__contains__"),
        *("__bool__", "__int__", "__float__", "__index__", "__complex__"),
        *("nonzero", "argwhere", "masked_select", "unique", "unique_consecutive", "bincount"),
        *("equal", "allclose", "is_nonzero"),
    }
)
"""Functions whose result, or its shape, depends on values."""

OPERATIONS = frozenset(
    {
        *("_local_scalar_dense", "nonzero", "masked_select", "_unique2", "unique_dim"),
        *("unique_consecutive", "bincount", "equal", "is_nonzero"),
    }
)
"""The same below Python, where other functions call them."""

CHECKS_ON_THE_CPU_ALONE = frozenset({"one_hot"})
"""Functions that look at values on the CPU and take them as they are on a GPU."""


class HostReads:
    """A block in which everything that would wait for a GPU is noted.

    Attributes:
        found: `<file>:<line> <function>` of each, in order; the line is the nearest outside torch.
        ignored: names of files whose reads do not count, because elsewhere they do otherwise.
    """

    def __init__(self, ignored: tuple[str, ...] = ("finite.py", "transfer.py")) -> None:
        self.found: list[str] = []
        self.ignored = ignored
        self._silent = 0
        self._modes = (_Functions(self), _Operations(self))
        self._entered = ExitStack()

    def __enter__(self) -> HostReads:
        for mode in self._modes:
            self._entered.enter_context(mode)
        return self

    def __exit__(self, *raised: object) -> None:
        self._entered.close()

    def note(self, name: str) -> None:
        """Note one read, unless it is part of one that was noted or that does not count."""
        file, line = _caller()
        if not self._silent and file not in self.ignored:
            self.found.append(f"{file}:{line} {name}")

    def within(self, call: Callable[[], Any]) -> Any:
        """Return the result of a call without noting what it does inside."""
        self._silent += 1
        try:
            return call()
        finally:
            self._silent -= 1


class _Functions(TorchFunctionMode):
    def __init__(self, reads: HostReads) -> None:
        super().__init__()
        self.reads = reads

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        keywords, name = kwargs or {}, getattr(func, "__name__", str(func))
        waits = _waits(name, args, keywords)
        if name == "to" and _is_torch(sys._getframe(1)):
            waits = False  # torch's own code names the device that its tensors are on
        if waits:
            self.reads.note(name)
        if waits or name in CHECKS_ON_THE_CPU_ALONE:
            return self.reads.within(lambda: func(*args, **keywords))
        return func(*args, **keywords)


class _Operations(TorchDispatchMode):  # type: ignore[no-untyped-call]
    def __init__(self, reads: HostReads) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.reads = reads

    def __torch_dispatch__(
        self,
        func: Any,
        types: Any,
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        name = func.overloadpacket.__name__
        if name in OPERATIONS or (name == "index" and any(map(_is_mask, args[1]))):
            self.reads.note(name)
        return func(*args, **(kwargs or {}))


def _waits(name: str, args: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    if name == "to":
        return _copies(args[1:], keywords)
    if name in ("tensor", "as_tensor"):
        return keywords.get("device") is not None
    if name == "repeat_interleave":
        return any(isinstance(a, Tensor) for a in args[1:]) and "output_size" not in keywords
    if name == "__setitem__":  # with a number the mask is filled where it lies
        value = args[2]
        return _has_mask(args[1]) and isinstance(value, Tensor) and value.numel() > 1
    return name in READS or (name == "__getitem__" and _has_mask(args[1]))


def _copies(args: tuple[Any, ...], keywords: Mapping[str, Any]) -> bool:
    """Return whether a call of `to` names a device and waits for the copy."""
    named = [*args, keywords.get("device")]
    return any(isinstance(a, str | torch.device) for a in named) and not keywords.get(
        "non_blocking"
    )


def _has_mask(index: Any) -> bool:
    return any(map(_is_mask, index)) if isinstance(index, tuple) else _is_mask(index)


def _is_mask(index: Any) -> bool:
    return isinstance(index, Tensor) and index.dtype is torch.bool


def _caller() -> tuple[str, int]:
    """Return name and line of the nearest file outside torch and this one."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        if frame.f_code.co_filename != __file__ and not _is_torch(frame):
            return Path(frame.f_code.co_filename).name, frame.f_lineno
        frame = frame.f_back
    return "", 0


def _is_torch(frame: FrameType) -> bool:
    return "torch" in Path(frame.f_code.co_filename).parts

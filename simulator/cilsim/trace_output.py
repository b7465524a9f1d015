"""Where a trace of hook calls goes: lines on stderr, or a file of JSON lines."""

from __future__ import annotations

import json
import os
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from cilsim.errors import CilsimError

EVERY_STEP = frozenset({"cilsim_training_loss", "cilsim_scores"})
"""Hooks called for each optimiser step or evaluation batch; their calls are summed up."""


class Trace(Protocol):
    """Is told of every call when it begins and when it ends, inner calls in between."""

    def begins(self, hook: str, plugin: str) -> None:
        """Take note that a call begins."""

    def ends(self, hook: str, plugin: str, seconds: float) -> None:
        """Take note that the call that began last has ended."""


@dataclass
class _Open:
    hook: str
    plugin: str
    announced: bool = False


@dataclass
class Text:
    """Lines on stderr: hook, plugin and time, indented within the call that they are part of.

    A call inside which there were others has a line with `...` before them, and one with its time
    after them.

    Attributes:
        every_step: whether the calls of each step and batch have a line of their own.
    """

    every_step: bool = False
    _open: list[_Open] = field(default_factory=list)
    _summed: dict[tuple[str, str], tuple[int, float]] = field(default_factory=dict)

    def begins(self, hook: str, plugin: str) -> None:
        """Announce the calls around this one, which now have something inside."""
        if self._is_summed(hook):
            return
        self._announce()
        self._tell_sums()
        self._open.append(_Open(hook, plugin))

    def ends(self, hook: str, plugin: str, seconds: float) -> None:
        """Write the line of a call, or add it to those of its kind."""
        if self._is_summed(hook):
            calls, total = self._summed.get((hook, plugin), (0, 0.0))
            self._summed[hook, plugin] = (calls + 1, total + seconds)
            return
        self._tell_sums()
        self._open.pop()
        self._write(f"{hook}  {plugin}  {in_words(seconds)}")

    def _is_summed(self, hook: str) -> bool:
        return hook in EVERY_STEP and not self.every_step

    def _announce(self) -> None:
        outer, self._open = self._open, []
        for call in outer:
            if not call.announced:
                self._write(f"{call.hook}  {call.plugin} ...")
                call.announced = True
            self._open.append(call)

    def _tell_sums(self) -> None:
        """Write the calls that were summed up since the last line, within the open one."""
        if self._summed:
            self._announce()
        for (hook, plugin), (calls, seconds) in self._summed.items():
            number = "1 call" if calls == 1 else f"{calls} calls"
            self._write(f"{hook}  {plugin}  {number}, {in_words(seconds)}")
        self._summed.clear()

    def _write(self, text: str) -> None:
        clear = "\r\x1b[K" if sys.stderr.isatty() else ""  # a line of progress may be there
        sys.stderr.write(f"{clear}trace: {'  ' * len(self._open)}{text}\n")


class JsonLines:
    """A file to which every call is appended as an object, when it has ended.

    Its keys: `hook`, `plugin`, `depth` (calls around it), `at` (seconds since 1970 when it ended),
    `seconds` and `process`.

    Args:
        path: the file.

    Raises:
        CilsimError: it cannot be written.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._depth = 0
        self._append("")

    def begins(self, hook: str, plugin: str) -> None:
        """Count."""
        self._depth += 1

    def ends(self, hook: str, plugin: str, seconds: float) -> None:
        """Append the call."""
        self._depth -= 1
        call: dict[str, Any] = {"hook": hook, "plugin": plugin, "depth": self._depth}
        times = {"at": time.time(), "seconds": seconds, "process": os.getpid()}
        self._append(json.dumps(call | times) + "\n")

    def _append(self, text: str) -> None:
        try:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise CilsimError(f"CILSIM_TRACE: {self._path}: {error.strerror}") from error


def in_words(seconds: float) -> str:
    """Return a time with its unit, such as `0.3 ms` or `1.25 s`."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.1f} ms"

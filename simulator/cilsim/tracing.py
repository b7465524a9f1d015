"""`CILSIM_TRACE`: which plugin's hook was called when, and how long it took.

Where it is off, calls do not pass here. Where it is on, a manager times each implementation that
is registered with it.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pluggy

from cilsim.errors import CilsimError
from cilsim.trace_output import JsonLines, Text, Trace

VARIABLE = "CILSIM_TRACE"
"""Environment variable: `1` traces, `2` traces each optimiser step and evaluation batch too, a
name that ends in `.jsonl` is a file that gets every call as an object."""


def trace_asked_for() -> Trace | None:
    """Return what the environment asks for; None is no trace.

    Raises:
        CilsimError: the variable says something else, or the file cannot be written.
    """
    value = os.environ.get(VARIABLE, "")
    if value in ("", "0"):
        return None
    if value in ("1", "2"):
        return Text(every_step=value == "2")
    if value.endswith(".jsonl"):
        return JsonLines(Path(value))
    raise CilsimError(f"{VARIABLE}: found '{value}', expected 1, 2 or a file such as 'trace.jsonl'")


class TracedManager(pluggy.PluginManager):
    """A plugin manager that tells a trace of every call of an implementation.

    Args:
        project: as for pluggy.
        told: what is told.
    """

    def __init__(self, project: str, told: Trace) -> None:
        super().__init__(project)
        self.told = told

    def register(self, plugin: Any, name: str | None = None) -> str | None:
        """Register a plugin, each of its hooks timed."""
        registered = super().register(plugin, name)
        called = type(plugin).__name__ if registered == str(id(plugin)) else str(registered)
        for caller in self.get_hookcallers(plugin) or ():
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    self._time(implementation, caller.name, called)
        return registered

    def _time(self, implementation: pluggy.HookImpl, hook: str, plugin: str) -> None:
        wraps = implementation.wrapper or implementation.hookwrapper
        timed = _timed_wrapper if wraps else _timed
        function = timed(implementation.function, hook, plugin, self.told)
        object.__setattr__(implementation, "function", function)  # final for type checkers alone


def _timed(function: Callable[..., Any], hook: str, plugin: str, told: Trace) -> Callable[..., Any]:
    @functools.wraps(function)
    def timed(*arguments: Any, **keywords: Any) -> Any:
        told.begins(hook, plugin)
        began = time.perf_counter()
        try:
            return function(*arguments, **keywords)
        finally:
            told.ends(hook, plugin, time.perf_counter() - began)

    return timed


def _timed_wrapper(
    function: Callable[..., Any], hook: str, plugin: str, told: Trace
) -> Callable[..., Generator[None, Any, Any]]:
    """Return a wrapper whose time is its own, without that of what it wraps."""

    @functools.wraps(function)
    def timed(*arguments: Any, **keywords: Any) -> Generator[None, Any, Any]:
        inner = _Stopwatch(function(*arguments, **keywords))
        try:
            return (yield from inner)
        finally:
            told.begins(hook, f"{plugin} (wrapper)")
            told.ends(hook, f"{plugin} (wrapper)", inner.seconds)

    return timed


class _Stopwatch(Generator[None, Any, Any]):
    """A generator that counts the seconds spent in another one."""

    def __init__(self, inner: Generator[None, Any, Any]) -> None:
        self._inner = inner
        self.seconds = 0.0

    def send(self, value: Any) -> None:
        """Go on with a value."""
        self._timed(self._inner.send, value)

    def throw(self, *error: Any) -> None:
        """Go on with an error."""
        self._timed(self._inner.throw, *error)

    def _timed(self, step: Callable[..., Any], *arguments: Any) -> None:
        began = time.perf_counter()
        try:
            step(*arguments)
        finally:
            self.seconds += time.perf_counter() - began

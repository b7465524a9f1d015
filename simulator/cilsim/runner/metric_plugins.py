"""Metrics that plugins registered, computed from the same stored predictions as the core's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from numbers import Real
from typing import Any

from cilsim.records import Predictions, StreamInfo
from cilsim.registry import Registry
from cilsim.runner.guard import Guard


def plugin_metrics(
    registry: Registry,
    history: Sequence[Predictions],
    stream: StreamInfo,
    known: Mapping[str, float],
    guard: Guard,
) -> dict[str, float]:
    """Return the value of each registered metric that has one after the last experience.

    Args:
        registry: the registered metrics.
        history: predictions after every experience so far.
        stream: facts about the stream.
        known: cilsim's own metrics, which no plugin may replace.
        guard: of the run.

    Raises:
        PluginFailed: a metric has a taken name, or returns something other than a finite number
            or None.
    """
    values = {}
    for entry in registry:
        what = f"metric '{entry.name}'"
        if entry.name in known:
            taken = "the name is that of a metric of cilsim; register another one"
            raise guard.failure(entry.owner, what, taken)
        value = guard.wrap(entry.load(), entry.owner, what, _complaint)(tuple(history), stream)
        if value is not None:
            values[entry.name] = float(value)
    return values


def _complaint(found: Any, _: tuple[Any, ...]) -> str:
    expected = "expected a finite number, or None where the metric has no meaning"
    if found is None:
        return ""
    if not isinstance(found, Real):
        return f"it returned a value of type '{type(found).__name__}', {expected}"
    return "" if math.isfinite(found) else f"it returned {float(found)}, {expected}"

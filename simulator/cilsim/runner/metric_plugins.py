"""Metrics that plugins registered, computed from the same stored predictions as the core's."""

from __future__ import annotations

from collections.abc import Sequence

from cilsim.errors import PluginError
from cilsim.records import Predictions, StreamInfo
from cilsim.registry import Registry


def plugin_metrics(
    registry: Registry, history: Sequence[Predictions], stream: StreamInfo
) -> dict[str, float]:
    """Return the value of each registered metric that has one after the last experience.

    Raises:
        PluginError: a metric raises, or returns something other than a number or None.
    """
    values = {}
    for entry in registry:
        try:
            value = entry.load()(history, stream)
            if value is not None:
                values[entry.name] = float(value)
        except PluginError:
            raise
        except Exception as error:
            raise PluginError(
                entry.owner.plugin,
                f"metric '{entry.name}' of {entry.owner} fails after experience "
                f"{history[-1].experience}: {type(error).__name__}: {error}",
            ) from error
    return values

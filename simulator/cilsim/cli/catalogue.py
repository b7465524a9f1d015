"""What `list` and `info` say: entries of the registries, and the engine's own metrics."""

from __future__ import annotations

from dataclasses import dataclass

from cilsim import __version__
from cilsim.metrics.names import METRICS
from cilsim.plugins import Plugins
from cilsim.registry import Entry, Registries, Registry

PLURALS = {
    "strategy": "strategies",
    "calibrator": "calibrators",
    "stream": "streams",
    "dataset": "datasets",
    "backbone": "backbones",
    "metric": "metrics",
    "scenario": "scenarios",
}
REGISTERED = tuple(kind for kind in PLURALS if kind != "scenario")


@dataclass(frozen=True)
class Row:
    """One line of `cilsim list`, and one object of its JSON.

    Attributes:
        name: how a scenario names it.
        summary: one line.
        owner: distribution and version.
        aliases: other names.
    """

    name: str
    summary: str
    owner: str
    aliases: tuple[str, ...] = ()


def registry_of(kind: str, registries: Registries) -> Registry:
    """Return the registry of a kind given in the singular."""
    registry: Registry = getattr(registries, PLURALS[kind])
    return registry


def rows_of(kind: str, plugins: Plugins) -> list[Row]:
    """Return what is registered of a kind; for metrics, the engine's own first."""
    own = engine_metrics() if kind == "metric" else []
    return own + [row_of(entry) for entry in registry_of(kind, plugins.registries)]


def row_of(entry: Entry) -> Row:
    """Return the row of a registered entry."""
    return Row(entry.name, entry.summary, str(entry.owner).strip(), entry.aliases)


def engine_metrics() -> list[Row]:
    """Return the metrics that every run has."""
    owner = f"cilsim {__version__}"
    return [
        Row(name, f"{metric.definition}; {metric.source}", owner)
        for name, metric in METRICS.items()
    ]

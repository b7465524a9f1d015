"""What the index knows of one run: a row of `cilsim runs`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields


@dataclass(frozen=True)
class IndexedRun:
    """One strategy with one seed, as its folder tells it.

    Attributes:
        folder: of the run, relative to the folder of all runs, with `/`.
        scenario: name of the scenario.
        strategy: the strategy's label.
        method: the registered name behind the label.
        seed: the training seed.
        state: `finished`, `running`, `interrupted`, `failed`, or `damaged` where a file of the run
            is not what was written. After a kill it stays `running`.
        experience: how many experiences are finished.
        experiences: how many there are.
        stream: the stream kind.
        dataset: name of the data set.
        protocol: in the field's notation, such as `B60-Inc5`.
        backbone: name of the backbone.
        hash: of the resolved scenario.
        started: when the scenario was first started, UTC in ISO 8601.
        updated: when it last came further.
        seconds: spent on training and evaluation.
        bytes_kept: between experiences, after the last one.
        metrics: after the last finished experience, those of single experiences left out.
    """

    folder: str
    scenario: str
    strategy: str
    method: str
    seed: int
    state: str
    experience: int
    experiences: int
    stream: str
    dataset: str
    protocol: str
    backbone: str
    hash: str
    started: str
    updated: str
    seconds: float
    bytes_kept: int
    metrics: Mapping[str, float] = field(default_factory=dict)


COLUMNS: dict[str, str] = {
    one.name: str(one.type) for one in fields(IndexedRun) if one.name != "metrics"
}
"""Type of each column by its name: `str`, `int` or `float`."""

TEXTS = tuple(name for name, kind in COLUMNS.items() if kind == "str")
"""Columns that are compared as text."""

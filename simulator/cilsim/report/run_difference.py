"""What differs between the results of two runs: metrics, predictions, costs.

Axis letters: N samples.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from cilsim.errors import CheckpointError
from cilsim.records import IntArray, Predictions, StreamInfo
from cilsim.results.seed_folder import SeedFolder
from cilsim.results.stream_file import read_stream


@dataclass(frozen=True)
class MetricChange:
    """A metric that differs after an experience; None where a run does not have it."""

    experience: int
    name: str
    first: float | None
    second: float | None


@dataclass(frozen=True)
class PredictionChange:
    """Predictions that differ after an experience.

    Attributes:
        experience: after which.
        part: `test` or `unlabelled`.
        changed: samples that both runs predicted, differently.
        shared: samples that both predicted.
        others: samples that only one of them predicted.
    """

    experience: int
    part: str
    changed: int
    shared: int
    others: int


@dataclass(frozen=True)
class RunDifference:
    """Two runs.

    Attributes:
        first: one run as `<strategy>/seed-<n>`.
        second: the other.
        experiences: how many experiences of each are finished.
        metrics: those that differ, by experience and name, of the experiences that both have.
        predictions: one entry for each experience and part in which some differ.
        costs: by name, of both; these are no results.
    """

    first: str
    second: str
    experiences: tuple[int, int]
    metrics: tuple[MetricChange, ...]
    predictions: tuple[PredictionChange, ...]
    costs: Mapping[str, tuple[float | None, float | None]]

    @property
    def equal(self) -> bool:
        """Whether all results are the same, to the last bit."""
        return (
            self.experiences[0] == self.experiences[1] and not self.metrics and not self.predictions
        )


def run_difference(first: SeedFolder, second: SeedFolder) -> RunDifference:
    """Return what differs between the stored results of two runs.

    Raises:
        CheckpointError: a file is missing or damaged; the message names it.
    """
    metrics = first.read_metrics(), second.read_metrics()
    shared = sorted(metrics[0].keys() & metrics[1].keys())
    return RunDifference(
        first=run_name(first),
        second=run_name(second),
        experiences=(len(metrics[0]), len(metrics[1])),
        metrics=tuple(
            change for at in shared for change in _metrics(at, metrics[0][at], metrics[1][at])
        ),
        predictions=tuple(_predictions(first, second, shared)),
        costs=_costs(first.read_ledger(), second.read_ledger()),
    )


def run_name(folder: SeedFolder) -> str:
    """Return how a run is called within its run folder."""
    return f"{folder.strategy}/seed-{folder.seed}"


def _metrics(
    experience: int, first: Mapping[str, float], second: Mapping[str, float]
) -> Iterator[MetricChange]:
    for name in sorted({*first, *second}):
        if first.get(name) != second.get(name):
            yield MetricChange(experience, name, first.get(name), second.get(name))


def _predictions(
    first: SeedFolder, second: SeedFolder, experiences: list[int]
) -> Iterator[PredictionChange]:
    streams = _stream(first), _stream(second)
    for experience in experiences:
        found = first.read_predicted(experience), second.read_predicted(experience)
        for part in ("test", "unlabelled"):
            first_part, second_part = (getattr(one, part) for one in found)
            change = _change(experience, part, (first_part, streams[0]), (second_part, streams[1]))
            if change.changed or change.others:
                yield change


def _change(
    experience: int,
    part: str,
    first: tuple[Predictions | None, StreamInfo],
    second: tuple[Predictions | None, StreamInfo],
) -> PredictionChange:
    one, other = _by_class_id(*first), _by_class_id(*second)
    shared_N, own_N, theirs_N = np.intersect1d(one[0], other[0], return_indices=True)
    changed = int((one[1][own_N] != other[1][theirs_N]).sum())
    others = len(one[0]) + len(other[0]) - 2 * len(shared_N)
    return PredictionChange(experience, part, changed, len(shared_N), others)


def _by_class_id(found: Predictions | None, stream: StreamInfo) -> tuple[IntArray, IntArray]:
    """Return (N,) positions and (N,) what was predicted: a class id, or a cluster as it is.

    Labels are positions in stream order, which two streams may have different ones of.
    """
    if found is None:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    if stream.discovery:
        return found.index, found.predicted
    ids = np.array([*stream.class_ids, -1], dtype=np.int64)
    return found.index, ids[np.maximum(found.predicted, -1)]


def _stream(folder: SeedFolder) -> StreamInfo:
    stream = read_stream(folder.path)
    if stream is None:
        raise CheckpointError(f"{folder.path}: no experience is finished, so nothing is compared")
    return stream


def _costs(
    first: Mapping[str, Any], second: Mapping[str, Any]
) -> dict[str, tuple[float | None, float | None]]:
    sides = _cost(first), _cost(second)
    return {name: (sides[0].get(name), sides[1].get(name)) for name in {**sides[0], **sides[1]}}


def _cost(ledger: Mapping[str, Any]) -> dict[str, float]:
    experiences = ledger.get("experiences", [])
    if not experiences:
        return {}
    seconds = sum(sum(one.get("seconds", {}).values()) for one in experiences)
    kept = sum(experiences[-1].get("bytes_kept", {}).values())
    return {"seconds": float(seconds), "bytes_kept": float(kept)}

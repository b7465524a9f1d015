"""Runs gathered by strategy: the rows that the terminal, Markdown and HTML tables all print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from cilsim.metrics.names import describe
from cilsim.metrics.statistics import Interval, mean_interval
from cilsim.records import Evaluation, ExperienceInfo, RunResult, StreamInfo


@dataclass(frozen=True)
class Column:
    """One metric of a table and what its head says."""

    heading: str
    metric: str

    @property
    def percent(self) -> bool:
        """Whether the metric is a fraction that is printed times 100."""
        described = describe(self.metric)
        return described is None or described.percent


FOUND = Column("classes found", "classes_found")
"""How many classes a strategy told apart, where nobody told it how many there are."""


@dataclass(frozen=True)
class ExperienceSummary:
    """One experience of one strategy over its seeds.

    Attributes:
        experience: facts about the experience.
        values: every metric with its 95 % interval over seeds; n < 2 has no width.
        bytes_kept: what the strategy stores, mean over seeds.
        seconds: wall time of training and evaluation, mean over seeds.
    """

    experience: ExperienceInfo
    values: Mapping[str, Interval]
    bytes_kept: float
    seconds: float


@dataclass(frozen=True)
class StrategySummary:
    """All finished runs of one strategy in one scenario."""

    strategy: str
    stream: StreamInfo
    seeds: tuple[int, ...]
    rows: tuple[ExperienceSummary, ...]

    @property
    def last(self) -> ExperienceSummary:
        """The row after the last experience."""
        return self.rows[-1]


def columns(stream: StreamInfo) -> tuple[Column, ...]:
    """Return the metrics that summarise a stream, headed as its field calls them."""
    if stream.repeats_classes:
        course = Column("average", "A_avg_inc")
        kept = () if stream.one_test_part else (Column("forgetting", "forgetting"),)
        return (Column("all", "A_all"), course, *kept)
    first, later = stream.groups
    estimated = stream.discovery and stream.number_of_classes != "given"
    if len(stream.experiences) == 1 and stream.discovery:
        return _of_one_discovery(first, later, estimated)
    metrics = ("A_old", "A_new") if stream.discovery else ("A_base", "A_novel")
    return (
        Column("all", "A_all"),
        Column(first, metrics[0]),
        Column(later, metrics[1]),
        Column("harmonic", "A_hm"),
        Column("forgetting", "forgetting"),
        *([FOUND] if estimated else []),
    )


def _of_one_discovery(first: str, later: str, estimated: bool) -> tuple[Column, ...]:
    """Return columns for the tables of GCD: unlabelled samples first, then test samples."""
    names = (("all", "A_all"), (first, "A_old"), (later, "A_new"))
    return (
        *(Column(f"{heading} (unlabelled)", f"transductive/{name}") for heading, name in names),
        *(Column(f"{heading} (test)", name) for heading, name in names),
        *([FOUND] if estimated else []),
    )


def summarise(results: Sequence[RunResult]) -> tuple[StrategySummary, ...]:
    """Return one summary per strategy, in the order in which the strategies first appear."""
    by_strategy: dict[str, list[RunResult]] = {}
    for result in results:
        by_strategy.setdefault(result.run.strategy, []).append(result)
    return tuple(_summarise_strategy(group) for group in by_strategy.values())


def intervals(evaluations: Sequence[Evaluation]) -> dict[str, Interval]:
    """Return the interval of every metric that all evaluations have."""
    shared = set.intersection(*(set(evaluation.values) for evaluation in evaluations))
    return {
        name: mean_interval([evaluation.values[name] for evaluation in evaluations])
        for name in sorted(shared)
    }


def _summarise_strategy(results: Sequence[RunResult]) -> StrategySummary:
    stream = results[0].run.stream
    columns_of_seeds = zip(*(result.evaluations for result in results), strict=False)
    return StrategySummary(
        strategy=results[0].run.strategy,
        stream=stream,
        seeds=tuple(result.run.seed for result in results),
        rows=tuple(_summarise_experience(stream, seeds) for seeds in columns_of_seeds),
    )


def _summarise_experience(
    stream: StreamInfo, evaluations: Sequence[Evaluation]
) -> ExperienceSummary:
    return ExperienceSummary(
        experience=stream.experiences[evaluations[0].experience],
        values=intervals(evaluations),
        bytes_kept=fmean(sum(evaluation.kept.values()) for evaluation in evaluations),
        seconds=fmean(sum(evaluation.seconds.values()) for evaluation in evaluations),
    )

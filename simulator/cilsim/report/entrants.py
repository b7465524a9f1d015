"""What is compared: strategies with all their runs, from one run folder or several."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from cilsim.errors import RunFolderError
from cilsim.records import RunResult, StreamInfo

_SAME = ("kind", "dataset", "protocol", "number_of_classes", "digest")
"""Facts of a stream that have to agree, the telling ones first."""

_SAID = {"dataset": "data set", "number_of_classes": "number of classes",
         "digest": "class order and split"}  # fmt: skip


@dataclass(frozen=True)
class Entrant:
    """All finished runs of one strategy in one run folder.

    Attributes:
        label: unlike that of every other entrant.
        name: the strategy's name, which several labels may share.
        results: one per seed, at least one.
    """

    label: str
    name: str
    results: tuple[RunResult, ...]

    def by_seed(self, metric: str) -> dict[int, float]:
        """Return a metric after the last experience, of those seeds that have it."""
        found = {result.run.seed: result.final.get(metric, math.nan) for result in self.results}
        return {seed: value for seed, value in found.items() if math.isfinite(value)}

    @property
    def seconds(self) -> float:
        """Wall time of a run, mean over seeds."""
        return fmean(
            sum(sum(evaluation.seconds.values()) for evaluation in result.evaluations)
            for result in self.results
        )

    @property
    def bytes_kept(self) -> float:
        """What the strategy stores after the last experience, mean over seeds."""
        return fmean(sum(result.evaluations[-1].kept.values()) for result in self.results)


@dataclass(frozen=True)
class Group:
    """The finished runs of one run folder.

    Attributes:
        where: the folder as the user names it.
        results: its runs.
        names: strategy name by label; a label that is missing is a name.
        data_digest: hash over the samples, or empty if unknown.
    """

    where: str
    results: Sequence[RunResult]
    names: Mapping[str, str]
    data_digest: str = ""


def entrants(groups: Sequence[Group]) -> tuple[Entrant, ...]:
    """Return one entrant per strategy and group; a label that two groups have gets its folder.

    Raises:
        RunFolderError: runs of equal seed are on different streams.
    """
    _refuse_other_streams(groups)
    gathered: dict[tuple[str, str], list[RunResult]] = {}
    for group in groups:
        for result in group.results:
            gathered.setdefault((group.where, result.run.strategy), []).append(result)
    names = {group.where: group.names for group in groups}
    folders = Counter(strategy for _, strategy in gathered)
    return tuple(
        Entrant(
            label=f"{where}/{strategy}" if folders[strategy] > 1 else strategy,
            name=names[where].get(strategy, strategy),
            results=tuple(results),
        )
        for (where, strategy), results in gathered.items()
    )


def known_metrics(found: Iterable[Entrant]) -> list[str]:
    """Return the names of all metrics that some run has after its last experience."""
    return sorted({name for one in found for result in one.results for name in result.final})


def _refuse_other_streams(groups: Sequence[Group]) -> None:
    """Compare each run with the first one of its seed, else with the first of all."""
    by_seed: dict[int, tuple[str, StreamInfo]] = {}
    first = groups[0]
    for group in groups:
        if group.data_digest != first.data_digest:
            raise _different(group.where, first.where, "data", group.data_digest, first.data_digest)
        for result in group.results:
            where, stream = by_seed.setdefault(result.run.seed, (group.where, result.run.stream))
            _refuse_other_stream(group.where, result.run.stream, where, stream)
    any_where, any_stream = next(iter(by_seed.values()))
    for where, stream in by_seed.values():
        _refuse_other_stream(where, stream, any_where, any_stream, _SAME[:-1])


def _refuse_other_stream(
    where: str, stream: StreamInfo, other: str, expected: StreamInfo, facts: Sequence[str] = _SAME
) -> None:
    for fact in facts:
        found, wanted = getattr(stream, fact), getattr(expected, fact)
        if found != wanted:
            raise _different(where, other, _SAID.get(fact, fact), found, wanted)


def _different(where: str, other: str, what: str, found: str, expected: str) -> RunFolderError:
    return RunFolderError(
        f"{where}: cannot be compared with {other}: {what}: '{_short(found)}' against "
        f"'{_short(expected)}'; only runs on the same stream can"
    )


def _short(text: str) -> str:
    """Return a name as it is, and so much of a hash that two differ."""
    return text[:12] if len(text) >= 32 and " " not in text else text

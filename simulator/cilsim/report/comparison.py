"""Strategies compared on equal seeds: intervals, paired tests, share of the gap, costs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

from cilsim.errors import RunFolderError
from cilsim.metrics.names import describe
from cilsim.metrics.statistics import Interval, gap_closed, mean_interval
from cilsim.naming import did_you_mean
from cilsim.report.entrants import Entrant, known_metrics
from cilsim.report.paired_tests import BySeed, Pair, against, of_one, tested
from cilsim.report.verdicts import lower_is_better

FLOOR = "finetune"
CEILING = "joint"
"""The strategies between which the gap lies; the upper one is a bound and competes with nobody."""


@dataclass(frozen=True)
class ComparedStrategy:
    """One row of a comparison.

    Attributes:
        label: of the entrant.
        by_seed: the metric by seed.
        interval: over its seeds.
        against: this strategy minus the reference; None for the reference itself, and for the
            ceiling unless the user chose the reference.
        gap_closed: share of the way from floor to ceiling, on the seeds that all three have.
        seconds: wall time of a run, mean over seeds.
        bytes_kept: what is stored after the last experience, mean over seeds.
    """

    label: str
    by_seed: BySeed
    interval: Interval
    against: Pair | None
    gap_closed: float | None
    seconds: float
    bytes_kept: float


@dataclass(frozen=True)
class Comparison:
    """Strategies under one metric, the best first.

    Attributes:
        metric: its name.
        rows: the strategies.
        reference: label of the strategy that the others are tested against.
        chosen: whether the user chose the reference; else it is the best that competes.
        pairs: every two strategies that compete, as one family of tests.
        winner: label of the strategy that is significantly better than every other, if one is.
        floor: label of the lower end of the gap, if there is one.
        ceiling: label of the upper end, if there is one.
        missing: labels of strategies that do not have the metric.
    """

    metric: str
    rows: tuple[ComparedStrategy, ...]
    reference: str
    chosen: bool
    pairs: tuple[Pair, ...]
    winner: str | None
    floor: str | None
    ceiling: str | None
    missing: tuple[str, ...]


def compare(found: Sequence[Entrant], metric: str, baseline: str | None = None) -> Comparison:
    """Return the strategies compared under one metric after the last experience.

    Pairs are tested by Student's paired t-test. A rank test is of no use with so few seeds: with
    five the smallest p of Wilcoxon's is 0.0625.

    Args:
        found: the strategies, runs of equal seed on equal streams.
        metric: a name in the results.
        baseline: label of the strategy to test the others against; default the best one.

    Raises:
        RunFolderError: nobody has the metric, or there is no such baseline.
    """
    measured = {one.label: one.by_seed(metric) for one in found}
    present = _best_first([one for one in found if measured[one.label]], measured, metric)
    if not present:
        hint = did_you_mean(metric, known_metrics(found))
        raise RunFolderError(f"--metric {metric}: no run has such a metric{hint}")
    labels = [one.label for one in present]
    if baseline is not None and baseline not in labels:
        hint = did_you_mean(baseline, labels)
        raise RunFolderError(f"--baseline {baseline}: no such strategy was run{hint}")
    rivals = [one.label for one in present if one.name != CEILING] or labels
    pairs = tested(combinations(rivals, 2), measured)
    reference = baseline or rivals[0]
    to_reference = against(reference, labels, measured) if baseline else of_one(reference, pairs)
    ends = _first(found, FLOOR, measured), _first(found, CEILING, measured)
    return Comparison(
        metric=metric,
        rows=tuple(
            _row(one, metric, measured, to_reference.get(one.label), ends) for one in present
        ),
        reference=reference,
        chosen=baseline is not None,
        pairs=pairs,
        winner=_winner(rivals[0], metric, pairs),
        floor=ends[0],
        ceiling=ends[1],
        missing=tuple(one.label for one in found if not measured[one.label]),
    )


def _row(
    entrant: Entrant,
    metric: str,
    measured: Mapping[str, BySeed],
    against: Pair | None,
    ends: tuple[str | None, str | None],
) -> ComparedStrategy:
    own = measured[entrant.label]
    return ComparedStrategy(
        label=entrant.label,
        by_seed=own,
        interval=mean_interval(list(own.values())),
        against=against,
        gap_closed=_gap_closed(own, *ends, measured, metric),
        seconds=entrant.seconds,
        bytes_kept=entrant.bytes_kept,
    )


def _best_first(
    present: Sequence[Entrant], measured: Mapping[str, BySeed], metric: str
) -> list[Entrant]:
    sign = 1 if lower_is_better(metric) else -1
    return sorted(present, key=lambda one: sign * fmean(measured[one.label].values()))


def _first(found: Sequence[Entrant], name: str, measured: Mapping[str, BySeed]) -> str | None:
    return next((one.label for one in found if one.name == name and measured[one.label]), None)


def _winner(best: str, metric: str, pairs: Sequence[Pair]) -> str | None:
    described = describe(metric)
    if described is not None and described.higher_is_better is None:
        return None
    sign = -1 if lower_is_better(metric) else 1
    own = [pair for pair in pairs if pair.first == best]
    return best if own and all(_is_gain(pair, sign) for pair in own) else None


def _is_gain(pair: Pair, sign: int) -> bool:
    """Return whether the first is better on the seeds that both have, not only on its own."""
    found = pair.difference
    return found is not None and pair.significant and sign * found.mean > 0


def _gap_closed(
    own: BySeed,
    floor: str | None,
    ceiling: str | None,
    measured: Mapping[str, BySeed],
    metric: str,
) -> float | None:
    if floor is None or ceiling is None:
        return None
    three = own, measured[floor], measured[ceiling]
    shared = set.intersection(*(set(values) for values in three))
    if not shared:
        return None
    value, low, high = (fmean(values[seed] for seed in shared) for values in three)
    return gap_closed(value, low, high, not lower_is_better(metric))

"""Strategies in the order of a metric; only differences beyond noise are called differences."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Literal

from cilsim.metrics.statistics import Interval, holm, mean_interval, paired_difference
from cilsim.records import RunResult

SIGNIFICANT = 0.05

Verdict = Literal["best", "not distinguishable", "worse", "too few seeds"]
BEST: Verdict = "best"
TOO_FEW: Verdict = "too few seeds"


@dataclass(frozen=True)
class Ranked:
    """One strategy.

    Attributes:
        strategy: its label.
        interval: mean and 95 % interval of the metric over seeds.
        seconds: of all experiences after the base, mean over seeds; strategies share bases, of
            which the first that needs one has the cost.
        base_seconds: of experience 0, the most over seeds.
        bytes_kept: after the last experience, mean over seeds.
        p: of the paired test against the best on equal seeds, corrected by Holm; NaN for the best
            and for those that are not tested.
        verdict: `worse` only if p is below 0.05; `too few seeds` where others have more, or where
            there is one.
    """

    strategy: str
    interval: Interval
    seconds: float
    base_seconds: float
    bytes_kept: float
    p: float
    verdict: Verdict


def ranking(results: Iterable[RunResult], metric: str) -> list[Ranked]:
    """Return the strategies that have the metric, the largest mean first.

    The best is the first of those with the most seeds: where time ended before all seeds were run,
    a larger mean over fewer of them is no evidence.

    Args:
        results: of finished runs.
        metric: after the last experience, larger being better.
    """
    runs: dict[str, list[RunResult]] = {}
    for result in results:
        if metric in result.final:
            runs.setdefault(result.run.strategy, []).append(result)
    values = {label: {r.run.seed: r.final[metric] for r in of} for label, of in runs.items()}
    order = sorted(values, key=lambda label: (-fmean(values[label].values()), label))
    most = max(map(len, values.values()), default=0)
    tested = [label for label in order if len(values[label]) == most]
    p_values = holm([_p(values[tested[0]], values[label]) for label in tested[1:]])
    p_of = dict(zip(tested[1:], p_values, strict=True))
    verdicts = {label: _verdict(p) for label, p in p_of.items()} | dict.fromkeys(tested[:1], BEST)
    return [
        Ranked(
            strategy=label,
            interval=mean_interval(list(values[label].values())),
            seconds=fmean(sum(_seconds(run)[1:]) for run in runs[label]),
            base_seconds=max(_seconds(run)[0] for run in runs[label]),
            bytes_kept=fmean(sum(run.evaluations[-1].kept.values()) for run in runs[label]),
            p=p_of.get(label, math.nan),
            verdict=verdicts.get(label, TOO_FEW),
        )
        for label in order
    ]


def best_of(ranked: Sequence[Ranked]) -> Ranked | None:
    """Return the best, or None if nothing is ranked."""
    return next((one for one in ranked if one.verdict == BEST), None)


def _verdict(p: float) -> Verdict:
    if math.isnan(p):
        return TOO_FEW
    return "worse" if p < SIGNIFICANT else "not distinguishable"


def _seconds(run: RunResult) -> list[float]:
    return [sum(evaluation.seconds.values()) for evaluation in run.evaluations]


def _p(best: Mapping[int, float], other: Mapping[int, float]) -> float:
    """Return the p of "no difference" over shared seeds, NaN for fewer than two of them."""
    shared = sorted(best.keys() & other.keys())
    if len(shared) < 2:
        return math.nan
    return paired_difference([best[s] for s in shared], [other[s] for s in shared]).p

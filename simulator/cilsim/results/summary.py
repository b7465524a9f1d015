"""`summary.json`: the final metrics of every run of a scenario, and their means over seeds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from cilsim.metrics.statistics import Interval, mean_interval
from cilsim.records import RunInfo
from cilsim.results.atomic import json_bytes
from cilsim.results.reading import as_object, damaged
from cilsim.results.run_folder import RunFolder

SUMMARY = "summary.json"


class FinishedRun(Protocol):
    """What `write_summary` needs to know of a run; `cilsim.records.RunResult` is one."""

    @property
    def run(self) -> RunInfo:
        """Scenario, strategy and seed."""

    @property
    def final(self) -> Mapping[str, float]:
        """The metrics after the last experience."""


@dataclass(frozen=True)
class StrategyFigures:
    """One strategy's metrics after the last experience.

    Attributes:
        strategy: its label.
        by_seed: every metric of every seed; accuracies are fractions.
        over_seeds: mean and 95 % interval of every metric that all seeds have.
    """

    strategy: str
    by_seed: Mapping[int, Mapping[str, float]]
    over_seeds: Mapping[str, Interval]


@dataclass(frozen=True)
class Summary:
    """The figures of all strategies of a scenario, in the order of the scenario."""

    scenario: str
    strategies: tuple[StrategyFigures, ...]


def write_summary(run_folder: RunFolder, results: Sequence[FinishedRun]) -> Summary:
    """Write `summary.json` and return what it says.

    Raises:
        ValueError: there are no results.
        RunFolderError: the folder cannot be written.
    """
    summary = summarise(results)
    run_folder.files.write(SUMMARY, json_bytes(_to_json(summary)))
    return summary


def read_summary(run_folder: RunFolder) -> Summary | None:
    """Return what `summary.json` says, or None before there is one.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    path = run_folder.path / SUMMARY
    content = run_folder.files.read(SUMMARY)
    try:
        return None if content is None else _from_json(as_object(path, content))
    except (ValueError, TypeError, KeyError) as error:
        raise damaged(path, "it is not a summary") from error


def summarise(results: Sequence[FinishedRun]) -> Summary:
    """Return the final metrics by strategy and seed, with means and intervals.

    Raises:
        ValueError: there are no results.
    """
    if not results:
        raise ValueError("no results; expected at least one finished run")
    by_strategy: dict[str, dict[int, Mapping[str, float]]] = {}
    for result in results:
        by_strategy.setdefault(result.run.strategy, {})[result.run.seed] = dict(result.final)
    figures = (
        StrategyFigures(strategy, by_seed, _over_seeds(list(by_seed.values())))
        for strategy, by_seed in by_strategy.items()
    )
    return Summary(results[0].run.scenario, tuple(figures))


def _over_seeds(finals: Sequence[Mapping[str, float]]) -> dict[str, Interval]:
    shared = set.intersection(*(set(final) for final in finals))
    return {name: mean_interval([final[name] for final in finals]) for name in sorted(shared)}


def _to_json(summary: Summary) -> dict[str, Any]:
    return {
        "scenario": summary.scenario,
        "strategies": {
            figures.strategy: {
                "seeds": {
                    str(seed): dict(sorted(values.items()))
                    for seed, values in sorted(figures.by_seed.items())
                },
                "over_seeds": {
                    name: _interval_to_json(interval)
                    for name, interval in figures.over_seeds.items()
                },
            }
            for figures in summary.strategies
        },
    }


def _interval_to_json(interval: Interval) -> dict[str, Any]:
    limits = {"lower": interval.lower, "upper": interval.upper}
    known = {name: None if math.isnan(limit) else limit for name, limit in limits.items()}
    return {"mean": interval.mean, **known, "n": interval.n}


def _from_json(found: Any) -> Summary:
    figures = (
        StrategyFigures(
            strategy,
            {int(seed): _numbers(values) for seed, values in dict(runs["seeds"]).items()},
            {name: _interval(values) for name, values in dict(runs["over_seeds"]).items()},
        )
        for strategy, runs in dict(found["strategies"]).items()
    )
    return Summary(str(found["scenario"]), tuple(figures))


def _numbers(found: Any) -> dict[str, float]:
    return {name: float(value) for name, value in dict(found).items()}


def _interval(found: Any) -> Interval:
    lower, upper = (
        math.nan if found[limit] is None else float(found[limit]) for limit in ("lower", "upper")
    )
    return Interval(float(found["mean"]), lower, upper, int(found["n"]))

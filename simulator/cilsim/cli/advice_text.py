"""How the advice is told: a table for people, a document for programs, a scenario to run."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import yaml

from cilsim.advice.first_look import looked_at
from cilsim.advice.proposal import Proposal
from cilsim.advice.survey import Survey

if TYPE_CHECKING:
    from cilsim.advice.ranking import Ranked
    from cilsim.runner.request import Failure

WRITTEN_HERE = "# Recommended by `cilsim advise`: "


@dataclass(frozen=True)
class Advice:
    """What came out.

    Attributes:
        found: the data.
        proposal: the stream.
        ranked: the strategies, best first.
        failures: runs that could not be finished.
        not_tried: strategies for which the time was too short.
        scenario: the recommended scenario file; None if nothing is finished.
        trained: whether the ranking is that of the ladder, rather than that of the first look.
    """

    found: Survey
    proposal: Proposal
    ranked: Sequence[Ranked]
    failures: Sequence[Failure]
    not_tried: Sequence[str]
    scenario: Path | None
    trained: bool = True

    def document(self) -> dict[str, Any]:
        """Return the advice as plain data; accuracies are fractions."""
        return {
            "data": asdict(self.found),
            "stream": {**asdict(self.proposal), "ranked_by": self.proposal.metric},
            "strategies": [asdict(one) for one in self.ranked],
            "trained": self.trained,
            "failures": [asdict(failure) for failure in self.failures],
            "not_tried": list(self.not_tried),
            "scenario": None if self.scenario is None else str(self.scenario),
        }

    def tell(self) -> None:
        """Write the advice to stderr."""
        for line in self._lines():
            click.echo(line, err=True)

    def _lines(self) -> list[str]:
        from cilsim.report.formatting import aligned

        lines = ["", *aligned(_table(self.ranked, self.proposal.metric))] if self.ranked else []
        lines += [f"{one.strategy}/seed-{one.seed} failed: {one.message}" for one in self.failures]
        lines += self._how_far()
        if self.scenario is not None:
            best = next(one.strategy for one in self.ranked if one.verdict == "best")
            lines.append(f"recommended: {best}, cilsim run {self.scenario}")
        return lines

    def _how_far(self) -> Iterator[str]:
        """Yield what the ranking rests on, and what is missing."""
        from cilsim.report.formatting import duration

        rest = "not tried for lack of time"
        if self.ranked and not self.trained:
            yield f"ranked by the first look, on {looked_at(self.found)}: the budget ended before"
            yield "a run with a trained network did; the same command goes on where it stopped"
            rest = "not tried with a trained network"
        elif self.ranked:
            most = max(one.base_seconds for one in self.ranked)
            yield f"time is that of experiences after the base, which took {duration(most)}"
            if any(one.verdict == "too few seeds" for one in self.ranked):
                yield "too few seeds: not compared; more time or more seeds tell more"
        if self.not_tried:
            yield f"{rest}: {', '.join(self.not_tried)}"


def _table(ranked: Sequence[Ranked], metric: str) -> list[list[str]]:
    from cilsim.report.formatting import duration, percent_interval, size

    head = ["strategy", metric, "seeds", "p", "verdict", "time", "kept"]
    rows = [
        [
            one.strategy,
            percent_interval(one.interval),
            str(one.interval.n),
            "" if math.isnan(one.p) else f"{one.p:.3f}",
            one.verdict,
            duration(one.seconds),
            size(one.bytes_kept),
        ]
        for one in ranked
    ]
    return [head, *rows]


def _seeds(count: int) -> str:
    return "1 seed" if count == 1 else f"{count} seeds"


def scenario_text(scenario: dict[str, Any], best: Ranked, metric: str, on: str = "") -> str:
    """Return the YAML of a recommended scenario, with what was measured at its head.

    Args:
        scenario: as plain data.
        best: its strategy.
        metric: the strategies are ranked by it.
        on: what it was measured on, if not on what the scenario trains.
    """
    from cilsim.report.formatting import duration, percent_interval

    measured = f"{metric} {percent_interval(best.interval)} over {_seeds(best.interval.n)}{on}"
    time = duration(best.seconds)
    head = f"{WRITTEN_HERE}{best.strategy} has {measured}, {time} after the base."
    unshared = json.loads(json.dumps(scenario))  # YAML would refer to what is there twice
    body = yaml.safe_dump(unshared, sort_keys=False, allow_unicode=True, default_flow_style=None)
    return f"{head}\n{body}"

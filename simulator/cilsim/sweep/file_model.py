"""What a sweep file may say."""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, Field, WithJsonSchema

from cilsim.options import Options
from cilsim.scenario.schema import DistinctSeeds, LargeInt, Name

NameOrMapping = str | dict[str, Any]

DURATION = r"([1-9]\d{0,8})(s|m|h)"
_SECONDS = {"s": 1, "m": 60, "h": 3600}


def duration_text(text: str) -> str:
    """Return `text` if it is a time such as `90s`, `30m` or `12h`, or raise ValueError."""
    if re.fullmatch(DURATION, text) is None:
        raise ValueError(f"expected a time such as 90s, 30m or 12h, found '{text[:40]}'")
    return text


def seconds_in(text: str) -> int:
    """Return the seconds in a text that `duration_text` has let pass."""
    return int(text[:-1]) * _SECONDS[text[-1]]


Duration = Annotated[
    str, AfterValidator(duration_text), WithJsonSchema({"type": "string", "pattern": DURATION})
]


class SweepFile(Options):
    """Scenarios, each run with every strategy, every seed and every combination of options."""

    name: Name | None = None
    """Name of the folder of all runs of the sweep; without it, the name of the file."""
    description: str = ""
    """Free text."""
    scenarios: Annotated[tuple[str, ...], Field(min_length=1)]
    """Scenario files, relative to the folder of the sweep file."""
    strategies: Annotated[tuple[NameOrMapping, ...], Field(min_length=1)] | None = None
    """Strategies in place of those of the scenarios."""
    seeds: LargeInt | DistinctSeeds | None = None
    """Training seeds in place of those of the scenarios."""
    grid: dict[str, Any] = Field(default_factory=dict, alias="set")
    """Values by dotted key of the scenario, such as stream.shot: [1, 5]; a list is varied, and
    every combination is run."""
    retries: Annotated[int, Field(ge=0, le=100)] = 2
    """How often a run that failed or was lost is started again."""
    timeout: Duration | None = None
    """How long one attempt may take, such as 90s, 30m or 12h; then it is stopped and counts as
    failed. The next one goes on where it was."""

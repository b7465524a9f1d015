"""What was measured for a row, and the JSON files that keep it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from cilsim.metrics.statistics import Interval, mean_interval, paired_difference
from cilsim.results.atomic import write_json

FOLDER = Path(__file__).parent

IRRELEVANT = (
    "schema", "name", "description", "strategies", "seeds", "checkpoints", "published",
)  # fmt: skip
"""Keys of a scenario file that say nothing about how a single row is measured."""


@dataclass(frozen=True)
class Row:
    """The figures of one strategy.

    Attributes:
        recipe: digest of what the scenario file says about this row, see `recipe_digest`.
        scenario_hash: of the resolved scenario that was run.
        measured_on: date, machine, versions.
        kept: bytes that the strategy stores in the end, mean over seeds.
        seeds: metrics after the last experience by seed; accuracies are fractions.
    """

    recipe: str
    scenario_hash: str
    measured_on: Mapping[str, Any]
    kept: float
    seeds: Mapping[int, Mapping[str, float]]

    def has(self, metric: str) -> bool:
        """Return whether every run has a metric; discovery streams have others."""
        return all(metric in values for values in self.seeds.values())

    def interval(self, metric: str) -> Interval:
        """Return mean and 95 % interval over seeds."""
        return mean_interval([values[metric] for values in self.seeds.values()])

    def difference(self, metric: str, other: Row) -> Interval:
        """Return the mean difference to `other` over seeds that both have, with its interval."""
        shared = [seed for seed in self.seeds if seed in other.seeds]
        found = paired_difference(
            [self.seeds[seed][metric] for seed in shared],
            [other.seeds[seed][metric] for seed in shared],
        )
        return Interval(found.mean, found.lower, found.upper, found.n)


Rows = Mapping[str, Row]
"""By label."""


def recipe_digest(scenario_text: str, label: str) -> str:
    """Return a digest of what a scenario file says about one strategy and its training.

    As written: a new option with a default does not change it, a reworded comment neither. Seeds
    do not count, because figures are kept by seed.

    Raises:
        KeyError: the file has no strategy of that label.
    """
    content = yaml.safe_load(scenario_text)
    own = entries(content)[label]
    rest = {key: value for key, value in content.items() if key not in IRRELEVANT}
    text = json.dumps([rest, own], sort_keys=True)
    return sha256(text.encode()).hexdigest()[:16]


def entries(content: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the strategies of a scenario file by label."""
    written_out = [
        {"name": entry} if isinstance(entry, str) else dict(entry)
        for entry in content["strategies"]
    ]
    return {str(entry.get("as", entry["name"])): entry for entry in written_out}


def read_rows(table: str, folder: Path = FOLDER) -> dict[str, Row]:
    """Return what was measured for a table; nothing before the first time."""
    path = folder / f"{table}.json"
    if not path.exists():
        return {}
    found = json.loads(path.read_text(encoding="utf-8"))
    return {label: _row(content) for label, content in found.items()}


def write_rows(table: str, rows: Rows, folder: Path = FOLDER) -> None:
    """Write what was measured for a table."""
    write_json(folder / f"{table}.json", {label: asdict(row) for label, row in rows.items()})


def _row(content: Mapping[str, Any]) -> Row:
    seeds = {int(seed): values for seed, values in content["seeds"].items()}
    return Row(**{**content, "seeds": seeds})

"""The rows that there are to measure, from the scenario files; imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.tables.catalogue import Table
from benchmarks.tables.figures import recipe_digest
from cilsim.plugins import Plugins
from cilsim.scenario.load import load_scenario
from cilsim.scenario.schema import Scenario, StrategyChoice

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "scenarios"


@dataclass(frozen=True)
class Job:
    """A row to be measured: a scenario with one of its strategies."""

    file: str
    choice: StrategyChoice
    scenario: Scenario
    slow: bool

    @property
    def label(self) -> str:
        """Names the row."""
        return self.choice.label

    @property
    def recipe(self) -> str:
        """Digest of what the scenario file says about the row."""
        return recipe_digest(self.scenario.source.text, self.label)


def jobs(table: Table, plugins: Plugins) -> Iterator[Job]:
    """Yield the rows of a table, in the order of its scenarios.

    Raises:
        ScenarioError: a scenario file is not right.
    """
    for name in table.scenarios:
        scenario = load_scenario(SCENARIOS / name, plugins.registries, with_data=False)
        for choice in scenario.strategies:
            yield Job(name, choice, scenario, choice.name in table.slow)

"""The scenarios of `cilsim advise`: a first look, the ladder, and the one that is recommended."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cilsim.advice.first_look import VECTORS, first_look, looked_at, untrained
from cilsim.advice.ladder import Rung, Wishes, rungs, scenario
from cilsim.advice.proposal import Proposal
from cilsim.advice.ranking import Ranked
from cilsim.advice.survey import Survey
from cilsim.cli.advice_text import scenario_text
from cilsim.cli.streams import stdout_reserved
from cilsim.plugins import Plugins
from cilsim.results.atomic import write_bytes
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario


@dataclass(frozen=True)
class AdviceScenarios:
    """Scenarios for some data.

    Attributes:
        found: the data.
        proposal: the stream.
        wishes: what the user asked for.
        plugins: what is installed.
        only: the strategies to try; None for all that the ladder knows.
    """

    found: Survey
    proposal: Proposal
    wishes: Wishes
    plugins: Plugins
    only: Sequence[str] | None

    def ladder(self) -> list[Scenario]:
        """Return what is to be tried, cheap strategies first."""
        return [self._checked(rung.name, self._given(rung.strategies)) for rung in self._rungs()]

    def first_look(self) -> Scenario | None:
        """Return what trains nothing; None if nothing cheap is asked for, or all of it is cheap."""
        rung = first_look(self._rungs())
        if rung is None or not self._trains_a_network():
            return None
        given = untrained(self._given(rung.strategies), self.found)
        return self._checked(rung.name, given)

    def recommend(self, best: Ranked, out: Path, *, trained: bool) -> Path:
        """Write the scenario with the best strategy and return its path.

        Args:
            best: the strategy.
            out: the file.
            trained: whether it was found best by the ladder, rather than at the first look.
        """
        given = self._given([best.strategy], f"{self.wishes.name}-recommended")
        on = "" if trained else f" on {looked_at(self.found)}"
        text = scenario_text(given, best, self.proposal.metric, on)
        write_bytes(out, text.encode())
        return out

    def _rungs(self) -> list[Rung]:
        names = [entry.name for entry in self.plugins.registries.strategies]
        return rungs(self.found, names, self.only)

    def _given(self, strategies: Sequence[str], name: str = "") -> dict[str, Any]:
        return scenario(self.found, self.proposal, self.wishes, name, strategies)

    def _checked(self, name: str, given: dict[str, Any]) -> Scenario:
        # other wishes are other runs; the same ones go on
        digest = sha256(json.dumps(given, sort_keys=True).encode()).hexdigest()
        given["name"] = f"{self.wishes.name}-{name}-{digest[:8]}"
        with stdout_reserved():
            return load_text(json.dumps(given), given["name"], self.plugins.registries)

    def _trains_a_network(self) -> bool:
        """Return whether the ladder trains a network that could be left as it is drawn."""
        name, backbones = self.wishes.backbone, self.plugins.registries.backbones
        if self.found.features:
            return name != VECTORS
        if self.wishes.weights is not None:
            return False
        return name is None or "frozen" in backbones[name].option_model().model_fields

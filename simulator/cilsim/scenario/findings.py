"""Collects complaints while a scenario is checked, so that all are told at once."""

from __future__ import annotations

from dataclasses import dataclass, field

from cilsim.errors import Problem, ScenarioError
from cilsim.scenario.origin import Mark, abbreviate

MOST = 100
"""How many problems are told; the rest is counted."""


@dataclass(frozen=True)
class Finding:
    """One complaint, not yet put into words for its place."""

    mark: Mark
    path: str
    message: str

    def problem(self) -> Problem:
        """Return the complaint as the user sees it."""
        path = abbreviate(self.path, 200)  # keys and values may hold anything
        return Problem(self.mark.where, path, abbreviate(self.message, 2000), self.mark.excerpt)


@dataclass
class Findings:
    """All complaints about one scenario.

    Attributes:
        cause: the error of a plugin behind one of them, kept for its traceback.
    """

    found: list[Finding] = field(default_factory=list)
    cause: BaseException | None = None
    _settled: set[Mark] = field(default_factory=set)
    _known: set[Finding] = field(default_factory=set)

    def add(self, mark: Mark, path: str, message: str) -> None:
        """Note a complaint, unless it is known or the value there was refused already."""
        finding = Finding(mark, path, message)
        if mark not in self._settled and finding not in self._known:
            self.found.append(finding)
            self._known.add(finding)

    def refuse(self, mark: Mark, path: str, message: str) -> None:
        """Note a complaint about a value that cannot be used; what follows from it is not told."""
        self.add(mark, path, message)
        self._settled.add(mark)

    def raise_if_any(self) -> None:
        """Raise every complaint, in the order of the file, then of the overrides.

        Raises:
            ScenarioError: something was found.
        """
        if not self.found:
            return
        ordered = sorted(self.found, key=lambda finding: finding.mark.order)
        problems = [finding.problem() for finding in ordered[:MOST]]
        if len(ordered) > MOST:
            rest = len(ordered) - MOST
            problems.append(Problem(ordered[0].mark.origin.name, "", f"and {rest} more problems"))
        raise ScenarioError(problems) from self.cause

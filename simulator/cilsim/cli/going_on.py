"""What a command that ends early says about its run folder: how to go on."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from cilsim.results.scenario_files import RESOLVED
from cilsim.runner.request import ScenarioOutcome


@dataclass(frozen=True)
class GoingOn:
    """How to go on with one run folder.

    Attributes:
        folder: the run folder, which need not exist yet.
        plugin_files: plugins that the command has to name again.
        processes: how many of them it has to start again, if any.
    """

    folder: Path
    plugin_files: Sequence[Path]
    processes: int | None

    @property
    def is_possible(self) -> bool:
        """Whether anything is stored to go on from."""
        return (self.folder / RESOLVED).is_file()

    @property
    def command(self) -> str:
        """The command that goes on."""
        options = [part for path in self.plugin_files for part in ("--plugin", str(path))]
        if self.processes is not None:
            options += ["--processes", str(self.processes)]
        return shlex.join(["cilsim", "resume", str(self.folder), *options])

    def after_stop(self, why: str) -> str:
        """Return what is said about a stop: why, and how to go on."""
        if not self.is_possible:
            return f"{why}\nnothing is stored yet; give the same command again"
        return f"{why}\nresume with: {self.command}"

    def after_error(self, error: Exception) -> str:
        """Return what is said about an error that ended all runs."""
        return f"{error}; once that is mended, go on with: {self.command}"

    def after_failures(self, outcome: ScenarioOutcome) -> str:
        """Return which runs failed; why was said when it happened."""
        names = [f"{failure.strategy}/seed-{failure.seed}" for failure in outcome.failures]
        total = len(names) + len(outcome.results)
        return (
            f"{len(names)} of {total} runs failed: {', '.join(names)}; "
            f"try again with: {self.command}"
        )

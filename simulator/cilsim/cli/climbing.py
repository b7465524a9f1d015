"""Runs the scenarios of `cilsim advise` within its budget, and gathers what is finished."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from cilsim.advice.budget import Budget
from cilsim.cli.busyness import prepare_environment
from cilsim.cli.last_words import tell_at_once
from cilsim.cli.report_files import write_reports
from cilsim.cli.stored import results_in
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import Interrupted
from cilsim.plugins import Plugins
from cilsim.records import RunResult
from cilsim.report.terminal import NORMAL, QUIET, TerminalReporter
from cilsim.results.run_folder import RunFolder
from cilsim.runner.interruption import StopRequest, stop_on_signals
from cilsim.runner.request import Failure, RunRequest, RunStart, ScenarioOutcome
from cilsim.scenario.schema import Scenario

if TYPE_CHECKING:
    from cilsim.cli.settings import Settings

AGAIN = "the same command goes on where it stopped"


@dataclass
class Climb:
    """What has been run so far.

    Attributes:
        plugins: what is installed.
        settings: how much is told.
        runs: folder that holds the run folders.
        device: as for `RunRequest`.
        budget: when it is over, what runs saves and stops within one step of a training or one
            experience.
        results: of finished runs.
        failures: runs that could not be finished.
        left_out: scenarios that were not begun, or not finished.
    """

    plugins: Plugins
    settings: Settings
    runs: Path
    device: str
    budget: Budget
    results: list[RunResult] = field(default_factory=list)
    failures: list[Failure] = field(default_factory=list)
    left_out: list[Scenario] = field(default_factory=list)

    def run(self, scenario: Scenario) -> None:
        """Run a scenario as far as the budget reaches.

        Raises:
            CilsimError: nothing could be run.
            Interrupted: the user asked to stop.
        """
        if not self.budget.left:
            self.left_out.append(scenario)
            return
        stop = StopRequest()
        try:
            outcome = self._outcome(scenario, stop)
        except (Interrupted, KeyboardInterrupt) as error:
            if not self.budget.spent:
                raise Interrupted(f"stopped; what is finished is kept, {AGAIN}") from error
            self.left_out.append(scenario)
            self.results += results_in(RunFolder(self.runs / scenario.name), scenario)
        else:
            self.results += outcome.results
            self.failures += outcome.failures

    def not_tried(self) -> list[str]:
        """Return the strategies of which no run is finished, for lack of time."""
        known = {result.run.strategy for result in self.results}
        known |= {failure.strategy for failure in self.failures}
        wanted = [choice.label for scenario in self.left_out for choice in scenario.strategies]
        return [label for label in wanted if label not in known]

    def _outcome(self, scenario: Scenario, stop: StopRequest) -> ScenarioOutcome:
        prepare_environment()
        request = RunRequest(
            self.runs, self.device, True, self._reporters, stop, self._write_reports
        )
        words = f"stopped at once; {AGAIN}"
        with (
            stop_on_signals(stop, lambda said: tell_at_once(words)),
            self.budget.stopping(stop.ask),
            stdout_reserved(),
        ):
            from cilsim.runner.scenario_run import run_scenario

            return run_scenario(scenario, self.plugins, request)

    def _reporters(self, start: RunStart) -> Sequence[object]:
        verbosity = QUIET if self.settings.quiet else NORMAL
        return [TerminalReporter(start.number, start.of, verbosity, start.replay)]

    def _write_reports(self, folder: Path, results: Sequence[RunResult]) -> None:
        write_reports(folder, results)
        RunFolder(folder).seal()

"""What the command line asks of the runner, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from cilsim.distributed.processes import ALONE, Processes
from cilsim.records import Evaluation, RunInfo, RunResult
from cilsim.runner.interruption import StopRequest


@dataclass(frozen=True)
class RunStart:
    """A run that is about to begin or to go on.

    Attributes:
        run: facts about the run.
        number: position among the runs of the command, from 1.
        of: how many runs the command has.
        replay: evaluations that an earlier, interrupted command stored.
        resume_step: optimiser steps that are already behind, over the whole run.
        resolved: the resolved scenario as YAML.
        environment: versions, device and threads, for the reports.
    """

    run: RunInfo
    number: int
    of: int
    replay: tuple[Evaluation, ...]
    resume_step: int
    resolved: str
    environment: dict[str, str]


Reporters = Callable[[RunStart], Sequence[object]]
"""Returns the reporters of one run: objects with hook implementations."""


def no_reporters(start: RunStart) -> Sequence[object]:
    """Return no reporter, for runs from Python."""
    return ()


Reports = Callable[[Path, Sequence[RunResult]], None]
"""Writes the reports over all finished runs into the run folder."""


def no_reports(folder: Path, results: Sequence[RunResult]) -> None:
    """Write no report, for runs from Python."""


@dataclass(frozen=True)
class RunRequest:
    """How a scenario is to be run.

    Attributes:
        out: folder that holds the run folders.
        device: `auto`, `cpu`, `cuda`, `cuda:<n>` or `mps`.
        cache: whether base training and features are reused across commands; within one command
            they always are.
        reporters: makes the reporters of each run.
        stop: whether somebody asked to save and stop.
        reports: writes the reports; a run folder without them is not finished.
        processes: those that do the runs together; all but the first have an `out` of their own.
    """

    out: Path = Path("runs")
    device: str = "auto"
    cache: bool = True
    reporters: Reporters = no_reporters
    stop: StopRequest = field(default_factory=StopRequest)
    reports: Reports = no_reports
    processes: Processes = ALONE


@dataclass(frozen=True)
class Failure:
    """A run that could not be finished."""

    strategy: str
    seed: int
    message: str


@dataclass(frozen=True)
class ScenarioOutcome:
    """All runs of a scenario: those that finished, and those that failed."""

    folder: Path
    results: tuple[RunResult, ...]
    failures: tuple[Failure, ...]

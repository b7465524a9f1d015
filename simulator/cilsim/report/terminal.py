"""Tells a run's story on the terminal: a header, a live line while training, a row per experience.

Everything goes to stderr. Where that is not a terminal the text is plain and there is no live
line, so that a log has one line per experience.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, TextIO

from cilsim.hookspecs import hookimpl
from cilsim.records import Evaluation, ExperienceInfo, RunInfo, RunResult, Scalars
from cilsim.report.formatting import duration, percent, printable
from cilsim.report.progress import TrainingProgress
from cilsim.report.rows import RowLayout

if TYPE_CHECKING:
    from rich.console import Console
    from rich.live import Live

QUIET, NORMAL, VERBOSE = -1, 0, 1
_SHORTEST_REFRESH = 0.1


class TerminalReporter:
    """Hook implementations that print one run.

    Args:
        number: position of this run among the runs of the command, from 1.
        of: how many runs the command has.
        verbosity: QUIET prints nothing; VERBOSE adds the accuracy on each earlier experience.
        replay: stored evaluations of a resumed run; their rows are printed first.
        stream: where to print; stderr if None.
        clock: seconds, for the time left.
    """

    def __init__(
        self,
        number: int = 1,
        of: int = 1,
        verbosity: int = NORMAL,
        replay: Sequence[Evaluation] = (),
        stream: TextIO | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._place = f"run {number} of {of}" if of > 1 else ""
        self._verbosity = verbosity
        self._replay = tuple(replay)
        self._stream = stream
        self._clock = clock
        self._console: Console | None = None
        self._live: Live | None = None
        self._progress = TrainingProgress(started=0.0)
        self._shown = 0.0
        self._name = ""

    @hookimpl
    def cilsim_before_run(self, run: RunInfo) -> None:
        """Print what is about to run, and the rows that a resumed run already has."""
        for line in header(run, self._place):
            self._print(line, "bold")
        self._print(RowLayout(run.stream).heading, "dim")
        for evaluation in self._replay:
            self._print_row(run, evaluation, stored=True)

    @hookimpl
    def cilsim_before_experience(self, experience: ExperienceInfo) -> None:
        """Start the live line."""
        self._progress = TrainingProgress(started=self._clock())
        self._name = experience.name
        self._show("training")

    @hookimpl
    def cilsim_on_scalars(self, scalars: Scalars) -> None:
        """Renew the live line, at most ten times a second."""
        now = self._clock()
        line = self._progress.describe(scalars.values, now)
        if now - self._shown >= _SHORTEST_REFRESH:
            self._shown = now
            self._show(line)

    @hookimpl
    def cilsim_after_training(self) -> None:
        """Say that the experience is being evaluated."""
        self._show("evaluating")

    @hookimpl
    def cilsim_after_evaluation(self, run: RunInfo, evaluation: Evaluation) -> None:
        """Replace the live line by the experience's row."""
        self._stop_live()
        self._print_row(run, evaluation)

    @hookimpl
    def cilsim_after_run(self, result: RunResult) -> None:
        """Print how long the run took."""
        self._stop_live()
        self._print(f"finished in {duration(result.seconds)}")

    @hookimpl
    def cilsim_on_run_error(self, run: RunInfo) -> None:
        """Print how far the run came; why it stopped is printed by whoever ends the command."""
        self._stop_live()
        where = f"in experience '{self._name}'" if self._name else "before its first experience"
        self._print(f"{run.strategy}, seed {run.seed}: stopped {where}", "red")

    def _print_row(self, run: RunInfo, evaluation: Evaluation, stored: bool = False) -> None:
        self._print(RowLayout(run.stream).row(evaluation, stored))
        if self._verbosity >= VERBOSE:
            self._print(f"  {accuracies(evaluation)}", "dim")

    def _print(self, line: str, style: str = "") -> None:
        if self._verbosity > QUIET:
            console = self._open()
            console.print(printable(line, console.encoding), style=style, soft_wrap=True)

    def _show(self, line: str) -> None:
        """Write the live line where there is a terminal to write it on."""
        console = self._open()
        if self._verbosity <= QUIET or not console.is_terminal or console.is_dumb_terminal:
            return
        from rich.live import Live
        from rich.text import Text

        line = printable(f"{self._name}: {line}", console.encoding)
        text = Text(line, style="cyan", no_wrap=True, overflow="crop")
        if self._live is None:
            # Lines that others write to stderr meanwhile appear above the live line.
            self._live = Live(
                text, console=console, auto_refresh=False, transient=True, redirect_stdout=False
            )
            self._live.start()
        self._live.update(text, refresh=True)

    def _stop_live(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None

    def _open(self) -> Console:
        if self._console is None:
            from rich.console import Console

            stream = self._stream or sys.stderr
            self._console = Console(file=stream, highlight=False, markup=False, emoji=False)
        return self._console


def header(run: RunInfo, place: str = "") -> list[str]:
    """Return the two lines that say what runs: protocol, strategy, seed, device, digest."""
    stream, count = run.stream, len(run.stream.experiences)
    strategy = " + ".join([run.strategy, *run.calibrators])
    who = [f"strategy {strategy}", f"seed {run.seed}", run.device, place]
    return [
        f"{run.scenario}: {stream.protocol} on {stream.dataset}, "
        f"{count} experiences (1 base + {count - 1}), order and split {stream.digest[:8]}",
        ", ".join(filter(None, who)) + "; accuracies in %",
    ]


def accuracies(evaluation: Evaluation) -> str:
    """Return the accuracy on each experience so far, in percent."""
    row = evaluation.accuracy_matrix[evaluation.experience, : evaluation.experience + 1]
    return "by experience: " + " ".join(percent(float(value)) for value in row)

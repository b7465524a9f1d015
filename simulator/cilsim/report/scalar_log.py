"""What was logged while training, kept so that event files can be rebuilt after an interruption."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from io import TextIOWrapper
from pathlib import Path

from cilsim.errors import CheckpointError
from cilsim.hookspecs import hookimpl
from cilsim.records import RunInfo, Scalars
from cilsim.results.atomic import cannot_write, write_text
from cilsim.results.reading import damaged, read_bytes
from cilsim.results.scalar_lines import parse_scalar_lines, scalar_line
from cilsim.results.sealed_folder import SealedFolder
from cilsim.results.seed_folder import TRAINING_SCALARS

logger = logging.getLogger(__name__)


class ScalarLog:
    """Appends one JSON line with a checksum per call of `cilsim_on_scalars`, flushed at once.

    Args:
        past: what an interrupted command logged up to its last state; see `read_scalars`.
    """

    def __init__(self, past: Sequence[Scalars] = ()) -> None:
        self._past = tuple(past)
        self._file: TextIOWrapper | None = None

    @hookimpl
    def cilsim_before_run(self, run: RunInfo) -> None:
        """Open the log with the lines of the past, and without what a killed process added."""
        path = run.folder / TRAINING_SCALARS
        with SealedFolder(run.folder).changes() as changes:
            changes.disown(TRAINING_SCALARS)
        write_text(path, "".join(scalar_line(scalars) for scalars in self._past))
        try:
            self._file = path.open("a", encoding="utf-8", newline="\n", buffering=1)
        except OSError as error:
            raise cannot_write(path, error) from error

    @hookimpl
    def cilsim_on_scalars(self, run: RunInfo, scalars: Scalars) -> None:
        """Append the scalars of one epoch."""
        if self._file is None:
            return
        try:
            self._file.write(scalar_line(scalars))
        except OSError as error:
            raise cannot_write(run.folder / TRAINING_SCALARS, error) from error

    @hookimpl
    def cilsim_after_run(self) -> None:
        """Close the log."""
        self._close()

    @hookimpl
    def cilsim_on_run_error(self) -> None:
        """Close the log; what was written stays."""
        with suppress(OSError):  # why the run ends is what the user has to know
            self._close()

    def _close(self) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            file.close()


def read_scalars(folder: Path, last_step: int | None = None) -> list[Scalars]:
    """Return the log of a run folder up to and including `last_step`; empty if there is none.

    Lines that are not as they were written are left out, and the file is named in a warning. A last
    line without its end, left by a process that was killed, is no damage.
    """
    path = folder / TRAINING_SCALARS
    past = parse_scalar_lines(read_bytes(path) or b"")
    intact = [scalars for scalars in past if scalars is not None]
    complaint = _complaint(folder, path, lost=len(past) - len(intact))
    if complaint:
        logger.warning("%s; curves of past training are drawn without what is lost", complaint)
    return [scalars for scalars in intact if last_step is None or scalars.step <= last_step]


def _complaint(folder: Path, path: Path, *, lost: int) -> str:
    """Return what is wrong with the log, or an empty text."""
    try:
        SealedFolder(folder).read(TRAINING_SCALARS)
    except CheckpointError as error:
        if SealedFolder(folder).sums.knows(TRAINING_SCALARS):
            return str(error)
    return str(damaged(path, f"{lost} of its lines are not what was written")) if lost else ""

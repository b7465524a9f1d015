"""What was logged while training, kept so that event files can be rebuilt after an interruption."""

from __future__ import annotations

import json
import math
from io import TextIOWrapper
from pathlib import Path
from typing import Any

from cilsim.hookspecs import hookimpl
from cilsim.records import RunInfo, Scalars
from cilsim.results.atomic import cannot_write, write_text
from cilsim.results.reading import damaged, read_text

FILE_NAME = "training_scalars.jsonl"


class ScalarLog:
    """Appends one JSON line per call of `cilsim_on_scalars`, flushed at once.

    Args:
        last_step: optimiser steps that are behind when the run goes on; what a killed process
            logged after them is dropped. 0 starts an empty log.
    """

    def __init__(self, last_step: int = 0) -> None:
        self._last_step = last_step
        self._file: TextIOWrapper | None = None

    @hookimpl
    def cilsim_before_run(self, run: RunInfo) -> None:
        """Open the log with the lines that the checkpoint vouches for."""
        path = run.folder / FILE_NAME
        past = read_scalars(run.folder, self._last_step) if self._last_step else []
        write_text(path, "".join(_line(scalars) for scalars in past))
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
            self._file.write(_line(scalars))
        except OSError as error:
            raise cannot_write(run.folder / FILE_NAME, error) from error

    @hookimpl
    def cilsim_after_run(self) -> None:
        """Close the log."""
        self._close()

    @hookimpl
    def cilsim_on_run_error(self) -> None:
        """Close the log; what was written stays."""
        self._close()

    def _close(self) -> None:
        if self._file is not None:
            self._file.close()
            self._file = None


def read_scalars(folder: Path, last_step: int | None = None) -> list[Scalars]:
    """Return the log of a run folder up to and including `last_step`; empty if there is none.

    A last line without its end, left by a process that was killed, is skipped.

    Raises:
        CheckpointError: another line is not what `ScalarLog` writes.
    """
    path = folder / FILE_NAME
    *lines, _unfinished = (read_text(path) or "").split("\n")
    past = [_parse(path, number, line) for number, line in enumerate(lines, start=1)]
    return [scalars for scalars in past if last_step is None or scalars.step <= last_step]


def _line(scalars: Scalars) -> str:
    values = {name: _plain(value) for name, value in scalars.values.items()}
    return json.dumps({"step": scalars.step, "values": values}) + "\n"


def _plain(value: float) -> float | str:
    """JSON has no NaN and no infinity: they are written as text."""
    return float(value) if math.isfinite(value) else str(float(value))


def _parse(path: Path, number: int, line: str) -> Scalars:
    try:
        entry: dict[str, Any] = json.loads(line)
        values = {str(name): float(value) for name, value in entry["values"].items()}
        return Scalars(values, int(entry["step"]))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        what = f"line {number} is no training scalar; without the file only past curves are lost"
        raise damaged(path, what) from error

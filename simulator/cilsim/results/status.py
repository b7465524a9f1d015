"""`status.json`: how far a command has come, for people and for `cilsim resume`.

It changes more often than any other file, so it carries its own checksum.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, get_args

from cilsim.errors import CheckpointError
from cilsim.results.atomic import write_bytes
from cilsim.results.reading import damaged
from cilsim.results.sealed_json import read_sealed, sealed

logger = logging.getLogger(__name__)

State = Literal["running", "finished", "interrupted", "failed"]


@dataclass(frozen=True)
class Progress:
    """`experience` of `of` experiences of one strategy and seed are finished."""

    experience: int
    of: int


@dataclass(frozen=True)
class Status:
    """How far a command has come.

    Attributes:
        state: after a kill it stays `running`, and nobody holds the folder's lock.
        resume: the command that continues the run.
        started: when the run was first started, UTC in ISO 8601.
        updated: when this was written.
        error: the one line that ended the run, or empty.
        progress: by `<strategy>/seed-<n>`.
    """

    state: State
    resume: str
    started: str
    updated: str
    error: str = ""
    progress: Mapping[str, Progress] = field(default_factory=dict)


class StatusFile:
    """Reads and writes a `status.json`."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def read(self) -> Status | None:
        """Return the status, or None before there is one.

        Raises:
            CheckpointError: the file is damaged.
        """
        found = read_sealed(self.path)
        try:
            return None if found is None else _parse(found)
        except (ValueError, TypeError, KeyError) as error:
            raise damaged(self.path, "it is not a status") from error

    @property
    def says_finished(self) -> bool:
        """Whether all is finished by what the file says; a damaged one says nothing."""
        try:
            status = self.read()
        except CheckpointError:  # named, and written anew, when the run goes on
            return False
        return status is not None and status.state == "finished"

    def begin(self, resume: str) -> None:
        """Say that the run goes on; an earlier start and earlier progress are kept."""
        now = _now()
        before = self._readable()
        self._write(
            Status(
                state="running",
                resume=resume,
                started=now if before is None else before.started,
                updated=now,
                progress={} if before is None else before.progress,
            )
        )

    def advance(self, strategy: str, seed: int, *, experience: int, of: int) -> None:
        """Say that `experience` of `of` experiences of one run are finished."""
        status = self._begun()
        done = {**status.progress, f"{strategy}/seed-{seed}": Progress(experience, of)}
        if done != status.progress:
            self._write(replace(status, progress=done, updated=_now()))

    def end(self, state: State, error: str = "") -> None:
        """Say how the command ended; `error` is the line that the user saw."""
        self._write(replace(self._begun(), state=state, error=error, updated=_now()))

    def _begun(self) -> Status:
        now = _now()
        return self._readable() or Status("running", resume="", started=now, updated=now)

    def _readable(self) -> Status | None:
        try:
            return self.read()
        except CheckpointError as error:
            logger.warning("%s; it is written anew", error)
            return None

    def _write(self, status: Status) -> None:
        progress = {
            name: {"experience": done.experience, "of": done.of}
            for name, done in sorted(status.progress.items())
        }
        found = {
            "state": status.state,
            "resume": status.resume,
            "started": status.started,
            "updated": status.updated,
            "error": status.error,
            "progress": progress,
        }
        write_bytes(self.path, sealed(found))


def _parse(found: Any) -> Status:
    if found["state"] not in get_args(State):
        raise ValueError(found["state"])
    progress = {
        str(name): Progress(int(done["experience"]), int(done["of"]))
        for name, done in dict(found["progress"]).items()
    }
    texts = {key: str(found[key]) for key in ("resume", "started", "updated", "error")}
    return Status(state=found["state"], progress=progress, **texts)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")

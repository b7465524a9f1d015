"""`events.jsonl`: what happened to which cell when, one line each, also from several commands."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime
from pathlib import Path

from cilsim.results.atomic import cannot_write


class EventLog:
    """Appends to a log that several processes may write at once.

    Args:
        path: the file; it and its folder are made if missing.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def note(self, cell: str, event: str, attempt: int, told: str = "") -> None:
        """Append one line.

        Raises:
            RunFolderError: it cannot be written.
        """
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        found = {"time": now, "cell": cell, "event": event, "attempt": attempt, "told": told}
        line = json.dumps(found) + "\n"
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
            try:
                os.write(descriptor, line.encode())  # one call, so that lines stay whole
            finally:
                os.close(descriptor)
        except OSError as error:
            raise cannot_write(self.path, error) from error

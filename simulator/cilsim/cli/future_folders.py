"""Folders that are written to later and need not exist yet: where they will lie, and whether."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryFile

from cilsim.results.atomic import reason


def nearest_existing(folder: Path) -> Path:
    """Return the folder or, if it does not exist, the nearest one above it that does."""
    absolute = folder.absolute()
    return next(path for path in (absolute, *absolute.parents) if path.exists())


def why_unwritable(folder: Path) -> str | None:
    """Return the operating system's words if no file can be made there, None if one can."""
    try:
        with TemporaryFile(dir=nearest_existing(folder)):
            return None
    except OSError as error:
        return reason(error)

"""Reading files back: what is missing, unreadable or damaged is said in one line with its name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError
from cilsim.results.atomic import reason


def read_bytes(path: Path) -> bytes | None:
    """Return the content of a file, or None if there is no such file.

    Raises:
        CheckpointError: it cannot be read.
    """
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {reason(error)}") from error


def read_text(path: Path) -> str | None:
    """Return the UTF-8 text of a file, or None if there is no such file.

    Raises:
        CheckpointError: it cannot be read, or is no text.
    """
    content = read_bytes(path)
    return None if content is None else as_text(path, content)


def read_object(path: Path) -> dict[str, Any] | None:
    """Return the JSON object in a file, or None if there is no such file.

    Raises:
        CheckpointError: it cannot be read, or holds something else.
    """
    content = read_bytes(path)
    return None if content is None else as_object(path, content)


def as_text(path: Path, content: bytes) -> str:
    """Return the UTF-8 text that a file consists of.

    Raises:
        CheckpointError: it is no text.
    """
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        raise damaged(path, "it is not UTF-8 text") from error


def as_object(path: Path, content: bytes) -> dict[str, Any]:
    """Return the JSON object that a file consists of.

    Raises:
        CheckpointError: it is something else.
    """
    text = as_text(path, content)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise damaged(path, "it is not a complete JSON text") from error
    if not isinstance(found, dict):
        raise damaged(path, "it is not a JSON object")
    return found


def damaged(path: Path, what: str) -> CheckpointError:
    """Return the error for a file whose content is not what was written."""
    return CheckpointError(f"{path}: is damaged: {what}")

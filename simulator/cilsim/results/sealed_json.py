"""JSON objects that carry their own checksum, as their last value `sha256`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from cilsim.results.atomic import json_bytes
from cilsim.results.reading import as_object, damaged, read_bytes
from cilsim.results.sums import sum_of

SEAL = "sha256"


def sealed(found: Mapping[str, Any]) -> bytes:
    """Return indented JSON of an object with the SHA-256 of the same JSON without it."""
    return json_bytes({**found, SEAL: sum_of(json_bytes(found))})


def read_sealed(path: Path) -> dict[str, Any] | None:
    """Return the object in a file without its checksum, or None if there is no such file.

    Raises:
        CheckpointError: it cannot be read, or is not what was written.
    """
    content = read_bytes(path)
    if content is None:
        return None
    found = as_object(path, content)
    body = {key: value for key, value in found.items() if key != SEAL}
    if not _is_sealed(body, content):
        raise damaged(path, "its checksum does not match its content")
    return body


def _is_sealed(body: Mapping[str, Any], content: bytes) -> bool:
    """Compare the whole text, as damage may leave the parsed value as it was."""
    try:
        return sealed(body) == content
    except ValueError:  # NaN, or text that UTF-8 lacks: nobody wrote that
        return False

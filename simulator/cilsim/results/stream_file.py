"""`stream.json`: the stream of a run, so that its predictions can be read without its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.results.atomic import json_bytes
from cilsim.results.reading import as_object, damaged
from cilsim.results.sealed_folder import SealedFolder

STREAM = "stream.json"


def stream_bytes(stream: StreamInfo) -> bytes:
    """Return the content of `stream.json`."""
    return json_bytes(asdict(stream))


def read_stream(folder: Path) -> StreamInfo | None:
    """Return the stream of a run, or None before its first experience was stored.

    Raises:
        CheckpointError: the file is missing or damaged.
    """
    path = folder / STREAM
    content = SealedFolder(folder).read(STREAM)
    if content is None:
        return None
    try:
        return stream_from(as_object(path, content))
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, "it does not describe a stream") from error


def stream_from(found: Mapping[str, Any]) -> StreamInfo:
    """Return the stream that `stream_bytes` was given, from the JSON object that it made.

    Raises:
        KeyError: something is missing; TypeError or ValueError: something is of another kind.
    """
    experiences = tuple(_experience(experience) for experience in found["experiences"])
    first, later = found["groups"]
    return StreamInfo(
        **{
            **found,
            "experiences": experiences,
            "class_ids": tuple(int(class_id) for class_id in found["class_ids"]),
            "class_names": tuple(str(name) for name in found["class_names"]),
            "groups": (str(first), str(later)),
        }
    )


def _experience(found: dict[str, Any]) -> ExperienceInfo:
    return ExperienceInfo(**{**found, "new_labels": tuple(found["new_labels"])})

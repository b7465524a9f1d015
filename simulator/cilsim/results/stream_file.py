"""`stream.json`: the stream of a run, so that its predictions can be read without its data."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.results.atomic import write_json
from cilsim.results.reading import damaged, read_object

STREAM = "stream.json"


def write_stream(folder: Path, stream: StreamInfo) -> None:
    """Write the facts about a stream into the folder of one strategy and seed.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    write_json(folder / STREAM, asdict(stream))


def read_stream(folder: Path) -> StreamInfo | None:
    """Return the stream of a run, or None before its first experience was stored.

    Raises:
        CheckpointError: the file is damaged.
    """
    path = folder / STREAM
    found = read_object(path)
    if found is None:
        return None
    try:
        return _stream(found)
    except (KeyError, TypeError, ValueError) as error:
        raise damaged(path, "it does not describe a stream") from error


def _stream(found: dict[str, Any]) -> StreamInfo:
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

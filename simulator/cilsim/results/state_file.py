"""`state.json` of a stored state: the plain part, facts and checksums. Readable without torch."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError
from cilsim.results.reading import damaged, read_object, read_text

STATE_FILE = "state.json"
TENSOR_FILE = "tensors.safetensors"
FORMAT = 1


@dataclass(frozen=True)
class StateFile:
    """The content of a `state.json`.

    Attributes:
        plain: the state without its tensors, as `pack_state` made it.
        facts: whatever the writer wanted to say about the state; tuples have become lists.
        tensor_bytes: size of the tensor file.
        tensor_sha256: SHA-256 of the tensor file, as hexadecimal text.
    """

    plain: Any
    facts: dict[str, Any]
    tensor_bytes: int
    tensor_sha256: str


def canonical_json(value: Any) -> str:
    """Return the one JSON text of a value: keys are text and sorted, no spaces, ASCII only."""
    as_read_back = json.loads(json.dumps(value))  # number keys sort otherwise once they are text
    return json.dumps(as_read_back, sort_keys=True, separators=(",", ":"))


def write_state_file(
    folder: Path, plain: Any, facts: Mapping[str, Any], tensor_bytes: int, tensor_sha256: str
) -> None:
    """Write `state.json` into a temporary folder that is about to be renamed."""
    body = {
        "format": FORMAT,
        "plain": plain,
        "facts": dict(facts),
        "tensors": {"bytes": tensor_bytes, "sha256": tensor_sha256},
    }
    (folder / STATE_FILE).write_text(_sealed(body), encoding="utf-8")


def read_state_file(folder: Path) -> StateFile:
    """Return the content of `state.json` after checking its own checksum.

    Raises:
        CheckpointError: the file is missing, damaged or of another format.
    """
    path = folder / STATE_FILE
    body = read_object(path)
    if body is None:
        raise CheckpointError(f"{path}: is missing; the stored state is incomplete")
    if body.get("format") != FORMAT:
        raise CheckpointError(
            f"{path}: has format {body.get('format')}; this cilsim reads format {FORMAT}"
        )
    # Comparing the whole text finds even damage that leaves the parsed value as it was.
    unsealed = {key: value for key, value in body.items() if key != "sha256"}
    if _sealed(unsealed) != read_text(path):
        raise damaged(path, "its checksum does not match its content")
    tensors = body["tensors"]
    return StateFile(body["plain"], body["facts"], tensors["bytes"], tensors["sha256"])


def _sealed(body: Mapping[str, Any]) -> str:
    checksum = sha256(canonical_json(body).encode()).hexdigest()
    return canonical_json({**body, "sha256": checksum}) + "\n"

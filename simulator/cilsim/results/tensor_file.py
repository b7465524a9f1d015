"""The tensor file of a stored state, compared with what `state.json` says of it."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

from cilsim.errors import CheckpointError
from cilsim.results.atomic import reason
from cilsim.results.reading import damaged
from cilsim.results.state_file import STATE_FILE, TENSOR_FILE, StateFile, read_state_file


def verify_tensor_file(path: Path, stored: StateFile) -> None:
    """Read a file through and return if it is what was written.

    Raises:
        CheckpointError: it is missing, truncated or altered; the message names it.
    """
    try:
        size = path.stat().st_size
        if size != stored.tensor_bytes:
            raise damaged(path, f"{stored.tensor_bytes} bytes were written, {size} are there")
        if sha256_of(path) != stored.tensor_sha256:
            raise damaged(path, f"its checksum does not match the one in {STATE_FILE}")
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: is missing; the stored state is incomplete") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {reason(error)}") from error


def check_state(folder: Path) -> None:
    """Compare both files of a stored state with their checksums.

    Raises:
        CheckpointError: a file is missing or damaged; the message names it.
    """
    verify_tensor_file(folder / TENSOR_FILE, read_state_file(folder))


def sha256_of(path: Path) -> str:
    """Return the SHA-256 of a file as hexadecimal text."""
    with path.open("rb") as file:
        return file_digest(file, "sha256").hexdigest()

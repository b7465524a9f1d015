"""States on the disk: a folder with `tensors.safetensors` and `state.json`, checked when read."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor

from cilsim.errors import CheckpointError
from cilsim.results.atomic import reason, surviving, sync, write_folder
from cilsim.results.packing import pack_state, unpack_state
from cilsim.results.state_file import (
    STATE_FILE,
    TENSOR_FILE,
    StateFile,
    read_state_file,
    write_state_file,
)
from cilsim.results.tensor_file import sha256_of, verify_tensor_file

__all__ = ["load_state", "pack_state", "save_packed", "save_state", "unpack_state"]

Packed = tuple[dict[str, Tensor], Any]
"""Tensors by name and the plain part, as `pack_state` returns them."""


def save_state(folder: Path, state: Any, facts: Mapping[str, Any]) -> None:
    """Write a state and JSON facts about it to `folder`, replacing an older one in one move.

    Args:
        folder: the folder to make; its parents are made too.
        state: what `pack_state` accepts.
        facts: JSON values; they come back from `load_state` with tuples turned into lists.

    Raises:
        CheckpointError: the state holds something that cannot be stored.
        RunFolderError: the disk is full or the place cannot be written.
    """
    save_packed(folder, pack_state(state), facts)


def save_packed(folder: Path, packed: Packed, facts: Mapping[str, Any]) -> None:
    """Write what `pack_state` returned, as `save_state` does.

    Raises:
        RunFolderError: the disk is full or the place cannot be written.
    """
    tensors, plain = packed
    with write_folder(folder) as temporary:
        path = temporary / TENSOR_FILE
        _save_tensors(tensors, path)
        write_state_file(temporary, plain, facts, path.stat().st_size, sha256_of(path))
        shutil.copymode(temporary / STATE_FILE, path)  # safetensors makes private files
        sync(path)


def load_state(folder: Path, device: torch.device | str = "cpu") -> tuple[Any, dict[str, Any]]:
    """Return the state in `folder`, its tensors on `device`, and the facts stored with it.

    Raises:
        CheckpointError: a file is missing, truncated, altered or of another format; the message
            names the file.
    """
    folder = surviving(folder)
    stored = read_state_file(folder)
    tensors = _load_tensors(folder / TENSOR_FILE, stored)
    return unpack_state(tensors, stored.plain, device), stored.facts


def _save_tensors(tensors: dict[str, Tensor], path: Path) -> None:
    try:
        save_file(tensors, path)
    except SafetensorError as error:
        raise _as_os_error(error) from error


def _as_os_error(error: SafetensorError) -> OSError:
    """Return what the operating system said; safetensors has it only in the text."""
    found = re.search(r"(?:os error|code:) (\d+)", str(error))
    return OSError(int(found[1]), os.strerror(int(found[1]))) if found else OSError(str(error))


def _load_tensors(path: Path, stored: StateFile) -> dict[str, Tensor]:
    verify_tensor_file(path, stored)
    try:
        # load_file maps the file; copies do not change with it and are aligned like fresh tensors.
        return {name: tensor.clone() for name, tensor in load_file(path).items()}
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {reason(error)}") from error

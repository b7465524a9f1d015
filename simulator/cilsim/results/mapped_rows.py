"""Rows on the disk that can be used without reading them into memory.

The folder is that of any stored state, `tensors.safetensors` and `state.json`, with one tensor
`rows` (N, D). It begins at a multiple of 64 bytes, as tensors in memory do: matrix products round
otherwise where they do not.

Axis letters: N rows, D columns.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim.errors import CheckpointError
from cilsim.results.atomic import reason, surviving, write_folder
from cilsim.results.packing import pack_state
from cilsim.results.state_file import TENSOR_FILE, read_state_file, write_state_file
from cilsim.results.tensor_file import verify_tensor_file

ALIGNMENT = 64
_WRITTEN_AT_ONCE = 1 << 22
"""Values that are written, and summed up, at a time."""


def save_rows(folder: Path, parts: Sequence[Tensor], facts: Mapping[str, Any]) -> None:
    """Write float32 rows to `folder`, replacing an older one in one move.

    Args:
        folder: the folder to make; its parents are made too.
        parts: (N, D) tensors, written one below the other without being joined in memory.
        facts: JSON values.

    Raises:
        RunFolderError: the disk is full or the place cannot be written.
    """
    shape = (sum(map(len, parts)), parts[0].shape[1])
    [name], plain = pack_state({"rows": parts[0][:0]})
    digest = sha256()
    with write_folder(folder) as temporary:
        with (temporary / TENSOR_FILE).open("wb") as file:
            for block in _blocks(_header(name, shape), parts):
                digest.update(block)
                file.write(block)
            size = file.tell()
        write_state_file(temporary, plain, facts, size, digest.hexdigest())


def map_rows(folder: Path) -> Tensor:
    """Return the (N, D) rows that `save_rows` wrote, memory-mapped once their checksum matches.

    What is written into the tensor stays in memory and never reaches the file.

    Raises:
        CheckpointError: a file is missing, damaged or of another format; the message names it.
    """
    folder = surviving(folder)
    path = folder / TENSOR_FILE
    verify_tensor_file(path, read_state_file(folder))
    try:
        with path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            [about] = json.loads(file.read(length)).values()
        shape = tuple(about["shape"])
        if 0 in shape:
            return torch.empty(shape)
        rows_ND = np.memmap(path, np.dtype("<f4"), mode="c", offset=8 + length, shape=shape)
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {reason(error)}") from error
    return torch.from_numpy(rows_ND)


def _header(name: str, shape: tuple[int, int]) -> bytes:
    """Return what a safetensors file begins with, filled up with blanks to the alignment."""
    about = {"dtype": "F32", "shape": shape, "data_offsets": [0, 4 * shape[0] * shape[1]]}
    text = json.dumps({name: about}).encode()
    text += b" " * (-(8 + len(text)) % ALIGNMENT)
    return len(text).to_bytes(8, "little") + text


def _blocks(header: bytes, parts: Sequence[Tensor]) -> Iterator[memoryview]:
    """Yield the bytes of a file block by block, those of the rows as views of their memory."""
    yield memoryview(header)
    for part in parts:
        values = part.contiguous().numpy().astype("<f4", copy=False).reshape(-1)
        for start in range(0, len(values), _WRITTEN_AT_ONCE):
            yield values[start : start + _WRITTEN_AT_ONCE].data

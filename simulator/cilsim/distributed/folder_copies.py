"""The files of a folder of the first process, copied to where each other process looks for them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

from cilsim.distributed.processes import Processes

PIECE_BYTES = 1 << 26
"""What of a file travels at once."""


def copy_folder(processes: Processes, folder: Path, wanted: Callable[[Path], bool]) -> None:
    """Make `folder` of every process hold the files that it holds in the first one.

    Args:
        processes: of which each calls this, with a path of its own.
        folder: may be missing; what others than the first have there is removed.
        wanted: says which files are copied.

    Raises:
        OSError: a file cannot be read or written.
    """
    if processes.count == 1:
        return
    files = [path for path in sorted(folder.rglob("*")) if path.is_file() and wanted(path)]
    listed = [[path.relative_to(folder).as_posix(), path.stat().st_size] for path in files]
    listed = json.loads(processes.of_first(json.dumps(listed).encode()))
    if not processes.is_first:
        shutil.rmtree(folder, ignore_errors=True)
    for name, size in listed:
        if processes.is_first:
            _send(processes, folder / name, size)
        else:
            _receive(processes, folder / name, size)


def _send(processes: Processes, path: Path, size: int) -> None:
    with path.open("rb") as file:
        for start in range(0, size, PIECE_BYTES):
            processes.of_first(file.read(min(PIECE_BYTES, size - start)))


def _receive(processes: Processes, path: Path, size: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        for _ in range(0, size, PIECE_BYTES):
            file.write(processes.of_first(b""))

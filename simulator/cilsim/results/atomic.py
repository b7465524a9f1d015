"""Files and folders that are either old or new after a crash, never half written.

A temporary neighbour is written, forced to the disk and renamed over the target. What a kill leaves
behind starts with `.tmp-` (unfinished) or `.old-` (about to be replaced); `remove_stale` tidies up.
"""

from __future__ import annotations

import errno
import json
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from cilsim.errors import RunFolderError

TEMPORARY = ".tmp-"
REPLACED = ".old-"


def write_bytes(path: Path, content: bytes) -> None:
    """Write `content` to `path`, creating its folder; a reader sees the old or the new file.

    Raises:
        RunFolderError: no space, no permission, or a file stands where a folder should be.
    """
    replace_file(path, content)
    try:
        sync(path.parent)
    except OSError as error:
        raise cannot_write(path, error) from error


def replace_file(path: Path, content: bytes) -> None:
    """Do as `write_bytes`, but leave it to the caller to force the folder's names to the disk.

    Raises:
        RunFolderError: no space, no permission, or a file stands where a folder should be.
    """
    temporary = _neighbour(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with temporary.open("xb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except OSError as error:
        raise cannot_write(path, error) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write `text` as UTF-8 to `path`; see `write_bytes`."""
    write_bytes(path, text.encode())


def write_json(path: Path, value: Any) -> None:
    """Write `value` as indented JSON to `path`; see `json_bytes`."""
    write_bytes(path, json_bytes(value))


def json_bytes(value: Any) -> bytes:
    """Return `value` as indented JSON; keys keep their order, NaN is a ValueError."""
    text = json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False)
    return f"{text}\n".encode()


@contextmanager
def write_folder(folder: Path) -> Iterator[Path]:
    """Yield a temporary folder that takes the place of `folder` when the block ends well.

    A folder that is there already is set aside as `.old-<name>` for the moment between two renames;
    `surviving` and `remove_stale` know about it.

    Raises:
        RunFolderError: no space, no permission, or a file stands where a folder should be.
    """
    temporary = _neighbour(folder)
    try:
        temporary.mkdir(parents=True)
        yield temporary
        for entry in sorted(temporary.iterdir()):
            sync(entry)
        sync(temporary)
        _take_place(temporary, folder)
    except OSError as error:
        raise cannot_write(folder, error) from error
    finally:
        shutil.rmtree(temporary, ignore_errors=True)


def remove_folder(folder: Path) -> None:
    """Remove a folder so that no reader meets half of it; one that is missing is no error."""
    doomed = _neighbour(folder)
    try:
        os.rename(folder, doomed)
        shutil.rmtree(doomed)
    except FileNotFoundError:
        return
    except OSError as error:
        raise cannot_write(folder, error) from error


def surviving(folder: Path) -> Path:
    """Return `folder` or, if a crash hit the moment of its replacement, where the old one is."""
    replaced = _set_aside(folder)
    return replaced if replaced.is_dir() and not folder.exists() else folder


def remove_stale(folder: Path) -> None:
    """Remove what killed writers left anywhere below `folder`, and put back what was set aside.

    Only the process that holds the folder's lock may call this.
    """
    try:
        for parent, names, files in os.walk(folder):
            for name in [*files, *names]:
                _tidy(Path(parent, name))
            names[:] = sorted(name for name in names if not is_stale(name))
    except OSError as error:
        raise cannot_write(folder, error) from error


def is_stale(name: str) -> bool:
    """Return whether a file or folder of this name is left over from a killed writer."""
    return name.startswith((TEMPORARY, REPLACED))


def cannot_write(path: Path, error: OSError) -> RunFolderError:
    """Return the error for the user: the path, the reason and, on a full disk, what is free."""
    return RunFolderError(f"{path}: cannot be written: {reason(error)}{_room(path, error)}")


def _room(path: Path, error: OSError) -> str:
    """Return how much the disk of a file that did not fit has left, or nothing."""
    if error.errno not in (errno.ENOSPC, errno.EDQUOT):
        return ""
    there = next((folder for folder in path.parents if folder.is_dir()), None)
    if there is None:
        return ""
    return f", {shutil.disk_usage(there).free // 1000} kB are free there"


def reason(error: OSError) -> str:
    """Return the operating system's words without paths and numbers."""
    return error.strerror or str(error)


def sync(path: Path) -> None:
    """Force a file, or the names in a folder, to the disk."""
    if os.name == "nt" and path.is_dir():
        return  # Windows opens no folders
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _neighbour(path: Path) -> Path:
    return path.with_name(f"{TEMPORARY}{secrets.token_hex(4)}-{path.name}")


def _set_aside(folder: Path) -> Path:
    return folder.with_name(f"{REPLACED}{folder.name}")


def _take_place(temporary: Path, folder: Path) -> None:
    replaced = _set_aside(folder)
    if folder.exists():
        shutil.rmtree(replaced, ignore_errors=True)
        os.rename(folder, replaced)
    os.rename(temporary, folder)
    sync(folder.parent)
    shutil.rmtree(replaced, ignore_errors=True)


def _tidy(path: Path) -> None:
    original = path.with_name(path.name.removeprefix(REPLACED))
    if path.name.startswith(REPLACED) and not original.exists():
        os.rename(path, original)
    elif is_stale(path.name):
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()

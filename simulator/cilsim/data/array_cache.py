"""Arrays made once and kept on disk: checksummed, memory-mapped, safe for several processes.

A cache folder holds `<name>.npy` files and `manifest.json`. It is written under another name and
renamed when complete, so what has the final name was complete once; checksums tell if it still is.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Callable, Mapping
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from cilsim.errors import DataError

_log = logging.getLogger(__name__)
_MANIFEST = "manifest.json"

Arrays = dict[str, NDArray[Any]]


class _Damaged(Exception):
    """A cache folder does not hold what its manifest promises."""


def cache_key(*facts: Any) -> str:
    """Return 16 hexadecimal digits that identify `facts` (plain data)."""
    return sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def cached_arrays(
    folder: Path, build: Callable[[Path], None], about: Callable[[], Mapping[str, Any]]
) -> Arrays:
    """Return the arrays of a cache folder by name, read-only and memory-mapped.

    Args:
        folder: the cache folder, named after a key of all that decides its content.
        build: writes `<name>.npy` files into the empty folder that it is given.
        about: returns plain data to keep in the manifest beside the checksums, such as versions.

    Raises:
        DataError: the folder cannot be written.
    """
    arrays = _read(folder)
    if arrays is not None:
        return arrays
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(f"{folder}.lock"):
            # another process may have built it while this one waited
            arrays = _read(folder, warn=True)
            return arrays if arrays is not None else _build(folder, build, about)
    except OSError as error:
        raise DataError(
            f"cache '{folder}' cannot be written: {error.strerror or error} - "
            "set CILSIM_CACHE to a folder that can be written and has space"
        ) from error


def _build(
    folder: Path, build: Callable[[Path], None], about: Callable[[], Mapping[str, Any]]
) -> Arrays:
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    try:
        build(unfinished)
    except BaseException:
        shutil.rmtree(unfinished, ignore_errors=True)
        raise
    files = {path.name: _fingerprint(path) for path in sorted(unfinished.glob("*.npy"))}
    manifest = {"files": files, "about": dict(about())}
    (unfinished / _MANIFEST).write_text(_sealed(manifest), encoding="utf-8")
    if folder.exists():
        shutil.rmtree(folder)
    os.replace(unfinished, folder)
    return _map(folder, files)


def _read(folder: Path, *, warn: bool = False) -> Arrays | None:
    """Return the arrays, or None if they are not there or damaged."""
    if not folder.exists():
        return None
    try:
        files = _manifest_files(folder)
        for name, expected in files.items():
            _check(folder / name, expected)
        return _map(folder, files)
    except _Damaged as damage:
        if warn:
            _log.warning("cache '%s' is damaged (%s) and is made again", folder, damage)
        return None


def _manifest_files(folder: Path) -> dict[str, dict[str, Any]]:
    try:
        text = (folder / _MANIFEST).read_text(encoding="utf-8")
        manifest = json.loads(text)
        del manifest["sha256"]
        files = manifest["files"]
        named = {Path(name).name: dict(expected) for name, expected in files.items()}
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        raise _Damaged(f"{_MANIFEST} cannot be read") from error
    if _sealed(manifest) != text:  # finds even what leaves the parsed values as they were
        raise _Damaged(f"{_MANIFEST} does not match its checksum")
    return named


def _sealed(manifest: Mapping[str, Any]) -> str:
    """Return the text of a manifest with the SHA-256 of the same text without it."""
    checksum = sha256(json.dumps(manifest, indent=2).encode()).hexdigest()
    return json.dumps({**manifest, "sha256": checksum}, indent=2) + "\n"


def _check(path: Path, expected: Mapping[str, Any]) -> None:
    try:
        found = _fingerprint(path)
    except OSError as error:
        raise _Damaged(f"{path.name} cannot be read") from error
    if found["bytes"] != expected.get("bytes"):
        raise _Damaged(f"{path.name} has {found['bytes']} bytes, not {expected.get('bytes')}")
    if found["sha256"] != expected.get("sha256"):
        raise _Damaged(f"{path.name} does not match its checksum")


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"bytes": path.stat().st_size, "sha256": file_digest(file, "sha256").hexdigest()}


def _map(folder: Path, files: Mapping[str, Any]) -> Arrays:
    return {
        Path(name).stem: np.load(folder / name, mmap_mode="r", allow_pickle=False) for name in files
    }

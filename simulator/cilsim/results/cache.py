"""A content-addressed store on the disk for what is expensive and repeatable: backbones, features.

The key is a hash of everything that the content depends on, so an entry is never out of date; it
can only be missing, damaged or pushed out by newer ones. Losing the store costs time, nothing else:
what cannot be written is logged and not stored.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar

from cilsim.errors import CheckpointError, RunFolderError
from cilsim.results.atomic import cannot_write, is_stale, remove_folder, remove_stale, surviving
from cilsim.results.cache_entry import CacheEntry, last_used, size_of, touch
from cilsim.results.lock import FolderLock
from cilsim.results.making import sole_maker
from cilsim.results.state_file import canonical_json

logger = logging.getLogger(__name__)

DEFAULT_LIMIT_BYTES = 8 * 1024**3
LOCK_SECONDS = 600.0
"""How long to wait for another process, which at most writes one entry."""

Loaded = TypeVar("Loaded")


def content_key(facts: Mapping[str, Any]) -> str:
    """Return the SHA-256 of JSON facts as hexadecimal text; the order of keys does not matter.

    Raises:
        TypeError: a fact is not a JSON value.
    """
    return sha256(canonical_json(dict(facts)).encode()).hexdigest()


class ContentStore:
    """States in `root/<kind>/<key>/`, safe with several processes, bounded in size.

    Args:
        root: the folder of the store; made when something is first stored.
        limit_bytes: beyond it the least recently used entries are removed.
    """

    def __init__(self, root: Path, limit_bytes: int = DEFAULT_LIMIT_BYTES) -> None:
        self.root = root
        self.limit_bytes = limit_bytes

    def get(self, kind: str, key: str, device: Any = "cpu") -> dict[str, Any] | None:
        """Return the state stored under `key`, its tensors on `device`, or None.

        A damaged entry is removed, with a warning that names the file.
        """
        from cilsim.results.tensors import load_state

        state: dict[str, Any] | None
        state = self.read(kind, key, lambda folder: load_state(folder, device)[0])
        return state

    def read(self, kind: str, key: str, load: Callable[[Path], Loaded]) -> Loaded | None:
        """Return what `load` makes of the folder of an entry, or None if there is none.

        A damaged entry, of which `load` raises `CheckpointError`, is removed, with a warning that
        names the file.
        """
        folder = self._folder(kind, key)
        if not surviving(folder).is_dir():
            return None
        found: Loaded | None
        try:
            found = load(folder)
        except CheckpointError:
            found = self._second_look(folder, load)
        if found is not None:
            touch(folder)
        return found

    def put(self, kind: str, key: str, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Store a state under `key` and make room by removing the least recently used entries.

        If the place cannot be written or the state alone exceeds the limit, a warning is logged.

        Raises:
            CheckpointError: the state holds something that cannot be stored.
        """
        from cilsim.results.tensors import save_state

        self.write(kind, key, lambda folder: save_state(folder, state, facts))

    def write(self, kind: str, key: str, save: Callable[[Path], None]) -> None:
        """Store what `save` writes into the folder that it is given, as `put` does."""
        folder = self._folder(kind, key)
        try:
            with self._locked():
                remove_stale(self.root)
                save(folder)
                touch(folder)
                self._make_room(folder)
        except RunFolderError as error:
            logger.warning("%s; nothing is cached", error)

    def making(self, kind: str, key: str) -> AbstractContextManager[None]:
        """Return a block in which no other process makes this entry; look again inside it."""
        return sole_maker(self.root, kind, key)

    def keys(self, kind: str, prefix: str) -> list[str]:
        """Return the keys of a kind that begin with `prefix`, sorted."""
        found = self._folder(kind, prefix).parent.glob(f"{prefix}*")
        return sorted(folder.name for folder in found)

    def entries(self) -> list[CacheEntry]:
        """Return all entries, the least recently used first."""
        return [CacheEntry.of(folder) for folder in self._folders()]

    def clear(self, kind: str | None = None) -> int:
        """Remove all entries, or those of one kind, and return how many there were.

        Raises:
            RunFolderError: the store cannot be written.
        """
        if not self.root.is_dir():
            return 0
        with self._locked():
            remove_stale(self.root)
            doomed = [path for path in self._folders() if kind in (None, path.parent.name)]
            for folder in doomed:
                remove_folder(folder)
        return len(doomed)

    def _second_look(self, folder: Path, load: Callable[[Path], Loaded]) -> Loaded | None:
        """Load again with the lock, as another process may just have replaced the entry."""
        try:
            with self._locked():
                if not surviving(folder).is_dir():
                    return None
                try:
                    return load(folder)
                except CheckpointError as error:
                    logger.warning("%s; this cache entry is removed", error)
                    remove_folder(surviving(folder))
        except RunFolderError as error:
            logger.warning("%s", error)
        return None

    def _make_room(self, newest: Path) -> None:
        size = size_of(newest)
        if size > self.limit_bytes:
            remove_folder(newest)
            logger.warning(
                "%s: %d bytes exceed the cache limit of %d; nothing is cached",
                *(newest, size, self.limit_bytes),
            )
            return
        sizes = {folder: size_of(folder) for folder in self._folders()}
        excess = sum(sizes.values()) - self.limit_bytes
        for folder, size in sizes.items():
            if excess > 0 and folder != newest:
                remove_folder(folder)
                excess -= size

    def _folders(self) -> list[Path]:
        found = (
            path
            for path in self.root.glob("*/*")
            if path.is_dir() and not any(map(is_stale, path.parts[-2:]))
        )
        return sorted(found, key=lambda folder: (last_used(folder), folder))

    def _folder(self, kind: str, key: str) -> Path:
        for part in (kind, key):
            if re.fullmatch(r"(?!\.)[\w.+-]+", part) is None:
                raise ValueError(f"'{part}' cannot name a cache entry")
        return self.root / kind / key

    @contextmanager
    def _locked(self) -> Iterator[None]:
        try:
            self.root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise cannot_write(self.root, error) from error
        lock = FolderLock(self.root)
        lock.acquire(LOCK_SECONDS)
        try:
            yield
        finally:
            lock.release()

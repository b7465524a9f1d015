"""Who makes an entry of the cache: one process, while the others wait to read it."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

logger = logging.getLogger(__name__)

MAKING = ".making"
"""Folder of the locks within the cache."""


@contextmanager
def sole_maker(root: Path, kind: str, key: str) -> Iterator[None]:
    """Hold, for a block, the right to make an entry of the cache in `root`.

    Waits for another process that is making it, as long as that lives. Where no lock can be kept,
    the block is run without one: the worst that follows is that an entry is made twice.
    """
    lock = FileLock(root / MAKING / f"{kind}-{key}")
    held = _held(lock, f"{kind} {key[:12]}")
    try:
        yield
    finally:
        if held:
            lock.release()


def _held(lock: FileLock, what: str) -> bool:
    try:
        Path(lock.lock_file).parent.mkdir(parents=True, exist_ok=True)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            logger.info("another process is making %s; waiting for it", what)
            lock.acquire()
    except (OSError, NotImplementedError) as error:
        logger.debug("%s: no lock can be kept: %s", lock.lock_file, error)
        return False
    return True

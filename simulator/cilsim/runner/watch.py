"""Saying whose code takes long while it does: nothing else would tell what is waited for.

Python cannot stop code that does not return; people can, once they know whose it is.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

logger = logging.getLogger(__name__)

SECONDS_BEFORE_A_NOTE = 60.0


class Watch:
    """Which calls are under way in the run's thread, innermost last; a second thread looks.

    Args:
        patience_seconds: how long a call may take before a warning names it, once.
    """

    def __init__(self, patience_seconds: float = SECONDS_BEFORE_A_NOTE) -> None:
        self.patience_seconds = patience_seconds
        self._calls: list[tuple[str, float]] = []
        self._noted: tuple[str, float] | None = None
        self._over = threading.Event()

    def enter(self, what: str) -> None:
        """Say that a call begins."""
        self._calls.append((what, time.monotonic()))

    def leave(self) -> None:
        """Say that the call that began last has ended."""
        self._calls.pop()

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Look at the calls from time to time inside the block."""
        thread = threading.Thread(target=self._look, name="cilsim watch", daemon=True)
        thread.start()
        try:
            yield
        finally:
            self._over.set()
            thread.join()

    def _look(self) -> None:
        while not self._over.wait(self.patience_seconds / 4):
            call = next(reversed(self._calls), None)
            if call is None or call is self._noted:
                continue
            if time.monotonic() - call[1] >= self.patience_seconds:
                self._noted = call
                logger.warning(
                    "%s has been running for %.0f s", call[0], time.monotonic() - call[1]
                )

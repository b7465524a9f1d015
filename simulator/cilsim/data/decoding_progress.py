"""How far the decoding of many images has come, told now and then."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

SECONDS_BETWEEN_REPORTS = 10.0
_log = logging.getLogger(__name__)


class DecodingProgress:
    """Takes the number of images done, and logs it with the time left now and then.

    Args:
        where: the data set, as messages call it.
        total: number of images.
        clock: seconds, from any moment on.
    """

    def __init__(self, where: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._where = where
        self._total = total
        self._clock = clock
        self._begun = self._last = clock()

    def __call__(self, done: int) -> None:
        """Take the number of images that are done."""
        now = self._clock()
        if done < self._total and now - self._last >= SECONDS_BETWEEN_REPORTS:
            left = (now - self._begun) / done * (self._total - done)
            _log.info(
                "%s: %d of %d images decoded, %.0f s left", self._where, done, self._total, left
            )
            self._last = now

    def after(self, behind: int) -> Callable[[int], None]:
        """Return what takes the number done of a part that comes after `behind` images."""
        return lambda done: self(behind + done)

"""A budget of time: what runs is asked to save and stop when it is spent."""

from __future__ import annotations

import math
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([smh])", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def parse_budget(text: str) -> float:
    """Return the seconds in `90s`, `30m` or `1.5h`.

    Raises:
        ValueError: it is no time above zero.
    """
    found = _TIME.fullmatch(text)
    seconds = float(found[1]) * _SECONDS[found[2]] if found else 0.0
    if not seconds:
        raise ValueError(f"found '{text[:40]}', expected a time such as '90s', '30m' or '1.5h'")
    return seconds


class Budget:
    """Seconds that may be spent from now on; infinitely many are no limit.

    Attributes:
        spent: whether something was asked to stop because they were over.
    """

    def __init__(self, seconds: float) -> None:
        self._end = time.monotonic() + seconds
        self.spent = False

    @property
    def left(self) -> float:
        """Seconds that are left; none are less than none."""
        return max(0.0, self._end - time.monotonic())

    @contextmanager
    def stopping(self, ask: Callable[[], None]) -> Iterator[None]:
        """Call `ask` from another thread when the budget is over, unless the block has ended."""

        def over() -> None:
            self.spent = True
            ask()

        if math.isinf(self.left):
            yield
            return
        timer = threading.Timer(self.left, over)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            timer.join()

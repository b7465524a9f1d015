"""Ctrl-C and SIGTERM: the first asks the run to save and stop, the second stops at once."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class StopRequest:
    """Whether somebody asked the run to stop; polled by the training loop at every step."""

    def __init__(self) -> None:
        self._asked = False

    def __call__(self) -> bool:
        """Return whether somebody asked."""
        return self._asked

    def ask(self) -> None:
        """Ask the run to save and stop."""
        self._asked = True


@contextmanager
def stop_on_signals(request: StopRequest) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a request; a second raises KeyboardInterrupt."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def handle(number: int, frame: FrameType | None) -> None:
        if request():
            raise KeyboardInterrupt
        request.ask()

    caught = (signal.SIGINT, signal.SIGTERM)
    before = {number: signal.signal(number, handle) for number in caught}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)

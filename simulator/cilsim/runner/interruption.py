"""Ctrl-C and SIGTERM: the first asks the run to save and stop, the second stops at once.

Trainings look at every step whether somebody asked, and runs between two experiences. All else
(extraction, solvers, evaluation, reports, code of plugins) need not: after some seconds in which
nobody looked, an exception ends what is under way, and where Python cannot raise one, because the
process computes in compiled code, the process ends. Nothing but time is lost either way: what is on
the disk is whole at any moment, and holds each training that is finished.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum, auto
from types import FrameType

from cilsim.errors import Interrupted, RunFailed

SECONDS_TO_NOTICE = 3.0
"""How long the run may go on without looking whether somebody asked."""

SECONDS_TO_UNWIND = 5.0
"""How long it may then take to end by an exception."""

SECONDS_AT_ONCE = 1.0
"""How long it may take to end at a second signal."""

CAUGHT = (signal.SIGINT, signal.SIGTERM)
AT_ONCE = "stopped at once"
OVERDUE = "stopped in the middle of a computation; what was saved before it is kept"

LastWords = Callable[[str], None]
"""Tells the user why the process ends, from a thread of its own."""


class StopRequest:
    """Whether somebody asked the run to stop; polled by the training loop at every step.

    Attributes:
        asked: whether somebody asked.
        noticed: whether the run has looked since.
    """

    def __init__(self) -> None:
        self.asked = False
        self.noticed = False

    def __call__(self) -> bool:
        """Return whether somebody asked; whoever calls this saves and stops then."""
        self.noticed = self.asked
        return self.asked

    def ask(self) -> None:
        """Ask the run to save and stop."""
        self.asked = True


def _silent(said: str) -> None:
    """Say nothing."""


@contextmanager
def stop_on_signals(request: StopRequest, last_words: LastWords = _silent) -> Iterator[None]:
    """Turn the first SIGINT or SIGTERM into a request; a second raises KeyboardInterrupt.

    Raises `Interrupted` where the run does not notice the request; ends the process with the exit
    code of an interruption, after `last_words`, where that cannot be raised.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    watch = _Watch(request, last_words)

    def handle(number: int, frame: FrameType | None) -> None:
        if watch.overdue:
            watch.overdue = False
            raise Interrupted(OVERDUE)
        if request.asked:
            raise KeyboardInterrupt
        request.ask()

    before = {number: signal.signal(number, handle) for number in CAUGHT}
    descriptor = signal.set_wakeup_fd(watch.descriptor, warn_on_full_buffer=False)
    watch.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(descriptor)
        watch.end()
        for number, handler in before.items():
            signal.signal(number, handler)


class _Event(Enum):
    SIGNAL = auto()
    OVER = auto()
    TIME_IS_UP = auto()


class _Watch(threading.Thread):
    """Learns of signals while the main thread is in compiled code, and sees to it that they end it.

    Attributes:
        overdue: the signal that arrives next is this thread's own and raises `Interrupted`.
        descriptor: where the interpreter writes the number of each signal at once.
    """

    def __init__(self, request: StopRequest, last_words: LastWords) -> None:
        super().__init__(name="cilsim signals", daemon=True)
        self.overdue = False
        self._request = request
        self._last_words = last_words
        try:
            self._reader, self._writer = socket.socketpair()
        except OSError as error:
            raise RunFailed(f"signals cannot be watched: {error.strerror or error}") from error
        self._writer.setblocking(False)
        self._own_signals = 0

    @property
    def descriptor(self) -> int:
        """Where the interpreter writes the number of each signal at once."""
        return self._writer.fileno()

    def end(self) -> None:
        """Stop watching."""
        self._writer.send(b"\0")
        self.join()
        self._reader.close()
        self._writer.close()

    def run(self) -> None:
        """Wait for a first signal, and for the run to end after it."""
        if self._next(None) is _Event.OVER:
            return
        event = self._next(SECONDS_TO_NOTICE)
        if event is _Event.TIME_IS_UP:
            event = self._next(None) if self._request.noticed else self._raise_in_main_thread()
        if event is _Event.SIGNAL and self._next(SECONDS_AT_ONCE) is not _Event.OVER:
            self._end_process(AT_ONCE)

    def _raise_in_main_thread(self) -> _Event:
        self.overdue, self._own_signals = True, 1
        _wake_main_thread()
        event = self._next(SECONDS_TO_UNWIND)
        if event is _Event.TIME_IS_UP:
            self._end_process(OVERDUE)
        return event

    def _next(self, seconds: float | None) -> _Event:
        """Return what happens first: a signal, the end of the run, or that the time is up."""
        while select.select([self._reader], [], [], seconds)[0]:
            (number,) = self._reader.recv(1)
            if number == 0:
                return _Event.OVER
            if number in CAUGHT and self._own_signals == 0:
                return _Event.SIGNAL
            self._own_signals = 0
        return _Event.TIME_IS_UP

    def _end_process(self, why: str) -> None:
        self._last_words(why)
        os._exit(Interrupted.exit_code)


def _wake_main_thread() -> None:
    """Let the main thread handle a SIGINT, and return from a system call that waits."""
    ident = threading.main_thread().ident
    if os.name == "nt" or ident is None:
        signal.raise_signal(signal.SIGINT)
    else:
        signal.pthread_kill(ident, signal.SIGINT)

"""The further processes of `--processes`: started here, watched, and ended with this one.

Each is the same command once more, with the variables that torchrun would set. They are not in the
foreground of the terminal, so that Ctrl-C reaches the first process alone, which tells the others.
"""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from cilsim.distributed.placement import ADDRESS, COUNT, LOCAL_RANK, PORT, RANK, Placement
from cilsim.errors import RunFailed
from cilsim.sweep.job import PARENT

INTERFACE = "GLOO_SOCKET_IFNAME"
WORKER = ("-m", "cilsim.cli.worker")
SECONDS_TO_END = 5.0
"""How long a process that is asked to end may take."""

SECONDS_TO_NOTICE = 10.0
"""How long this process may go on computing after another one has ended, which it waits for."""

_MOMENT = 0.05
_LOOPBACK = {"linux": "lo", "darwin": "lo0"}


class Companions:
    """The processes 1 to `count` - 1 of a command whose process 0 this is.

    Attributes:
        place: of this process.
        listening: a socket that all others find this process by.
    """

    def __init__(self, count: int, arguments: Sequence[str]) -> None:
        self.place = Placement(0, count, 0)
        self._arguments = tuple(arguments)
        self.listening = socket.create_server(("127.0.0.1", 0))
        self._folder = tempfile.mkdtemp(prefix="cilsim-processes-")
        self._processes: list[subprocess.Popen[bytes]] = []

    def start(self) -> None:
        """Start them."""
        host, port = self.listening.getsockname()
        if sys.platform in _LOOPBACK:  # the name of the machine may lead nowhere
            os.environ.setdefault(INTERFACE, _LOOPBACK[sys.platform])
        shared = {
            ADDRESS: host,
            PORT: str(port),
            COUNT: str(self.place.count),
            PARENT: str(os.getpid()),
        }
        for rank in range(1, self.place.count):
            own = {RANK: str(rank), LOCAL_RANK: str(rank), "TMPDIR": self._folder}
            process = subprocess.Popen(
                [sys.executable, *WORKER, *self._arguments],
                env={**os.environ, **shared, **own},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                start_new_session=True,
            )
            self._processes.append(process)

    def why_lost(self) -> str:
        """Return what became of the first process that has ended, waiting a moment for it."""
        deadline = time.monotonic() + 1.0
        while time.monotonic() < deadline:
            for rank, process in enumerate(self._processes, start=1):
                code = process.poll()
                if code is not None:
                    return f"process {rank} of {self.place.count} {_ended(code)}"
            time.sleep(_MOMENT)
        return f"another of the {self.place.count} processes does not answer"

    @contextmanager
    def watched(self, last_words: Callable[[str], None]) -> Iterator[None]:
        """End this process where it waits for one that has ended, and cannot notice.

        Args:
            last_words: tells the user why, from a thread of its own.
        """
        over = threading.Event()

        def watch() -> None:
            while not over.wait(_MOMENT):
                if any(process.poll() is not None for process in self._processes):
                    break
            if not over.wait(SECONDS_TO_NOTICE):
                last_words(f"error: {self.why_lost()}; give the same command again to go on")
                self.end()
                os._exit(RunFailed.exit_code)

        thread = threading.Thread(target=watch, name="cilsim companions", daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join()

    def wait(self) -> None:
        """Wait for them to end by themselves, as they do after this process has left."""
        deadline = time.monotonic() + SECONDS_TO_END
        while time.monotonic() < deadline and self._left():
            time.sleep(_MOMENT)

    def end(self) -> None:
        """End those that are left, and remove what they kept."""
        for process in self._left():
            process.send_signal(signal.SIGKILL if os.name == "posix" else signal.SIGTERM)
        for process in self._processes:
            process.wait()
        self.listening.close()
        shutil.rmtree(self._folder, ignore_errors=True)

    def _left(self) -> list[subprocess.Popen[bytes]]:
        return [process for process in self._processes if process.poll() is None]


def _ended(code: int) -> str:
    if code >= 0:
        return f"has ended with exit code {code}"
    try:
        return f"was ended by {signal.Signals(-code).name}"
    except ValueError:
        return f"was ended by signal {-code}"

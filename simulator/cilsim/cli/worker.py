"""`python -m cilsim.cli.worker`: the command line for a sweep, which ends when who started it does.

A worker whose parent was killed saves and stops, so that the run can go on elsewhere.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time

from cilsim.cli.main import main
from cilsim.sweep.job import PARENT

SECONDS_BETWEEN_LOOKS = 0.5


def watch_parent() -> None:
    """Send SIGTERM to this process once the parent that it was given is no longer its own."""
    parent = os.environ.get(PARENT, "")
    if parent.isdigit() and os.name == "posix":
        threading.Thread(target=_watch, args=(int(parent),), daemon=True).start()


def _watch(parent: int) -> None:
    while os.getppid() == parent:
        time.sleep(SECONDS_BETWEEN_LOOKS)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    watch_parent()
    sys.exit(main())

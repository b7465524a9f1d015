"""Whether other processes keep the cores busy, and what threads that wait should do then."""

from __future__ import annotations

import os
import time
from pathlib import Path
from statistics import median

LOAD = Path("/proc/loadavg")
LOOKS = 9
SECONDS_BETWEEN_LOOKS = 0.005
SPINS = 10_000
"""Turns of a waiting thread until it sleeps: less than a millisecond."""


def prepare_environment() -> None:
    """Let threads that wait sleep soon or at once; must come before torch is imported.

    Spinning for ever ran seven times slower where other processes were busy (measured with
    libgomp, which torch brings on Linux). What the user has set stays.
    """
    if "OMP_WAIT_POLICY" not in os.environ:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        os.environ.setdefault("GOMP_SPINCOUNT", str(spins_while_waiting()))


def spins_while_waiting() -> int:
    """Return how often a thread that waits for another turns round before it sleeps.

    On a quiet machine waking a thread takes longer than most waiting: never spinning made two
    threads as slow as one. Where others compute, the thread that is waited for often has no core,
    and spinning takes it from those who have work: it made two threads five times slower. Only how
    long it takes depends on this, no result does.
    """
    return 0 if others_compute() else SPINS


def others_compute() -> bool:
    """Return whether others keep at least half of the cores busy at this moment.

    Told by the threads that are running or ready to, at the median of a few looks; the average
    load would still count a command that has just ended. Where the system does not say, nobody is
    taken to compute. Call it before torch is imported, while this process has one thread.
    """
    seen = [_others_ready()]
    for _ in range(LOOKS - 1):
        time.sleep(SECONDS_BETWEEN_LOOKS)
        seen.append(_others_ready())
    return median(seen) >= (os.cpu_count() or 1) / 2


def _others_ready() -> int:
    """Return how many threads other than this one are running or ready to."""
    try:
        ready = LOAD.read_text(encoding="ascii").split()[3].partition("/")[0]
    except (OSError, IndexError):
        return 0
    return int(ready) - 1

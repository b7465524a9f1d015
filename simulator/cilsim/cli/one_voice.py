"""Of several processes that run one command, the first one talks to the user.

Another one says why it ends if nobody else can: before the processes have met, the first one of
each machine; later, whichever fails alone.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from cilsim.cli.settings import Settings
from cilsim.cli.streams import STDERR, STDOUT
from cilsim.distributed.placement import Placement
from cilsim.errors import OutOfStep

SECONDS_TO_TELL = 5.0
"""How long the first process may need to tell what is wrong with what all were given."""


class Voice:
    """Stderr and stdout of one process, which go nowhere unless it is the first one.

    Args:
        place: which of several processes this is, None for one alone.
        settings: know whether the processes have met.
    """

    def __init__(self, place: Placement | None, settings: Settings) -> None:
        self._place = place
        self._settings = settings
        self._stderr: int | None = None

    @contextmanager
    def hushed(self) -> Iterator[None]:
        """Say nothing in the block, libraries in compiled code included."""
        if self._place is None or self._place.rank == 0:
            yield
            return
        kept = os.dup(STDERR), os.dup(STDOUT)
        self._stderr = kept[0]
        nowhere = os.open(os.devnull, os.O_WRONLY)
        for standard in (STDERR, STDOUT):
            os.dup2(nowhere, standard)
        try:
            yield
        finally:
            for own, standard in zip(kept, (STDERR, STDOUT), strict=True):
                os.dup2(own, standard)
                os.close(own)
            os.close(nowhere)

    def speak_of(self, error: BaseException) -> None:
        """Let what follows be heard, if nobody else can tell of `error`.

        Before the processes have met, wait a moment: the first one may be about to tell, and
        torchrun ends it as soon as this one has ended.
        """
        if self._stderr is None or self._place is None:
            return
        if self._settings.processes_met:
            alone = isinstance(error, OutOfStep) and error.here
        else:
            alone = self._place.local_rank == 0
        if alone:
            with suppress(OSError):
                os.dup2(self._stderr, STDERR)
        elif not self._settings.processes_met:
            time.sleep(SECONDS_TO_TELL)

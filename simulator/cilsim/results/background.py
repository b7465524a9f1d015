"""Writing beside the work: one piece at a time, and no error of it is lost."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from cilsim.errors import CilsimError

logger = logging.getLogger(__name__)


class BackgroundWriter:
    """Runs one function at a time in a thread that does not keep the process alive."""

    def __init__(self) -> None:
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    def submit(self, write: Callable[[], None]) -> None:
        """Start `write` as soon as the one before it is done.

        Raises:
            BaseException: whatever the one before it raised.
        """
        self.wait()
        self._thread = threading.Thread(target=self._run, args=(write,), daemon=True)
        self._thread.start()

    def wait(self) -> None:
        """Return when nothing is being written.

        Raises:
            BaseException: whatever the last function raised.
        """
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def abandon(self) -> None:
        """Return when nothing is being written; an error is logged, as a worse one is under way."""
        try:
            self.wait()
        except CilsimError as error:
            logger.warning("%s", error)

    def _run(self, write: Callable[[], None]) -> None:
        try:
            write()
        except BaseException as error:  # raised again where the next one is handed over
            self._error = error

"""A TensorBoard writer that says in one line that its disk is full, and where.

TensorBoard writes in a thread of its own, prints the traceback of what goes wrong there, and raises
the same error again at some later call.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cilsim.results.atomic import cannot_write

_WORKER = "tensorboard.summary.writer.event_file_writer"


def telling(writer: Any, path: Path) -> Any:
    """Return a stand-in for `writer` that raises RunFolderError where the disk refuses.

    Args:
        writer: a SummaryWriter.
        path: what the line calls its file.
    """
    _leave_worker_errors_to_the_writer()
    return _Telling(writer, path)


class _Telling:
    """Passes every call on."""

    def __init__(self, inner: Any, path: Path) -> None:
        self._inner = inner
        self._path = path

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._inner, name)
        if name == "file_writer":
            return _Telling(found, self._path)
        if not callable(found):
            return found

        @functools.wraps(found)
        def call(*arguments: Any, **keywords: Any) -> Any:
            try:
                return found(*arguments, **keywords)
            except OSError as error:
                raise cannot_write(self._path, error) from error

        return call


def _leave_worker_errors_to_the_writer() -> None:
    """Keep the traceback of TensorBoard's thread off the terminal: the writer raises it again."""
    if not isinstance(threading.excepthook, _Hook):
        threading.excepthook = _Hook(threading.excepthook)


class _Hook:
    """Tells of errors in threads, those of TensorBoard's excepted."""

    def __init__(self, before: Callable[[threading.ExceptHookArgs], Any]) -> None:
        self._before = before

    def __call__(self, said: threading.ExceptHookArgs) -> None:
        if type(said.thread).__module__ != _WORKER:
            self._before(said)

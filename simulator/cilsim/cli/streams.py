"""The standard streams of a command: present, lasting, and stdout kept for results."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from typing import Any, TextIO

from cilsim.errors import CilsimError

STDIN, STDOUT, STDERR = 0, 1, 2


@contextmanager
def lasting_streams() -> Iterator[None]:
    """Let nothing that happens to the terminal end a command inside the block.

    A stream that was closed goes nowhere; else the next file that is opened would take its place
    and be written over. What stderr can no longer take is dropped: a run is worth more than the
    story told about it. A stdout that cannot be written is an error, as results are lost; a reader
    of stdout who left is a BrokenPipeError.
    """
    _open_missing()
    with ExitStack() as stack:
        stdout = _remade(sys.stdout, _Results, STDOUT)
        stderr = _remade(sys.stderr, _Story, STDERR)
        if stdout is not None:
            stack.enter_context(redirect_stdout(stdout))
        if stderr is not None:
            stack.enter_context(redirect_stderr(stderr))
        yield


@contextmanager
def stdout_reserved() -> Iterator[None]:
    """Send to stderr whatever plugins, and programs that they start, print to stdout."""
    with ExitStack() as stack:
        if _descriptor(sys.stdout) == STDOUT:
            sys.stdout.flush()
            results = os.dup(STDOUT)
            stack.callback(os.close, results)
            stack.callback(os.dup2, results, STDOUT)
            os.dup2(STDERR, STDOUT)
        stack.enter_context(redirect_stdout(_ToStderr()))
        yield


def forget_stdout() -> None:
    """Let what is still to be written to stdout go nowhere: whoever read it has left."""
    if _descriptor(sys.stdout) != STDOUT:
        return
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, STDOUT)
    os.close(nowhere)


class _Story(io.FileIO):
    """Stderr: what cannot be written is dropped."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


class _Results(io.FileIO):
    """Stdout: what cannot be written is told."""

    def write(self, data: Any) -> int:
        try:
            return super().write(data) or 0
        except BrokenPipeError:
            raise
        except OSError as error:
            forget_stdout()
            raise CilsimError(f"stdout: cannot be written: {error.strerror}") from error


class _ToStderr(io.TextIOBase):
    """Writes to whatever stderr is at the moment: progress lines replace it."""

    def write(self, text: str) -> int:
        return sys.stderr.write(text)

    def flush(self) -> None:
        sys.stderr.flush()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return sys.stderr.encoding


def _open_missing() -> None:
    for descriptor, name, mode in (
        (STDIN, "stdin", "r"),
        (STDOUT, "stdout", "w"),
        (STDERR, "stderr", "w"),
    ):
        if getattr(sys, name) is None:
            opened = os.open(os.devnull, os.O_RDWR)
            if opened != descriptor:
                os.dup2(opened, descriptor)
                os.close(opened)
            setattr(sys, name, open(descriptor, mode, encoding="utf-8", closefd=False))  # noqa: SIM115


def _remade(stream: Any, kind: type[io.FileIO], descriptor: int) -> TextIO | None:
    """Return a stream like `stream` that is written through `kind`, None if it is no real one."""
    if not isinstance(stream, io.TextIOWrapper) or _descriptor(stream) != descriptor:
        return None
    stream.flush()
    return io.TextIOWrapper(
        io.BufferedWriter(kind(descriptor, "w", closefd=False)),
        encoding=stream.encoding,
        errors="replace",  # a table must not end a run on an ASCII terminal
        line_buffering=stream.line_buffering,
    )


def _descriptor(stream: Any) -> int | None:
    try:
        number: int = stream.fileno()
    except (AttributeError, OSError):  # replaced by something that is no file
        return None
    return number

"""What the options shared by all commands say, and the logging that follows from it."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

import click

LOGGER = logging.getLogger("cilsim")
_PREFIXES = {logging.WARNING: "warning: ", logging.ERROR: "error: "}
Decorated = TypeVar("Decorated", bound=Callable[..., Any])


@dataclass
class Settings:
    """Options that every command has.

    Attributes:
        debug: whether an unexpected error is shown with its traceback.
        level: the least level of log lines that are shown.
        warnings: lines about broken plugins that are still to be shown.
        arguments: of the command line, to give it once more.
        processes_met: whether this is one of several processes that have met.
    """

    debug: bool = False
    level: int = logging.INFO
    warnings: list[str] = field(default_factory=list)
    arguments: tuple[str, ...] = ()
    processes_met: bool = False

    @property
    def quiet(self) -> bool:
        """Whether only errors are shown."""
        return self.level >= logging.ERROR

    @property
    def verbose(self) -> bool:
        """Whether details are shown."""
        return self.level <= logging.DEBUG

    def show_warnings(self) -> None:
        """Show the lines about broken plugins, once."""
        for line in self.warnings:
            LOGGER.warning("%s", line)
        self.warnings.clear()


def settings_of(context: click.Context) -> Settings:
    """Return the settings of the command line that `context` belongs to."""
    return context.ensure_object(Settings)


def shared_options(command: Decorated) -> Decorated:
    """Add `-v`, `-q` and `--debug`."""
    for decorate in (
        _switch("-v", "--verbose", set_=("level", logging.DEBUG), text="Show details."),
        _switch("-q", "--quiet", set_=("level", logging.ERROR), text="Show errors only."),
        _switch("--debug", set_=("debug", True), text="Show the traceback of an internal error."),
    ):
        command = decorate(command)
    return command


def _switch(*names: str, set_: tuple[str, Any], text: str) -> Callable[[Decorated], Decorated]:
    def store(context: click.Context, parameter: click.Parameter, given: bool) -> None:
        settings = settings_of(context)
        if given:
            setattr(settings, *set_)
            LOGGER.setLevel(settings.level)

    return click.option(
        *names, is_flag=True, is_eager=True, expose_value=False, callback=store, help=text
    )


class _LinesOnStderr(logging.Handler):
    """Writes bare messages; stderr is looked up each time, since progress bars replace it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self._settings = settings

    def emit(self, record: logging.LogRecord) -> None:
        prefix = _PREFIXES.get(record.levelno, "")
        lines = [prefix + line for line in record.getMessage().splitlines()]
        if record.exc_info and self._settings.debug:
            lines = [*logging.Formatter().formatException(record.exc_info).splitlines(), *lines]
        click.echo(_clear_line() + "\n".join(lines), err=True)


def _clear_line() -> str:
    """Return what wipes a progress line off a terminal; it is drawn again below."""
    return "\r\x1b[K" if sys.stderr.isatty() and os.environ.get("TERM") != "dumb" else ""


@contextmanager
def log_lines(settings: Settings) -> Iterator[None]:
    """Show the engine's log lines on stderr for as long as the command runs."""
    handler, before = _LinesOnStderr(settings), (LOGGER.level, LOGGER.propagate)
    LOGGER.addHandler(handler)
    LOGGER.setLevel(settings.level)
    LOGGER.propagate = False
    try:
        yield
    finally:
        LOGGER.removeHandler(handler)
        LOGGER.setLevel(before[0])
        LOGGER.propagate = before[1]

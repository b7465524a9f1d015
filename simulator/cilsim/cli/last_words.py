"""What is written to a terminal at the moment of an interruption."""

from __future__ import annotations

import os
import sys
from contextlib import suppress

import click

SHOW_CURSOR = "\x1b[?25h"


def tell_at_once(text: str) -> None:
    """Write to stderr although the main thread may be about to, or may never go on."""
    cursor = f"\n{SHOW_CURSOR}" if sys.stderr.isatty() else ""
    with suppress(OSError):
        os.write(sys.stderr.fileno(), f"{cursor}{text}\n".encode(errors="replace"))


def show_cursor() -> None:
    """Bring back the cursor that an interrupted progress line had hidden."""
    if sys.stderr.isatty():
        click.echo(SHOW_CURSOR, nl=False, err=True)

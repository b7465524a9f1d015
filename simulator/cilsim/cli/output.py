"""Writing results to stdout: JSON documents and aligned tables."""

from __future__ import annotations

import json
import math
import shutil
import sys
import textwrap
from collections.abc import Mapping, Sequence
from typing import Any

import click

LEAST_WIDTH = 24
"""The last column of a table is wrapped, but never to fewer characters than this."""


def write_json(document: Any, indent: int | None = 2) -> None:
    """Write one JSON document; a number that JSON cannot say becomes null."""
    click.echo(json.dumps(_sayable(document), indent=indent, allow_nan=False))


def write_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """Write a table without its empty columns; on a terminal the last one is wrapped."""
    filled = [place for place in range(len(heads)) if any(row[place] for row in rows)]
    heads, rows = [heads[at] for at in filled], [[row[at] for at in filled] for row in rows]
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else None
    head, *lines = aligned_left([heads, *rows], width)
    click.secho(head, bold=True)
    for line in lines:
        click.echo(line)


def aligned_left(rows: Sequence[Sequence[str]], width: int | None = None) -> list[str]:
    """Return the lines of a table with all columns flush left.

    Args:
        rows: cells, the same number in each row.
        width: where the last column is wrapped; None leaves it in one line.
    """
    *columns, _ = zip(*rows, strict=True)
    widths = [max(map(len, column)) for column in columns]
    indent = sum(widths) + 2 * len(widths)
    lines = []
    for *cells, last in rows:
        left = "".join(f"{cell:<{wide}}  " for cell, wide in zip(cells, widths, strict=True))
        first, *rest = _wrapped(last, None if width is None else width - indent)
        lines += [(left + first).rstrip(), *(" " * indent + line for line in rest)]
    return lines


def _wrapped(text: str, width: int | None) -> list[str]:
    if width is None:
        return [text]
    return textwrap.wrap(text, max(width, LEAST_WIDTH)) or [""]


def _sayable(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _sayable(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_sayable(inner) for inner in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value

"""Where values are written: marks in a file or an override, and the excerpt shown for a mark."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from unicodedata import east_asian_width

LINE_BREAK = re.compile(r"\r\n|[\n\r\x85\u2028\u2029]")
WINDOW = 100
"""Most characters of a line that an excerpt shows."""


@dataclass(frozen=True, eq=False)
class Origin:
    """A text that values come from: the scenario file, or one override.

    Attributes:
        name: the file as the user named it, or `--set key=value`.
        text: the whole text.
        folder: what relative paths in it are looked up against.
        rank: 0 for the file, then the overrides in their order.
    """

    name: str
    text: str
    folder: Path
    rank: int = 0

    @cached_property
    def lines(self) -> list[str]:
        """The lines as YAML counts them."""
        return LINE_BREAK.split(self.text)


@dataclass(frozen=True)
class Mark:
    """A position in an origin; line and column count from 1.

    Line 0 is the text as a whole: called by its first line, shown without an excerpt.
    """

    origin: Origin
    line: int = 0
    column: int = 0

    @property
    def order(self) -> tuple[int, int, int]:
        """What problems are sorted by."""
        return self.origin.rank, self.line, self.column

    @property
    def where(self) -> str:
        """`file:line:column`, or the override."""
        if self.origin.rank:
            return self.origin.name
        return f"{self.origin.name}:{max(self.line, 1)}:{max(self.column, 1)}"

    @property
    def excerpt(self) -> str:
        """The line with a caret below, or nothing for overrides and whole texts."""
        lines = self.origin.lines
        if self.line == 0 or self.origin.rank or self.line > len(lines):
            return ""
        return excerpt(lines[self.line - 1], self.line, self.column)


def excerpt(line: str, number: int, column: int) -> str:
    """Return `line` (cut to a window if long) with a caret below `column`."""
    if not line.strip():
        return ""
    begin = max(0, column - 1 - WINDOW // 2) if len(line) > WINDOW else 0
    shown = _one_width(line[begin : begin + WINDOW]).rstrip()
    before = shown[: column - 1 - begin]
    indent = sum(2 if east_asian_width(character) in "WF" else 1 for character in before)
    return f"{number:>6} | {shown}\n{'':>6} | {' ' * indent}^"


def abbreviate(text: str, length: int = 60) -> str:
    """Return text on one line and no longer than `length`, for messages."""
    line = _one_width(text[: length + 1])
    return line if len(line) <= length else f"{line[: length - 3]}..."


def _one_width(text: str) -> str:
    """Return text with tabs as blanks and whatever cannot be printed as `?`."""
    return "".join(
        character if character.isprintable() else " " if character in "\t\n" else "?"
        for character in text
    )

"""How numbers and names are printed. Accuracies are fractions up to here and percent after."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cilsim.metrics.statistics import Interval

ABSENT = "-"


def percent(fraction: float | None) -> str:
    """Return a fraction in percent with one decimal, `-` if there is none."""
    if fraction is None or not math.isfinite(fraction):
        return ABSENT
    # Adding zero turns the -0.0 that rounding leaves into 0.0.
    return f"{round(100 * fraction, 1) + 0.0:.1f}"


def percent_interval(interval: Interval | None) -> str:
    """Return mean and half width in percent, such as `77.8 ± 1.2`; the mean alone if n < 2."""
    return _with_half_width(interval, percent, percent)


def count_text(value: float | None) -> str:
    """Return a number as it is, `-` if there is none; means over seeds have one decimal."""
    if value is None or not math.isfinite(value):
        return ABSENT
    return f"{value:.0f}" if value == round(value) else f"{value:.1f}"


def count_interval(interval: Interval | None) -> str:
    """Return mean and half width as they are, such as `97.3 ± 2.1`; the mean alone if n < 2."""
    return _with_half_width(interval, count_text, "{:.1f}".format)


def size(count: float) -> str:
    """Return a number of bytes in decimal units, such as `12.3 kB`."""
    if count < 1000:
        return f"{count:.0f} B"
    for unit in ("kB", "MB", "GB"):
        count /= 1000
        if count < 999.95:
            return f"{count:.1f} {unit}"
    return f"{count / 1000:.1f} TB"


def duration(seconds: float) -> str:
    """Return seconds as `0.03 s`, `9.3 s`, `14:02` or `1:02:03`."""
    if seconds < 0.995:
        return f"{seconds:.2f} s"
    if seconds < 59.95:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def printable(text: str, encoding: str = "utf-8") -> str:
    """Return one line that `encoding` can write and that cannot control a terminal."""
    line = "".join(character if character.isprintable() else "?" for character in text)
    if _is_ascii(encoding):
        line = line.replace("±", "+/-")
    return line.encode(encoding, "replace").decode(encoding)


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return one line per row, the first column flush left and the others flush right."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.rjust(width) if position else cell.ljust(width)
            for position, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]


def _with_half_width(
    interval: Interval | None, text: Callable[[float], str], half_text: Callable[[float], str]
) -> str:
    if interval is None:
        return ABSENT
    if interval.n < 2:
        return text(interval.mean)
    half = (interval.upper - interval.lower) / 2
    return f"{text(interval.mean)} ± {half_text(half)}"


def _is_ascii(encoding: str) -> bool:
    return "±".encode(encoding, "replace") == b"?"

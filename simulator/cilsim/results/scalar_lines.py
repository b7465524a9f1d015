"""The lines of `training_scalars.jsonl`; each carries its own checksum, as the file grows."""

from __future__ import annotations

import json
import math
from typing import Any
from zlib import crc32

from cilsim.records import Scalars


def scalar_line(scalars: Scalars) -> str:
    """Return the line for scalars of one optimiser step, with its end."""
    values = {name: _plain(value) for name, value in scalars.values.items()}
    row = {"step": scalars.step, "values": values}
    return json.dumps({**row, "crc32": crc32(json.dumps(row).encode())}) + "\n"


def parse_scalar_lines(content: bytes) -> list[Scalars | None]:
    """Return what each line says, or None for one that is not as it was written.

    A last line without its end, left by a process that was killed, is skipped.
    """
    *lines, _unfinished = content.decode(errors="replace").split("\n")
    return [_parse(line) for line in lines]


def _plain(value: float) -> float | str:
    """JSON has no NaN and no infinity: they are written as text."""
    return float(value) if math.isfinite(value) else str(float(value))


def _parse(line: str) -> Scalars | None:
    try:
        entry: dict[str, Any] = json.loads(line)
        values = {str(name): float(value) for name, value in entry["values"].items()}
        scalars = Scalars(values, int(entry["step"]))
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None
    return scalars if scalar_line(scalars) == f"{line}\n" else None

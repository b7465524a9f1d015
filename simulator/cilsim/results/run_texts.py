"""The texts of a run's files, and what they say: metrics and accuracy matrix.

Axis letters: T experiences.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from cilsim.errors import RunFailed
from cilsim.records import Evaluation, FloatArray
from cilsim.results.reading import damaged


def metric_lines(evaluation: Evaluation) -> str:
    """Return the lines of `metrics.jsonl` about one experience, sorted by name.

    Raises:
        RunFailed: a metric is not a finite number.
    """
    measured = evaluation.accuracy_matrix[evaluation.experience]
    by_experience = {
        f"accuracy_by_experience/{j:02d}": float(accuracy)
        for j, accuracy in enumerate(measured)
        if not math.isnan(accuracy)
    }
    lines = []
    for name, value in sorted({**by_experience, **evaluation.values}.items()):
        if not math.isfinite(value):
            raise RunFailed(
                f"metric '{name}' after experience {evaluation.experience} is {value}; "
                f"a metric without a meaning is left out"
            )
        row = {"experience": evaluation.experience, "name": name, "value": float(value)}
        lines.append(json.dumps(row) + "\n")
    return "".join(lines)


def parse_metrics(path: Path, text: str) -> dict[int, dict[str, float]]:
    """Return the metrics by experience and name.

    Raises:
        CheckpointError: a line is not what `metric_lines` writes.
    """
    found: dict[int, dict[str, float]] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            row = json.loads(line)
            values = found.setdefault(int(row["experience"]), {})
            values[str(row["name"])] = float(row["value"])
        except (ValueError, TypeError, KeyError) as error:
            raise damaged(path, f"line {number} is not a metric") from error
    return found


def matrix_rows(matrix_TT: FloatArray, first: int, last: int) -> str:
    """Return rows `first` to `last` of `accuracy_matrix.csv`, with the heading before row 0."""
    return "".join(f"{line}\n" for line in _matrix_lines(matrix_TT, first, last))


def parse_matrix(path: Path, text: str) -> FloatArray:
    """Return (T, T) R, NaN where not measured.

    Raises:
        CheckpointError: the text is not made of what `matrix_rows` returns.
    """
    heading, *rows = [line.split(",")[1:] for line in text.splitlines()]
    matrix_TT = np.full((len(heading), len(heading)), np.nan)
    if len(rows) > len(heading) or any(len(row) != len(heading) for row in rows):
        raise damaged(path, "it is not a square matrix")
    try:
        for after, row in enumerate(rows):
            matrix_TT[after] = [float(cell or "nan") for cell in row]
    except ValueError as error:
        raise damaged(path, "it is not a matrix of numbers") from error
    return matrix_TT


def _matrix_lines(matrix_TT: FloatArray, first: int, last: int) -> Iterator[str]:
    if first == 0:
        yield ",".join(["after", *map(str, range(len(matrix_TT)))])
    for after in range(first, last + 1):
        cells = ("" if math.isnan(cell) else repr(cell) for cell in matrix_TT[after].tolist())
        yield ",".join([str(after), *cells])

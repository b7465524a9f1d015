"""Columns of a table as features: numbers standardised, categories one-hot.

Whatever is estimated comes from the rows that the caller names, so that other rows, such as those
for testing, have no part in it.

Axis letters: N rows, D features.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cilsim.data.csv_table import Table
from cilsim.errors import DataError
from cilsim.records import FloatArray, IntArray
from cilsim.scenario.origin import abbreviate

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
LARGEST = float(np.finfo(np.float32).max)
MOST_CATEGORIES = 1000
"""Of a column; more are likely names or numbers of rows."""

Texts = Sequence[str | None]
"""Cells of a column, None where the value is missing."""


@dataclass(frozen=True)
class Encoded:
    """A column as features.

    Attributes:
        name: of the column.
        features: a name of each feature.
        values: (N, D) float64.
        categories: how many there are, None for a number.
        missing: rows without a value.
    """

    name: str
    features: tuple[str, ...]
    values: FloatArray
    categories: int | None
    missing: int


def encoded(table: Table, name: str, texts: Texts, rows: IntArray, categorical: bool) -> Encoded:
    """Return a column as features.

    A number is one feature, standardised by the mean and standard deviation of `rows`; where it is
    missing the feature is 0, which is the mean, and if it is missing in `rows` there is a second
    feature that says so. Of categories there is a feature for each that is in `rows`, for missing
    ones too if there are some in `rows`, and one for all others.

    Args:
        table: for messages.
        name: of the column.
        texts: its cells.
        rows: positions of the rows that statistics and categories come from.
        categorical: whether the cells are categories.

    Raises:
        DataError: a cell is no finite number, or there are no values or too many categories.
    """
    missing = sum(text is None for text in texts)
    if all(texts[row] is None for row in rows.tolist()):
        raise DataError(
            f"{table.where}: column '{name}' has no value in the rows that statistics come from - "
            f"leave it out with 'ignore: [{name}]'"
        )
    if categorical:
        return _categories(table, name, texts, rows, missing)
    return _numbers(table, name, texts, rows, missing)


def is_numeric(table: Table, name: str, texts: Texts) -> bool:
    """Return whether every cell that has a value is a number.

    Raises:
        DataError: they would be but for decimal commas, and were hardly meant as categories.
    """
    odd = [
        (row, text)
        for row, text in enumerate(texts)
        if text is not None and not NUMBER.fullmatch(text)
    ]
    if odd and all(DECIMAL_COMMA.fullmatch(text) for _, text in odd):
        row, text = odd[0]
        raise table.error(row, f"{name} '{abbreviate(text)}'", "a point in place of the comma")
    return not odd


def _numbers(table: Table, name: str, texts: Texts, rows: IntArray, missing: int) -> Encoded:
    values_N = np.array([_number(table, name, row, text) for row, text in enumerate(texts)])
    known_N = values_N[rows][~np.isnan(values_N[rows])]
    mean, deviation = known_N.mean(), known_N.std()
    constant = (known_N == known_N[0]).all()  # whose deviation rounding may leave above zero
    scaled_N = (values_N - mean) / (1.0 if constant else deviation)
    absent_N = np.isnan(values_N)
    features, values = [name], [np.where(absent_N, 0.0, scaled_N)]
    if absent_N[rows].any():
        features.append(f"{name} missing")
        values.append(absent_N.astype(np.float64))
    return Encoded(name, tuple(features), np.stack(values, axis=1), None, missing)


def _number(table: Table, name: str, row: int, text: str | None) -> float:
    if text is None:
        return float("nan")
    if NUMBER.fullmatch(text) and abs(float(text)) < LARGEST:
        return float(text)
    raise table.error(
        row, f"{name} '{abbreviate(text)}'", "a finite number, or a word listed in 'missing'"
    )


def _categories(table: Table, name: str, texts: Texts, rows: IntArray, missing: int) -> Encoded:
    seen = {texts[row] for row in rows.tolist()}
    known: list[str | None] = [*sorted(text for text in seen if text is not None)]
    if len(known) > MOST_CATEGORIES:
        raise DataError(
            f"{table.where}: column '{name}' has {len(known)} categories - expected at most "
            f"{MOST_CATEGORIES}; leave it out with 'ignore: [{name}]'"
        )
    known += [None] if None in seen else []
    place = {text: position for position, text in enumerate(known)}
    places_N = np.array([place.get(text, len(known)) for text in texts])
    one_hot_ND: NDArray[np.float64] = np.eye(len(known) + 1)[places_N]
    named = ["missing" if text is None else f"= {text}" for text in known]
    features = tuple(f"{name} {text}" for text in (*named, "other"))
    return Encoded(name, features, one_hot_ND, len(known), missing)

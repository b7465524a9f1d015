"""How the columns of a table become features, estimated from some of its rows.

Other rows than those that the caller names, such as those for testing, have no part in it.

Axis letters: N rows, D features.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from cilsim.data.csv_table import Table
from cilsim.data.tabular_columns import (
    NUMBER,
    CategoryColumn,
    Column,
    NumberColumn,
    Texts,
    numbers_of,
)
from cilsim.errors import DataError
from cilsim.records import FloatArray, IntArray
from cilsim.scenario.origin import abbreviate

DECIMAL_COMMA = re.compile(r"[+-]?\d+,\d+", re.ASCII)
MOST_CATEGORIES = 1000
"""Of a column; more are likely names or numbers of rows."""


@dataclass(frozen=True)
class Encoded:
    """A column as features.

    Attributes:
        column: how it became features, and how further rows do.
        values: (N, D) float64.
        missing: rows without a value.
    """

    column: Column
    values: FloatArray
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
    seen = [texts[row] for row in rows.tolist()]
    if all(text is None for text in seen):
        raise DataError(
            f"{table.where}: column '{name}' has no value in the rows that statistics come from - "
            f"leave it out with 'ignore: [{name}]'"
        )
    missing = sum(text is None for text in texts)
    if categorical:
        categories = _fitted_categories(table, name, seen)
        return Encoded(categories, categories.encode(table, texts), missing)
    values_N = numbers_of(table, name, texts)
    numbers = _fitted_numbers(name, values_N[rows])
    return Encoded(numbers, numbers.standardised(table, texts, values_N), missing)


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


def _fitted_numbers(name: str, values_N: FloatArray) -> NumberColumn:
    known_N = values_N[~np.isnan(values_N)]
    constant = (known_N == known_N[0]).all()  # whose deviation rounding may leave above zero
    deviation = 1.0 if constant else float(known_N.std()) or 1.0  # squares may underflow
    return NumberColumn(name, float(known_N.mean()), deviation, len(known_N) < len(values_N))


def _fitted_categories(table: Table, name: str, seen: Texts) -> CategoryColumn:
    categories = sorted({text for text in seen if text is not None})
    if len(categories) > MOST_CATEGORIES:
        raise DataError(
            f"{table.where}: column '{name}' has {len(categories)} categories - expected at most "
            f"{MOST_CATEGORIES}; leave it out with 'ignore: [{name}]'"
        )
    return CategoryColumn(name, tuple(categories), None in seen)

"""Columns of a table as features: numbers standardised, categories one-hot.

Axis letters: N rows, D features.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from cilsim.data.csv_table import Table
from cilsim.records import FloatArray
from cilsim.scenario.origin import abbreviate

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
LARGEST = float(np.finfo(np.float32).max)

Texts = Sequence[str | None]
"""Cells of a column, None where the value is missing."""


@dataclass(frozen=True)
class NumberColumn:
    """A column of numbers as one feature, or two.

    Attributes:
        name: of the column.
        mean: of the rows that it was fitted to; it stands where a value is missing.
        deviation: likewise; 1 where they do not differ.
        missing_feature: whether a second feature says that the value is missing.
    """

    name: str
    mean: float
    deviation: float
    missing_feature: bool

    @property
    def features(self) -> tuple[str, ...]:
        """A name of each feature."""
        return (self.name, f"{self.name} missing") if self.missing_feature else (self.name,)

    def encode(self, table: Table, texts: Texts) -> FloatArray:
        """Return (N, D) features of cells; the table is for messages.

        Raises:
            DataError: a cell is no finite number, or too far from the mean to be told in float32.
        """
        return self.standardised(table, texts, numbers_of(table, self.name, texts))

    def standardised(self, table: Table, texts: Texts, values_N: FloatArray) -> FloatArray:
        """Return (N, D) features of numbers that were read from cells already, NaN if missing."""
        absent_N = np.isnan(values_N)
        with np.errstate(over="ignore"):
            scaled_N = np.where(absent_N, 0.0, (values_N - self.mean) / self.deviation)
        if (np.abs(scaled_N) >= LARGEST).any():
            row = int(np.abs(scaled_N).argmax())
            mean, deviation = f"mean {self.mean:.6g}", f"deviation {self.deviation:.6g}"
            raise table.error(
                row,
                f"{self.name} '{abbreviate(texts[row] or '')}'",
                f"a number nearer to those of the training ({mean}, {deviation})",
            )
        parts = [scaled_N, absent_N.astype(np.float64)] if self.missing_feature else [scaled_N]
        return np.stack(parts, axis=1)


@dataclass(frozen=True)
class CategoryColumn:
    """A column of categories as one feature for each, and one for all others.

    Attributes:
        name: of the column.
        categories: those that were in the rows that it was fitted to, sorted.
        missing_feature: whether a missing value is a category of its own.
    """

    name: str
    categories: tuple[str, ...]
    missing_feature: bool

    @property
    def known(self) -> tuple[str | None, ...]:
        """The cells that have a feature of their own, None for a missing one."""
        return (*self.categories, None) if self.missing_feature else self.categories

    @property
    def features(self) -> tuple[str, ...]:
        """A name of each feature."""
        named = ["missing" if text is None else f"= {text}" for text in self.known]
        return tuple(f"{self.name} {text}" for text in (*named, "other"))

    def encode(self, table: Table, texts: Texts) -> FloatArray:
        """Return (N, D) features of cells, with one 1.0 in each row."""
        place = {text: position for position, text in enumerate(self.known)}
        places_N = np.array([place.get(text, len(place)) for text in texts])
        one_hot_ND: NDArray[np.float64] = np.eye(len(place) + 1)[places_N]
        return one_hot_ND


Column = NumberColumn | CategoryColumn


def texts_of(table: Table, column: str, missing: Collection[str]) -> Texts:
    """Return the cells of a column; those that are one of `missing`, in any case, are None.

    Raises:
        DataError: there is no such column.
    """
    absent = {word.casefold() for word in missing}
    place = table.position(column)
    texts = (row[place] for row in table.rows)
    return [None if text.casefold() in absent else text for text in texts]


def numbers_of(table: Table, name: str, texts: Texts) -> FloatArray:
    """Return (N,) values of cells, NaN where they are missing.

    Raises:
        DataError: a cell is no finite number.
    """
    return np.array([_number(table, name, row, text) for row, text in enumerate(texts)])


def _number(table: Table, name: str, row: int, text: str | None) -> float:
    if text is None:
        return float("nan")
    if NUMBER.fullmatch(text) and abs(float(text)) < LARGEST:
        return float(text)
    raise table.error(
        row, f"{name} '{abbreviate(text)}'", "a finite number, or a word listed in 'missing'"
    )

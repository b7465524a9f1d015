"""How rows of a table became features, kept to make features of further rows in the same way.

Axis letters: N rows, D features.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.data.csv_table import Table
from cilsim.data.tabular_columns import CategoryColumn, Column, NumberColumn, texts_of
from cilsim.errors import DataError
from cilsim.naming import did_you_mean

NUMBER, CATEGORIES = "number", "categories"


@dataclass(frozen=True)
class RowEncoder:
    """What was fitted to the training rows of a table.

    Attributes:
        columns: in the order of the features.
        label: the column that holds the class; further rows need none.
        unused: other columns that were there and became no features.
        missing: cells, in small or capital letters, that mean that the value is missing.
    """

    columns: tuple[Column, ...]
    label: str
    unused: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def features(self) -> tuple[str, ...]:
        """A name of each of the D features."""
        return tuple(feature for column in self.columns for feature in column.features)

    def encode(self, table: Table) -> NDArray[np.float32]:
        """Return (N, D) features of the rows of a table, whose columns may have any order.

        Raises:
            DataError: a column is missing or unknown, or a cell is no number that can be taken.
        """
        self._refuse_other_columns(table)
        parts = [
            column.encode(table, texts_of(table, column.name, self.missing))
            for column in self.columns
        ]
        return np.concatenate(parts, axis=1).astype(np.float32)

    def unknown_categories(self, table: Table) -> list[tuple[CategoryColumn, list[int]]]:
        """Return columns with the rows whose category no training row had, if there are some."""
        found = []
        for column in self.columns:
            if isinstance(column, CategoryColumn):
                known = {None, *column.categories}
                texts = texts_of(table, column.name, self.missing)
                found.append((column, [row for row, text in enumerate(texts) if text not in known]))
        return [(column, rows) for column, rows in found if rows]

    def described(self) -> dict[str, Any]:
        """Return it as plain data, which `row_encoder` takes back."""
        return {
            "columns": [_described(column) for column in self.columns],
            "label": self.label,
            "unused": list(self.unused),
            "missing": list(self.missing),
        }

    def _refuse_other_columns(self, table: Table) -> None:
        names = [column.name for column in self.columns]
        for name in names:
            table.position(name)
        for name in table.columns:
            if name not in (*names, self.label, *self.unused):
                raise DataError(
                    f"{table.where}: column '{name}' was not there in training"
                    f"{did_you_mean(name, names)} - leave it out"
                )


def row_encoder(described: Mapping[str, Any]) -> RowEncoder:
    """Return the encoder that `RowEncoder.described` described.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    return RowEncoder(
        columns=tuple(_column(one) for one in described["columns"]),
        label=str(described["label"]),
        unused=tuple(described["unused"]),
        missing=tuple(described["missing"]),
    )


def _described(column: Column) -> dict[str, Any]:
    about: dict[str, Any] = {"name": column.name}
    if isinstance(column, NumberColumn):
        about |= {"kind": NUMBER, "mean": column.mean, "deviation": column.deviation}
    else:
        about |= {"kind": CATEGORIES, "categories": list(column.categories)}
    return {**about, "missing_feature": column.missing_feature}


def _column(described: Mapping[str, Any]) -> Column:
    name, missing_feature = described["name"], bool(described["missing_feature"])
    if described["kind"] == NUMBER:
        mean, deviation = float(described["mean"]), float(described["deviation"])
        return NumberColumn(name, mean, deviation, missing_feature)
    if described["kind"] == CATEGORIES:
        return CategoryColumn(name, tuple(described["categories"]), missing_feature)
    raise ValueError(f"a column of kind {described['kind']!r}")

"""A table as arrays: which rows are for testing, which class each has, and the features.

Axis letters: N rows, D features.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from cilsim.data.csv_table import Table
from cilsim.data.hold_out import held_out
from cilsim.data.row_encoder import RowEncoder
from cilsim.data.tabular_columns import CategoryColumn, Texts, texts_of
from cilsim.data.tabular_fitting import Encoded, encoded, is_numeric
from cilsim.errors import DataError
from cilsim.naming import did_you_mean
from cilsim.records import IntArray
from cilsim.scenario.origin import abbreviate

PARTS = ("train", "test")


class Choices(Protocol):
    """What of `cilsim.data.tabular.TabularOptions` is needed here."""

    @property
    def label(self) -> str:
        """Column that holds the class."""

    @property
    def split(self) -> str | None:
        """Column that holds train or test."""

    @property
    def test_fraction(self) -> float:
        """Part of each class for testing, without such a column."""

    @property
    def categorical(self) -> Literal["auto"] | tuple[str, ...]:
        """Columns of categories."""

    @property
    def ignore(self) -> tuple[str, ...]:
        """Columns to leave out."""

    @property
    def missing(self) -> tuple[str, ...]:
        """Cells that mean that the value is missing."""

    @property
    def statistics_of(self) -> tuple[str, ...]:
        """Classes whose training rows give the statistics; none for all."""


def encode_table(table: Table, choices: Choices) -> dict[str, NDArray[Any]]:
    """Return x_train, y_train, x_test, y_test, and about and encoder (JSON as bytes).

    Raises:
        DataError: the table does not have what is asked for.
    """
    labels = texts_of(table, choices.label, choices.missing)
    names = _class_names(table, choices.label, labels)
    class_ids = {name: class_id for class_id, name in enumerate(names)}
    class_ids_N = np.array([class_ids[str(label)] for label in labels], dtype=np.int64)
    test_N = _test_rows(table, choices, list(map(str, labels)))
    _require_both_parts(table, names, class_ids_N, test_N)
    rows = _statistics_rows(table, choices.statistics_of, names, class_ids_N, test_N)
    columns = _columns(table, choices, rows)
    features_ND = np.concatenate([column.values for column in columns], axis=1)
    encoder = _encoder(choices, columns)
    about = {
        "classes": names,
        "features": encoder.features,
        "columns": {one.column.name: _about(one) for one in columns},
    }
    return {
        "x_train": features_ND[~test_N].astype(np.float32),
        "y_train": class_ids_N[~test_N],
        "x_test": features_ND[test_N].astype(np.float32),
        "y_test": class_ids_N[test_N],
        "about": _as_bytes(about),
        "encoder": _as_bytes(encoder.described()),
    }


def _as_bytes(plain: Any) -> NDArray[np.uint8]:
    return np.frombuffer(json.dumps(plain).encode(), dtype=np.uint8)


def _encoder(choices: Choices, columns: Sequence[Encoded]) -> RowEncoder:
    split = () if choices.split is None else (choices.split,)
    return RowEncoder(
        columns=tuple(one.column for one in columns),
        label=choices.label,
        unused=(*split, *choices.ignore),
        missing=tuple(choices.missing),
    )


def _about(encoded: Encoded) -> dict[str, Any]:
    column = encoded.column
    categories = len(column.known) if isinstance(column, CategoryColumn) else None
    return {"categories": categories, "missing": encoded.missing}


def _class_names(table: Table, column: str, labels: Texts) -> list[str]:
    """Return the classes: whole numbers ascending, else sorted as texts."""
    for row, label in enumerate(labels):
        if label is None or not label.isprintable():
            raise table.error(
                row, f"{column} '{abbreviate(label or '')}'", "the name of a class, for each row"
            )
    names = sorted({label for label in labels if label is not None})
    if all(name.isascii() and name.isdigit() for name in names):
        names.sort(key=int)
    return names


def _test_rows(table: Table, choices: Choices, labels: Sequence[str]) -> NDArray[np.bool_]:
    if choices.split is not None:
        return _given_test_rows(table, choices.split)
    members: dict[str, list[int]] = defaultdict(list)
    for row, label in enumerate(labels):
        members[label].append(row)
    test_N = np.zeros(len(labels), dtype=np.bool_)
    for label, rows in members.items():
        chosen = held_out(len(rows), choices.test_fraction, "tabular", label)
        test_N[[rows[position] for position in chosen]] = True
    return test_N


def _given_test_rows(table: Table, column: str) -> NDArray[np.bool_]:
    place = table.position(column)
    for row, cells in enumerate(table.rows):
        if cells[place].casefold() not in PARTS:
            raise table.error(row, f"{column} '{abbreviate(cells[place])}'", "train or test")
    return np.array([cells[place].casefold() == "test" for cells in table.rows])


def _require_both_parts(
    table: Table, names: Sequence[str], class_ids_N: IntArray, test_N: NDArray[np.bool_]
) -> None:
    for part, inside_N in zip(PARTS, (~test_N, test_N), strict=True):
        counts = np.bincount(class_ids_N[inside_N], minlength=len(names))
        if not counts.all():
            empty = names[int(counts.argmin())]
            raise DataError(
                f"{table.where}: class '{empty}' has no {part} row - expected at least one for "
                "training and one for testing"
            )


def _statistics_rows(
    table: Table,
    wanted: Sequence[str],
    names: Sequence[str],
    class_ids_N: IntArray,
    test_N: NDArray[np.bool_],
) -> IntArray:
    for name in wanted:
        if name not in names:
            raise DataError(
                f"{table.where}: statistics_of: there is no class '{abbreviate(name)}'"
                f"{did_you_mean(name, names)}"
            )
    inside = [names.index(name) for name in wanted] or range(len(names))
    return np.flatnonzero(~test_N & np.isin(class_ids_N, list(inside)))


def _columns(table: Table, choices: Choices, rows: IntArray) -> list[Encoded]:
    listed = () if choices.categorical == "auto" else choices.categorical
    for name in (*choices.ignore, *listed):
        table.position(name)
    left_out = {choices.label, choices.split, *choices.ignore}
    columns = []
    for name in table.columns:
        if name not in left_out:
            texts = texts_of(table, name, choices.missing)
            auto = choices.categorical == "auto"
            categorical = not is_numeric(table, name, texts) if auto else name in listed
            columns.append(encoded(table, name, texts, rows, categorical))
    if not columns:
        raise DataError(f"{table.where}: no column is left beside '{choices.label}'")
    return columns

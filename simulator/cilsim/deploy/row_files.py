"""Rows of a table, or of an array, as the features or images that a model takes."""

from __future__ import annotations

import logging
from pathlib import Path

from cilsim.data.array_layout import as_samples, find_layout, sample_shape
from cilsim.data.csv_table import Table
from cilsim.data.npz import opened_npz
from cilsim.data.row_encoder import RowEncoder
from cilsim.data.tabular_columns import texts_of
from cilsim.data.tabular_file import read_table
from cilsim.deploy.image_files import in_channels
from cilsim.deploy.read_samples import Place, ReadSamples
from cilsim.deploy.stored_model import InputFacts
from cilsim.errors import DataError
from cilsim.naming import nearest
from cilsim.scenario.origin import abbreviate

_log = logging.getLogger(__name__)
ARRAY = "x"
"""Name of the array in an .npz file."""


def table_rows(path: Path, encoder: RowEncoder, learnt: str | None = None) -> ReadSamples:
    """Return the rows of a CSV or Parquet file as features.

    What was said of them is logged: that the column of the class is not read, and categories that
    no training row had.

    Args:
        path: the file.
        encoder: of the table that the model was trained on.
        learnt: the class that all rows are of, where they are to be learnt.

    Raises:
        DataError: it cannot be read, or has other columns, other cells or another class.
    """
    table = read_table(f"table '{path}'", path)
    x_ND = encoder.encode(table)
    if encoder.label in table.columns:
        _look_at_classes(table, encoder, learnt)
    _tell_unknown_categories(table, encoder)
    return ReadSamples(tuple(Place(path, row) for row in range(1, len(x_ND) + 1)), x_ND)


def array_rows(path: Path, given: InputFacts) -> ReadSamples:
    """Return the array `x` of an .npz file as features or images.

    Raises:
        DataError: it cannot be read, or its samples are of another shape.
    """
    where = f"arrays '{path}'"
    with opened_npz(where, path) as archive:
        x = archive.array(ARRAY)
    layout = find_layout(where, ARRAY, x.shape, x.dtype)
    found, expected = sample_shape(layout, x.shape), given.shape
    if given.images:
        expected = (3, *given.shape[1:])  # grey ones are repeated, and made grey again below
    if found != expected:
        raise DataError(
            f"{where}: a sample of {ARRAY} has shape {found} - expected {expected}, as in training"
        )
    samples = as_samples(where, ARRAY, x, layout)
    if given.images:
        samples = in_channels(samples, given.shape[0])
    return ReadSamples(tuple(Place(path, row) for row in range(len(samples))), samples)


def _look_at_classes(table: Table, encoder: RowEncoder, learnt: str | None) -> None:
    """Say that classes are not read, or refuse rows that are to be learnt as another class."""
    column = encoder.label
    if learnt is None:
        _log.info("%s: column '%s' is not read: the model predicts it", table.where, column)
        return
    for row, text in enumerate(texts_of(table, column, encoder.missing)):
        if text not in (None, learnt):
            raise table.error(
                row, f"{column} '{abbreviate(text)}'", f"'{learnt}', the name after --class"
            )


def _tell_unknown_categories(table: Table, encoder: RowEncoder) -> None:
    for column, rows in encoder.unknown_categories(table):
        found = table.rows[rows[0]][table.position(column.name)]
        near = nearest(found, column.categories)
        _log.warning(
            "%s: %s '%s' was in no training row%s - it counts as 'other'%s",
            table.place(rows[0]),
            column.name,
            abbreviate(found),
            f"; did you mean '{near}'?" if near else "",
            f"; {len(rows)} rows have such a value" if len(rows) > 1 else "",
        )

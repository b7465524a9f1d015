"""Tables in CSV or Parquet files, all cells as texts."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

from cilsim.data.csv_table import SUFFIXES, Table, read_csv
from cilsim.errors import DataError

PARQUET = ".parquet"


def read_table(where: str, path: Path) -> Table:
    """Return the table in a CSV or Parquet file; what Parquet knows to be missing is empty.

    Raises:
        DataError: it cannot be read, or Parquet is not installed.
    """
    if path.suffix.casefold() in SUFFIXES:
        return read_csv(where, path)
    if path.suffix.casefold() == PARQUET:
        return _read_parquet(where, path)
    raise DataError(f"{where}: its name ends in '{path.suffix}' - expected .csv, .tsv or .parquet")


def _read_parquet(where: str, path: Path) -> Table:
    try:
        from pyarrow import ArrowException
        from pyarrow.parquet import ParquetFile
    except ImportError as error:
        raise DataError(
            f"{where}: Parquet needs pyarrow - pip install 'cilsim[tabular]', or save it as CSV"
        ) from error
    if path.exists() and not path.is_file():
        raise DataError(f"{where} is no regular file")
    try:
        with ParquetFile(path) as file:
            content = file.read()
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error
    except ArrowException as error:
        raise DataError(f"{where} is no Parquet file that can be read") from error
    columns = [[_text(value) for value in column.to_pylist()] for column in content.columns]
    rows = [list(cells) for cells in zip(*columns, strict=True)]
    if not rows:
        raise DataError(f"{where}: there is no row")
    return Table(where, tuple(content.column_names), rows, [*range(1, len(rows) + 1)], "row")


def _text(value: Any) -> str:
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return str(value).strip()

"""CSV files with a header: cells as texts, each row with its line number for messages."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cilsim.errors import DataError
from cilsim.naming import did_you_mean
from cilsim.scenario.origin import abbreviate

if TYPE_CHECKING:
    from _csv import Reader

SEPARATORS = (",", ";", "\t")
SUFFIXES = (".csv", ".tsv")


@dataclass(frozen=True)
class Table:
    """Rows of texts.

    Attributes:
        where: what messages begin with.
        columns: their names, each once.
        rows: cells as they are in the file, as many as columns.
        lines: the line of the file on which each row begins, from 1; of a file without lines, the
            number of each row.
        unit: what `lines` counts, for messages.
    """

    where: str
    columns: tuple[str, ...]
    rows: list[list[str]]
    lines: list[int]
    unit: str = "line"

    def position(self, column: str) -> int:
        """Return the position of a column.

        Raises:
            DataError: there is none of this name.
        """
        if column in self.columns:
            return self.columns.index(column)
        raise DataError(
            f"{self.where}: there is no column '{column}'{did_you_mean(column, self.columns)}"
        )

    def error(self, row: int, found: str, expected: str) -> DataError:
        """Return the error about a row, which names its line."""
        return DataError(f"{self.place(row)}: {found} - expected {expected}")

    def place(self, row: int) -> str:
        """Return where a row is, as messages begin."""
        return f"{self.where} {self.unit} {self.lines[row]}"


def read_csv(where: str, path: Path) -> Table:
    """Return the table in a UTF-8 file; blanks around cells and empty lines are left out.

    Cells are separated by commas, semicolons or tabs: by what the header has most of.

    Raises:
        DataError: it cannot be read, is no such table, or has no rows.
    """
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise DataError(f"{where} is no regular file")
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            header = file.readline()
            file.seek(0)
            separator = max(SEPARATORS, key=header.count)
            return _table(where, csv.reader(file, delimiter=separator, strict=True))
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise DataError(f"{where} is no UTF-8 text - save it as 'CSV UTF-8'") from error


def _table(where: str, reader: Reader) -> Table:
    numbered = _numbered(where, reader)
    _, columns = next(numbered, (0, []))
    _check_columns(where, columns)
    table = Table(where, tuple(columns), [], [])
    for line, cells in numbered:
        table.rows.append(cells)
        table.lines.append(line)
        if len(cells) != len(columns):
            raise table.error(
                len(table.rows) - 1,
                f"{len(cells)} cells were found",
                f"{len(columns)}, as many as the header has",
            )
    if not table.rows:
        raise DataError(f"{where}: there is no row below the header")
    return table


def _numbered(where: str, reader: Reader) -> Iterator[tuple[int, list[str]]]:
    before = 0
    try:
        for cells in reader:
            stripped = [cell.strip() for cell in cells]
            if any(stripped):
                yield before + 1, stripped
            before = reader.line_num
    except csv.Error as error:
        raise DataError(f"{where} line {before + 1}: it is no CSV: {error}") from error


def _check_columns(where: str, columns: list[str]) -> None:
    if not columns:
        raise DataError(f"{where}: it is empty - expected a header with the names of the columns")
    for position, name in enumerate(columns):
        if not name or not name.isprintable():
            raise DataError(
                f"{where}: column {position + 1} of the header has no name that can be printed"
            )
        if name in columns[:position]:
            raise DataError(f"{where}: two columns are named '{abbreviate(name)}'")

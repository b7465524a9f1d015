"""The rows of a CSV file that lists images, each checked as it is read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from cilsim.data.csv_table import Table
from cilsim.errors import DataError
from cilsim.scenario.origin import abbreviate

COLUMNS = ("path", "label", "split", "order")
PARTS = ("train", "test")
MOST_DIGITS = 9


@dataclass(frozen=True)
class Row:
    """An image of the list.

    Attributes:
        file: relative to the root.
        label: name of its class.
        part: `train`, `test`, or empty as long as nothing has decided it.
        order: which experience it arrives in; None if the list does not say.
        line: of the CSV file.
    """

    file: str
    label: str
    part: str
    order: int | None
    line: int


def listed_rows(table: Table, root: Path, missing_ok: bool) -> list[Row]:
    """Return the rows of a table as images.

    Args:
        table: of the CSV file.
        root: what the paths in it are relative to.
        missing_ok: leave it to the reader of images to complain about files that are not there.

    Raises:
        DataError: a column or a cell is wrong; the message has the line.
    """
    _check_columns(table)
    rows = _rows(table, PurePosixPath(root.absolute().as_posix()))
    if not missing_ok:
        _require_files(table, rows, root)
    return rows


def _check_columns(table: Table) -> None:
    for name in COLUMNS[:2]:
        table.position(name)
    unknown = [name for name in table.columns if name not in COLUMNS]
    if unknown:
        raise DataError(
            f"{table.where}: column '{abbreviate(unknown[0])}' is unknown - expected "
            f"{', '.join(COLUMNS)}, the last two if wanted"
        )


def _rows(table: Table, root: PurePosixPath) -> list[Row]:
    rows: list[Row] = []
    lines: dict[str, int] = {}
    for number, cells in enumerate(table.rows):
        row = _row(table, number, dict(zip(table.columns, cells, strict=True)), root)
        first = lines.setdefault(row.file, row.line)
        if first != row.line:
            raise table.error(
                number, f"'{abbreviate(row.file)}' is listed in line {first} already", "it once"
            )
        rows.append(row)
    return rows


def _row(table: Table, number: int, cells: Mapping[str, str], root: PurePosixPath) -> Row:
    label = cells["label"]
    if not label or not label.isprintable():
        raise table.error(number, f"label '{abbreviate(label)}'", "a name that can be printed")
    part = cells.get("split", "").casefold()
    if "split" in cells and part not in PARTS:
        raise table.error(number, f"split '{abbreviate(cells['split'])}'", "train or test")
    order = _order(table, number, cells["order"], part) if "order" in cells else None
    file = _file(table, number, cells["path"], root)
    return Row(file, label, part, order, table.lines[number])


def _file(table: Table, number: int, text: str, root: PurePosixPath) -> str:
    """Return a path relative to the root."""
    path = PurePosixPath(text)
    if path.is_relative_to(root):
        path = path.relative_to(root)
    if not path.parts or path.is_absolute() or ".." in path.parts or "\0" in text:
        raise table.error(
            number, f"path '{abbreviate(text)}'", f"a file below the folder of the images, '{root}'"
        )
    return path.as_posix()


def _order(table: Table, number: int, text: str, part: str) -> int | None:
    if not text and part == "test":
        return None  # that of its class
    if not (text.isascii() and text.isdigit() and len(text) <= MOST_DIGITS):
        raise table.error(
            number, f"order '{abbreviate(text)}'", "a whole number from 0, the experience"
        )
    return int(text)


def _require_files(table: Table, rows: Sequence[Row], root: Path) -> None:
    for number, row in enumerate(rows):
        if not (root / row.file).is_file():
            raise table.error(
                number,
                f"there is no file '{abbreviate(row.file)}' in '{root}'",
                "folders separated by '/'"
                if "\\" in row.file
                else "paths relative to that folder, which 'images' can change",
            )

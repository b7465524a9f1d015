"""Images that a CSV file lists: `path` and `label`, if wanted also `split` and `order`.

`order` is a whole number: which experience an image arrives in. Its values become domains, in
ascending order, and classes are numbered by their first value, so that the natural class order is
that of the file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from cilsim.data.csv_table import SUFFIXES, Table, read_csv
from cilsim.data.hold_out import held_out
from cilsim.data.listed_rows import PARTS, Row, listed_rows
from cilsim.data.listing import Listing, Part
from cilsim.errors import DataError


def is_list(path: Path) -> bool:
    """Return whether a path is, by its name, a CSV file rather than a folder."""
    return path.suffix.casefold() in SUFFIXES and not path.is_dir()


def listed_images(
    path: Path, root: Path, test_fraction: float, *, missing_ok: bool = False
) -> Listing:
    """Return the images that a CSV file lists, without opening any.

    Args:
        path: the CSV file.
        root: what the paths in it are relative to.
        test_fraction: part of each class, and of each order, for testing, without a column `split`.
        missing_ok: leave it to the reader of images to complain about files that are not there.

    Raises:
        DataError: the file is no such list; the message has the line.
    """
    table = read_csv(f"image list '{path}'", path)
    rows = _with_parts(listed_rows(table, root, missing_ok), test_fraction)
    _require_both_parts(table, rows)
    names = _class_names(rows)
    orders = _domains(rows)
    train, test = (
        _part([row for row in rows if row.part == part], names, orders) for part in PARTS
    )
    return Listing(root, tuple(names), train, test, (), tuple(map(str, orders)))


def _with_parts(rows: Sequence[Row], fraction: float) -> list[Row]:
    """Return the rows sorted by order and path, each with its part and, where known, its order."""
    rows = sorted(rows, key=lambda row: (-1 if row.order is None else row.order, row.file))
    if rows[0].part:
        first = _first_orders(rows)
        return [row if row.order is not None else replace(row, order=first.get(row.label))
                for row in rows]  # fmt: skip
    groups: dict[tuple[int | str, ...], list[int]] = defaultdict(list)
    for number, row in enumerate(rows):
        groups[(row.label,) if row.order is None else (row.label, row.order)].append(number)
    test = {
        members[position]
        for group, members in groups.items()
        for position in held_out(len(members), fraction, *group)
    }
    return [replace(row, part=PARTS[number in test]) for number, row in enumerate(rows)]


def _require_both_parts(table: Table, rows: Sequence[Row]) -> None:
    for part in PARTS:
        have = {row.label for row in rows if row.part == part}
        for row in rows:
            if row.label not in have:
                raise DataError(
                    f"{table.where}: class '{row.label}' has no {part} image (line {row.line}) - "
                    "expected at least one for training and one for testing"
                )


def _first_orders(rows: Sequence[Row]) -> dict[str, int]:
    first: dict[str, int] = {}
    for row in rows:
        if row.part == "train" and row.order is not None:
            first[row.label] = min(row.order, first.get(row.label, row.order))
    return first


def _class_names(rows: Sequence[Row]) -> dict[str, int]:
    """Return the class id of each name: by first order, then by name."""
    first = _first_orders(rows)
    names = sorted({row.label for row in rows}, key=lambda name: (first.get(name, 0), name))
    return {name: class_id for class_id, name in enumerate(names)}


def _domains(rows: Sequence[Row]) -> dict[int, int]:
    """Return the domain of each order: those of training images first, as they are experiences."""
    train = {row.order for row in rows if row.part == "train" and row.order is not None}
    others = {row.order for row in rows if row.order is not None} - train
    return {order: domain for domain, order in enumerate([*sorted(train), *sorted(others)])}


def _part(rows: Sequence[Row], class_ids: Mapping[str, int], domains: Mapping[int, int]) -> Part:
    rows = sorted(rows, key=lambda row: class_ids[row.label])  # else as they are: stable
    orders = [row.order for row in rows if row.order is not None]
    return Part(
        files=tuple(row.file for row in rows),
        class_ids=np.array([class_ids[row.label] for row in rows], dtype=np.int64),
        domains=np.array([domains[order] for order in orders], dtype=np.int64) if orders else None,
        lines=tuple(row.line for row in rows),
    )

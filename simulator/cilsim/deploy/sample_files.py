"""The files that a user names for a model: images, rows of a table, or arrays."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, groupby
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.data.csv_table import SUFFIXES
from cilsim.data.tabular_file import PARQUET
from cilsim.deploy.image_files import image_files, in_blocks
from cilsim.deploy.read_samples import ReadSamples
from cilsim.deploy.row_files import array_rows, table_rows
from cilsim.deploy.stored_model import InputFacts
from cilsim.errors import DataError

TABLES = (*SUFFIXES, PARQUET)
ARRAYS = (".npz",)


def samples_in(
    paths: Sequence[Path], given: InputFacts, learnt: str | None = None
) -> Iterator[ReadSamples]:
    """Return the samples of files in the order of the paths.

    Tables and arrays are read before anything is returned, so that what is wrong with them is said
    first; images as they are asked for, so that memory stays bounded.

    Args:
        paths: image files, folders of them, tables or arrays, as the model takes them.
        given: what samples have to be like.
        learnt: the class that all of them are of, where they are to be learnt.

    Raises:
        DataError: a file is none that the model takes, or a table or an array does not fit.
    """
    for path in paths:
        _refuse_unfit(path, given)
    blocks: list[Iterable[ReadSamples]] = []
    for rows, files in groupby(paths, key=_holds_rows):
        if rows:
            blocks.append([_rows(path, given, learnt) for path in files])
        else:
            blocks.append(in_blocks(image_files(list(files)), given))
    return chain.from_iterable(blocks)


def samples_to_learn(paths: Sequence[Path], given: InputFacts, name: str) -> NDArray[Any]:
    """Return what `samples_in` gives for the class `name` as one array (N, ...).

    Raises:
        DataError: as there, or an image cannot be read.
    """
    blocks = list(samples_in(paths, given, name))
    for block in blocks:
        for file, reason in block.broken.items():
            raise DataError(f"{file}: cannot be learnt: {reason} - leave it out, or replace it")
    return np.concatenate([block.x for block in blocks])


def _holds_rows(path: Path) -> bool:
    return _ends_in(path, (*TABLES, *ARRAYS))


def _rows(path: Path, given: InputFacts, learnt: str | None) -> ReadSamples:
    if given.row_encoder is not None:
        return table_rows(path, given.row_encoder, learnt)
    return array_rows(path, given)


def _refuse_unfit(path: Path, given: InputFacts) -> None:
    tables, arrays = _ends_in(path, TABLES), _ends_in(path, ARRAYS)
    if given.row_encoder is not None:
        fits, taken = tables, "rows of a table - expected .csv, .tsv or .parquet files"
    elif given.images:
        fits, taken = not tables, "images - expected image files, folders of them or .npz files"
    else:
        fits, taken = arrays, f"vectors of {given.shape[0]} features - expected .npz files with x"
    if not fits:
        raise DataError(f"{path}: the model takes {taken}")


def _ends_in(path: Path, suffixes: Sequence[str]) -> bool:
    return path.suffix.casefold() in suffixes and not path.is_dir()

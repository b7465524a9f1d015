"""`tabular`: rows of a CSV or Parquet file as features.

Encoded once and kept in the cache; a changed file or option makes it anew.
"""

from __future__ import annotations

import json
import logging
from hashlib import file_digest
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
from pydantic import Field

from cilsim.data.array_cache import Arrays, cache_key, cached_arrays
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.digest import dataset_digest
from cilsim.data.places import cache_root
from cilsim.data.row_encoder import row_encoder
from cilsim.data.tabular_encoding import encode_table
from cilsim.data.tabular_file import read_table
from cilsim.errors import DataError
from cilsim.options import Options

_FORMAT = 2
_log = logging.getLogger(__name__)
Columns = tuple[str, ...]


class TabularOptions(Options):
    """Options of a table."""

    path: Path
    """CSV file (UTF-8, the first line names the columns, cells separated by commas, semicolons or
    tabs) or Parquet file, which needs `pip install 'cilsim[tabular]'`."""
    label: str
    """Column that holds the class."""
    split: str | None = None
    """Column that holds train or test; without it a part of each class is held out."""
    test_fraction: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.2
    """Part of the rows of each class that is for testing, without `split`."""
    categorical: Literal["auto"] | Columns = "auto"
    """Columns of categories; auto takes those in which some value is no number."""
    ignore: Columns = ()
    """Columns to leave out, such as the number of a row."""
    missing: Columns = ("", "?", "NA", "N/A", "NaN", "null", "None")
    """Cells, in small or capital letters, that mean that the value is missing."""
    statistics_of: Columns = ()
    """Classes whose training rows give means, deviations and categories. Without any, those of all
    classes do, as with the normalisation of images; a stream that is to know nothing of later
    classes names those of its base experience."""


def facts_tabular(options: TabularOptions) -> DataFacts:
    """Return the facts of a table; it is encoded if it has not been before."""
    return _facts(_arrays(options))


def load_tabular(options: TabularOptions) -> DataSet:
    """Return a table as float32 features, rows in the order of the file."""
    arrays = _arrays(options)
    facts = _facts(arrays)
    x_train, x_test = arrays["x_train"], arrays["x_test"]
    digest = dataset_digest(x_train, facts.y_train, x_test, facts.y_test)
    encoder = row_encoder(json.loads(arrays["encoder"].tobytes()))
    return DataSet("tabular", facts, x_train, x_test, (), (), digest, row_encoder=encoder)


def about_table(options: TabularOptions) -> dict[str, Any]:
    """Return how the columns were read, as plain data.

    `classes` are their names, `features` names of the D features, `columns` maps each column to its
    number of `categories` (None for a number) and of `missing` values over all rows.
    """
    return _about(_arrays(options))


def _about(arrays: Arrays) -> dict[str, Any]:
    return dict(json.loads(arrays["about"].tobytes()))


def _facts(arrays: Arrays) -> DataFacts:
    names = tuple(_about(arrays)["classes"])
    return DataFacts(
        class_ids=tuple(range(len(names))),
        class_names=names,
        y_train=np.array(arrays["y_train"], dtype=np.int64),
        y_test=np.array(arrays["y_test"], dtype=np.int64),
        sample_shape=arrays["x_train"].shape[1:],
    )


def _arrays(options: TabularOptions) -> Arrays:
    where = f"table '{options.path}'"

    def build(folder: Path) -> None:
        _log.info("table '%s': reading it (once)", options.path)
        encoded = encode_table(read_table(where, options.path), options)
        for name, array in encoded.items():
            np.save(folder / f"{name}.npy", array)

    choices = options.model_dump(mode="json", exclude={"path"})
    key = cache_key(_FORMAT, _content(where, options.path), options.path.suffix, choices)
    return cached_arrays(
        cache_root() / "data" / f"tabular-{key}", build, lambda: {"file": str(options.path)}
    )


def _content(where: str, path: Path) -> str:
    """Return a hash over the file."""
    if path.exists() and not path.is_file():  # a pipe would be waited for
        raise DataError(f"{where} is no regular file")
    try:
        with path.open("rb") as file:
            return file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise DataError(f"{where} cannot be read: {error.strerror or error}") from error

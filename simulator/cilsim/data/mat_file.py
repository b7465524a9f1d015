"""Reads variables out of MATLAB files (version 5, as data sets are published)."""

from __future__ import annotations

import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from cilsim.errors import DataError

_DAMAGE = (
    *(ValueError, TypeError, KeyError, IndexError, OverflowError, MemoryError),
    *(EOFError, OSError, NotImplementedError, UnicodeDecodeError, zlib.error),
)
"""What reading a damaged file raises; version 7.3 is not implemented."""


def read_variables(
    where: str, name: str, content: Path | bytes, variables: Sequence[str]
) -> dict[str, Any]:
    """Return variables by name, one-element dimensions dropped from structures and cells.

    Nothing but arrays comes out: the format has no code. Other variables are passed over.

    Args:
        where: what errors begin with.
        name: of the file, for messages.
        content: the file or its bytes.
        variables: wanted, all needed.

    Raises:
        DataError: the file is damaged or has no such variable.
    """
    from scipy.io import loadmat
    from scipy.io.matlab import MatReadError

    file: Any = BytesIO(content) if isinstance(content, bytes) else str(content)
    try:
        found = loadmat(file, variable_names=list(variables), appendmat=False)
    except (*_DAMAGE, MatReadError) as error:
        reason = " ".join(str(error).partition(". ")[0].split()) or type(error).__name__
        raise DataError(
            f"{where}: '{name}' is no MATLAB file that can be read ({reason[:80]}) - fetch it again"
        ) from error
    missing = [variable for variable in variables if variable not in found]
    if missing:
        raise DataError(f"{where}: '{name}' has no variable '{missing[0]}' - fetch it again")
    return {variable: found[variable] for variable in variables}


def column(where: str, name: str, structures: Any, field: str) -> list[Any]:
    """Return one field of every structure of a 1 x N array: a text or a number each.

    Raises:
        DataError: the array has no structures with this field, or one holds something else.
    """
    fields = getattr(getattr(structures, "dtype", None), "names", None) or ()
    if field not in fields:
        raise DataError(f"{where}: '{name}' has no field '{field}' - fetch it again")
    return [single(where, name, entry) for entry in structures[field].reshape(-1)]


def single(where: str, name: str, entry: Any) -> Any:
    """Return the one text or number in an array of one element.

    Raises:
        DataError: there are more, or none.
    """
    if getattr(entry, "size", None) != 1 or not hasattr(entry, "item"):
        raise DataError(
            f"{where}: '{name}' has an entry that is not one text or number - fetch it again"
        )
    value = entry.item()
    return single(where, name, value) if hasattr(value, "item") else value

"""The arrays of records, and what keeps a record as it was made."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]


def seal(record: Any, *names: str) -> None:
    """Put views in place of arrays and mappings through which nothing can be written."""
    for name in names:
        value = getattr(record, name)
        if isinstance(value, np.ndarray):
            sealed: Any = value.view()
            sealed.flags.writeable = False
        else:
            sealed = MappingProxyType(dict(value))
        object.__setattr__(record, name, sealed)

"""Where in a plugin's own code a run failed, as its stored traceback says."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

_FRAME = re.compile(r'^  File "(?P<file>.+)", line (?P<line>\d+)', re.MULTILINE)
_LATER = "\nThe above exception was the direct cause"


def place_of(traceback: str, code: Any) -> str:
    """Return the innermost line of a plugin's package on a traceback, such as `means.py, line 14`.

    Args:
        traceback: the text that a failed run leaves; the first error in it counts.
        code: something from the plugin, such as the class of its strategy, or its module.

    Returns:
        The place, or nothing where none of the plugin's lines is on the traceback.
    """
    home = _home(code)
    frames = _FRAME.finditer(traceback.partition(_LATER)[0])
    own = [frame for frame in frames if home and Path(frame["file"]).is_relative_to(home)]
    return f"{Path(own[-1]['file']).name}, line {own[-1]['line']}" if own else ""


def _home(code: Any) -> Path | None:
    """Return the folder of the package that `code` is from, or the file of a single module."""
    module = code.__name__ if isinstance(code, ModuleType) else getattr(code, "__module__", "")
    for name in (module.partition(".")[0], module):  # a package without a file of its own has none
        file = getattr(sys.modules.get(name), "__file__", None)
        if file is not None:
            return Path(file).parent if Path(file).name == "__init__.py" else Path(file)
    return None

"""Folders that last as long as the command."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from pathlib import Path


def scratch_folder() -> Path:
    """Return a new empty folder, removed when the process ends."""
    folder = tempfile.mkdtemp(prefix="cilsim-bench-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)

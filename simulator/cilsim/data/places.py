"""Where data sets and caches lie on this machine."""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs


def data_root() -> Path:
    """Return the folder of downloaded data sets: CILSIM_DATA, else the user's data folder."""
    chosen = os.environ.get("CILSIM_DATA")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path("cilsim", False)


def cache_root() -> Path:
    """Return the folder of what can be made again: CILSIM_CACHE, else the user's cache folder."""
    chosen = os.environ.get("CILSIM_CACHE")
    return Path(chosen).expanduser() if chosen else platformdirs.user_cache_path("cilsim", False)


def store_root() -> Path:
    """Return the folder of trained bases and features within the cache."""
    return cache_root() / "store"

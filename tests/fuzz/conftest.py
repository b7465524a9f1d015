"""The registries of all that is installed, and an empty folder to work in."""

from __future__ import annotations

import pytest

from cilsim.plugins import discover
from cilsim.registry import Registries


@pytest.fixture(scope="session")
def registries() -> Registries:
    return discover().registries


@pytest.fixture(autouse=True)
def empty_folder(tmp_path, monkeypatch):
    """Paths out of hostile texts lead nowhere."""
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")

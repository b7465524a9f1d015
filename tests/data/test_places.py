from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.data.places import cache_root, data_root


def test_the_environment_says_where_data_and_cache_lie(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CILSIM_DATA", str(tmp_path / "d"))
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "c"))
    assert (data_root(), cache_root()) == (tmp_path / "d", tmp_path / "c")


def test_a_tilde_means_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("CILSIM_DATA", "~/d")
    monkeypatch.setenv("CILSIM_CACHE", "~/c")
    assert (data_root(), cache_root()) == (tmp_path / "d", tmp_path / "c")


def test_without_the_environment_the_users_own_folders_are_used(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("CILSIM_DATA")
    monkeypatch.setenv("CILSIM_CACHE", "")
    monkeypatch.setattr("platformdirs.user_data_path", lambda *name: Path("/data", *map(str, name)))
    monkeypatch.setattr("platformdirs.user_cache_path", lambda *name: Path("/c", *map(str, name)))
    assert (data_root(), cache_root()) == (Path("/data/cilsim/False"), Path("/c/cilsim/False"))

"""`cilsim cache`: what can be made again."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim.data.array_cache import cached_arrays
from cilsim.features.shards import FeatureShards
from cilsim.results.cache import ContentStore

Command = Callable[..., Any]


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache with a base, features and a data set, used in this order."""
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    store = ContentStore(tmp_path / "cache" / "store")
    trained = {"trained_by": "toy/nmc/seed-0"}
    store.put("base", "b" * 64, {"weight": torch.zeros(10)}, trained)
    shards = FeatureShards(store, {"backbone": "small"})
    shards.put(("f" * 64, "part"), torch.zeros(5, 3))
    shards.flush()
    folder = tmp_path / "cache" / "data" / "ring-0123456789abcdef"
    cached_arrays(folder, lambda place: np.save(place / "x.npy", np.zeros(100)), dict)
    return tmp_path / "cache"


def test_each_entry_is_listed_with_what_it_is(cli: Command, cache: Path) -> None:
    rows = cli("cache", "list", "--json").document()
    assert sorted((row["kind"], row["key"][:16], row["about"]) for row in rows) == [
        ("base", "b" * 16, "trained by toy/nmc/seed-0"),
        ("data", "0123456789abcdef", "ring"),
        ("features", "f" * 16, "5 samples of 3 by small"),
    ]
    for row in rows:
        assert list(row) == ["kind", "key", "bytes", "used", "about"]
    sizes = {row["kind"]: row["bytes"] for row in rows}
    data = cache / "data" / "ring-0123456789abcdef"
    assert sizes["data"] == sum(file.stat().st_size for file in data.iterdir())


def test_the_table_ends_with_the_total(cli: Command, cache: Path) -> None:
    outcome = cli("cache", "list")
    assert outcome.code == 0
    head, *rows = outcome.out.splitlines()
    assert head.split() == ["kind", "key", "size", "used", "about"]
    assert sorted(row.split()[0] for row in rows) == ["base", "data", "features"]
    assert outcome.err.startswith("3 entries, ")
    assert outcome.err.endswith(f" in {cache}\n")


def test_a_damaged_entry_is_listed_as_such(cli: Command, cache: Path) -> None:
    (cache / "store" / "base" / ("b" * 64) / "state.json").write_text("{")
    rows = cli("cache", "list", "--json").document()
    assert [row["about"] for row in rows if row["kind"] == "base"] == ["damaged"]


def test_an_empty_cache_has_no_rows(
    cli: Command, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "none"))
    outcome = cli("cache", "list")
    assert (outcome.code, outcome.out) == (0, "")
    assert outcome.err == f"0 entries, 0 B in {tmp_path / 'none'}\n"
    assert cli("cache", "list", "--json").document() == []
    assert cli("cache", "clear").err == "0 entries removed, 0 B\n"
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize("kind", ["base", "features", "data"])
def test_one_kind_is_cleared_and_the_others_stay(cli: Command, cache: Path, kind: str) -> None:
    before = cli("cache", "list", "--json").document()
    [mine] = [row for row in before if row["kind"] == kind]
    assert cli("cache", "clear", kind, "--json").document() == {
        "removed": 1,
        "bytes": mine["bytes"],
    }
    assert cli("cache", "list", "--json").document() == [row for row in before if row != mine]


def test_everything_is_cleared(cli: Command, cache: Path) -> None:
    outcome = cli("cache", "clear")
    assert outcome.code == 0
    assert outcome.err.startswith("3 entries removed, ")
    assert cli("cache", "list", "--json").document() == []


def test_what_another_process_is_making_stays(cli: Command, cache: Path) -> None:
    unfinished = cache / "data" / "ring-feed.unfinished"
    unfinished.mkdir()
    cli("cache", "clear")
    assert unfinished.is_dir()


def test_a_folder_that_cannot_be_removed_is_told(
    cli: Command, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(folder: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.rmtree", refuse)
    outcome = cli("cache", "clear", "data")
    assert (outcome.code, outcome.err) == (
        2,
        f"error: cache '{cache}/data/ring-0123456789abcdef' cannot be removed: Permission denied\n",
    )


def test_another_kind_is_refused(cli: Command, cache: Path) -> None:
    outcome = cli("cache", "clear", "bases")
    assert outcome.code == 2
    assert outcome.err == (
        "error: invalid value for '[KIND]': 'bases' is not one of 'base', 'features', 'data'; "
        "did you mean 'base'?\n"
    )


def test_the_place_is_printed(cli: Command, cache: Path) -> None:
    assert cli("cache", "path").out == f"{cache}\n"
    assert cli("cache", "path", "--json").document() == {"path": str(cache)}


def test_listing_imports_no_torch(cache: Path) -> None:
    code = (
        "import sys; from cilsim.cli.main import main; main(['cache', 'list', '--json']); "
        "sys.exit('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=False)
    assert done.returncode == 0

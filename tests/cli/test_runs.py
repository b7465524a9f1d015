"""`cilsim runs`, on the folder that a real command left."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture
def runs(finished: tuple[Path, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder holds `runs/tiny` with two strategies and two seeds."""
    shutil.copytree(finished[0] / "runs", tmp_path / "runs")
    monkeypatch.chdir(tmp_path)
    return Path("runs")


def test_all_runs_are_listed_with_their_accuracy(cli: Any, runs: Path) -> None:
    outcome = cli("runs", "--sort", "folder", "--where", "strategy=far")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "scenario  strategy  seed  state     A_all   folder",
        "tiny      far       0     finished  1.0000  tiny/far/seed-0",
        "tiny      far       1     finished  1.0000  tiny/far/seed-1",
    ]
    assert outcome.err == "2 runs\n"


def test_what_was_asked_for_is_a_column(cli: Any, runs: Path) -> None:
    outcome = cli("runs", "--where", "seed=1 forgetting<0.5", "--sort", "-A_new", "--limit", "1")

    assert outcome.out.splitlines() == [
        "scenario  strategy  seed  state     A_all   forgetting  A_new   folder",
        "tiny      nmc       1     finished  0.9833  0.0000      0.9500  tiny/nmc/seed-1",
    ]
    assert outcome.err == "1 runs, 1 more with --limit 0\n"


def test_json_has_every_column_and_metric(cli: Any, runs: Path) -> None:
    (run,) = cli("runs", "--where", "strategy=nmc seed=0", "--json").document()

    assert run["folder"] == "tiny/nmc/seed-0"
    assert (run["method"], run["dataset"], run["backbone"]) == ("nmc", "arrays", "identity")
    assert (run["experience"], run["experiences"], run["protocol"]) == (3, 3, "B0-Inc2")
    assert run["metrics"]["A_all"] == pytest.approx(59 / 60)


def test_a_new_run_is_not_seen_without_a_refresh(cli: Any, runs: Path) -> None:
    cli("runs")
    shutil.copytree(runs / "tiny", runs / "again")

    assert cli("runs", "--no-refresh").err == "4 runs\n"
    assert cli("runs").err == "8 runs\n"
    shutil.rmtree(runs / "tiny")
    assert cli("runs", "--rebuild").err == "4 runs\n"


def test_no_run_is_no_table(cli: Any, runs: Path) -> None:
    outcome = cli("runs", "--where", "strategy=teen")

    assert (outcome.code, outcome.out, outcome.err) == (0, "", "0 runs\n")


def test_a_wrong_condition_ends_with_one_line(cli: Any, runs: Path) -> None:
    outcome = cli("runs", "--where", "strateg=nmc")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == "error: --where: no run has 'strateg'; did you mean 'strategy'?\n"


def test_a_missing_folder_ends_with_one_line(cli: Any, tmp_path: Path) -> None:
    outcome = cli("runs", "--root", tmp_path / "nothing")

    assert outcome.code == 2
    assert outcome.err == (
        f"error: {tmp_path}/nothing: no such folder; expected one that holds runs\n"
    )

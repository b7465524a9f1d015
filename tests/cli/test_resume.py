"""`cilsim resume`: what is finished is left alone, what is missing is said."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]
Finished = tuple[Path, Any]


@pytest.mark.parametrize("inside", ["runs/tiny", "runs/tiny/nmc/seed-0"])
def test_a_finished_run_is_left_as_it_is(
    cli: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch, inside: str
) -> None:
    monkeypatch.chdir(finished[0])

    outcome = cli("resume", inside)

    assert (outcome.code, outcome.out) == (0, "runs/tiny\n")
    assert outcome.err == "runs/tiny: finished already, nothing to do\n"


def test_the_json_of_a_finished_run_is_that_of_running_it(
    cli: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished[0])

    stored = cli("resume", "runs/tiny", "--json", "-q")
    run = cli("run", "tiny.yaml", "--device", "cpu", "--json", "-q")

    assert (stored.code, stored.err) == (0, "")
    assert {key: value for key, value in stored.document().items() if key != "runs"} == {
        "name": "tiny", "folder": "runs/tiny", "failures": [],
    }  # fmt: skip
    by_name = sorted(stored.document()["runs"], key=lambda one: (one["seed"], one["strategy"]))
    assert by_name == sorted(run.document()["runs"], key=lambda one: (one["seed"], one["strategy"]))


@pytest.mark.parametrize(
    ("folder", "message"),
    [
        ("runs/tinny", "runs/tinny: no such run folder; did you mean 'tiny'?"),
        ("runs", "runs: is no run folder, it has no resolved.yaml; runs in it: tiny"),
        ("nothing", "nothing: no such run folder"),
    ],
)
def test_nothing_to_resume(
    cli: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch, folder: str, message: str
) -> None:
    monkeypatch.chdir(finished[0])

    outcome = cli("resume", folder)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {message}\n")


def test_an_unfinished_run_goes_on_with_its_values_where_it_was(
    cli: Command, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "runs" / "renamed"
    shutil.copytree(finished[0] / "runs" / "tiny", folder)
    status = json.loads((folder / "status.json").read_text())
    (folder / "status.json").write_text(json.dumps({**status, "state": "interrupted"}))
    asked: list[Any] = []

    def run(execution: Any, scenario: Any) -> int:
        asked.extend([execution, scenario])
        return 0

    monkeypatch.setattr("cilsim.cli.execution.Execution.run", run)
    outcome = cli("resume", folder / "nmc", "--no-tensorboard")

    assert (outcome.code, outcome.err) == (0, "")
    execution, scenario = asked
    assert (execution.out, execution.device, execution.tensorboard) == (folder.parent, "cpu", False)
    assert (scenario.name, scenario.seeds) == ("renamed", (0, 1))
    assert [strategy.label for strategy in scenario.strategies] == ["nmc", "far"]


def test_a_strategy_that_is_gone_is_named(
    cli: Command, finished: Finished, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(finished[0] / "runs" / "tiny", tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    Path("tiny", "status.json").unlink()
    monkeypatch.setenv("CILSIM_PLUGINS", "teen")

    outcome = cli("resume", "tiny")

    assert outcome.code == 2
    assert [line for line in outcome.err.splitlines() if line.startswith("error")] == [
        "error: tiny/resolved.yaml:{}:9: strategies.{}.name: no strategy is named 'nmc'; "
        "known: teen".format(*place)
        for place in _places(Path("tiny", "resolved.yaml"))
    ]


def _places(resolved: Path) -> list[tuple[int, int]]:
    lines = resolved.read_text().splitlines()
    numbers = [number for number, line in enumerate(lines, 1) if line == "- name: nmc"]
    return [(number, position) for position, number in enumerate(numbers)]

"""`cilsim resume`: what is finished is left alone, what is missing is said."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.results.status import StatusFile

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


def test_not_a_byte_of_a_finished_run_changes(
    cli: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished[0])

    def contents() -> dict[Path, tuple[bytes, int]]:
        paths = [path for path in Path("runs").rglob("*") if path.is_file()]
        return {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}

    before = contents()
    cli("resume", "runs/tiny")
    assert contents() == before


def test_a_run_killed_before_its_reports_is_not_finished(
    cli: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(folder: Path, results: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cilsim.cli.execution.write_reports", killed)
        assert cli("run", tiny, "--device", "cpu", "-q").code == 130
    assert cli("resume", "runs/tiny", "-q").err == ""
    assert Path("runs/tiny/report.html").is_file()


def test_the_scenario_as_given_stays_when_nothing_was_run_yet(
    cli: Command, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = tiny.read_text()

    def killed(*arguments: Any) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("cilsim.runner.scenario_run.note_conditions", killed)
        assert cli("run", tiny, "--device", "cpu", "-q").code == 130
    assert cli("resume", "runs/tiny", "-q").err == ""
    assert Path("runs/tiny/scenario.yaml").read_text() == given


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
    StatusFile(folder / "status.json").end("interrupted")
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

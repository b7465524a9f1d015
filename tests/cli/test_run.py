"""`cilsim run`: real runs on a tiny data set, and everything that prevents one."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.cli import busyness
from cilsim.errors import Interrupted

Command = Callable[..., Any]
Finished = tuple[Path, Any]


def test_stdout_is_the_run_folder(finished: Finished) -> None:
    _, outcome = finished

    assert (outcome.code, outcome.out) == (0, "runs/tiny\n")


def test_a_run_leaves_reports_and_event_files(finished: Finished) -> None:
    folder = finished[0] / "runs" / "tiny"

    for name in ("report.md", "report.html", "summary.json", "status.json", "manifest.json"):
        assert (folder / name).is_file()
    runs = {path.parent.relative_to(folder).as_posix() for path in folder.rglob("*tfevents*")}
    assert runs == {
        *("nmc/seed-0", "nmc/seed-1", "nmc/mean"),
        *("far/seed-0", "far/seed-1", "far/mean"),
    }


def test_the_end_of_stderr_is_the_comparison_and_where_to_look(finished: Finished) -> None:
    lines = finished[1].err.splitlines()

    at = lines.index("after the last experience, in percent")
    assert [line.split()[:2] for line in lines[at + 2 : at + 4]] == [["nmc", "2"], ["far", "2"]]
    assert lines[-3:] == [
        "results:     runs/tiny",
        "report:      runs/tiny/report.html",
        "tensorboard: tensorboard --logdir runs",
    ]


def test_running_again_takes_what_is_stored(
    finished: Finished, cli: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _ = finished
    monkeypatch.chdir(folder)

    outcome = cli("run", "tiny.yaml", "--device", "cpu", "--json", "-q")

    assert (outcome.code, outcome.err) == (0, "")
    document = json.loads(outcome.out)
    assert (document["name"], document["folder"]) == ("tiny", "runs/tiny")
    assert document["failures"] == []
    runs = {(run["strategy"], run["seed"]): run for run in document["runs"]}
    assert list(runs) == [("nmc", 0), ("far", 0), ("nmc", 1), ("far", 1)]
    stored = json.loads((folder / "runs/tiny/summary.json").read_text())
    run = runs["nmc", 0]
    assert run["metrics"]["A_all"] == stored["strategies"]["nmc"]["seeds"]["0"]["A_all"]
    assert [one["experience"] for one in run["experiences"]] == [0, 1, 2]
    assert run["experiences"][-1]["metrics"] == run["metrics"]


FAILING = """
from cilsim import Strategy, hookimpl

cilsim_api = 1


class Failing(Strategy):
    def learn(self, experience):
        raise RuntimeError("no idea")


@hookimpl
def cilsim_register_strategies(register):
    register("failing", Failing, summary="raises")
"""


def test_a_failed_run_does_not_stop_the_others(tiny: Path, cli: Command) -> None:
    Path("failing_strategy.py").write_text(FAILING)

    outcome = cli(
        "run", tiny, "--plugin", "failing_strategy.py", "--no-tensorboard", "--json", "-q",
        "--set", "strategies=[failing, nmc]", "--seeds", "3",
    )  # fmt: skip

    assert outcome.code == 1
    assert outcome.err.splitlines()[-1] == (
        "error: 1 of 2 runs failed: failing/seed-3; try again with: "
        "cilsim resume runs/tiny --plugin failing_strategy.py"
    )
    document = outcome.document()
    assert [(run["strategy"], run["seed"]) for run in document["runs"]] == [("nmc", 3)]
    [failure] = document["failures"]
    assert (failure["strategy"], failure["seed"]) == ("failing", 3)
    assert failure["message"].endswith("RuntimeError: no idea")


IMPATIENT = """
import signal

from cilsim import hookimpl

cilsim_api = 1


@hookimpl(tryfirst=True)
def cilsim_before_experience(experience):
    if experience.index == 1:
        for _ in range({presses}):
            signal.raise_signal(signal.SIGINT)
"""


def _interrupted(presses: int, run: Command) -> Any:
    plugin = Path(f"impatient_{presses}.py")
    plugin.write_text(IMPATIENT.replace("{presses}", str(presses)))
    options = ("--no-tensorboard", "-q", "--out", "my runs", "--plugin", plugin)
    return run("run", "tiny.yaml", *options)


def test_ctrl_c_saves_and_prints_the_line_that_goes_on(tiny: Path, cli: Command) -> None:
    stopped = _interrupted(1, cli)

    assert (stopped.code, stopped.out) == (130, "")
    assert stopped.err == (
        "stopped between experiences; the state is saved\n"
        "resume with: cilsim resume 'my runs/tiny' --plugin impatient_1.py\n"
    )
    again = cli("resume", "my runs/tiny", "--no-tensorboard", "-q")
    assert (again.code, again.out, again.err) == (0, "my runs/tiny\n", "")


def test_a_second_ctrl_c_stops_at_once(tiny: Path, fresh: Command) -> None:
    stopped = _interrupted(2, fresh)

    assert (stopped.code, stopped.out) == (130, "")
    assert stopped.err == (
        "stopped at once\nresume with: cilsim resume 'my runs/tiny' --plugin impatient_2.py\n"
    )


def test_several_files_are_run_in_turn(tiny: Path, cli: Command) -> None:
    Path("other.yaml").write_text(tiny.read_text().replace("name: tiny", "name: other"))
    options = ("--no-tensorboard", "--strategies", "far", "--seeds", "1")

    outcome = cli("run", tiny, "other.yaml", *options)

    assert (outcome.code, outcome.out) == (0, "runs/tiny\nruns/other\n")
    folders = sorted(path.as_posix() for path in Path("runs").glob("*/*/seed-*"))
    assert folders == ["runs/other/far/seed-1", "runs/tiny/far/seed-1"]


@pytest.fixture
def no_run(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Stands in for running a scenario; returns the names of those that would have been run."""
    names: list[str] = []

    def run(execution: object, scenario: Any) -> int:
        names.append(scenario.name)
        return 0

    monkeypatch.setattr("cilsim.cli.execution.Execution.run", run)
    return names


def test_all_files_are_checked_before_the_first_is_run(
    cli: Command, tiny: Path, no_run: list[str]
) -> None:
    outcome = cli("run", tiny, "none.yml")

    assert (outcome.code, no_run) == (2, [])
    assert outcome.err == "error: none.yml: no such file\n"


def test_two_scenarios_of_one_name_are_refused(cli: Command, tiny: Path, no_run: list[str]) -> None:
    Path("copy.yaml").write_text(tiny.read_text())

    outcome = cli("run", tiny, "copy.yaml")

    assert (outcome.code, no_run) == (2, [])
    assert outcome.err == (
        "error: copy.yaml: the name 'tiny' is that of tiny.yaml; give one of them another 'name'\n"
    )


def test_an_unknown_label_is_refused(cli: Command, tiny: Path, no_run: list[str]) -> None:
    outcome = cli("run", tiny, "--strategies", "nmc,fat")

    assert (outcome.code, no_run) == (2, [])
    assert outcome.err == (
        "error: --strategies: tiny.yaml has no strategy 'fat'; did you mean 'far'?\n"
    )


def test_the_warning_about_a_broken_plugin_comes_before_the_run(
    cli: Command, tiny: Path, no_run: list[str], broken_plugin: Path
) -> None:
    outcome = cli("run", tiny)

    assert (outcome.code, no_run) == (0, ["tiny"])
    assert outcome.err == (
        "warning: plugin 'fancy' of cilsim-fancy 1.2 is not used: "
        "importing 'cilsim_fancy' fails: RuntimeError: no licence\n"
    )


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[..., Any]], None]:
    """Puts a function in the place of the engine."""

    def replace(function: Callable[..., Any]) -> None:
        monkeypatch.setattr("cilsim.runner.scenario_run.run_scenario", function)

    return replace


def test_the_engine_is_asked_as_the_options_say(
    cli: Command, tiny: Path, runner: Callable[..., None]
) -> None:
    asked: list[Any] = []

    def run(scenario: Any, plugins: Any, request: Any) -> None:
        asked.extend([scenario, request])
        raise Interrupted("enough")

    runner(run)
    cli(
        "run", tiny, "--seeds", "4-5", "--strategies", "far", "--threads", "2",
        "--device", "cuda:1", "--out", "there", "--no-cache",
    )  # fmt: skip

    scenario, request = asked
    assert [strategy.label for strategy in scenario.strategies] == ["far"]
    assert (scenario.seeds, scenario.threads) == ((4, 5), 2)
    assert (request.device, request.out, request.cache) == ("cuda:1", Path("there"), False)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            ("--device", "cuda:99"),
            "--device cuda:99: this machine has {gpus} CUDA devices; try --device auto",
        ),
        (
            ("--device", "gpu"),
            "--device gpu: expected 'auto', 'cpu', 'cuda', 'cuda:<number>' or 'mps'",
        ),
        (
            ("--out", "tiny.yaml/runs"),
            "tiny.yaml/runs/tiny: cannot be written: Not a directory; "
            "choose another place with --out",
        ),
    ],
)
def test_what_the_engine_refuses_is_one_line(
    cli: Command, tiny: Path, options: tuple[str, ...], message: str
) -> None:
    import torch

    outcome = cli("run", tiny, *options)

    expected = message.replace("{gpus}", str(torch.cuda.device_count()))
    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {expected}\n")


def test_how_often_a_training_is_stored_is_an_option(
    cli: Command, tiny: Path, runner: Callable[..., None]
) -> None:
    asked: list[Any] = []

    def run(scenario: Any, plugins: Any, request: Any) -> None:
        asked.append(scenario.checkpoints.every)
        raise Interrupted("enough")

    runner(run)
    cli("run", tiny)
    cli("run", tiny, "--checkpoint-every", "5epochs")
    assert asked == ["1m", "5epochs"]


def test_an_interval_that_is_none_is_refused(cli: Command, tiny: Path, no_run: list[str]) -> None:
    outcome = cli("run", tiny, "--checkpoint-every", "often")

    assert (outcome.code, outcome.out, no_run) == (2, "", [])
    assert outcome.err == (
        "error: --checkpoint-every: found 'often', expected a time such as '90s', '10m' or '1h', "
        "or epochs such as '5epochs'\n"
    )


def test_another_scenario_of_the_same_name_is_refused_with_the_difference(
    cli: Command, finished: Finished, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(finished[0])

    outcome = cli("run", "tiny.yaml", "--seeds", "5", "--device", "cpu")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        "error: runs/tiny: holds runs of another version of this scenario, which differs in\n"
        "error:   seeds: [0, 1] -> [5]\n"
        "error: give the scenario another name, choose another place with --out, or remove "
        "runs/tiny\n"
    )


@pytest.mark.parametrize(("ready", "spins"), [(1, "10000"), (1000, "0")])
def test_waiting_threads_sleep_unless_the_user_says_otherwise(
    cli: Command, tiny: Path, runner: Callable[..., None], monkeypatch: pytest.MonkeyPatch,
    ready: int, spins: str,
) -> None:  # fmt: skip
    def run(*arguments: Any) -> None:
        raise Interrupted("enough")

    runner(run)
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    monkeypatch.delenv("GOMP_SPINCOUNT", raising=False)
    load = tiny.with_name("loadavg")
    load.write_text(f"0.00 0.00 0.00 {ready}/999 4321\n")
    monkeypatch.setattr(busyness, "LOAD", load)
    cli("run", tiny)
    assert (os.environ["OMP_WAIT_POLICY"], os.environ["GOMP_SPINCOUNT"]) == ("PASSIVE", spins)
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    cli("run", tiny)
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"

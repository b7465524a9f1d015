"""Ctrl-C and SIGTERM on real processes: what is said, the exit code, how soon, and what is left."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest

Command = Callable[..., Any]

PLUGIN = """
import hashlib
import time
from pathlib import Path

import torch

from cilsim import Strategy, hookimpl
from cilsim.solvers.design_rows import DenseRows

cilsim_api = 1


class Busy(Strategy):
    def learn(self, experience):
        super().learn(experience)
        if experience.index == 1 and not Path("later").exists():
            Path("busy").touch()
            {body}


@hookimpl
def cilsim_register_strategies(register):
    register("busy", Busy, summary="computes for ever")
"""
LATE_REPORT = """
import cilsim.cli.execution


def write_for_ever(folder, results):
    Path("busy").touch()
    while not Path("later").exists():
        time.sleep(0.01)


if not Path("later").exists():
    cilsim.cli.execution.write_reports = write_for_ever
"""
FEATURES = "x = torch.randn(20_000, 64)"
BODIES = {
    "k-means": f"{FEATURES}; self.context.kmeans(x, 500, n_init=1000, max_iterations=10_000)",
    "linear SVM": (
        f"{FEATURES}; y = torch.randint(0, 100, (20_000,))\n"
        "            while True: self.context.fit_linear_svm(DenseRows(x), y, 100)"
    ),
    "extraction": "while True: self.context._model.changed(); "
    "self.context.features(experience.labelled)",
    "a plugin that sleeps": "time.sleep(600)",
}
COMPILED = "hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)"
MOST_SECONDS = 20.0
"""Nine at most on a quiet machine; tests share theirs."""
OVERDUE = "stopped in the middle of a computation; what was saved before it is kept\n"
_numbers = count()


class Process:
    """`cilsim run` on the tiny scenario with a strategy that begins to compute and does not end."""

    def __init__(self, folder: Path, body: str, *, epochs: int = 2, more: str = "") -> None:
        # this process imports the file too, and a module of one name only once
        self.plugin = f"busy_{next(_numbers)}.py"
        (folder / self.plugin).write_text(PLUGIN.replace("{body}", body) + more)
        recipe = json.dumps({"epochs": epochs, "batch_size": 8})
        self.process = subprocess.Popen(
            [
                *(sys.executable, "-m", "cilsim", "run", "tiny.yaml", "--no-tensorboard", "-q"),
                *("--device", "cpu", "--plugin", self.plugin, "--seeds", "0"),
                *("--set", "strategies=[busy]", "--set", f"training={recipe}"),
                *("--set", f"base_training={json.dumps({'epochs': 2})}"),
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def wait_until(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 120
        while not ready():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.02)

    @property
    def resume(self) -> str:
        return f"resume with: cilsim resume runs/tiny --plugin {self.plugin}\n"

    def goes_on(self, cli: Command) -> None:
        """Resume in this process, without what takes for ever."""
        Path("later").touch()
        outcome = cli("resume", "runs/tiny", "--no-tensorboard", "-q", "--plugin", self.plugin)
        assert (outcome.code, outcome.out, outcome.err) == (0, "runs/tiny\n", "")
        assert experiences_done() == 3
        assert Path("runs/tiny/report.html").is_file()

    def stop(self, *signals: int) -> tuple[int, str, float]:
        """Send signals, and return the exit code, stderr and the seconds until the end."""
        began = time.monotonic()
        for number in signals:
            self.process.send_signal(number)
            time.sleep(0.3)
        out, err = self.process.communicate(timeout=120)
        assert out == ""
        return self.process.returncode, err, time.monotonic() - began


@pytest.fixture
def busy(tiny: Path) -> Iterator[Callable[..., Process]]:
    """Starts processes and waits until they compute; those still running at the end are killed."""
    started: list[Process] = []

    def start(body: str, *, ready: Callable[[], bool] = Path("busy").exists, **how: Any) -> Process:
        started.append(Process(Path.cwd(), body, **how))
        started[-1].wait_until(ready)
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.process.communicate()


def experiences_done() -> int:
    status = json.loads(Path("runs/tiny/status.json").read_text())
    return int(status["progress"]["busy/seed-0"]["experience"])


@pytest.mark.slow
@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_does_not_look_is_stopped_within_seconds(
    busy: Callable[..., Process], cli: Command, body: str
) -> None:
    process = busy(body)
    code, err, seconds = process.stop(signal.SIGINT)
    assert (code, err) == (130, OVERDUE + process.resume)
    assert 2.5 < seconds < MOST_SECONDS
    assert json.loads(Path("runs/tiny/status.json").read_text())["state"] == "interrupted"
    assert experiences_done() == 1
    process.goes_on(cli)


@pytest.mark.slow
def test_compiled_code_that_does_not_return_is_ended_with_the_process(
    busy: Callable[..., Process], cli: Command
) -> None:
    process = busy(COMPILED)
    code, err, seconds = process.stop(signal.SIGTERM)
    assert (code, err) == (130, OVERDUE + process.resume)
    assert 7.5 < seconds < MOST_SECONDS
    assert experiences_done() == 1
    process.goes_on(cli)


@pytest.mark.parametrize("body", [COMPILED, "while True: pass"], ids=["compiled", "Python"])
def test_a_second_signal_stops_at_once(
    busy: Callable[..., Process], cli: Command, body: str
) -> None:
    process = busy(body)
    code, err, seconds = process.stop(signal.SIGINT, signal.SIGTERM)
    assert (code, err) == (130, "stopped at once\n" + process.resume)
    assert seconds < MOST_SECONDS
    assert experiences_done() == 1
    process.goes_on(cli)


@pytest.mark.slow
def test_report_writing_is_stopped_and_done_by_the_command_that_goes_on(
    busy: Callable[..., Process], cli: Command
) -> None:
    process = busy("Path('busy').unlink()", more=LATE_REPORT)
    code, err, seconds = process.stop(signal.SIGINT)
    assert (code, err) == (130, OVERDUE + process.resume)
    assert seconds < MOST_SECONDS
    assert experiences_done() == 3
    assert not Path("runs/tiny/report.html").exists()
    process.goes_on(cli)


def deep_in_the_second_training() -> bool:
    """Whether more epochs are behind than the two of the base."""
    log = Path("runs/tiny/busy/seed-0/training_scalars.jsonl")
    return log.is_file() and len(log.read_text().splitlines()) > 20


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminate"])
def test_a_long_training_is_stored_and_goes_on_where_it_was(
    busy: Callable[..., Process], number: int
) -> None:
    process = busy("pass", epochs=100_000, ready=deep_in_the_second_training)
    code, err, seconds = process.stop(number)
    said = re.fullmatch(
        r"experience 1: training was stopped in epoch (\d+) of 100000\n"
        + re.escape(process.resume),
        err,
    )
    assert (code, said is not None) == (130, True)
    assert seconds < MOST_SECONDS
    [state] = Path("runs/tiny/busy/seed-0/checkpoints/training-01").glob("*/state.json")
    facts = json.loads(state.read_text())["facts"]
    assert (facts["experience"], facts["training"]) == (1, 0)
    assert said is not None
    assert (facts["behind"] - facts["step"]) // 5 == int(said[1]) - 1  # 40 samples, 8 at a time


def test_before_anything_is_stored_the_same_command_is_named(tiny: Path, cli: Command) -> None:
    Path("early.py").write_text(
        "import signal\nfrom cilsim import hookimpl\nimport cilsim.runner.scenario_run as run\n"
        "cilsim_api = 1\n"
        "def stopped(*arguments):\n"
        "    signal.raise_signal(signal.SIGINT)\n    signal.raise_signal(signal.SIGINT)\n"
        "run.choose_device = stopped\n"
    )
    import cilsim.runner.scenario_run as run

    before = run.choose_device
    try:
        outcome = cli("run", tiny, "--plugin", "early.py", "-q")
    finally:
        run.choose_device = before
    assert (outcome.code, outcome.out) == (130, "")
    assert outcome.err == ("stopped at once\nnothing is stored yet; give the same command again\n")


def test_a_second_process_is_refused_and_a_crash_gives_the_folder_free(
    busy: Callable[..., Process], cli: Command
) -> None:
    process = busy("time.sleep(600)")
    for command in (
        ("run", "tiny.yaml", "--set", "strategies=[busy]", "--seeds", "0"),
        ("resume", "runs/tiny"),
    ):
        outcome = cli(*command, "--plugin", process.plugin, "-q")
        assert (outcome.code, outcome.out, outcome.err) == (
            2,
            "",
            f"error: runs/tiny is in use by another process (pid {process.process.pid} "
            f"on {socket.gethostname()})\n",
        )
    os.kill(process.process.pid, signal.SIGKILL)
    process.process.wait()
    process.goes_on(cli)

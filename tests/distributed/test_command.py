"""`cilsim run` in several processes: results, files, interruptions, and who says what."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest

SCENARIO = """\
schema: 1
name: shared
stream: {kind: class_incremental, dataset: digits, base_classes: 4, increment: 3}
backbone: {name: small, widths: [8, 16, 16]}
strategies: [nmc, teen, finetune, pass]
seeds: [0]
threads: 1
base_training: {epochs: 2, batch_size: 64, lr: 0.05}
training: {epochs: 1, batch_size: 64, lr: 0.001}
evaluate: {representation: true}
"""
COMMON = ("--device", "cpu", "--no-cache", "--no-tensorboard", "-q")
MOST_SECONDS = 15.0
pytestmark = pytest.mark.slow


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("shared.yaml").write_text(SCENARIO, encoding="utf-8")
    return tmp_path


def started(*arguments: str, launcher: tuple[str, ...] = ()) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, *launcher, "-m", "cilsim", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def done(*arguments: str, launcher: tuple[str, ...] = ()) -> tuple[int, str, str]:
    process = started(*arguments, launcher=launcher)
    out, err = process.communicate(timeout=280)
    return process.returncode, out, err


def predictions(folder: Path) -> dict[str, list[int]]:
    paths = folder.rglob("experience-*.npz")
    return {str(path.relative_to(folder)): np.load(path)["predicted"].tolist() for path in paths}


def metrics(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (folder / "metrics.jsonl").read_text().splitlines()]


@pytest.fixture
def slow_base(here: Path) -> Callable[..., subprocess.Popen[str]]:
    """Starts a long base training in two processes, and returns in the middle of it."""

    def start(out: str) -> subprocess.Popen[str]:
        process = started(
            *("run", "shared.yaml", "--out", out, "--processes", "2", *COMMON),
            *("--strategies", "nmc", "--set", "base_training.epochs=25"),
            *("--checkpoint-every", "1s"),
        )
        inside = Path(out, "shared/nmc/seed-0/checkpoints/training-00")
        deadline = time.monotonic() + 200
        while not list(inside.glob("0*/state.json")):
            assert process.poll() is None, process.communicate()
            assert time.monotonic() < deadline
            time.sleep(0.05)
        return process

    return start


def test_two_processes_give_the_results_of_one_and_leave_nothing_else(
    here: Path, monkeypatch: pytest.MonkeyPatch
):
    Path("temporary").mkdir()
    monkeypatch.setenv("TMPDIR", str(here / "temporary"))
    alone = done("run", "shared.yaml", "--out", "one", *COMMON)
    both = done("run", "shared.yaml", "--out", "two", "--processes", "2", *COMMON)
    assert alone == (0, "one/shared\n", "")
    assert both == (0, "two/shared\n", "")
    for strategy in ("nmc", "teen", "finetune", "pass"):
        one, two = (Path(out, "shared", strategy, "seed-0") for out in ("one", "two"))
        assert predictions(two) == predictions(one), strategy
        assert len(predictions(two)) == 3
        for left, right in zip(metrics(one), metrics(two), strict=True):
            assert right == {**left, "value": pytest.approx(left["value"], rel=1e-4, abs=1e-5)}
    whole = ("one/shared/pass/seed-0/metrics.jsonl", "two/shared/pass/seed-0/metrics.jsonl")
    assert Path(whole[0]).read_bytes() == Path(whole[1]).read_bytes()
    assert [name for name in os.listdir("temporary") if name.startswith("cilsim")] == []


def test_what_ctrl_c_stopped_goes_on_as_if_nothing_had_happened(slow_base: Any):
    process = slow_base("stopped")
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, out) == (130, "")
    stopped, resume = err.splitlines()
    assert stopped.startswith("experience 0: training was stopped in epoch ")
    assert resume == "resume with: cilsim resume stopped/shared --processes 2"
    assert done("resume", "stopped/shared", "--processes", "2", *COMMON) == (
        *(0, "stopped/shared\n", ""),
    )
    whole = (
        *("run", "shared.yaml", "--out", "whole", "--processes", "2", *COMMON),
        *("--strategies", "nmc", "--set", "base_training.epochs=25"),
    )
    assert done(*whole) == (0, "whole/shared\n", "")
    names = ["metrics.jsonl", "accuracy_matrix.csv", "predictions/experience-02.npz"]
    for name in (*names, "checkpoints/experience-02/tensors.safetensors"):
        one, other = (Path(out, "shared/nmc/seed-0", name) for out in ("stopped", "whole"))
        assert one.read_bytes() == other.read_bytes(), name


def test_a_process_that_is_killed_ends_the_command_in_one_line(slow_base: Any):
    process = slow_base("killed")
    (other,) = psutil.Process(process.pid).children()
    began = time.monotonic()
    other.kill()
    out, err = process.communicate(timeout=60)
    assert time.monotonic() - began < MOST_SECONDS
    assert (process.returncode, out, err) == (
        1,
        "",
        "error: process 1 of 2 was ended by SIGKILL; once that is mended, go on with: "
        "cilsim resume killed/shared --processes 2\n",
    )
    assert done("resume", "killed/shared", *COMMON) == (0, "killed/shared\n", "")


def test_processes_do_not_survive_the_first_one(slow_base: Any):
    process = slow_base("lost")
    (other,) = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    psutil.wait_procs([other], timeout=MOST_SECONDS)
    assert not other.is_running()


PLUGIN = """
import os

from cilsim import Strategy, hookimpl

cilsim_api = 1


class Alone(Strategy):
    def learn(self, experience):
        super().learn(experience)
        if os.environ.get("RANK") == "1" or {everywhere}:
            raise ValueError("no luck")


@hookimpl
def cilsim_register_strategies(register):
    register("alone", Alone, summary="fails")
"""


def run_failing(everywhere: bool) -> tuple[int, str, str]:
    name = f"failing_{everywhere}.py".lower()
    Path(name).write_text(PLUGIN.replace("{everywhere}", str(everywhere)), encoding="utf-8")
    arguments = ("run", "shared.yaml", "--plugin", name, "--processes", "2", *COMMON)
    return done(*arguments, "--set", "strategies=[alone, nmc]")


def test_a_failure_of_one_process_is_told_by_that_one(here: Path):
    code, out, err = run_failing(everywhere=False)
    assert (code, out) == (1, "")
    own, first = err.splitlines()
    assert own.startswith("error: process 1 of 2: plugin 'failing_false' of ")
    assert own.endswith("learn() of strategy 'alone', experience 0: ValueError: no luck")
    assert first == (
        "error: process 1 of 2 has ended with exit code 1; once that is mended, go on with: "
        "cilsim resume runs/shared --plugin failing_false.py --processes 2"
    )


def test_a_failure_of_all_processes_is_that_of_the_run_and_others_go_on(here: Path):
    code, out, err = run_failing(everywhere=True)
    assert (code, out) == (1, "runs/shared\n")
    failed, summary = err.splitlines()
    assert failed.startswith("error: alone/seed-0 failed: plugin 'failing_true' of ")
    assert summary.startswith("error: 1 of 2 runs failed: alone/seed-0; try again with: ")
    assert len(predictions(here / "runs/shared/nmc")) == 3


def test_torchrun_starts_what_processes_starts(here: Path):
    torchrun = ("-m", "torch.distributed.run", "--nproc-per-node", "2")
    code, out, _ = done("run", "shared.yaml", "--strategies", "nmc", *COMMON, launcher=torchrun)
    assert (code, out) == (0, "runs/shared\n")
    assert len(predictions(here / "runs/shared/nmc")) == 3
    code, out, err = done("run", "shaerd.yaml", launcher=torchrun)
    assert (code, out) == (1, "")
    lines = [line for line in err.splitlines() if line.startswith("error: ")]
    assert lines == ["error: shaerd.yaml: no such file; did you mean 'shared.yaml'?"]


def test_a_folder_in_use_is_told_once_and_the_next_scenario_is_run(here: Path):
    Path("other.yaml").write_text(SCENARIO.replace("name: shared", "name: other"))
    Path("runs/shared").mkdir(parents=True)
    Path("runs/shared/notes.txt").touch()
    code, out, err = done(
        *("run", "shared.yaml", "other.yaml", "--strategies", "nmc", "--processes", "2", *COMMON)
    )
    assert (code, out) == (2, "runs/other\n")
    assert err == (
        "error: runs/shared: is not empty and no run folder, it has no resolved.yaml; choose "
        "another name, or another place with --out\n"
    )

"""SIGKILL at random moments, resumed until finished: nothing differs from undisturbed runs."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from cilsim.plugins import discover

SCRIPT = Path(__file__).with_name("kill_runs.py")
KILLS_OF_EACH = 3
PHASES = ("starting", "training", "evaluating", "storing", "reporting")


def killed(folder: Path, *options: str) -> list[dict[str, Any]]:
    command = [sys.executable, str(SCRIPT), str(folder), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def tell(trials: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    count = sum(trial["killed"] for trial in trials)
    survived = sum(trial["killed"] for trial in trials if not trial["differences"])
    phases = sum((Counter(trial["phases"]) for trial in trials), Counter[str]())
    with capsys.disabled():
        print(f"\n{survived} of {count} kills survived, while {dict(phases)}")  # noqa: T201


@pytest.mark.slow
@pytest.mark.timeout(1500)
def test_every_strategy_survives_sigkill_at_random_moments(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    trials = killed(tmp_path / "kills", "--kills", str(KILLS_OF_EACH))
    tell(trials, capsys)
    strategies = {entry.name for entry in discover().registries.strategies}
    assert {trial["strategy"] for trial in trials} == strategies
    assert [trial for trial in trials if trial["differences"]] == []
    assert sum(trial["killed"] for trial in trials) >= 100
    assert {phase for trial in trials for phase in trial["phases"]} == set(PHASES)


@pytest.mark.gpu
@pytest.mark.timeout(1500)
@pytest.mark.parametrize("strategy", ["finetune", "napa_vq", "simgcd", "fetril"])
def test_the_same_on_a_gpu(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], strategy: str
) -> None:
    trials = killed(tmp_path / "kills", "--only", strategy, "--device", "cuda", "--kills", "4")
    tell(trials, capsys)
    assert [trial for trial in trials if trial["differences"]] == []
    assert [trial["killed"] for trial in trials] == [4, 4]

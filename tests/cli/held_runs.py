"""Sweeps whose runs are held up after their first experience, so that something can befall them."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

FILE = Path("holding.py")
_PLUGIN = """
import os, time
from pathlib import Path
import cilsim

cilsim_api = 1
HERE = Path(__file__).parent

@cilsim.hookimpl
def cilsim_after_evaluation(run, evaluation):
    if evaluation.experience == 0 and not (HERE / "go").exists():
        (HERE / "held").mkdir(exist_ok=True)
        (HERE / "held" / f"{run.seed}.{os.getpid()}").touch()
        while not (HERE / "go").exists():
            time.sleep(0.02)

@cilsim.hookimpl
def cilsim_after_run(result):
    with (HERE / "finished").open("a") as file:
        file.write(f"{result.run.seed}\\n")
"""


def start(*arguments: str, holding: bool = False) -> subprocess.Popen[str]:
    """Start `sweep.yaml` of the current folder in a process of its own.

    Args:
        arguments: of `cilsim sweep`.
        holding: whether runs are held up until `let_go`, and counted when they finish.
    """
    plugin = ["--plugin", str(FILE)] if holding else []
    if holding:
        FILE.write_text(_PLUGIN)
    return subprocess.Popen(
        [sys.executable, "-m", "cilsim", "sweep", "sweep.yaml", "--device", "cpu",
         "--no-tensorboard", *arguments, *plugin],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def held() -> dict[int, int]:
    """Return the process ids of the runs that are held up, by seed."""
    names = (path.name.split(".") for path in Path("held").glob("*"))
    return {int(seed): int(pid) for seed, pid in names}


def let_go() -> None:
    """Let all runs go on, and hold up no more."""
    Path("go").touch()


def finished() -> list[int]:
    """Return the seeds of runs that have finished, once for each time that one has."""
    return sorted(map(int, Path("finished").read_text().split()))


def wait_until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    """Return when the condition holds."""
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of run folders that equal runs have equal."""
    names = ("metrics.jsonl", "accuracy_matrix.csv", "summary.json", "resolved.yaml", "stream.json",
             "scenario.yaml", "manifest.json", "*.npz")  # fmt: skip
    paths = [path for name in names for path in folder.rglob(name) if ".sweep" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}

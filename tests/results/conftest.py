from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from cilsim.records import (
    Evaluation,
    ExperienceInfo,
    Predictions,
    RunInfo,
    RunResult,
    StreamInfo,
)


def _experience(index: int, labels: tuple[int, ...], *, unlabelled: int) -> ExperienceInfo:
    return ExperienceInfo(
        index=index,
        name=f"experience {index}",
        new_labels=labels,
        seen=labels[-1] + 1,
        labelled=10,
        unlabelled=unlabelled,
        test=2 * len(labels),
    )


def _stream(unlabelled: int) -> StreamInfo:
    return StreamInfo(
        kind="class_incremental",
        dataset="ring",
        protocol="B2-Inc1",
        experiences=(
            _experience(0, (0, 1), unlabelled=0),
            _experience(1, (2,), unlabelled=unlabelled),
        ),
        class_ids=(7, 5, 9),
        class_names=("seven", "five", "nine"),
        groups=("base", "novel"),
        digest="d1",
    )


@pytest.fixture
def stream() -> StreamInfo:
    """Three classes in two experiences; labels 0, 1, 2 are class ids 7, 5, 9."""
    return _stream(unlabelled=0)


@pytest.fixture
def discovery_stream() -> StreamInfo:
    return _stream(unlabelled=10)


@pytest.fixture
def evaluations() -> list[Evaluation]:
    """What was found after each of the two experiences of `stream`."""
    nan = float("nan")
    first = Evaluation(
        experience=0,
        values={"A_all": 0.75},
        accuracy_matrix=np.array([[0.75, nan], [nan, nan]]),
        confusion=np.eye(3, dtype=np.int64),
        predictions=_predictions(0, [0, 1, 2, 3], [0, 0, 1, 1], [0, 0, 1, 0]),
        seconds={"train": 2.0, "evaluate": 0.5},
        kept={"prototypes": 16},
    )
    second = Evaluation(
        experience=1,
        values={"forgetting": 0.25, "A_all": 0.1},
        accuracy_matrix=np.array([[0.75, nan], [0.5, 1 / 3]]),
        confusion=np.eye(3, dtype=np.int64),
        predictions=_predictions(1, [0, 1, 2, 3, 4], [0, 0, 1, 1, 2], [0, 2, 1, 0, -1]),
        seconds={"train": 1.0, "evaluate": 0.25},
        kept={"prototypes": 24, "exemplars": 100},
    )
    return [first, second]


def _predictions(
    experience: int, index: list[int], label: list[int], predicted: list[int]
) -> Predictions:
    arrays = (np.array(values, dtype=np.int64) for values in (index, label, predicted))
    return Predictions(experience, *arrays)


@pytest.fixture
def result(stream, evaluations) -> Callable[..., RunResult]:
    """Make a finished run of a strategy and a seed with the given final metrics."""

    def make(strategy: str, seed: int, **final: float) -> RunResult:
        run = RunInfo("ring", strategy, seed, stream, "cpu", Path("unused"))
        last = Evaluation(**{**vars(evaluations[1]), "values": final})
        return RunResult(run, (evaluations[0], last), seconds=1.0)

    return make


@pytest.fixture
def start_python() -> Callable[..., subprocess.Popen[str]]:
    """Start a script in another process, killed at the end of the test if it still runs."""
    started: list[subprocess.Popen[str]] = []

    def start(script: str, *arguments: object) -> subprocess.Popen[str]:
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
        process = subprocess.Popen(
            [sys.executable, "-c", script, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env=environment,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()


# Calls `write` in forked children that die by SIGKILL before or after their n-th system call, for
# every n until one survives, and prints what `read` finds each time.
KILL_EVERYWHERE = """
import os, shutil, signal

def kill_at(n):
    count = 0
    def counted(function):
        def call(*arguments, **options):
            nonlocal count
            for moment in ("before", "after"):
                count += 1
                if count == n:
                    os.kill(os.getpid(), signal.SIGKILL)
                result = function(*arguments, **options) if moment == "before" else result
            return result
        return call
    for module, name in ((os, "fsync"), (os, "replace"), (os, "rename"), (shutil, "rmtree")):
        setattr(module, name, counted(getattr(module, name)))

def kill_everywhere(prepare, write, read):
    n, survived = 0, False
    while not survived:
        n += 1
        prepare()
        child = os.fork()
        if child == 0:
            kill_at(n)
            write()
            os._exit(0)
        survived = os.waitpid(child, 0)[1] == 0
        print(n, survived, read(), flush=True)
"""


@pytest.fixture
def found_after_kills(start_python) -> Callable[..., list[str]]:
    """Run a script that uses `kill_everywhere` and return what `read` found after each kill."""

    def run(script: str, *arguments: object) -> list[str]:
        output, _ = start_python(KILL_EVERYWHERE + script, *arguments).communicate(timeout=120)
        lines = [line.split(" ", 2) for line in output.splitlines()]
        assert [line[1] for line in lines] == ["False"] * (len(lines) - 1) + ["True"]
        return [line[2] for line in lines]

    return run

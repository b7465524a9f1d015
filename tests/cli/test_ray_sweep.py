"""`cilsim sweep --ray` on a cluster of two nodes, of which one is lost in the middle."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

ray = pytest.importorskip("ray")

SWEEP = "{name: small, scenarios: [tiny.yaml], strategies: [nmc], seeds: [0, 1, 2, 3]}"
MEMORY = 80 * 1024**2

PLUGIN = """
import os, time
from pathlib import Path
import cilsim

cilsim_api = 1
HERE = Path(__file__).parent

@cilsim.hookimpl
def cilsim_after_evaluation(run, evaluation):
    if evaluation.experience == 0 and not (HERE / "go").exists():
        (HERE / "blocked").mkdir(exist_ok=True)
        (HERE / "blocked" / str(os.getpid())).touch()
        while not (HERE / "go").exists():
            time.sleep(0.02)

@cilsim.hookimpl
def cilsim_after_run(result):
    with (HERE / "finished").open("a") as file:
        file.write(f"{result.run.seed}\\n")
"""
"""Holds runs up after their first experience, and counts runs that finish."""


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of two nodes with one core each, on this machine."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=head)
    found.add_node(num_cpus=1, object_store_memory=MEMORY)
    yield found
    found.shutdown()


def start(*arguments: str) -> subprocess.Popen[str]:
    """Start the sweep in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "cilsim", "sweep", "sweep.yaml", "--device", "cpu",
         "--no-tensorboard", "--threads", "1", "--plugin", "holding.py", *arguments],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_until(holds: Callable[[], bool], seconds: float = 120.0) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def blocked() -> list[psutil.Process]:
    """Return the processes of runs that are held up."""
    return [psutil.Process(int(path.name)) for path in Path("blocked").glob("*")]


def contents(folder: Path) -> dict[str, bytes]:
    """Return the files of run folders that equal runs have equal."""
    names = ("metrics.jsonl", "accuracy_matrix.csv", "summary.json", "resolved.yaml", "stream.json",
             "scenario.yaml", "manifest.json", "*.npz")  # fmt: skip
    paths = [path for name in names for path in folder.rglob(name) if ".sweep" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}


def is_of(node: Any, run: psutil.Process) -> bool:
    """Return whether a run was started by a worker of a node."""
    raylets = {info.process.pid for info in node.all_processes.get("raylet", [])}
    return any(parent.pid in raylets for parent in run.parents())


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # Ray's own
def test_nothing_is_lost_or_done_twice_when_a_worker_and_a_node_are_lost(
    cluster: Any, tiny: Path
) -> None:
    Path("sweep.yaml").write_text(SWEEP)
    Path("holding.py").write_text(PLUGIN)
    process = start(f"--ray={cluster.address}")
    wait_until(lambda: len(blocked()) == 2)
    runs, (node,) = blocked(), cluster.worker_nodes
    assert sorted(is_of(node, run) for run in runs) == [False, True]  # one on each node

    on_head = next(run for run in runs if not is_of(node, run))
    os.kill(on_head.ppid(), signal.SIGKILL)  # Ray's worker process
    cluster.remove_node(node, allow_graceful=False)
    _, alive = psutil.wait_procs(runs, timeout=30)
    assert not alive  # a run whose worker is lost does not go on unseen
    Path("go").touch()
    _, err = process.communicate(timeout=240)

    assert process.returncode == 0, err
    assert sorted(Path("finished").read_text().split()) == ["0", "1", "2", "3"]
    alone = start("--out", "alone")
    _, err = alone.communicate(timeout=240)
    assert alone.returncode == 0, err
    assert contents(Path("runs/small")) == contents(Path("alone/small"))

"""`cilsim sweep --ray` on a cluster of two nodes, of which one is lost in the middle."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
from held_runs import contents, finished, held, let_go, start, wait_until

ray = pytest.importorskip("ray")

SWEEP = "{name: small, scenarios: [tiny.yaml], strategies: [nmc], seeds: [0, 1, 2, 3]}"
MEMORY = 80 * 1024**2


@pytest.fixture
def cluster() -> Iterator[Any]:
    """A cluster of two nodes with one core each, on this machine."""
    from ray.cluster_utils import Cluster

    head = {"num_cpus": 1, "object_store_memory": MEMORY, "include_dashboard": False}
    found = Cluster(initialize_head=True, head_node_args=head)
    found.add_node(num_cpus=1, object_store_memory=MEMORY)
    yield found
    found.shutdown()


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
    process = start(f"--ray={cluster.address}", "--threads", "1", holding=True)
    wait_until(lambda: len(held()) == 2)
    runs, (node,) = [psutil.Process(pid) for pid in held().values()], cluster.worker_nodes
    assert sorted(is_of(node, run) for run in runs) == [False, True]  # one on each node

    on_head = next(run for run in runs if not is_of(node, run))
    os.kill(on_head.ppid(), signal.SIGKILL)  # Ray's worker process
    cluster.remove_node(node, allow_graceful=False)
    _, alive = psutil.wait_procs(runs, timeout=30)
    assert not alive  # a run whose worker is lost does not go on unseen
    let_go()
    _, err = process.communicate(timeout=240)

    assert process.returncode == 0, err
    assert finished() == [0, 1, 2, 3]
    alone = start("--out", "alone", "--threads", "1", holding=True)
    _, err = alone.communicate(timeout=240)
    assert alone.returncode == 0, err
    assert contents(Path("runs/small")) == contents(Path("alone/small"))

"""Real processes that talk through gloo: the operations, and what is built on them."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import torch

from cilsim.distributed.joining import device_of
from cilsim.distributed.placement import Placement
from cilsim.distributed.processes import ALONE
from cilsim.errors import CilsimError

TOLERANCES = {
    "plain": 1e-6,
    "sometimes_unused": 1e-6,
    "normed": 2e-5,
    "two_views": 2e-5,
    "whole": 0,
}
SECOND = Placement(rank=1, count=2, local_rank=1)


@pytest.mark.slow
def test_every_operation_gives_each_process_the_same(launch: Any):
    launch(3, "operations.py")


@pytest.mark.slow
def test_processes_train_and_extract_what_one_does(toy: ModuleType, launch: Any, tmp_path: Path):
    count = 3
    launch(count, "training.py", tmp_path)
    first, *others = [torch.load(tmp_path / f"{rank}.pt") for rank in range(count)]
    for kind, tolerance in TOLERANCES.items():
        alone = toy.trained(toy.KINDS[kind], ALONE)["weights"]
        shared = first["trained"][kind]["weights"]
        assert all(
            torch.equal(other["trained"][kind]["weights"][name], shared[name])
            for other in others
            for name in shared
        )
        furthest = max(float((shared[name] - alone[name]).abs().max()) for name in alone)
        assert furthest <= tolerance, kind
    alone = toy.extracted(ALONE)
    for found in (first, *others):
        for name, features_ND in alone["features"].items():
            assert torch.equal(found["extracted"]["features"][name], features_ND)
    images = sum(found["extracted"]["images"] for found in (first, *others))
    assert images == alone["images"] == 1 + 5 + 8 + 45


@pytest.mark.parametrize(
    ("wanted", "gpus", "device"),
    [("auto", 0, "cpu"), ("cpu", 2, "cpu"), ("auto", 2, "cuda:1"), ("cuda:0", 2, "cuda:1")],
)
def test_each_process_has_a_gpu_of_its_own(
    wanted: str, gpus: int, device: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: gpus > 0)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: gpus)
    assert device_of(SECOND, wanted) == device


def test_more_processes_than_gpus_are_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(CilsimError) as caught:
        device_of(SECOND, "cuda")
    assert str(caught.value) == (
        "--device cuda: process 1 of this machine has no GPU of its own, there are 1; start as "
        "many processes as there are GPUs, or try --device cpu"
    )


def test_processes_do_not_share_a_device_that_is_named(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(CilsimError) as caught:
        device_of(SECOND, "mps")
    assert str(caught.value) == (
        "--device mps: several processes are on 'cpu' or on 'cuda', a GPU for each"
    )

"""Extraction dealt out: the bits of one process, and no sample twice."""

from __future__ import annotations

import threading
from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from cilsim.data.host_rows import HostRows
from cilsim.distributed.processes import ALONE
from cilsim.errors import OutOfStep, RunFailed
from cilsim.features.cache import FeatureCache
from cilsim.features.dealing import blocks


@pytest.mark.parametrize(
    ("count", "expected"),
    [
        (64, [(0, 32), (32, 64)]),
        (70, [(0, 64), (64, 70)]),
        (20, [(0, 20), (20, 20)]),
        (0, [(0, 0), (0, 0)]),
    ],
    ids=["even", "a third chunk", "one chunk", "nothing"],
)
def test_processes_have_whole_chunks_in_order(count: int, expected: list[tuple[int, int]]):
    assert [(block.start, block.stop) for block in blocks(count, 32, 2)] == expected


@pytest.mark.parametrize("count", [2, 3])
def test_features_have_the_bits_of_one_process_and_each_image_passes_once(
    toy: ModuleType, together: Any, count: int
):
    alone = toy.extracted(ALONE)
    found = together(count, toy.extracted)
    for one in found:
        assert one["features"].keys() == alone["features"].keys()
        for name, features_ND in alone["features"].items():
            assert torch.equal(one["features"][name], features_ND)
    assert sum(one["images"] for one in found) == alone["images"] == 1 + 5 + 8 + 45


def test_samples_on_the_host_are_dealt_out_too(toy: ModuleType, together: Any):
    whole = toy.images(21)
    position = np.arange(21)[::-1].copy()
    rows = HostRows(whole.x.numpy(), position, torch.device("cpu"))
    backbone = toy.normed().modules["backbone"].eval()

    def act(processes: Any) -> tuple[Tensor, int]:
        cache = FeatureCache(1 << 20, processes=processes)
        return cache.features(backbone, "v", replace(whole, x=rows), chunk=4), cache.counter.images

    (expected, images) = act(ALONE)
    found = together(2, act)
    assert all(torch.equal(features_ND, expected) for features_ND, _ in found)
    assert [number for _, number in found] == [12, 9]
    assert images == 21


class Moody(nn.Module):
    """A backbone that fails in one thread."""

    feature_size = 3

    def __init__(self, error: Exception, chunk: int, thread: list[int]) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))
        self.error, self.chunk, self.thread = error, chunk, thread

    def forward(self, x: Tensor) -> Tensor:
        if len(x) >= self.chunk and threading.get_ident() in self.thread:
            raise self.error
        return x.flatten(1)[:, :3] * self.weight


def extracting(toy: ModuleType, error: Exception, fails_from: int, chunk: int) -> Any:
    """Return what each process does: extract, which fails in process 1 from a size of chunks on."""
    failing: list[int] = []

    def act(processes: Any) -> Tensor:
        if processes.rank == 1:
            failing.append(threading.get_ident())
        cache = FeatureCache(1 << 20, processes=processes)
        return cache.features(Moody(error, fails_from, failing), "v", toy.images(13), chunk=chunk)

    return act


def test_all_take_smaller_chunks_where_one_has_no_memory(toy: ModuleType, together: Any):
    first, second = together(2, extracting(toy, MemoryError("none left"), 4, chunk=8))
    assert torch.equal(first, second)
    assert first.shape == (13, 3)


def test_an_extraction_that_fails_in_one_process_fails_in_all(toy: ModuleType, apart: Any):
    first, second = apart(2, extracting(toy, ValueError("bad layer"), 1, chunk=4))
    assert (type(first), str(first)) == (
        RunFailed,
        "features: another process could not extract its share",
    )
    assert (type(second), str(second)) == (ValueError, "bad layer")
    assert not isinstance(first, OutOfStep)

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
import torch.nn.functional as F

from cilsim.testing.host_reads import HostReads

X = torch.tensor([1.0, 2.0, 0.0])
MASK = X > 0.5


def found(call: Callable[[], object]) -> list[str]:
    """Returns the names of what was noted."""
    with HostReads() as reads:
        call()
    return [line.split()[1] for line in reads.found]


@pytest.mark.parametrize(
    ("call", "name"),
    [
        (lambda: X[0].item(), "item"),
        (lambda: X.tolist(), "tolist"),
        (lambda: X.numpy(), "numpy"),
        (lambda: np.asarray(X), "__array__"),
        (lambda: X.cpu(), "cpu"),
        (lambda: X.to("cpu"), "to"),
        (lambda: X.to(device=torch.device("cpu")), "to"),
        (lambda: bool(X[0]), "__bool__"),
        (lambda: float(X[0]), "__float__"),
        (lambda: int(X[0]), "__int__"),
        (lambda: [0, 1][torch.tensor(1)], "__index__"),
        (lambda: X.nonzero(), "nonzero"),
        (lambda: torch.nonzero(X), "nonzero"),
        (lambda: torch.where(MASK), "nonzero"),
        (lambda: X[MASK], "__getitem__"),
        (lambda: X.masked_select(MASK), "masked_select"),
        (lambda: X.unique(), "unique"),
        (lambda: torch.bincount(torch.tensor([1, 2])), "bincount"),
        (lambda: torch.equal(X, X), "equal"),
        (lambda: torch.allclose(X, X), "allclose"),
        (lambda: X.repeat_interleave(torch.tensor([1, 2, 1])), "repeat_interleave"),
        (lambda: torch.tensor([1.0], device="cpu"), "tensor"),
    ],
)  # fmt: skip
def test_a_read_is_noted_once(call: Callable[[], object], name: str) -> None:
    assert found(call) == [name]


def test_a_number_of_samples_under_a_mask_is_noted() -> None:
    values = torch.tensor([5.0, 6.0])
    assert found(lambda: X.clone().__setitem__(MASK, values)) == ["__setitem__"]


@pytest.mark.parametrize(
    "call",
    [
        lambda: X + 1.0,
        lambda: X.to(torch.float64),
        lambda: X.to("cpu", non_blocking=True),
        lambda: torch.where(MASK, X, 0.0),
        lambda: X.masked_fill(MASK, 0.0),
        lambda: X.clone().__setitem__(MASK, 0.0),
        lambda: X[torch.tensor([0, 2])],
        lambda: X.repeat_interleave(2),
        lambda: F.one_hot(torch.tensor([1, 2]), 3),
        lambda: F.cross_entropy(X[None], torch.tensor([1])),
        lambda: torch.tensor([1.0]),
    ],
)  # fmt: skip
def test_what_a_device_does_on_its_own_is_not_noted(call: Callable[[], object]) -> None:
    assert found(call) == []


def test_the_line_that_reads_is_named() -> None:
    with HostReads() as reads:
        X.sum().item()
    (line,) = reads.found
    assert line.startswith("test_host_reads.py:")
    assert line.endswith(" item")


def test_reads_in_a_backward_pass_are_noted() -> None:
    weight = torch.ones(3, requires_grad=True)
    loss = (weight * X).sum()
    weight.register_hook(lambda gradient: gradient * gradient.norm().item())
    assert found(loss.backward) == ["_local_scalar_dense"]


def test_files_can_be_left_out() -> None:
    with HostReads(ignored=("test_host_reads.py",)) as reads:
        X.sum().item()
    assert reads.found == []


def test_after_the_block_nothing_is_noted() -> None:
    with HostReads() as reads:
        pass
    X.sum().item()
    assert reads.found == []

"""Linear CKA in minibatches, against the definition, released code and what must not matter."""

from __future__ import annotations

import math
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from cilsim.solvers.representation_similarity import (
    LEAST_ROWS,
    MOST_ROWS,
    dealt,
    linear_cka,
    rows_at,
)
from cilsim.testing.host_reads import HostReads

GOLDEN = Path(__file__).parents[1] / "golden" / "cka_minibatch.npz"


@pytest.fixture(scope="module")
def golden() -> dict[str, Any]:
    with np.load(GOLDEN, allow_pickle=False) as archive:
        return dict(archive)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def column(*values: float) -> Tensor:
    return torch.tensor(values).unsqueeze(1)


def hsic_by_definition(x: np.ndarray, y: np.ndarray) -> float:
    """HSIC_1 of Song et al. 2012: inner products without diagonals, nothing rearranged."""
    n, ones = len(x), np.ones(len(x))
    kernels = x @ x.T, y @ y.T
    for kernel in kernels:
        np.fill_diagonal(kernel, 0.0)
    k, l = kernels  # noqa: E741 # the paper's names
    trace = np.trace(k @ l)
    means = (ones @ k @ ones) * (ones @ l @ ones) / ((n - 1) * (n - 2))
    return float(trace + means - 2 / (n - 2) * (ones @ k @ l @ ones)) / (n * (n - 3))


@pytest.mark.parametrize("padding", [0, 200], ids=["fewer features", "fewer samples"])
@pytest.mark.parametrize("pair", ["AA", "AB", "AC", "BC"])
def test_released_code_gives_the_same_to_1e_12(
    golden: dict[str, Any], pair: str, padding: int
) -> None:
    """Columns of zeros change no inner product, but which way to them is the shorter one."""
    first, second = (torch.tensor(golden[f"x_{name}"]) for name in pair)
    padded = torch.nn.functional.pad(first, (0, padding))
    batches = zip(padded.split(32), second.split(32), strict=True)
    found = linear_cka(batches)
    assert found.dtype == torch.float64
    assert float(found) == pytest.approx(float(golden[f"cka_minibatch_{pair}"]), abs=1e-12)


def test_four_samples_are_what_paper_and_pencil_give() -> None:
    """HSIC is 1/6 of each with itself and -1/12 of both."""
    first, second = column(1, 1, 0, 0), column(1, 0, 1, 0)
    assert float(linear_cka([(first, second)])) == pytest.approx(-1 / 2, abs=1e-15)


def test_terms_are_added_up_over_minibatches_before_they_are_divided() -> None:
    """(-1/12 + 1/6) / (1/6 + 1/6)."""
    first, second = column(1, 1, 0, 0), column(1, 0, 1, 0)
    assert float(linear_cka([(first, second), (first, first)])) == pytest.approx(1 / 4, abs=1e-15)


@pytest.mark.parametrize("sizes", [(3, 5), (40, 60), (300, 400)], ids=str)
@pytest.mark.parametrize("rows", [LEAST_ROWS, 5, 50])
def test_the_shortened_formula_is_the_definition(rows: int, sizes: tuple[int, int]) -> None:
    first, second = drawn(rows, sizes[0]) + 2.0, drawn(rows, sizes[1], seed=1) - 3.0
    x, y = first.numpy(), second.numpy()
    own = hsic_by_definition(x, x), hsic_by_definition(y, y)
    expected = hsic_by_definition(x, y) / math.sqrt(own[0] * own[1])
    assert float(linear_cka([(first, second)])) == pytest.approx(expected, rel=1e-9)


def test_rotation_scale_and_shift_do_not_matter() -> None:
    first = drawn(100, 12)
    rotation = torch.linalg.qr(drawn(12, 12, seed=1)).Q
    second = 7.5 * first @ rotation + drawn(12, seed=2)
    batches = list(zip(first.split(50), second.split(50), strict=True))
    assert float(linear_cka(batches)) == pytest.approx(1.0, abs=1e-12)


def test_stretching_one_direction_matters() -> None:
    first = drawn(200, 12)
    stretched = first * torch.tensor([10.0] + [1.0] * 11)
    assert 0.1 < float(linear_cka([(first, stretched)])) < 0.5


def test_independent_representations_are_near_zero_however_wide() -> None:
    """The biased estimate of 200 samples in 1,000 dimensions would be 0.84."""
    pairs = [(drawn(200, 1000, seed=2 * i), drawn(200, 1000, seed=2 * i + 1)) for i in range(3)]
    assert abs(float(linear_cka(pairs))) < 0.02


@pytest.mark.parametrize("large", [1e-15, 1e18], ids=str)
def test_the_scale_of_float32_features_is_no_matter(large: float) -> None:
    first, second = drawn(50, 8), drawn(50, 8, seed=1)
    scaled = (first * large).float(), (second * large).float()
    expected = float(linear_cka([(first, second)]))
    assert float(linear_cka([scaled])) == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize(
    "still",
    [torch.zeros(30, 5), torch.full((30, 5), 0.1), torch.eye(30, 1)],
    ids=["zero", "constant", "zero but for one sample"],
)
def test_a_representation_that_does_not_vary_has_no_similarity(still: Tensor) -> None:
    assert math.isnan(linear_cka([(still, drawn(30, 5))]))
    assert math.isnan(linear_cka([(drawn(30, 5), still)]))
    assert math.isnan(linear_cka([(still, still)]))


def test_no_minibatch_is_an_error() -> None:
    with pytest.raises(ValueError, match=r"^no minibatch; expected at least 1$"):
        linear_cka([])


@pytest.mark.parametrize(
    ("count", "sizes"),
    [(4, [4]), (MOST_ROWS, [256]), (257, [129, 128]), (1000, [250, 250, 250, 250])],
)
def test_minibatches_have_equal_sizes_and_every_sample_once(count: int, sizes: list[int]) -> None:
    batches = dealt(count, torch.Generator().manual_seed(0))
    assert [len(batch) for batch in batches] == sizes
    assert sorted(torch.cat(batches).tolist()) == list(range(count))


def test_neighbours_are_dealt_to_different_minibatches() -> None:
    """Test samples come class by class; a minibatch of one class would compare within it."""
    first, _ = dealt(512, torch.Generator().manual_seed(0))
    assert 100 < int((first < 256).sum()) < 156


def test_rows_are_found_across_parts() -> None:
    parts = [column(0, 1, 2), column(), column(3, 4)]
    assert rows_at(parts, torch.tensor([4, 1, 3, 0])).flatten().tolist() == [1.0, 0.0, 4.0, 3.0]


def test_no_value_is_read_from_the_device_on_the_way() -> None:
    with HostReads() as reads:
        linear_cka([(drawn(10, 3), drawn(10, 40, seed=1))] * 3)
    assert reads.found == []


@pytest.mark.gpu
def test_a_gpu_gives_the_same_and_is_waited_for_once() -> None:
    parts = [[drawn(rows, 70, seed=seed).float() for rows in (300, 5)] for seed in (0, 1)]
    found = []
    for device, mode in (("cpu", "default"), ("cuda", "default"), ("cuda", "error")):
        first, second = ([part.to(device) for part in side] for side in parts)
        batches = dealt(305, torch.Generator().manual_seed(0))
        torch.cuda.set_sync_debug_mode(mode)  # not at once: libraries wait when first used
        try:
            similarity = linear_cka((rows_at(first, one), rows_at(second, one)) for one in batches)
        finally:
            torch.cuda.set_sync_debug_mode("default")
        found.append(float(similarity))
    assert found[1:] == pytest.approx([found[0]] * 2, rel=1e-9)


def test_minibatches_are_taken_one_at_a_time() -> None:
    """So that a caller need not hold them all: two at most are in use."""
    alive: list[Any] = []

    def batches() -> Iterator[tuple[Tensor, Tensor]]:
        for seed in range(5):
            first = drawn(10, 3, seed=seed)
            assert sum(reference() is not None for reference in alive) <= 1
            alive.append(weakref.ref(first))
            yield first, first

    assert float(linear_cka(batches())) == pytest.approx(1.0)
    assert len(alive) == 5

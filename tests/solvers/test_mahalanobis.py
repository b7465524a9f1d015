from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cilsim.solvers import chunking
from cilsim.solvers.mahalanobis import class_distances, diagonal_distances, shared_distances


def drawn(*shape: int, seed: int = 0) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(*shape, generator=generator, dtype=torch.float64)


def positive(classes: int, size: int, seed: int = 2) -> Tensor:
    factors = drawn(classes, size, size, seed=seed)
    return factors @ factors.mT + torch.eye(size, dtype=torch.float64)


def by_the_book(x: Tensor, means: Tensor, precisions: Tensor) -> Tensor:
    apart = x.unsqueeze(1) - means
    return torch.einsum("bkd,kde,bke->bk", apart, precisions, apart)


def test_by_hand():
    """d = (1, 2) and P = diag(3, 1): 3 + 4."""
    x, means = torch.tensor([[1.0, 3.0]]), torch.tensor([[0.0, 1.0]])
    assert class_distances(x, means, torch.diag(torch.tensor([3.0, 1.0]))[None]).item() == 7.0
    assert shared_distances(x, means, torch.diag(torch.tensor([3.0, 1.0]))).item() == 7.0
    assert diagonal_distances(x, means, torch.tensor([[3.0, 1.0]])).item() == 7.0


@settings(deadline=None, max_examples=25)
@given(
    seed=st.integers(0, 2**31),
    batch=st.integers(0, 9),
    classes=st.integers(1, 6),
    bound=st.sampled_from([1, 30, 2**25]),
)
def test_class_distances_in_any_chunks(seed: int, batch: int, classes: int, bound: int):
    x, means, matrices = drawn(batch, 4, seed=seed), drawn(classes, 4), positive(classes, 4, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(chunking, "CPU_BYTES", bound)
        found = class_distances(x, means, matrices)
    torch.testing.assert_close(found, by_the_book(x, means, matrices), rtol=1e-10, atol=1e-12)


def test_one_shared_matrix_equals_the_same_matrix_for_every_class():
    x, means, matrix = drawn(5, 4), drawn(3, 4, seed=1), positive(1, 4)[0]
    expected = by_the_book(x, means, matrix.expand(3, 4, 4))
    torch.testing.assert_close(shared_distances(x, means, matrix), expected)


def test_diagonals_equal_diagonal_matrices():
    x, means, weights = drawn(5, 4), drawn(3, 4, seed=1), drawn(3, 4, seed=2).exp()
    expected = by_the_book(x, means, torch.diag_embed(weights))
    torch.testing.assert_close(diagonal_distances(x, means, weights), expected)


def test_a_common_offset_costs_no_digits():
    x, means = torch.tensor([[1e4 + 1.0]]), torch.tensor([[1e4], [1e4 + 2.0]])
    assert shared_distances(x, means, torch.ones(1, 1)).tolist() == [[1.0, 1.0]]
    assert diagonal_distances(x, means, torch.ones(2, 1)).tolist() == [[1.0, 1.0]]


def test_autocast_does_not_lower_the_precision():
    x, means, matrices = drawn(3, 8).float(), drawn(2, 8).float(), positive(2, 8).float()
    with torch.autocast("cpu", dtype=torch.bfloat16):
        inside = class_distances(x, means, matrices)
    assert torch.equal(inside, class_distances(x, means, matrices))

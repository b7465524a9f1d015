from __future__ import annotations

import numpy as np
import pytest
import torch

from cilsim.solvers.gram import BLOCK, add_gram


@pytest.mark.parametrize("size", [1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_blocks_add_up_to_the_product_that_numpy_finds(size: int) -> None:
    """To 1e-12 of the largest entry, on both sides of the diagonal."""
    generator = torch.Generator().manual_seed(size)
    first, second = (torch.randn(30, size, generator=generator).double() for _ in range(2))
    found = torch.zeros(size, size, dtype=torch.float64)
    add_gram(found, first)
    add_gram(found, second)
    expected = first.numpy().T @ first.numpy() + second.numpy().T @ second.numpy()
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-12 * np.abs(expected).max())

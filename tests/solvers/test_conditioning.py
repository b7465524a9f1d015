from __future__ import annotations

import numpy as np
import pytest
import torch

from cilsim.solvers.conditioning import (
    correlation,
    indefinite,
    inverse,
    oas,
    row_correlation,
    shrink,
)
from cilsim.solvers.covariance import covariance

S = torch.tensor([[4.0, 1.0], [1.0, 1.0]], dtype=torch.float64)


def drawn(samples: int, features: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(seed))


def test_shrink_by_hand():
    """Mean variance 2.5, mean covariance 1."""
    assert shrink(S, 2.0, 3.0).tolist() == [[9.0, 4.0], [4.0, 6.0]]


def test_shrink_takes_the_mean_of_covariances_that_are_not_zero():
    matrix = torch.zeros(3, 3, dtype=torch.float64)
    matrix[0, 1] = matrix[1, 0] = 6.0
    assert shrink(matrix, 0.0, 0.5)[2].tolist() == [3.0, 3.0, 0.0]


def test_shrink_leaves_a_diagonal_matrix_diagonal():
    assert shrink(torch.eye(2), 1.0, 1.0).tolist() == [[2.0, 0.0], [0.0, 2.0]]


def test_shrink_leaves_its_argument_as_it_is():
    before = S.clone()
    shrink(S, 1.0, 1.0)
    assert torch.equal(S, before)


def test_correlation_by_hand():
    assert correlation(S).tolist() == [[1.0, 0.5], [0.5, 1.0]]


def test_a_constant_feature_is_correlated_with_itself_alone():
    matrix = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
    assert correlation(matrix).tolist() == [[1.0, 0.0], [0.0, 1.0]]
    assert correlation(torch.zeros(2, 2, 2)).tolist() == [torch.eye(2).tolist()] * 2
    assert row_correlation(torch.ones(1, 1)).tolist() == [[1.0]]


def test_row_correlation_equals_corrcoef_of_the_matrix():
    matrix = covariance(drawn(30, 5))
    torch.testing.assert_close(row_correlation(matrix), torch.corrcoef(matrix))


@pytest.mark.parametrize("samples", [5, 12, 200])
def test_oas_equals_scikit_learn(samples: int):
    from sklearn.covariance import OAS

    points = drawn(samples, 6).double() * torch.arange(1, 7)
    expected = OAS(assume_centered=True).fit(points.numpy()).covariance_
    found = oas(points.T @ points / samples, samples)
    np.testing.assert_allclose(found.numpy(), expected, rtol=1e-10)


def test_oas_of_a_multiple_of_the_identity_is_itself():
    assert oas(3.0 * torch.eye(2), 4).tolist() == [[3.0, 0.0], [0.0, 3.0]]


def test_inverse_of_regular_matrices():
    matrices = torch.stack([S, 2.0 * S])
    torch.testing.assert_close(inverse(matrices) @ matrices, torch.eye(2).double().expand(2, 2, 2))


def test_inverse_mixes_regular_singular_and_indefinite_matrices():
    singular = torch.tensor([[1.0, 1.0], [1.0, 1.0]], dtype=torch.float64)
    nearly = singular + 1e-12 * torch.eye(2, dtype=torch.float64)
    indefinite = torch.tensor([[0.0, 2.0], [2.0, 0.0]], dtype=torch.float64)
    found = inverse(torch.stack([S, singular, nearly, indefinite]))
    quarter = [[0.25, 0.25], [0.25, 0.25]]
    expected = [torch.linalg.inv(S).tolist(), quarter, quarter, [[0.0, 0.5], [0.5, 0.0]]]
    np.testing.assert_allclose(found.numpy(), np.array(expected), atol=1e-9)


def test_indefinite_means_an_eigenvalue_below_zero_by_more_than_rounding():
    matrices = [[[2.0, 1.0], [1.0, 2.0]], [[1.0, 2.0], [2.0, 1.0]], [[1.0, 1.0], [1.0, 1.0]]]
    matrices.append([[0.0, 0.0], [0.0, 0.0]])
    found = indefinite(torch.tensor(matrices, dtype=torch.float64))
    assert found.tolist() == [False, True, False, False]

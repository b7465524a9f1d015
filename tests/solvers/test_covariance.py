from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers import distances
from cilsim.solvers.covariance import (
    class_covariances,
    correlation,
    covariance,
    indefinite,
    inverse,
    oas,
    row_correlation,
    shrink,
)

S = torch.tensor([[4.0, 1.0], [1.0, 1.0]], dtype=torch.float64)


def drawn(samples: int, features: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(samples, features, generator=torch.Generator().manual_seed(seed))


def test_covariance_by_hand():
    points = torch.tensor([[0.0, 0.0], [2.0, 4.0]])
    assert covariance(points).tolist() == [[2.0, 4.0], [4.0, 8.0]]


def test_covariance_does_not_depend_on_the_chunks(monkeypatch: pytest.MonkeyPatch):
    points = drawn(50, 4)
    whole = covariance(points)
    monkeypatch.setattr(distances, "MAX_ELEMENTS", 12)
    torch.testing.assert_close(covariance(points), whole, rtol=1e-12, atol=1e-14)


def test_covariance_of_one_sample_is_refused():
    with pytest.raises(ValueError, match=r"^1 samples; a covariance needs at least 2$"):
        covariance(torch.ones(1, 3))


@settings(deadline=None, max_examples=25)
@given(seed=st.integers(0, 2**31), bound=st.sampled_from([1, 40, 2**25]))
def test_each_class_has_the_covariance_that_numpy_finds(seed: int, bound: int):
    """In whatever chunks, for classes of different sizes among samples of others."""
    generator = np.random.default_rng(seed)
    labels = torch.from_numpy(generator.permutation(np.repeat([3, 5, 6, 9], [2, 7, 4, 3])))
    points = drawn(16, 3, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distances, "MAX_ELEMENTS", bound)
        found = torch.cat(list(class_covariances(points, labels, [5, 3, 9])))
    expected = [np.cov(points[labels == label].double().numpy(), rowvar=False) for label in (5, 3, 9)]
    np.testing.assert_allclose(found.numpy(), np.stack(expected), rtol=1e-9, atol=1e-12)


def test_a_class_of_one_sample_is_refused():
    message = r"^class 7 has 1 sample; a covariance of its own needs at least 2$"
    with pytest.raises(ValueError, match=message):
        next(class_covariances(torch.ones(3, 2), torch.tensor([1, 1, 7]), [1, 7]))


def test_a_class_without_samples_is_refused():
    message = r"^class 2 has 0 samples; a covariance of its own needs at least 2$"
    with pytest.raises(ValueError, match=message):
        next(class_covariances(torch.ones(3, 2), torch.tensor([1, 1, 7]), [2]))


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


def test_correlation_of_a_constant_feature_is_zero():
    matrix = torch.tensor([[4.0, 0.0], [0.0, 0.0]])
    assert correlation(matrix).tolist() == [[1.0, 0.0], [0.0, 0.0]]


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

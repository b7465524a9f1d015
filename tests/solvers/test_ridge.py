from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cilsim.solvers.ridge import (
    PENALTIES,
    best_penalty,
    path_from_sums,
    ridge_path,
    ridge_weights,
)
from cilsim.solvers.ridge_sums import RidgeSums

SEEDS = st.integers(0, 2**31)


def drawn(samples: int, features: int, targets: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(seed)
    x = torch.randn(samples, features, generator=generator, dtype=torch.float64)
    return x, torch.randn(samples, targets, generator=generator, dtype=torch.float64)


def sums_of(x: Tensor, y: Tensor) -> RidgeSums:
    sums = RidgeSums(x.shape[1])
    sums.add(x, y)
    return sums


def direct(x: Tensor, y: Tensor, penalty: float) -> Tensor:
    eye = torch.eye(x.shape[1], dtype=torch.float64)
    return torch.linalg.solve(x.T @ x + penalty * eye, x.T @ y)


def test_one_feature_by_hand():
    """Sum x^2 = 5 and sum x y = 8, so the weight is 8 / (5 + 3)."""
    sums = sums_of(torch.tensor([[1.0], [2.0]]), torch.tensor([[2.0], [3.0]]))
    assert ridge_weights(sums, 3.0).item() == pytest.approx(1.0, abs=1e-15)


def test_mean_squared_error_by_hand():
    """Predictions 1 and 2 for targets 2 and 3: the mean of 1 and 1."""
    sums = sums_of(torch.tensor([[1.0], [2.0]]), torch.tensor([[2.0], [3.0]]))
    assert sums.error(torch.tensor([[1.0]], dtype=torch.float64)).item() == 1.0


def test_targets_that_sums_lack_count_as_zeros():
    sums = sums_of(torch.tensor([[1.0]]), torch.tensor([[1.0]]))
    assert sums.error(torch.tensor([[1.0, 3.0]], dtype=torch.float64)).item() == 4.5


@pytest.mark.parametrize(
    ("samples", "features"), [(40, 7), (7, 40)], ids=["more samples", "more features"]
)
def test_every_penalty_of_a_path_equals_its_own_solution(samples: int, features: int):
    x, y = drawn(samples, features, 3)
    path = ridge_path(x, y)
    for penalty in (1e-4, 1.0, 1e4):
        torch.testing.assert_close(
            path.weights(penalty), direct(x, y, penalty), rtol=1e-8, atol=1e-10
        )


def test_both_sides_of_a_path_give_the_same_errors():
    x, y = drawn(12, 30, 4)
    other_x, other_y = drawn(20, 30, 4, seed=1)
    by_samples = ridge_path(x, y).errors(other_x, other_y)
    by_features = path_from_sums(sums_of(x, y)).errors(other_x, other_y)
    torch.testing.assert_close(by_samples[4:], by_features[4:], rtol=1e-6, atol=0.0)


def test_errors_from_sums_equal_errors_on_samples():
    x, y = drawn(60, 10, 4)
    other_x, other_y = drawn(20, 10, 4, seed=1)
    path = ridge_path(x, y)
    from_sums = path.errors_from_sums(sums_of(other_x, other_y))
    torch.testing.assert_close(from_sums, path.errors(other_x, other_y), rtol=1e-10, atol=1e-12)


def test_penalties_are_the_seventeen_powers_of_ten():
    assert len(PENALTIES) == 17
    assert (PENALTIES[0], PENALTIES[8], PENALTIES[16]) == (1e-8, 1.0, 1e8)


def test_best_penalty_is_the_one_of_the_smallest_error():
    assert best_penalty(torch.tensor([3.0, 1.0, 2.0]), (0.1, 1.0, 10.0)) == 1.0


def test_of_equal_errors_the_largest_penalty_is_taken():
    assert best_penalty(torch.tensor([1.0, 1.0, 2.0]), (0.1, 1.0, 10.0)) == 1.0


def test_a_matrix_that_rounding_made_indefinite_is_solved_by_its_eigenvalues():
    """Two equal features of size 1e8: the penalty 1e-8 is lost in the sums."""
    x = torch.full((3, 2), 1e8)
    weights = ridge_weights(sums_of(x, torch.ones(3, 1)), 1e-8)
    assert (x.double() @ weights).flatten().tolist() == pytest.approx([1.0] * 3, rel=1e-6)


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS, parts=st.integers(1, 6), penalty=st.sampled_from([1e-2, 1.0, 1e3]))
def test_batches_in_any_number_and_order_give_the_regression_of_all(
    seed: int, parts: int, penalty: float
):
    x, y = drawn(30, 5, 3, seed)
    sums = RidgeSums(5)
    order = np.random.default_rng(seed).permutation(30)
    for rows in np.array_split(order, parts):
        sums.add(x[rows], y[rows])
    torch.testing.assert_close(
        ridge_weights(sums, penalty), direct(x, y, penalty), rtol=1e-9, atol=1e-11
    )


@settings(deadline=None, max_examples=25)
@given(seed=SEEDS)
def test_larger_penalties_give_shorter_weights(seed: int):
    x, y = drawn(20, 6, 2, seed)
    path = ridge_path(x, y)
    norms = [float(path.weights(penalty).norm()) for penalty in PENALTIES]
    assert norms == sorted(norms, reverse=True)


def test_sums_of_two_parts_are_added_with_new_targets_as_columns():
    x, y = drawn(10, 4, 2)
    more_x, more_y = drawn(8, 4, 3, seed=1)
    both = sums_of(x, y).plus(sums_of(more_x, more_y))
    stacked = torch.cat([torch.nn.functional.pad(y, (0, 1)), more_y])
    torch.testing.assert_close(
        ridge_weights(both, 1.0), direct(torch.cat([x, more_x]), stacked, 1.0)
    )
    assert both.count == 18
    assert both.squares.item() == pytest.approx(stacked.square().sum().item())


def test_sums_come_back_from_a_checkpoint():
    x, y = drawn(10, 4, 2)
    sums, restored = sums_of(x, y), RidgeSums(4)
    restored.load_state_dict(sums.state_dict())
    assert torch.equal(ridge_weights(restored, 2.0), ridge_weights(sums, 2.0))
    assert restored.count == 10


def test_shapes_that_do_not_fit_are_refused():
    message = r"^features have shape \(3, 2\) and targets \(4, 1\); expected \(N, 2\) and \(N, K\)$"
    with pytest.raises(ValueError, match=message):
        RidgeSums(2).add(torch.ones(3, 2), torch.ones(4, 1))


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_not_positive_is_refused(penalty: float):
    message = f"^the penalty is {penalty}; expected a number above 0$"
    with pytest.raises(ValueError, match=message):
        ridge_weights(sums_of(torch.ones(3, 2), torch.ones(3, 1)), penalty)


def test_sums_of_other_features_are_refused():
    with pytest.raises(ValueError, match=r"^sums of 2 and of 3 features cannot be added$"):
        RidgeSums(2).plus(RidgeSums(3))

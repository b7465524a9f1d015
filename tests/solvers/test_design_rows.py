from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.solvers import chunking
from cilsim.solvers.design_rows import DenseRows, ShiftedRows
from cilsim.solvers.linear_svm import fit_linear_svm


def parts(seed=0, *, sources=7, shifts=4, rows=30, size=5):
    generator = torch.Generator().manual_seed(seed)
    return (
        torch.randn(sources, size, generator=generator, dtype=torch.float64),
        torch.randint(sources, (rows,), generator=generator),
        torch.randn(shifts, size, generator=generator, dtype=torch.float64),
        torch.randint(shifts, (rows,), generator=generator),
    )


def dense(source, source_of, shifts, shift_of, *, normalise):
    rows = source[source_of] + shifts[shift_of]
    return torch.nn.functional.normalize(rows, dim=1) if normalise else rows


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**31), st.booleans())
def test_products_are_those_of_the_matrix(seed, normalise):
    given_parts = parts(seed)
    rows = ShiftedRows(*given_parts, normalise=normalise)
    matrix = dense(*given_parts, normalise=normalise)
    right, left = torch.randn(5, 3, dtype=torch.float64), torch.randn(30, 3, dtype=torch.float64)
    assert rows.shape == (30, 5)
    torch.testing.assert_close(rows.times(right), matrix @ right)
    torch.testing.assert_close(rows.transposed_times(left), matrix.T @ left)
    torch.testing.assert_close(rows.rows(torch.arange(30)), matrix)


def test_some_rows_can_keep_their_length():
    given_parts = parts()
    which = torch.arange(30) >= 12
    made = ShiftedRows(*given_parts, normalise=which).rows(torch.arange(30))
    raw = dense(*given_parts, normalise=False)
    unit = dense(*given_parts, normalise=True)
    torch.testing.assert_close(made, torch.where(which.unsqueeze(1), unit, raw))


def test_a_row_of_zeros_stays_zero():
    source, shifts = torch.tensor([[1.0, 2.0]]), torch.tensor([[-1.0, -2.0]])
    zero = torch.zeros(1, dtype=torch.int64)
    made = ShiftedRows(source, zero, shifts, zero, normalise=True).rows(zero)
    assert made.tolist() == [[0.0, 0.0]]


def test_features_of_a_dead_network_count_as_zeros_in_the_svm():
    """f - mean + mean is 0 but for rounding where f is 0, and means may be large."""
    generator = torch.Generator().manual_seed(0)
    features = 3.0 * torch.randn(60, 64, generator=generator).relu()
    features[::3] = 0.0
    labels, index = torch.arange(60) % 2, torch.arange(60)
    means = torch.stack([features[labels == label].mean(0) for label in (0, 1)])
    rows = ShiftedRows(features - means[labels], index, means, labels, normalise=True)
    assert torch.equal(rows.scale == 0.0, index % 3 == 0)
    shifted = fit_linear_svm(rows, labels, 2)
    unit = torch.nn.functional.normalize(features, dim=1)
    matrix = fit_linear_svm(DenseRows(unit), labels, 2)
    torch.testing.assert_close(shifted.weight, matrix.weight, rtol=0, atol=1e-5)


def test_lengths_taken_in_parts_are_the_same(monkeypatch):
    whole = ShiftedRows(*parts(), normalise=True).scale
    monkeypatch.setattr(chunking, "CPU_BYTES", 80)
    assert torch.equal(ShiftedRows(*parts(), normalise=True).scale, whole)


def test_the_svm_of_shifted_rows_is_that_of_the_matrix():
    given_parts = parts(rows=200, sources=50)
    labels = given_parts[3]
    rows = ShiftedRows(*given_parts, normalise=True)
    shifted = fit_linear_svm(rows, labels, 4)
    matrix = fit_linear_svm(DenseRows(dense(*given_parts, normalise=True)), labels, 4)
    torch.testing.assert_close(shifted.weight, matrix.weight, rtol=0, atol=1e-6)


def test_parts_that_do_not_fit_are_refused():
    source, source_of, shifts, shift_of = parts()
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        ShiftedRows(source, source_of, shifts[:, :4], shift_of, normalise=True)
    assert str(error.value) == (
        "source rows (7, 5), shifts (4, 4) and their indices (30,) and (30,) do not fit; "
        "expected (M, D), (G, D), (N,) and (N,)"
    )

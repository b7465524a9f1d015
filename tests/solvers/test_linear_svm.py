from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.svm import LinearSVC

from cilsim.solvers import chunking
from cilsim.solvers.design_rows import DenseRows
from cilsim.solvers.linear_svm import fit_linear_svm


def problem(seed, *, spread=1.5):
    """Random overlapping classes: training and test features, and training labels."""
    generator = torch.Generator().manual_seed(seed)
    classes, size, each = 3 + seed % 6, (3, 8, 24, 40)[seed % 4], 30 + 15 * (seed % 3)
    centres = torch.randn(classes, size, generator=generator)
    labels = torch.arange(classes * each) % classes
    tests = torch.randint(classes, (2000,), generator=generator)
    features = [
        torch.nn.functional.normalize(
            centres[rows] + spread * torch.randn(len(rows), size, generator=generator)
        )
        for rows in (labels, tests)
    ]
    return features[0], labels, features[1]


def objective(features, labels, weight, bias, c):
    """The sum over classes of 0.5 (|w|^2 + b^2) + C sum max(0, 1 - y (w.x + b))^2, in float64."""
    weight, bias = torch.as_tensor(weight).double(), torch.as_tensor(bias).double()
    signs = torch.where(labels.unsqueeze(1) == torch.arange(len(bias)), 1.0, -1.0).double()
    margins = (1.0 - signs * (features.double() @ weight.T + bias)).clamp_min(0.0)
    return float(0.5 * (weight.square().sum() + bias.square().sum()) + c * margins.square().sum())


def reference(features, labels, c=1.0):
    """liblinear's optimum, to a tolerance far below its default."""
    svm = LinearSVC(dual=False, C=c, tol=1e-7, max_iter=10_000)
    return svm.fit(features.double().numpy(), labels.numpy())


@pytest.mark.parametrize("c", [0.1, 1.0], ids=["weak", "as released"])
@pytest.mark.parametrize("seed", range(10))
class TestAgainstLinearSvc:
    def test_objective_is_the_optimum(self, seed, c):
        features, labels, _ = problem(seed)
        found = fit_linear_svm(DenseRows(features), labels, int(labels.max()) + 1, c=c)
        theirs = reference(features, labels, c)
        expected = objective(features, labels, theirs.coef_, theirs.intercept_, c)
        assert objective(features, labels, found.weight, found.bias, c) == pytest.approx(
            expected, rel=1e-6
        )

    def test_decisions_are_equal(self, seed, c):
        features, labels, tests = problem(seed)
        found = fit_linear_svm(DenseRows(features), labels, int(labels.max()) + 1, c=c)
        predicted = found.scores(tests).argmax(1).numpy()
        agreement = (predicted == reference(features, labels, c).predict(tests.double())).mean()
        assert agreement >= 0.999


def unbalanced():
    """Three classes of 60, 20 and 3 rows."""
    features, labels, tests = problem(2)
    keep = torch.cat([torch.nonzero(labels == k).squeeze(1) for k in (0, 1, 2)])
    kept = torch.cat([keep[labels[keep] == k][:size] for k, size in ((0, 60), (1, 20), (2, 3))])
    return features[kept], labels[kept], tests


def wide():
    """More features than rows."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(4, 300, generator=generator)
    labels = torch.arange(40) % 4
    rows = [centres[which] + 2.0 * torch.randn(len(which), 300, generator=generator)
            for which in (labels, torch.arange(1000) % 4)]  # fmt: skip
    return rows[0], labels, rows[1]


def two_classes():
    features, labels, tests = problem(2)
    return features[labels < 2], labels[labels < 2], tests


def duplicates():
    """Every row three times, and one row under two labels."""
    features, labels, tests = problem(6)
    rows, twice = features.repeat(3, 1), labels.repeat(3)
    return torch.cat([rows, rows[:1]]), torch.cat([twice, (twice[:1] + 1) % 9]), tests


@pytest.mark.parametrize("build", [unbalanced, wide, two_classes, duplicates])
def test_awkward_rows_end_in_the_optimum_of_linear_svc(build):
    """1e-6 of the objective and 99.9 % of the decisions."""
    features, labels, tests = build()
    classes = int(labels.max()) + 1
    found, theirs = (
        fit_linear_svm(DenseRows(features), labels, classes),
        reference(features, labels),
    )
    weight, bias = torch.from_numpy(theirs.coef_), torch.from_numpy(theirs.intercept_)
    if classes == 2:  # LinearSVC fits one of two mirrored problems
        weight, bias = torch.cat([-weight, weight]), torch.cat([-bias, bias])
    expected = objective(features, labels, weight, bias, 1.0)
    assert objective(features, labels, found.weight, found.bias, 1.0) == pytest.approx(
        expected, rel=1e-6
    )
    predicted = found.scores(tests).argmax(1).numpy()
    assert (predicted == theirs.predict(tests.double().numpy())).mean() >= 0.999


def test_separable_classes_are_separated_with_finite_weights():
    features = torch.tensor([[1.0, 0.0], [2.0, 0.1], [-1.0, 0.0], [-2.0, 0.3], [0.0, 3.0]])
    labels = torch.tensor([0, 0, 1, 1, 2])
    found = fit_linear_svm(DenseRows(features), labels, 3, c=100.0)
    theirs = reference(features, labels, 100.0)
    assert found.scores(features).argmax(1).tolist() == labels.tolist()
    np.testing.assert_allclose(found.weight, theirs.coef_, atol=1e-4)
    np.testing.assert_allclose(found.bias, theirs.intercept_, atol=1e-4)


def test_classes_of_one_sample():
    features = torch.eye(6)
    labels = torch.arange(6)
    found = fit_linear_svm(DenseRows(features), labels, 6)
    theirs = reference(features, labels)
    assert found.scores(features).argmax(1).tolist() == [0, 1, 2, 3, 4, 5]
    np.testing.assert_allclose(found.weight, theirs.coef_, atol=1e-5)


def test_one_sample_against_a_crowd():
    features, _, _ = problem(3)
    labels = torch.zeros(len(features), dtype=torch.int64)
    labels[7] = 1
    found = fit_linear_svm(DenseRows(features), labels, 2)
    theirs = reference(features, labels)
    np.testing.assert_allclose(found.weight[1], theirs.coef_[0], atol=1e-4)
    np.testing.assert_allclose(found.weight[0], -theirs.coef_[0], atol=1e-4)


def test_a_single_class_has_the_closed_form_solution():
    """All signs are 1: (1 + 2C sum of squares) p = 2C sum of rows, while no margin is passed."""
    features = torch.tensor([[1.0], [1.0]])
    found = fit_linear_svm(DenseRows(features), torch.zeros(2, dtype=torch.int64), 1)
    assert found.weight.item() == pytest.approx(4 / 9, abs=1e-6)
    assert found.bias.item() == pytest.approx(4 / 9, abs=1e-6)


def test_gradient_falls_below_the_tolerance():
    features, labels, _ = problem(5)
    found = fit_linear_svm(DenseRows(features), labels, int(labels.max()) + 1)
    assert float(found.gradient.max()) <= 1e-6
    assert 3 <= found.iterations <= 30


def test_a_limit_of_steps_is_kept_and_visible():
    features, labels, _ = problem(5)
    found = fit_linear_svm(DenseRows(features), labels, int(labels.max()) + 1, max_iterations=1)
    assert found.iterations == 1
    assert float(found.gradient.max()) > 1e-6


def test_equal_input_gives_equal_bits():
    features, labels, _ = problem(2)
    first, second = (fit_linear_svm(DenseRows(features), labels, 5) for _ in range(2))
    assert torch.equal(first.weight, second.weight)
    assert torch.equal(first.bias, second.bias)


def test_classes_solved_in_parts_are_the_same(monkeypatch):
    features, labels, _ = problem(4)
    whole = fit_linear_svm(DenseRows(features), labels, 7)
    monkeypatch.setattr(chunking, "CPU_BYTES", 8 * len(labels))
    parts = fit_linear_svm(DenseRows(features), labels, 7)
    np.testing.assert_allclose(parts.weight, whole.weight, atol=2e-5)
    assert parts.gradient.shape == (7,)


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 2**31), st.sampled_from([0.01, 1.0, 30.0]))
def test_no_small_change_lowers_the_objective(seed, c):
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(40, 6, generator=generator)
    labels = torch.arange(40) % 3
    found = fit_linear_svm(DenseRows(features), labels, 3, c=c)
    least = objective(features, labels, found.weight, found.bias, c)
    for _ in range(5):
        change = 0.01 * torch.randn(3, 7, generator=generator)
        changed = found.weight + change[:, :-1], found.bias + change[:, -1]
        assert objective(features, labels, *changed, c) >= least * (1.0 - 1e-6)


@settings(max_examples=10, deadline=None)
@given(st.permutations(range(60)))
def test_the_order_of_rows_does_not_matter(order):
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    labels, order = torch.arange(60) % 4, torch.tensor(order)
    found = fit_linear_svm(DenseRows(features), labels, 4)
    shuffled = fit_linear_svm(DenseRows(features[order]), labels[order], 4)
    np.testing.assert_allclose(shuffled.weight, found.weight, atol=1e-5)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"labels_N": torch.zeros(3, dtype=torch.int64)},
            "4 rows and labels of shape (3,); expected one label per row, and at least one row",
        ),
        (
            {"labels_N": torch.tensor([0, 1, 2, 1])},
            "labels from 0 to 2; expected them within 0 to 1",
        ),
        (
            {"labels_N": torch.tensor([0, 1, 3, 1]), "classes": 4},
            "class 2 has no rows; expected at least one",
        ),
        ({"c": 0.0}, "c=0.0 and tolerance=1e-06; expected positive numbers"),
        (
            {"rows": DenseRows(torch.full((4, 2), torch.nan))},
            "rows hold NaN or infinity; expected finite numbers",
        ),
    ],
    ids=["too few labels", "label too large", "empty class", "no loss", "NaN"],
)
def test_bad_arguments_are_refused(changes, message):
    labels = torch.tensor([0, 1, 0, 1])
    given_ = {"rows": DenseRows(torch.ones(4, 2)), "labels_N": labels, "classes": 2, **changes}
    rows, labels_, classes = given_.pop("rows"), given_.pop("labels_N"), given_.pop("classes")
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the message is compared whole
        fit_linear_svm(rows, labels_, classes, **given_)
    assert str(error.value) == message

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cilsim.prototypes.means import class_means
from cilsim.prototypes.scores import cosine_scores, euclidean_scores
from cilsim_fecam.embedding import compared, prepared, tukey
from cilsim_fecam.options import FecamOptions
from cilsim_fecam.precisions import Precisions

Arrays = dict[str, Tensor]


def arrays_of(path: Path) -> Arrays:
    with np.load(path, allow_pickle=False) as stored:
        return {name: torch.from_numpy(stored[name]) for name in stored if stored[name].ndim}


@pytest.fixture(scope="module")
def nonneg(golden: Path) -> Arrays:
    return arrays_of(golden / "fecam_official_common.npz")


@pytest.fixture(scope="module")
def signed(golden: Path) -> Arrays:
    return arrays_of(golden / "ranpac_official_cil_M0.npz")


class Learner:
    """The strategy without an engine: means and matrices."""

    def __init__(self, options: FecamOptions) -> None:
        self.options, self.precisions = options, Precisions(options)
        self.means: list[Tensor] = []

    def learn(self, x: Tensor, labels: Tensor, classes: range) -> None:
        x = prepared(x, self.options)
        self.means.append(class_means(x, labels, classes))
        self.precisions.add(tukey(x, self.options.tukey_power), labels, classes)

    def distances(self, x: Tensor) -> Tensor:
        x = compared(prepared(x, self.options), self.options)
        return self.precisions.distances(x, compared(torch.cat(self.means), self.options))


def learnt(arrays: Arrays, options: FecamOptions, increment: int) -> Any:
    """Yield a learner and the test samples of classes seen after each experience."""
    learner, position = Learner(options), {}
    for part in ("train", "test"):
        raw = arrays[f"y_{part}_raw"]
        position[part] = arrays.get(f"y_{part}", raw)
    for start in range(0, int(position["train"].max()) + 1, increment):
        classes = range(start, start + increment)
        own = (position["train"] >= start) & (position["train"] < start + increment)
        learner.learn(arrays["x_train"][own], position["train"][own], classes)
        seen = position["test"] < start + increment
        yield learner, arrays["x_test"][seen], position["test"][seen]


def accuracies(arrays: Arrays, options: FecamOptions, increment: int = 4) -> list[float]:
    return [
        round(100 * float((learner.distances(x).argmin(1) == y).double().mean()), 2)
        for learner, x, y in learnt(arrays, options, increment)
    ]


def test_common_covariance_and_distances_equal_the_official_code(nonneg: Arrays):
    """Tolerances are twice the float32 rounding seen in the reference."""
    options = FecamOptions(preset="official", covariance="common")
    for task, (learner, _, _) in enumerate(learnt(nonneg, options, 4)):
        expected = nonneg[f"t{task}_common_cov"]
        torch.testing.assert_close(learner.precisions.matrices, expected, rtol=0, atol=2e-7)
        if task:
            x = nonneg["x_test"][nonneg[f"t{task}_test_index"]]
            wanted = nonneg[f"t{task}_dist"].double()
            tolerance = 1.4e-6 * float(wanted.abs().max())
            torch.testing.assert_close(learner.distances(x), wanted, rtol=0, atol=tolerance)
    torch.testing.assert_close(
        torch.cat(learner.means), nonneg["protos_raw_mean"], rtol=0, atol=1.5e-6
    )


def test_the_first_task_of_the_official_code_is_the_cosine_head(nonneg: Arrays):
    x, head = nonneg["x_test"][nonneg["t0_test_index"]], nonneg["init_head_weight"]
    distances = -euclidean_scores(x, head, normalise=True)
    torch.testing.assert_close(distances, nonneg["t0_dist"], rtol=0, atol=2e-6)
    predicted = cosine_scores(x, head).argmax(1)
    assert torch.equal(predicted, nonneg["t0_pred_top3"][:, 0])


@pytest.mark.parametrize(
    ("covariance", "after_tasks_1_to_4"),
    [
        ("class", [95.0, 93.33, 90.83, 91.67]),
        ("common", [98.33, 95.56, 95.42, 96.0]),
        ("diagonal", [85.83, 80.0, 77.5, 76.33]),
        ("identity", [86.67, 80.0, 77.92, 76.0]),
    ],
)
def test_accuracies_of_the_official_variants(
    nonneg: Arrays, covariance: Any, after_tasks_1_to_4: list[float]
):
    """What the authors' code reached on these features, task by task."""
    found = accuracies(nonneg, FecamOptions(preset="official", covariance=covariance))
    assert found[1:] == after_tasks_1_to_4


def test_accuracies_of_the_official_code_without_tukey(signed: Arrays):
    found = accuracies(signed, FecamOptions(preset="official", tukey_power=1.0))
    assert found[1:] == [95.0, 94.44, 92.08, 90.67]


@pytest.mark.parametrize(
    ("data", "first", "last"), [("signed", 88.33, 78.33), ("nonneg", 86.67, 70.33)]
)
def test_accuracies_of_the_pilot_preset(
    data: str, first: float, last: float, request: pytest.FixtureRequest
):
    found = accuracies(request.getfixturevalue(data), FecamOptions(preset="pilot"))
    assert (found[0], found[4]) == (first, last)


def test_average_accuracy_of_the_vit_preset(golden: Path):
    """What the authors' script for ViT features prints, in natural class order."""
    arrays = arrays_of(golden / "nmc_janson_class_incremental.npz")
    found = accuracies(arrays, FecamOptions(preset="vit"), increment=10)
    assert round(float(np.mean(found)), 2) == 88.99


def test_presets_are_defaults_that_single_options_override():
    vit = FecamOptions(preset="vit", shrink_off_diagonal=10.0)
    assert (vit.tukey_power, vit.shrink_times, vit.shrink_off_diagonal) == (1.0, 1, 10.0)
    assert FecamOptions.model_validate(vit.model_dump()) == vit
    assert FecamOptions() == FecamOptions(preset="safe")


def test_matrices_of_a_class_by_the_formulas():
    """Shrink twice, correlation, inverse: every step written out for one class."""
    x = torch.rand(6, 3, generator=torch.Generator().manual_seed(0))
    matrix = np.cov(x.double().numpy(), rowvar=False)
    for _ in range(2):
        off = matrix[~np.eye(3, dtype=bool)].mean()
        matrix = matrix + np.diag(matrix).mean() * np.eye(3) + off * (1 - np.eye(3))
    deviation = np.sqrt(np.diag(matrix))
    expected = np.linalg.inv(matrix / np.outer(deviation, deviation))
    precisions = Precisions(FecamOptions(preset="official"))
    precisions.add(x, torch.zeros(6, dtype=torch.int64), range(1))
    assert precisions.matrices is not None
    np.testing.assert_allclose(precisions.matrices[0].numpy(), expected, rtol=1e-5)


@pytest.mark.parametrize(
    ("covariance", "of_equal_samples"),
    [("class", np.eye(2)), ("diagonal", np.full(2, np.sqrt(2.0)))],
)
def test_a_class_of_equal_samples_is_as_far_away_as_it_is(covariance: Any, of_equal_samples: Any):
    """It has no spread to measure by; with all zeros every sample would be at distance 0."""
    x = torch.tensor([[4.0, 1.0]] * 3 + [[1.0, 4.0], [1.5, 3.0], [0.5, 5.0]])
    precisions = Precisions(FecamOptions(covariance=covariance))
    precisions.add(x, torch.tensor([0, 0, 0, 1, 1, 1]), range(2))
    assert precisions.matrices is not None
    np.testing.assert_allclose(precisions.matrices[0].numpy(), of_equal_samples, rtol=1e-6)
    distances = precisions.distances(x[[0, 3]], torch.tensor([[4.0, 1.0], [1.0, 4.0]]))
    assert distances.argmin(1).tolist() == [0, 1]


def test_counts_matrices_that_off_diagonal_shrinkage_made_indefinite():
    """Two features move together, four are dead: the mean covariance exceeds the mean variance."""
    x = torch.zeros(8, 6)
    x[:, :2] = torch.rand(8, 1, generator=torch.Generator().manual_seed(0))
    labels = torch.zeros(8, dtype=torch.int64)
    for preset, expected in (("official", 1), ("safe", 0)):
        precisions = Precisions(FecamOptions(preset=preset))
        precisions.add(x, labels, range(1))
        assert precisions.indefinite == expected


@settings(deadline=None, max_examples=20)
@given(seed=st.integers(0, 2**31), increment=st.sampled_from([1, 2, 3]))
def test_per_class_results_do_not_depend_on_the_split(seed: int, increment: int):
    generator = torch.Generator().manual_seed(seed)
    x = torch.rand(30, 4, generator=generator)
    labels = torch.arange(30) % 6
    order = torch.randperm(30, generator=generator)
    whole, parts = Learner(FecamOptions()), Learner(FecamOptions())
    whole.learn(x, labels, range(6))
    for start in range(0, 6, increment):
        own = order[(labels[order] >= start) & (labels[order] < start + increment)]
        parts.learn(x[own], labels[own], range(start, start + increment))
    torch.testing.assert_close(whole.distances(x), parts.distances(x), rtol=1e-5, atol=1e-6)


def test_identity_ranks_like_the_cosine_to_raw_means(signed: Arrays):
    learner = Learner(FecamOptions(covariance="identity", tukey_power=1.0))
    learner.learn(signed["x_train"], signed["y_train"], range(20))
    by_cosine = cosine_scores(signed["x_test"], learner.means[0]).argmax(1)
    assert torch.equal(learner.distances(signed["x_test"]).argmin(1), by_cosine)

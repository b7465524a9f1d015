from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cilsim_slda import streaming
from cilsim_slda.streaming import StreamingGaussian

Stream = tuple[Tensor, Tensor]


class OneByOne:
    """The definition: a loop over samples, in float64."""

    def __init__(self, size: int, classes: int) -> None:
        self.means = torch.zeros(classes, size, dtype=torch.float64)
        self.counts = torch.zeros(classes, dtype=torch.float64)
        self.covariance = torch.ones(size, size, dtype=torch.float64)
        self.total = 0

    def add(self, x: Tensor, label: int) -> None:
        apart = x.double() - self.means[label]
        n = self.total
        self.covariance = (n * self.covariance + n / (n + 1) * apart.outer(apart)) / (n + 1)
        self.means[label] += (x.double() - self.means[label]) / (self.counts[label] + 1)
        self.counts[label] += 1
        self.total += 1


def precision(gaussian: StreamingGaussian, shrinkage: float) -> Tensor:
    return gaussian.weights(torch.eye(gaussian.scatter_DD.shape[0]), shrinkage)


def drawn(samples: int, size: int, classes: int, seed: int) -> Stream:
    generator = torch.Generator().manual_seed(seed)
    x = 3.0 + torch.randn(samples, size, generator=generator)
    return x, torch.randint(classes, (samples,), generator=generator)


@pytest.fixture(scope="module")
def arrays(golden: Path) -> dict[str, Any]:
    return dict(np.load(golden / "slda_avalanche_plastic_scratch.npz", allow_pickle=False))


def task_of(arrays: dict[str, Any], task: int) -> Stream:
    order = arrays[f"t{task}_train_order"]
    return torch.from_numpy(arrays["x_train"][order]), torch.from_numpy(arrays["y_train"][order])


def test_statistics_and_scores_equal_avalanche(arrays: dict[str, Any]):
    """Tolerances are twice the float32 rounding seen in the reference."""
    gaussian = StreamingGaussian(64)
    x_test = torch.from_numpy(arrays["x_test"]).double()
    for task in range(5):
        classes = 4 * task + 4
        gaussian.stream(*task_of(arrays, task), classes)
        assert gaussian.total == int(arrays[f"t{task}_num_updates"])
        expected = {name: arrays[f"t{task}_{name}"] for name in ("muK", "cK", "Sigma", "scores")}
        means = gaussian.means_KD.numpy()
        np.testing.assert_allclose(means, expected["muK"][:classes], atol=1.6e-6)
        np.testing.assert_array_equal(gaussian.counts_K.numpy(), expected["cK"][:classes])
        covariance = gaussian.scatter_DD / gaussian.total
        np.testing.assert_allclose(covariance.numpy(), expected["Sigma"], atol=2.2e-5)
        weights = gaussian.means_KD @ precision(gaussian, 1e-4)
        scores = x_test @ weights.T - 0.5 * (gaussian.means_KD * weights).sum(1)
        largest = np.abs(expected["scores"]).max()
        found, wanted = scores.numpy() / largest, expected["scores"][:, :classes] / largest
        np.testing.assert_allclose(found, wanted, atol=4e-5)


@pytest.mark.parametrize(
    ("plastic", "accuracy"), [(True, 0.97333), (False, 0.93667)], ids=["plastic", "fixed"]
)
def test_final_accuracy_after_a_base_phase(arrays: dict[str, Any], plastic: bool, accuracy: float):
    """What avalanche's StreamingLDA reached on these features with fit_base on the first task."""
    gaussian = StreamingGaussian(64)
    gaussian.fit_base(*task_of(arrays, 0), 4)
    for task in range(1, 5):
        gaussian.stream(*task_of(arrays, task), 4 * task + 4, plastic=plastic)
    weights = gaussian.means_KD @ precision(gaussian, 1e-4)
    offsets = 0.5 * (gaussian.means_KD * weights).sum(1)
    scores = torch.from_numpy(arrays["x_test"]).double() @ weights.T - offsets
    right = scores.argmax(1).numpy() == arrays["y_test"]
    assert right.mean() == pytest.approx(accuracy, abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(
    seed=st.integers(0, 2**31),
    samples=st.integers(1, 40),
    calls=st.integers(1, 4),
    chunk=st.sampled_from([1, 3, 512]),
)
def test_a_batch_equals_one_sample_at_a_time(seed: int, samples: int, calls: int, chunk: int):
    """In whatever batches and chunks, with classes that come back."""
    x, labels = drawn(samples, 3, 4, seed)
    loop, gaussian = OneByOne(3, 4), StreamingGaussian(3)
    for row, label in zip(x, labels.tolist(), strict=True):
        loop.add(row, label)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(streaming, "CHUNK", chunk)
        for rows in np.array_split(np.arange(samples), calls):
            gaussian.stream(x[rows], labels[rows], 4)
    close = {"rtol": 1e-9, "atol": 1e-11}
    torch.testing.assert_close(gaussian.scatter_DD / gaussian.total, loop.covariance, **close)
    torch.testing.assert_close(gaussian.means_KD, loop.means, **close)
    assert torch.equal(gaussian.counts_K, loop.counts)


def test_base_phase_by_hand():
    """Deviations +-1 of two classes on a line: their mean square is 1, and OAS of 1x1 keeps it."""
    gaussian = StreamingGaussian(1)
    gaussian.fit_base(torch.tensor([[0.0], [2.0], [9.0], [11.0]]), torch.tensor([0, 0, 1, 1]), 2)
    assert gaussian.means_KD.tolist() == [[1.0], [10.0]]
    assert gaussian.scatter_DD.tolist() == [[4.0]]
    assert gaussian.total == 4


def test_base_phase_does_not_depend_on_the_order():
    x, labels = drawn(30, 4, 3, seed=0)
    first, second = StreamingGaussian(4), StreamingGaussian(4)
    first.fit_base(x, labels, 3)
    second.fit_base(x.flip(0), labels.flip(0), 3)
    torch.testing.assert_close(first.scatter_DD, second.scatter_DD, rtol=1e-12, atol=1e-12)


def test_a_fixed_covariance_stays_as_the_base_gave_it():
    gaussian = StreamingGaussian(3)
    gaussian.fit_base(*drawn(20, 3, 2, seed=0), 2)
    before = precision(gaussian, 0.01)
    gaussian.stream(*drawn(20, 3, 4, seed=1), 4, plastic=False)
    torch.testing.assert_close(precision(gaussian, 0.01), before, rtol=1e-12, atol=1e-12)
    assert gaussian.total == 40


def test_full_shrinkage_is_the_nearest_mean():
    gaussian = StreamingGaussian(3)
    gaussian.stream(*drawn(20, 3, 2, seed=0), 2)
    assert precision(gaussian, 1.0).tolist() == torch.eye(3).tolist()


def test_features_too_large_for_the_shrinkage_take_the_pseudo_inverse():
    """S is 1e24 in all four places; the shrinkage is lost in its rounding, and rank 1 is left."""
    gaussian = StreamingGaussian(2)
    gaussian.stream(torch.tensor([[0.0, 0.0], [2e12, 2e12]]), torch.zeros(2, dtype=torch.int64), 1)
    expected = torch.full((2, 2), 0.25e-24 / (1 - 1e-4), dtype=torch.float64)
    torch.testing.assert_close(precision(gaussian, 1e-4), expected, rtol=1e-6, atol=0.0)


def test_an_order_is_that_of_the_samples_put_in_order() -> None:
    generator = torch.Generator().manual_seed(0)
    features_ND = torch.randn(300, 4, generator=generator)
    labels_N = torch.randint(0, 5, (300,), generator=generator)
    order_N = torch.randperm(300, generator=generator)
    given, sorted_before = StreamingGaussian(4), StreamingGaussian(4)
    given.stream(features_ND, labels_N, 5, order_N=order_N)
    sorted_before.stream(features_ND[order_N], labels_N[order_N], 5)
    assert torch.equal(given.scatter_DD, sorted_before.scatter_DD)
    assert torch.equal(given.means_KD, sorted_before.means_KD)

"""No solver makes a tensor larger than `max_bytes`, results the same.

Inputs are six times the bound, and a float64 copy of them would be twelve times.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from cilsim.solvers.chunking import bound_for, chunks, default_max_bytes
from cilsim.solvers.covariance import class_covariances, covariance
from cilsim.solvers.design_rows import DenseRows, Rows, ShiftedRows
from cilsim.solvers.distances import nearest_centres
from cilsim.solvers.kmeans import kmeans, semi_supervised_kmeans
from cilsim.solvers.linear_svm import fit_linear_svm
from cilsim.solvers.mahalanobis import class_distances, diagonal_distances, shared_distances
from cilsim.solvers.representation_similarity import MOST_ROWS, dealt, linear_cka, rows_at
from cilsim.solvers.ridge import ridge_path
from cilsim.solvers.ridge_sums import RidgeSums
from cilsim.solvers.silhouette import silhouette

CPU = torch.device("cpu")
ROWS, SIZE, CLASSES, BOUND = 2000, 24, 8, 1 << 15
"""The features take 192,000 bytes, six times the bound of 32,768."""


class LargestTensor(TorchDispatchMode):
    """Notes the bytes of the largest tensor that any operator makes; views make none."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        taken = {_storage(leaf) for leaf in tree_leaves((args, kwargs)) if isinstance(leaf, Tensor)}
        made = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(made):
            if isinstance(leaf, Tensor) and _storage(leaf) not in taken:
                self.bytes = max(self.bytes, leaf.untyped_storage().nbytes())
        return made


def _storage(tensor: Tensor) -> int:
    return tensor.untyped_storage().data_ptr()


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed))


LABELS = torch.arange(ROWS) % CLASSES
MEANS = drawn(CLASSES, SIZE, seed=1)
FEATURES = MEANS[LABELS] + drawn(ROWS, SIZE) + 2.0
MOVED = FEATURES - 1.0
TARGETS = torch.nn.functional.one_hot(LABELS, CLASSES)
MATRICES = torch.eye(SIZE).expand(CLASSES, SIZE, SIZE)


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(3)


def least(rows: Rows, labels: Tensor, max_bytes: int | None) -> Tensor:
    """Return (K,) the objectives of a fitted SVM, one class at a time; weights may be ambiguous."""
    found = fit_linear_svm(rows, labels, CLASSES, max_bytes=max_bytes)
    objectives = []
    for label in range(CLASSES):
        weight, bias = found.weight[label].double(), found.bias[label].double()
        scores = rows.times(found.weight[label].unsqueeze(1)).squeeze(1).double() + bias
        margins = (1.0 - torch.where(labels == label, scores, -scores)).clamp_min(0.0)
        objectives.append(0.5 * (weight @ weight + bias * bias) + margins @ margins)
    return torch.stack(objectives)


def svm_of_shifted_rows(max_bytes: int | None) -> Tensor:
    shift_of = torch.arange(ROWS) % CLASSES
    rows = ShiftedRows(
        FEATURES[:100], torch.arange(ROWS) % 100, MEANS, shift_of, normalise=True,
        max_bytes=max_bytes,
    )  # fmt: skip
    return least(rows, shift_of, max_bytes)


def ridge_sums(max_bytes: int | None) -> Tensor:
    sums = RidgeSums(SIZE)
    sums.add(FEATURES, TARGETS, max_bytes=max_bytes)
    return sums.gram_DD


SOLVERS: dict[str, Callable[[int | None], Any]] = {
    "k-means": lambda bound: (
        kmeans(FEATURES, CLASSES, generator=generator(), n_init=3, max_bytes=bound).centres
    ),
    "semi-supervised k-means": lambda bound: (
        semi_supervised_kmeans(
            FEATURES, LABELS, MOVED, 10, generator=generator(), n_init=3, max_bytes=bound
        ).centres
    ),
    "nearest centres": lambda bound: nearest_centres(FEATURES, MEANS, max_bytes=bound).double(),
    "linear SVM": lambda bound: least(DenseRows(FEATURES), LABELS, bound),
    "linear SVM of shifted rows": svm_of_shifted_rows,
    "covariance": lambda bound: covariance(FEATURES, max_bytes=bound),
    "class covariances": lambda bound: torch.cat(
        list(class_covariances(FEATURES, LABELS, range(CLASSES), max_bytes=bound))
    ),
    "covariances of two large classes": lambda bound: torch.cat(
        list(class_covariances(FEATURES, LABELS % 2, range(2), max_bytes=bound))
    ),
    "class distances": lambda bound: class_distances(FEATURES, MEANS, MATRICES, max_bytes=bound),
    "shared distances": lambda bound: shared_distances(
        FEATURES, MEANS, torch.eye(SIZE), max_bytes=bound
    ),
    "diagonal distances": lambda bound: diagonal_distances(
        FEATURES, MEANS, torch.ones(CLASSES, SIZE), max_bytes=bound
    ),
    "sums of ridge regression": ridge_sums,
    "ridge path of many samples": lambda bound: ridge_path(
        FEATURES, TARGETS, max_bytes=bound
    ).weights(1.0),
    "errors of a ridge path": lambda bound: ridge_path(
        FEATURES[:200], TARGETS[:200], max_bytes=bound
    ).errors(FEATURES, TARGETS, (0.1, 10.0), max_bytes=bound),
    "silhouette": lambda bound: torch.tensor(silhouette(FEATURES, LABELS, max_bytes=bound)),
}
NEEDED = {"silhouette": FEATURES.nbytes}
"""A silhouette moves all points to the origin at once."""


@pytest.mark.parametrize("name", SOLVERS)
def test_no_tensor_is_larger_than_the_bound(name: str) -> None:
    with LargestTensor() as largest:
        result = SOLVERS[name](BOUND)
    assert 0 < largest.bytes <= max(BOUND, result.nbytes, NEEDED.get(name, 0))


@pytest.mark.parametrize("name", SOLVERS)
def test_without_the_bound_a_tensor_would_be_larger(name: str) -> None:
    """Otherwise the test above shows nothing."""
    with LargestTensor() as largest:
        SOLVERS[name](1 << 30)
    assert largest.bytes > BOUND


@pytest.mark.parametrize("name", SOLVERS)
def test_the_bound_does_not_change_the_result(name: str) -> None:
    """To 1e-6 of the largest entry, because sums are cut elsewhere."""
    bounded, free = SOLVERS[name](BOUND), SOLVERS[name](1 << 30)
    largest = float(free.abs().max())
    torch.testing.assert_close(bounded, free, rtol=0.0, atol=1e-6 * largest)


def test_ridge_path_of_few_samples_is_bounded_apart_from_its_result() -> None:
    """1,000 features of 30 samples: the result is 240,000 bytes, a float64 copy as many more."""
    features, targets = drawn(30, 1000), drawn(30, 2, seed=1)
    with LargestTensor() as largest:
        path = ridge_path(features, targets, max_bytes=BOUND)
    assert largest.bytes == path.basis.nbytes == 240_000
    whole = ridge_path(features, targets)
    torch.testing.assert_close(path.weights(1.0), whole.weights(1.0), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("size", [SIZE, 1000])
def test_a_similarity_of_representations_makes_tensors_of_its_minibatches(size: int) -> None:
    """256 rows in float64, and their inner products; the features are of 2,000 rows."""
    first, second = (drawn(ROWS, size, seed=seed) for seed in (4, 5))
    with LargestTensor() as largest:
        batches = dealt(ROWS, generator())
        linear_cka((rows_at([first], batch), rows_at([second], batch)) for batch in batches)
    assert 8 * 250 * size <= largest.bytes <= 8 * MOST_ROWS * max(size, MOST_ROWS)


def test_chunks_cover_all_rows_once_and_have_one_row_at_least() -> None:
    assert list(chunks(5, 10, 25)) == [slice(0, 2), slice(2, 4), slice(4, 5)]
    assert list(chunks(2, 100, 25)) == [slice(0, 1), slice(1, 2)]
    assert list(chunks(0, 10, 25)) == []


def test_the_default_bound_on_the_cpu_is_128_mib() -> None:
    assert default_max_bytes(CPU) == bound_for(None, CPU) == 134_217_728


@pytest.mark.parametrize(("total", "bound"), [(1 << 30, 1 << 27), (80 << 30, 5 << 28)])
def test_the_default_bound_on_a_gpu_is_a_64th_of_all_its_memory(
    monkeypatch: pytest.MonkeyPatch, total: int, bound: int
) -> None:
    class Properties:
        total_memory = total

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: Properties)
    assert default_max_bytes(torch.device("cuda")) == bound


def test_a_bound_below_one_byte_is_refused() -> None:
    with pytest.raises(ValueError, match=r"^max_bytes=0; expected at least 1$"):
        kmeans(FEATURES, 2, generator=generator(), max_bytes=0)

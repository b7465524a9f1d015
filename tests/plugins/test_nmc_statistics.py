from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from cilsim.prototypes.means import class_means
from cilsim_nmc.statistics import ClassStatistics, Update

CLASSES, FEATURES = 4, 3
UPDATES: tuple[Update, ...] = ("sums", "running")


@st.composite
def streams(draw: st.DrawFn) -> tuple[Tensor, Tensor, list[int]]:
    """Samples in which every class comes, and where the stream is cut into experiences."""
    extra = draw(st.lists(st.integers(0, CLASSES - 1), max_size=30))
    labels_N = torch.tensor(draw(st.permutations([*range(CLASSES), *extra])))
    generator = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    scale = draw(st.sampled_from([1e-3, 1.0, 1e4]))
    values = scale * generator.standard_normal((len(labels_N), FEATURES))
    cuts = sorted(draw(st.sets(st.integers(1, len(labels_N) - 1), max_size=4)))
    return torch.from_numpy(values.astype(np.float32)), labels_N, cuts


def learnt(features_ND: Tensor, labels_N: Tensor, cuts: list[int], update: Update) -> Tensor:
    """Return the means after the pieces of a stream; classes are known when they first come."""
    statistics, classes = ClassStatistics(update), 0
    for start, stop in zip([0, *cuts], [*cuts, len(labels_N)], strict=True):
        classes = max(classes, int(labels_N[start:stop].max()) + 1)
        statistics.add(features_ND[start:stop], labels_N[start:stop], classes)
    return statistics.means()


def by_first_coming(labels_N: Tensor) -> Tensor:
    """Return labels renamed so that classes first come in ascending order."""
    names: dict[int, int] = {}
    return torch.tensor([names.setdefault(label, len(names)) for label in labels_N.tolist()])


@given(streams())
def test_neither_the_order_of_samples_nor_the_cuts_move_a_mean(
    stream: tuple[Tensor, Tensor, list[int]],
) -> None:
    features_ND, labels_N, cuts = stream
    labels_N = by_first_coming(labels_N)
    expected = class_means(features_ND.double(), labels_N, range(CLASSES))
    order_N = labels_N.argsort(stable=True)
    for update in UPDATES:
        for cut, order in (([], torch.arange(len(labels_N))), (cuts, None), ([], order_N)):
            chosen = torch.arange(len(labels_N)) if order is None else order
            means_KD = learnt(features_ND[chosen], labels_N[chosen], cut, update)
            torch.testing.assert_close(means_KD, expected, rtol=1e-12, atol=1e-12)


@given(streams())
def test_the_running_update_is_that_of_one_sample_after_another(
    stream: tuple[Tensor, Tensor, list[int]],
) -> None:
    """mean += (z - mean) / (n + 1), the loop of Janson et al. 2022, in float64."""
    features_ND, labels_N, cuts = stream
    labels_N = by_first_coming(labels_N)
    means_KD = torch.zeros(CLASSES, FEATURES, dtype=torch.float64)
    seen_K = [0] * CLASSES
    for z_D, label in zip(features_ND.double(), labels_N.tolist(), strict=True):
        means_KD[label] += (z_D - means_KD[label]) / (seen_K[label] + 1)
        seen_K[label] += 1
    found = learnt(features_ND, labels_N, cuts, "running")
    torch.testing.assert_close(found, means_KD, rtol=1e-12, atol=1e-12)


@given(streams())
def test_sums_of_classes_that_come_once_give_the_class_means_bit_for_bit(
    stream: tuple[Tensor, Tensor, list[int]],
) -> None:
    features_ND, labels_N, _ = stream
    expected = class_means(features_ND, labels_N, range(CLASSES))
    assert torch.equal(learnt(features_ND, labels_N, [], "sums").float(), expected)


@pytest.mark.parametrize("update", UPDATES)
def test_a_class_that_does_not_come_again_keeps_its_mean(update: Update) -> None:
    statistics = ClassStatistics(update)
    statistics.add(torch.tensor([[1.0, 2.0], [4.0, 6.0]]), torch.tensor([0, 1]), 2)
    came_K = statistics.add(torch.tensor([[0.0, 0.0], [8.0, 1.0]]), torch.tensor([1, 2]), 3)
    assert came_K.tolist() == [0, 1, 1]
    assert statistics.counts_K.tolist() == [1, 2, 1]
    assert statistics.means().tolist() == [[1.0, 2.0], [2.0, 3.0], [8.0, 1.0]]


@pytest.mark.parametrize("update", UPDATES)
def test_what_was_stored_goes_on_as_before(update: Update) -> None:
    whole, other = ClassStatistics(update), ClassStatistics(update)
    features_ND, labels_N = torch.arange(12.0).view(6, 2), torch.tensor([0, 1, 0, 1, 1, 0])
    whole.add(features_ND[:3], labels_N[:3], 2)
    other.load_state_dict(whole.state_dict())
    for statistics in (whole, other):
        statistics.add(features_ND[3:], labels_N[3:], 2)
    assert torch.equal(whole.means(), other.means())


def test_a_class_without_samples_has_no_mean() -> None:
    statistics = ClassStatistics("sums")
    message = "^no samples of class 1, 3; a mean needs at least one$"
    with pytest.raises(ValueError, match=message):
        statistics.add(torch.ones(2, 2), torch.tensor([0, 2]), 4)

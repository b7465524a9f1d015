from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from cilsim.prototypes.means import RunningMeans, class_means, class_sums

FEATURES = torch.tensor([[1.0, 2.0], [3.0, 4.0], [10.0, 20.0], [5.0, 9.0]])
LABELS = torch.tensor([7, 7, 2, 7])
GOLDEN = Path(__file__).parents[1] / "golden" / "teen_calib_cifar100like.npz"


def test_rows_are_the_means_in_the_order_of_the_classes():
    expected = torch.tensor([[3.0, 5.0], [10.0, 20.0]])
    assert torch.equal(class_means(FEATURES, LABELS, [7, 2]), expected)
    assert torch.equal(class_means(FEATURES, LABELS, (2,)), expected[1:])


def test_class_means_equal_those_of_teen():
    with np.load(GOLDEN, allow_pickle=False) as data:
        found = class_means(
            torch.from_numpy(data["x_base"]),
            torch.from_numpy(data["y_base"]).long(),
            range(int(data["base_class"])),
        )
        np.testing.assert_allclose(found, data["base_protos"], rtol=0, atol=1e-6)


@given(
    st.integers(1, 5).flatmap(
        lambda classes: st.lists(st.integers(0, classes - 1), min_size=1, max_size=60)
    ),
    st.integers(0, 100),
)
@settings(deadline=None)
def test_class_means_equal_numpy(labels, seed):
    features = torch.randn(len(labels), 3, generator=torch.Generator().manual_seed(seed))
    classes = sorted(set(labels))
    found = class_means(features, torch.tensor(labels), classes)
    rows = features.double().numpy()
    expected = [rows[np.array(labels) == label].mean(0) for label in classes]
    np.testing.assert_allclose(found, np.stack(expected), rtol=1e-6, atol=1e-7)


def test_a_mean_does_not_depend_on_other_classes_by_a_single_bit():
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(500, 17, generator=generator)
    labels = torch.randint(0, 9, (500,), generator=generator)
    together = class_means(features, labels, range(9))
    for label in range(9):
        own = labels == label
        assert torch.equal(class_means(features[own], labels[own], [label])[0], together[label])


def test_small_differences_survive_a_large_offset():
    features = torch.full((10_001, 1), 1e4)
    features[0] += 1.0
    assert class_means(features, torch.zeros(10_001, dtype=torch.int64), [0]).item() == 1e4


@pytest.mark.parametrize(
    ("given", "expected"),
    [(torch.float16, torch.float32), (torch.float64, torch.float64)],
    ids=str,
)
def test_half_precision_comes_back_as_float32(given, expected):
    assert class_means(FEATURES.to(given), LABELS, [7]).dtype == expected


def test_classes_without_samples_are_named():
    with pytest.raises(ValueError, match=r"^no samples of class 3, 5; a mean needs at least one$"):
        class_means(FEATURES, LABELS, [2, 3, 5])


def test_features_and_labels_must_pair():
    message = r"^features have shape \(4, 2\) and labels \(3,\); expected \(N, D\) and \(N,\)$"
    with pytest.raises(ValueError, match=message):
        class_means(FEATURES, LABELS[:3], [7])
    with pytest.raises(ValueError, match=message):
        RunningMeans([7], 2).add(FEATURES, LABELS[:3])


def test_running_means_of_batches_equal_class_means():
    generator = torch.Generator().manual_seed(1)
    features = torch.randn(100, 4, generator=generator)
    labels = torch.randint(0, 3, (100,), generator=generator)
    running = RunningMeans([2, 0], 4)
    for part in range(0, 100, 32):
        running.add(features[part : part + 32], labels[part : part + 32])
    torch.testing.assert_close(running.means(), class_means(features, labels, [2, 0]))
    assert running.counts_K.tolist() == [int((labels == 2).sum()), int((labels == 0).sum())]


def test_merged_means_count_both():
    left, right = RunningMeans([2, 7], 2), RunningMeans([2, 7], 2)
    left.add(FEATURES[:2], LABELS[:2])
    right.add(FEATURES[2:], LABELS[2:])
    left.merge(right)
    assert torch.equal(left.means(), torch.tensor([[10.0, 20.0], [3.0, 5.0]]))


def test_means_of_other_classes_cannot_be_merged():
    with pytest.raises(
        ValueError,
        match=r"^cannot merge means of classes \(1,\) with 2 features into \(2,\) with 2$",
    ):
        RunningMeans([2], 2).merge(RunningMeans([1], 2))


def test_a_state_continues_where_it_was_taken():
    first = RunningMeans([2, 7], 2)
    first.add(FEATURES[:2], LABELS[:2])
    second = RunningMeans([2, 7], 2)
    second.load_state_dict(first.state_dict())
    second.add(FEATURES[2:], LABELS[2:])
    assert torch.equal(second.means(), torch.tensor([[10.0, 20.0], [3.0, 5.0]]))
    assert first.counts_K.tolist() == [0, 2]


def test_running_means_need_a_sample_of_every_class():
    running = RunningMeans([2, 7], 2)
    running.add(FEATURES[:2], LABELS[:2])
    with pytest.raises(ValueError, match=r"^no samples of class 2; a mean needs at least one$"):
        running.means()


def test_running_means_come_in_the_precision_asked_for():
    running = RunningMeans([7], 2, dtype=torch.float64)
    running.add(FEATURES.half(), LABELS)
    assert running.means().dtype == torch.float64


def test_class_sums_have_zeros_for_a_class_without_samples():
    sums_KD, counts_K = class_sums(FEATURES, LABELS, [5, *sorted(set(LABELS.tolist()))])
    assert sums_KD.dtype == torch.float64
    assert (sums_KD[0].tolist(), int(counts_K[0])) == ([0.0] * FEATURES.shape[1], 0)
    torch.testing.assert_close(sums_KD.sum(0), FEATURES.double().sum(0))
    assert int(counts_K.sum()) == len(LABELS)


def test_embedded_means_have_the_bits_of_an_embedded_copy():
    features = torch.randn(60, 5, generator=torch.Generator().manual_seed(0))
    labels, seen = torch.arange(60) % 4, []

    def embed(own_MD):
        seen.append(len(own_MD))
        return torch.nn.functional.normalize(own_MD)

    found = class_means(features, labels, range(4), embed)
    expected = class_means(torch.nn.functional.normalize(features), labels, range(4))
    assert torch.equal(found, expected)
    assert seen == [15, 15, 15, 15]  # a class at a time

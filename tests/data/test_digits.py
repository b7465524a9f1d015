from __future__ import annotations

import numpy as np
import pytest

from cilsim.data.digits import COUNTS, DigitsOptions, facts_digits, load_digits


def test_the_counts_are_those_of_scikit_learn() -> None:
    from sklearn import datasets

    assert tuple(np.bincount(datasets.load_digits().target).tolist()) == COUNTS


def test_facts_from_counts_are_the_facts_of_the_data_set() -> None:
    options = DigitsOptions(test_fraction=0.25)
    facts, dataset = facts_digits(options), load_digits(options)
    assert facts.class_ids == dataset.facts.class_ids == tuple(range(10))
    assert facts.class_names == tuple("0123456789")
    assert facts.sample_shape == dataset.x_train.shape[1:] == (3, 16, 16)
    assert facts.y_train.tolist() == dataset.facts.y_train.tolist()
    assert facts.y_test.tolist() == dataset.facts.y_test.tolist()


def test_three_tenths_of_each_class_are_for_testing_by_default() -> None:
    facts = facts_digits(DigitsOptions())
    assert np.bincount(facts.y_test).tolist() == [53, 55, 53, 55, 54, 55, 54, 54, 52, 54]
    assert np.bincount(facts.y_train).tolist() == [125, 127, 124, 128, 127, 127, 127, 125, 122, 126]


@pytest.mark.parametrize(("fraction", "held"), [(1e-9, 1), (1 - 1e-9, 173)])
def test_both_parts_keep_at_least_one_image(fraction: float, held: int) -> None:
    facts = facts_digits(DigitsOptions(test_fraction=fraction))
    assert (facts.y_test == 8).sum() == held


def test_every_image_is_in_one_part_with_its_own_class_and_all_grey_levels() -> None:
    from sklearn import datasets

    bunch = datasets.load_digits()
    dataset = load_digits(DigitsOptions())
    ours = np.concatenate([dataset.x_train, dataset.x_test])
    ids = np.concatenate([dataset.facts.y_train, dataset.facts.y_test])
    assert (ours[:, 0] == ours[:, 1]).all()
    assert (ours[:, 0] == ours[:, 2]).all()
    assert (ours[..., ::2, ::2] == ours[..., 1::2, 1::2]).all()
    small = ours[:, 0, ::2, ::2].reshape(len(ours), -1)
    theirs = np.rint(bunch.images * 255 / 16).astype(np.uint8).reshape(len(ours), -1)
    found = sorted(zip(ids.tolist(), small.tolist(), strict=True))
    assert found == sorted(zip(bunch.target.tolist(), theirs.tolist(), strict=True))


def test_the_digits_are_the_same_every_time() -> None:
    first, second = load_digits(DigitsOptions()), load_digits(DigitsOptions())
    assert first.digest == second.digest
    assert first.mean == pytest.approx((0.3053549,) * 3)
    assert first.std == pytest.approx((0.3761874,) * 3)
    assert load_digits(DigitsOptions(test_fraction=0.5)).digest != first.digest

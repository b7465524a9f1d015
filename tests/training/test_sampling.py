from __future__ import annotations

import pytest
import torch

from cilsim.training.batching import batch_bounds
from cilsim.training.sampling import PLAIN, Sampling, balanced_views, balancing_weights


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def test_plain_sampling_takes_every_sample_once() -> None:
    assert sorted(PLAIN.order(7, generator()).tolist()) == list(range(7))


def test_weights_draw_with_replacement_in_proportion() -> None:
    weights = torch.tensor([3.0, 1.0, 0.0]).repeat(1000)
    drawn = Sampling(weights=weights).order(3000, generator())
    shares = torch.bincount(drawn % 3, minlength=3) / 3000
    assert len(drawn) == 3000
    assert shares.tolist() == pytest.approx([0.75, 0.25, 0.0], abs=0.03)


def test_weights_must_fit_the_samples() -> None:
    with pytest.raises(ValueError, match=r"^2 drawing weights for 3 samples$"):
        Sampling(weights=torch.ones(2)).order(3, generator())


def test_facts_tell_samplings_apart() -> None:
    kinds = [
        PLAIN,
        Sampling(views=2),
        Sampling(drop_last=True),
        Sampling(weights=torch.ones(3)),
        Sampling(weights=torch.ones(4)),
    ]
    facts = [str(kind.facts()) for kind in kinds]
    assert len(set(facts)) == len(kinds)


def test_an_incomplete_batch_is_left_out_unless_it_is_the_only_one() -> None:
    assert batch_bounds(10, 4, drop_last=True) == [(0, 4), (4, 8)]
    assert batch_bounds(8, 4, drop_last=True) == [(0, 4), (4, 8)]
    assert batch_bounds(3, 4, drop_last=True) == [(0, 3)]


def test_half_of_a_batch_is_labelled_in_expectation() -> None:
    labels = torch.tensor([0, 1, -1, -1, -1, -1])
    weights = balancing_weights(labels)
    assert weights.tolist() == [1.0, 1.0, 0.5, 0.5, 0.5, 0.5]
    assert weights[labels >= 0].sum() == weights[labels < 0].sum()


def test_a_set_without_unlabelled_samples_is_drawn_evenly_too() -> None:
    assert balancing_weights(torch.tensor([0, 1])).tolist() == [1.0, 1.0]


def test_a_set_without_labelled_samples_is_drawn_evenly() -> None:
    assert balancing_weights(torch.tensor([-1, -1])).tolist() == [1.0, 1.0]


def test_views_are_balanced_where_some_samples_have_labels_and_some_not() -> None:
    sampling = balanced_views(torch.tensor([0, -1, -1]))
    assert (sampling.views, sampling.drop_last) == (2, True)
    assert sampling.weights is not None
    assert sampling.weights.tolist() == [1.0, 0.5, 0.5]


def test_views_of_samples_all_with_or_all_without_labels_take_each_once() -> None:
    for labels in ([0, 1], [-1, -1]):
        assert balanced_views(torch.tensor(labels)).weights is None

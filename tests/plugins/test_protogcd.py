from __future__ import annotations

import math
import re
from typing import Any, cast

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cilsim.testing import DiscoveryContract
from cilsim_protogcd.losses import adaptive_targets, confidence, hard_share, separation
from cilsim_protogcd.options import ProtoGCDOptions
from cilsim_protogcd.outliers import SCORES
from cilsim_protogcd.strategy import ProtoGCD


class TestGeneralisedDiscovery(DiscoveryContract):
    strategy = "protogcd"
    kind = "generalized_category_discovery"
    options = {"hidden": 16, "bottleneck": 8, "ramp_epochs": 5}


def test_the_share_of_hard_labels_rises_from_the_first_to_the_last_epoch_of_the_ramp() -> None:
    shares = [hard_share(epoch, 0.0, 1.0, ramp_epochs=100) for epoch in (0, 33, 99, 100, 199)]
    assert shares == pytest.approx([0.0, 1 / 3, 1.0, 1.0, 1.0])
    assert hard_share(0, 0.2, 1.0, ramp_epochs=1) == 1.0


def test_a_share_that_makes_whole_rows_makes_all_of_them() -> None:
    """27/99 of 55 rows are 15, which 27/99 rounded down would not be."""
    rows = {27: (55, 15), 54: (99, 54), 59: (99, 59)}
    found = {epoch: int(n * hard_share(epoch, 0.0, 1.0, 100)) for epoch, (n, _) in rows.items()}
    assert found == {epoch: whole for epoch, (_, whole) in rows.items()}


def test_confidence_is_the_ratio_of_the_two_largest() -> None:
    rows = torch.tensor([[0.6, 0.3, 0.1], [0.5, 0.0, 0.5]])
    assert confidence(rows).tolist() == pytest.approx([0.6 / 0.300001, 0.5 / 0.500001], rel=1e-5)
    assert confidence(torch.ones(2, 1)).tolist() == [1.0, 1.0]


def test_the_surest_rows_of_each_view_become_one_hot() -> None:
    # view 1: row 1 is surer; view 2: row 2
    logits = torch.tensor([[0.5, 0.4], [0.0, 0.9], [0.7, 0.0], [0.4, 0.5]])
    targets = adaptive_targets(logits, 0.05, share=0.5)
    soft = torch.softmax(logits / 0.05, 1)
    assert targets[1].tolist() == [0.0, 1.0]
    assert targets[2].tolist() == [1.0, 0.0]
    torch.testing.assert_close(targets[[0, 3]], soft[[0, 3]])


@given(share=st.floats(0.0, 1.0), seed=st.integers(0, 100))
def test_targets_are_distributions_and_as_many_one_hot_as_asked_for(
    share: float, seed: int
) -> None:
    logits = torch.rand(14, 5, generator=torch.Generator().manual_seed(seed))
    targets = adaptive_targets(logits, 0.5, share)
    torch.testing.assert_close(targets.sum(1), torch.ones(14))
    assert int((targets.amax(1) == 1.0).sum()) == 2 * int(7 * share)


def test_separation_of_two_opposite_prototypes_by_hand() -> None:
    opposite = torch.tensor([[1.0, 0.0], [-2.0, 0.0]])
    assert separation(opposite, 0.1).item() == pytest.approx(-10.0)
    assert separation(opposite, 0.5).item() == pytest.approx(-2.0 * 5)
    right_angles = torch.eye(3)
    assert separation(right_angles, 0.1).item() == pytest.approx(0.0, abs=1e-6)
    assert separation(opposite[:1], 0.1).item() == 0.0


@pytest.mark.parametrize(
    ("score", "by_hand"),
    [
        ("msp", -1 / (1 + math.exp(-4.0))),
        ("mls", -0.6),
        ("energy", -math.log(math.exp(0.6) + math.exp(0.2))),
        ("xent", 4.0 - math.log(math.exp(6.0) + math.exp(2.0))),
        ("margin", -math.tanh(2.0)),
        ("ratio", -(1 / (1 + math.exp(-4.0))) / (1 / (1 + math.exp(4.0)) + 1e-6)),
    ],
)
def test_outlier_scores_by_hand(score: str, by_hand: float) -> None:
    assert SCORES[score](torch.tensor([[0.6, 0.2]])).item() == pytest.approx(by_hand, rel=1e-4)


@pytest.fixture
def learnt() -> ProtoGCD:
    """Two classes, along the two axes."""
    strategy = ProtoGCD(ProtoGCDOptions(), cast(Any, None))
    strategy.setup()
    strategy.load_state_dict({"prototypes": None, "classifier": 3.0 * torch.eye(2)})
    return strategy


@pytest.mark.parametrize("score", SCORES)
def test_a_sample_between_the_classes_is_the_outlier(learnt: ProtoGCD, score: str) -> None:
    features = torch.tensor([[5.0, 0.0], [1.0, 1.0], [0.0, 0.2]])
    found = learnt.outlier_scores(features, score)
    between = SCORES[score](torch.full((1, 2), 0.5**0.5))
    torch.testing.assert_close(found, torch.stack([found[0], between[0], found[0]]))
    assert (found[1] > found[0]) == (score != "energy")  # which adds up what looks like any class


def test_an_unknown_outlier_score_is_refused(learnt: ProtoGCD) -> None:
    expected = "no outlier score is named 'margins'; did you mean 'margin'?"
    with pytest.raises(ValueError, match=f"^{re.escape(expected)}$"):
        learnt.outlier_scores(torch.eye(2), "margins")

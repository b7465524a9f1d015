from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cilsim.testing import DiscoveryContract
from cilsim_protogcd.losses import adaptive_targets, confidence, hard_share, separation
from cilsim_protogcd.outliers import SCORES


class TestGeneralisedDiscovery(DiscoveryContract):
    strategy = "protogcd"
    kind = "generalized_category_discovery"
    options = {"hidden": 16, "bottleneck": 8, "ramp_epochs": 5}


def test_the_share_of_hard_labels_rises_from_the_first_to_the_last_epoch_of_the_ramp() -> None:
    shares = [hard_share(epoch, 0.0, 1.0, ramp_epochs=100) for epoch in (0, 33, 99, 100, 199)]
    assert shares == pytest.approx([0.0, 1 / 3, 1.0, 1.0, 1.0])
    assert hard_share(0, 0.2, 1.0, ramp_epochs=1) == 1.0


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
        ("margin", -0.4),
        ("ratio", -(1 / (1 + math.exp(-4.0))) / (1 / (1 + math.exp(4.0)) + 1e-6)),
    ],
)
def test_outlier_scores_by_hand(score: str, by_hand: float) -> None:
    assert SCORES[score](torch.tensor([[0.6, 0.2]])).item() == pytest.approx(by_hand, rel=1e-4)

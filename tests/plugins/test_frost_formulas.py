from __future__ import annotations

import math
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor, nn

from cilsim.training.head import Head
from cilsim_frost.freezing import begins_with, prefix_complaint
from cilsim_frost.losses import (
    consistency,
    flattened_distance,
    pairwise_loss,
    ramp,
    same_largest,
    self_training,
)
from cilsim_frost.stage import Stage, look_novel, lower_new_biases
from cilsim_frost.statistics import class_statistics, draw, replayable, shared_spread, widened

Reference = Mapping[str, Tensor]


@pytest.fixture(scope="module")
def reference(golden: Path) -> Reference:
    with np.load(golden / "frost_losses.npz", allow_pickle=False) as stored:
        return {name: torch.as_tensor(stored[name]) for name in stored.files}


def features(reference: Reference, images: str, weights: str = "") -> Tensor:
    weight, bias = (reference[f"{weights}backbone_{part}"] for part in ("weight", "bias"))
    return F.relu(F.linear(reference[images], weight, bias))


def logits(reference: Reference, rows: Tensor, head: str) -> Tensor:
    return F.linear(rows, reference[f"{head}_weight"], reference[f"{head}_bias"])


def signs(same: Tensor) -> Tensor:
    return torch.where(same, 1.0, -1.0)


# ------------------------------------------------------------------- golden


def test_pairs_equal_those_of_the_released_code(reference: Reference) -> None:
    top = int(reference["topk"])
    same = same_largest(features(reference, "x"), top)
    assert torch.equal(signs(same), reference["pair_targets"])
    assert torch.equal(signs(same_largest(reference["rank_feats"], top)), reference["rank_targets"])


@pytest.mark.parametrize("epoch", [0, 50, 299])
def test_terms_and_total_equal_the_released_code(reference: Reference, epoch: int) -> None:
    first, second = features(reference, "x"), features(reference, "x_bar")
    novel = logits(reference, first, "head2")
    p, q = novel.softmax(1), logits(reference, second, "head2").softmax(1)
    everyone = torch.ones(len(p), dtype=torch.bool)
    rise = ramp(epoch, int(reference["rampup_length"]))
    replayed = logits(reference, reference["replay_feats"], "head1")
    joint = logits(reference, first, "head1")
    mse = consistency(p, q, everyone)
    terms: dict[str, Tensor] = {
        "loss_bce": pairwise_loss(p, q, same_largest(first, 5), everyone),
        "loss_self_train": 0.01 * rise * self_training(joint, novel, 6, everyone),
        "loss_proto": F.cross_entropy(replayed, reference["replay_labels"]),
        "loss_kd": 10.0 * flattened_distance(first, features(reference, "x", "old_")),
    }
    found = {name: float(value) for name, value in terms.items()}
    found["loss_total"] = sum(found.values()) + 25.0 * rise * float(mse)
    found |= {"w": 25.0 * rise, "consistency_mse": float(mse)}
    expected = {name: float(reference[f"ep{epoch}_{name}"]) for name in found}
    assert found == pytest.approx(expected, rel=1e-5)


def test_the_whole_ramp_equals_that_of_the_released_code(reference: Reference) -> None:
    curve = [ramp(epoch, 300) for epoch in range(301)]
    assert curve == pytest.approx(reference["rampup_curve_length300"].tolist())
    assert ramp(1000, 300) == 1.0


def test_statistics_equal_the_released_code(reference: Reference) -> None:
    rows, labels = reference["proto_feats"], reference["proto_labels"]
    means, spreads = class_statistics(rows, labels, range(6))
    torch.testing.assert_close(means, reference["proto_class_mean"])
    torch.testing.assert_close(spreads, reference["proto_class_sig"])
    torch.testing.assert_close(shared_spread(spreads), reference["proto_shared_sig"])


def test_draws_equal_the_released_code(reference: Reference) -> None:
    generator = torch.Generator().manual_seed(int(reference["proto_sample_seed"]))
    drawn, rows = draw(reference["proto_class_mean"], reference["proto_shared_sig"], 2, generator)
    torch.testing.assert_close(drawn, reference["proto_sampled_feats"])
    assert torch.equal(rows, reference["proto_sampled_labels"])


# ------------------------------------------------------------------ by hand


def test_of_equal_features_the_first_count_as_larger() -> None:
    rows = torch.tensor([[3.0, 0.0, 0.0, 0.0], [1.0, 0.5, 0.0, 0.0], [1.0, 0.0, 0.5, 0.0]])
    assert same_largest(rows, 2).tolist() == [
        [True, True, False],
        [True, True, False],
        [False, False, True],
    ]


@given(seed=st.integers(0, 100), top=st.integers(1, 20))
def test_every_image_belongs_with_itself_and_order_does_not_count(seed: int, top: int) -> None:
    rows = torch.rand(6, 8, generator=torch.Generator().manual_seed(seed)).relu()
    same = same_largest(rows, top)
    assert same.diagonal().all()
    assert torch.equal(same, same.T)
    assert torch.equal(same_largest(rows * 7.0, top), same)
    assert top < 8 or bool(same.all())


def test_pairs_of_images_that_do_not_count_are_left_out() -> None:
    p = torch.tensor([[1.0, 0.0], [0.5, 0.5], [0.2, 0.8]])
    same = torch.tensor([[True, False, False], [False, True, False], [False, False, True]])
    counts = torch.tensor([True, True, False])
    expected = -(0.0 + 2 * math.log(0.5) + math.log(0.5)) / 4
    assert pairwise_loss(p, p, same, counts).item() == pytest.approx(expected, rel=1e-5)
    nobody = torch.zeros(3, dtype=torch.bool)
    assert pairwise_loss(p, p, same, nobody).item() == 0.0
    assert consistency(p, p.flip(1), nobody).item() == 0.0
    assert self_training(p, p, 0, nobody).item() == 0.0


def test_sure_predictions_that_should_differ_give_a_finite_loss_and_gradient() -> None:
    logits = torch.tensor([[60.0, 0.0], [60.0, 0.0]], requires_grad=True)
    p = logits.softmax(1)
    loss = pairwise_loss(p, p, torch.eye(2, dtype=torch.bool), torch.ones(2, dtype=torch.bool))
    (gradient,) = torch.autograd.grad(loss, logits)
    assert loss.item() == pytest.approx(-math.log(1e-7) / 2, rel=1e-4)
    assert gradient.isfinite().all()


def test_equal_features_are_at_distance_0_with_a_finite_gradient() -> None:
    rows = torch.rand(3, 4, requires_grad=True)
    distance = flattened_distance(rows, rows.detach())
    (gradient,) = torch.autograd.grad(distance, rows)
    assert distance.item() == 0.0
    assert gradient.isfinite().all()


def test_a_class_without_samples_is_not_replayed_and_one_sample_has_no_variance() -> None:
    rows = torch.tensor([[1.0, 3.0], [2.0, 2.0], [4.0, 2.0]])
    means, spreads = class_statistics(rows, torch.tensor([4, 6, 6]), range(4, 7))
    torch.testing.assert_close(means, torch.tensor([[1.0, 3.0], [7 / 3, 7 / 3], [3.0, 2.0]]))
    floor = math.sqrt(1e-5)
    expected = torch.tensor([[floor, floor], [0.0, 0.0], [math.sqrt(2 + 1e-5), floor]])
    torch.testing.assert_close(spreads, expected)
    assert replayable(spreads).tolist() == [0, 2]


def test_a_table_grows_by_rows_of_0() -> None:
    rows = torch.ones(1, 2)
    assert widened(rows, torch.empty(5, 2), 3).tolist() == [[1.0, 1.0], [0.0, 0.0], [0.0, 0.0]]
    assert widened(None, rows, 1).tolist() == [[0.0, 0.0]]


def test_new_outputs_start_below_all_old_ones() -> None:
    head = Head(2, 5)
    head.open(4, torch.Generator().manual_seed(0))
    assert head.bias is not None
    with torch.no_grad():
        head.bias[:2] = torch.tensor([0.5, -0.25])
    lower_new_biases(head, 2)
    assert head.bias.tolist() == [0.5, -0.25, -1.25, -1.25, 0.0]


def test_clusters_least_like_known_classes_look_novel() -> None:
    centres = torch.tensor([[1.0, 0.1], [-1.0, 0.0], [0.0, 1.0]])
    known = torch.tensor([[1.0, 0.0], [0.1, 1.0]])
    novel = look_novel(torch.tensor([0, 1, 2, 1]), centres, known, 1)
    assert novel.tolist() == [False, True, False, True]


def test_samples_that_look_known_are_given_known_classes() -> None:
    nothing = torch.empty(0)
    counts = torch.tensor([False, True, False])  # the first sample has a label
    stage = Stage(2, None, counts, True, None, nothing, nothing, nothing)
    joint = torch.tensor([[0.0, 1.0, 2.0], [0.0, 1.0, 2.0]])
    assert stage.clusters(torch.zeros(2, 1), joint).tolist() == [2, 2]


def test_parts_of_a_backbone_are_named_by_whole_words() -> None:
    backbone = nn.ModuleDict({"layer1": nn.Linear(1, 1), "layer10": nn.Linear(1, 1)})
    held = [name for name, _ in backbone.named_parameters() if begins_with(name, ("layer1",))]
    assert held == ["layer1.weight", "layer1.bias"]
    assert prefix_complaint(backbone, ("layer1", "layer10.bias")) is None
    assert prefix_complaint(backbone, ("stem",)) == (
        "frozen_prefixes: no parameter is in 'stem'; known: layer1, layer10"
    )

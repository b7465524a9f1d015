from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given
from hypothesis import strategies as st

from cilsim.training.contrastive import info_nce
from cilsim.training.distillation import unit_feature_distance
from cilsim.training.head import Head
from cilsim.training.projection import ProjectionHead
from cilsim.training.self_distillation import mean_probabilities
from cilsim_happy.entropies import group_entropies
from cilsim_happy.initialisation import start_rows_from_centres, start_rows_from_means
from cilsim_happy.losses import Stage, first_stage_terms, later_stage_terms, summed
from cilsim_happy.options import HappyOptions
from cilsim_happy.prototypes import radius, stage_prototypes
from cilsim_happy.replay import Replay, hardness, mean_similarity

STAGE = Stage(seen=6, labelled=False, unlabelled=True, only_new=False)
CLOSE = {"rtol": 1e-4, "atol": 1e-6}


@pytest.fixture(scope="module")
def losses(golden: Path) -> dict[str, Any]:
    return _tensors(golden / "happy_losses.npz")


@pytest.fixture(scope="module")
def prototypes(golden: Path) -> dict[str, Any]:
    return _tensors(golden / "happy_prototypes.npz")


def _tensors(path: Path) -> dict[str, Any]:
    with np.load(path, allow_pickle=False) as stored:
        arrays = {name: np.asarray(stored[name]) for name in stored.files}
    return {name: torch.from_numpy(a) for name, a in arrays.items() if a.dtype.kind in "bfi"}


def _projection(losses: dict[str, Any]) -> ProjectionHead:
    hidden, bottleneck = (len(losses[f"head_mlp_{n}_bias"]) for n in (0, 4))
    head = ProjectionHead(12, torch.Generator(), hidden=hidden, bottleneck=bottleneck)
    parts = [(n, part) for n in (0, 2, 4) for part in ("weight", "bias")]
    head.load_state_dict({f"mlp.{n}.{part}": losses[f"head_mlp_{n}_{part}"] for n, part in parts})
    return head


def _nobody(rows: int) -> torch.Tensor:
    return torch.full((rows // 2,), -1)


# ------------------------------------------------------------- released code


def test_all_terms_and_gradients_of_a_stage_equal_the_released_code(
    losses: dict[str, Any],
) -> None:
    weight = losses["backbone_weight"].clone().requires_grad_()
    classifier = Head.of_rows(losses["head_last_layer_weight_v"], 1.0)
    features = F.linear(losses["images"], weight, losses["backbone_bias"])
    before = F.linear(
        losses["images"], losses["prev_backbone_weight"], losses["prev_backbone_bias"]
    )
    options = HappyOptions()
    terms = later_stage_terms(
        classifier(features), _projection(losses)(features), _nobody(20), STAGE, options
    )
    replay = Replay.of(losses["prototypes"], losses["radius"], 0.1)
    class_M, drawn = replay.noisy(losses["hap_sampled_labels"], losses["hap_noise"])
    replayed = F.cross_entropy(classifier(drawn) / options.temperature, class_M)
    terms["prototypes"] = (options.prototype_weight, replayed)
    terms["distillation"] = (options.distillation_weight, unit_feature_distance(features, before))
    loss = summed(terms)
    expected = {
        "self_training": "self_train_loss",
        "entropy_between": "entropy_old_new",
        "entropy_seen": "entropy_old_in",
        "entropy_new": "entropy_new_in",
        "contrastive": "contrastive_loss",
        "prototypes": "hap_loss",
        "distillation": "feat_distill_loss",
    }
    assert set(loss.parts) == set(expected)
    for name, key in expected.items():
        assert loss.parts[name].item() == pytest.approx(losses[key].item(), rel=1e-4), name
    assert loss.total.item() == pytest.approx(losses["total_loss"].item(), rel=1e-4)
    for_backbone, for_rows = torch.autograd.grad(loss.total, [weight, classifier.weight])
    torch.testing.assert_close(for_backbone, losses["grad_backbone_weight"], rtol=1e-3, atol=1e-6)
    torch.testing.assert_close(for_rows, losses["grad_head_weight_v"], rtol=1e-3, atol=1e-6)


def test_half_the_released_distillation_is_that_of_the_paper(losses: dict[str, Any]) -> None:
    images = losses["images"]
    features = F.linear(images, losses["backbone_weight"], losses["backbone_bias"])
    before = F.linear(images, losses["prev_backbone_weight"], losses["prev_backbone_bias"])
    half = unit_feature_distance(features, before).item() / 2
    assert half == pytest.approx(losses["paper_style_cos_kd"].item(), rel=1e-4)


def test_entropies_and_their_gradient_equal_the_released_code(losses: dict[str, Any]) -> None:
    logits = losses["student_out"].clone().requires_grad_()
    probabilities = mean_probabilities(logits)
    torch.testing.assert_close(probabilities.detach(), losses["avg_probs"], **CLOSE)
    values = group_entropies(probabilities, 6)
    total = torch.stack(list(values.values())).sum()
    (gradient,) = torch.autograd.grad(total, [logits])
    torch.testing.assert_close(
        gradient, losses["entropy_total_grad_student_out"], rtol=1e-3, atol=1e-6
    )


def test_contrastive_loss_equals_the_released_code(losses: dict[str, Any]) -> None:
    value = info_nce(losses["student_proj"], HappyOptions().contrastive_temperature)
    assert value.item() == pytest.approx(losses["contrastive_loss"].item(), rel=1e-4)


def test_prototypes_and_radius_of_stage_0_equal_the_released_code(
    prototypes: dict[str, Any],
) -> None:
    units = F.normalize(prototypes["off_feats_unnormalised"])
    labels = prototypes["off_labels"]
    rows = stage_prototypes(units, labels, torch.zeros(6, 12), None)
    torch.testing.assert_close(rows, prototypes["off_prototypes"], **CLOSE)
    assert radius(units, labels) == pytest.approx(prototypes["off_radius"].item(), rel=1e-4)
    torch.testing.assert_close(mean_similarity(rows), prototypes["off_mean_similarity"], **CLOSE)


@pytest.mark.parametrize("temperature", [0.01, 0.05, 0.1, 1, 10])
def test_hardness_equals_the_released_code(prototypes: dict[str, Any], temperature: float) -> None:
    expected = prototypes[f"off_sampling_prob_T{temperature}"]
    found = hardness(prototypes["off_prototypes"], temperature)
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-7)


def test_prototypes_after_a_stage_equal_the_released_code(prototypes: dict[str, Any]) -> None:
    units = F.normalize(prototypes["on_feats_unnormalised"])
    head = Head.of_rows(prototypes["on_head_weight_v"], 1.0)
    predicted = head(units).argmax(1)
    assert torch.equal(predicted, prototypes["on_preds"])
    labels = predicted.where(predicted >= prototypes["on_num_seen"], -1)
    rows = stage_prototypes(
        units, labels, prototypes["on_head_weight_v"], prototypes["off_prototypes"]
    )
    torch.testing.assert_close(rows, prototypes["on_prototypes"], **CLOSE)
    torch.testing.assert_close(mean_similarity(rows), prototypes["on_mean_similarity"], **CLOSE)
    torch.testing.assert_close(hardness(rows, 0.1), prototypes["on_sampling_prob_T01"], **CLOSE)


@pytest.mark.parametrize("stage", ["off", "on"])
def test_replayed_features_and_their_loss_equal_the_released_code(
    prototypes: dict[str, Any], stage: str
) -> None:
    replay = Replay.of(prototypes[f"{stage}_prototypes"], prototypes[f"{stage}_radius"], 0.1)
    class_M, drawn = replay.noisy(
        prototypes[f"{stage}_sampled_labels"], prototypes[f"{stage}_noise"]
    )
    torch.testing.assert_close(drawn, prototypes[f"{stage}_sampled_feats"], **CLOSE)
    head = Head.of_rows(prototypes[f"{stage}_head_weight_v"], 1.0)
    loss = F.cross_entropy(head(drawn) / 0.1, class_M).item()
    assert loss == pytest.approx(prototypes[f"{stage}_hap_loss"].item(), rel=1e-4)


def test_stage_0_has_the_loss_of_simgcd(golden: Path) -> None:
    stored = _tensors(golden / "simgcd_losses.npz")
    labels = stored["labels"].where(stored["mask_lab"], -1)
    stage = Stage(seen=0, labelled=True, unlabelled=True, only_new=False)
    for epoch, weight in ((0, 1), (10, 2), (199, 4)):
        options = HappyOptions(first_stage_entropy_weight=weight)
        inputs = (stored["student_out"], stored["student_proj"], labels)
        loss = summed(first_stage_terms(*inputs, epoch, stage, options))
        expected = stored[f"ep{epoch}_memax{weight}_total_loss"].item()
        assert loss.total.item() == pytest.approx(expected, rel=1e-4)


# ------------------------------------------------------------ values by hand


def test_the_paper_trains_stage_0_with_labels_and_contrast_alone() -> None:
    logits = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))
    options = HappyOptions(first_stage_loss="paper")
    stage = Stage(seen=0, labelled=True, unlabelled=False, only_new=True)
    terms = first_stage_terms(logits, logits, torch.tensor([0, 2]), 0, stage, options)
    assert {name: weight for name, (weight, _) in terms.items()} == {
        "contrastive": 0.65,
        "classification": 1.0,
        "supervised_contrastive": 0.35,
    }


def test_labels_of_a_later_stage_have_the_share_of_stage_0() -> None:
    logits = torch.rand(4, 3, generator=torch.Generator().manual_seed(0))
    stage = Stage(seen=2, labelled=True, unlabelled=True, only_new=False)
    options = HappyOptions(entropy_between_weight=2.0)
    terms = later_stage_terms(logits, logits, torch.tensor([2, -1]), stage, options)
    assert {name: weight for name, (weight, _) in terms.items()} == {
        "self_training": 0.65,
        "contrastive": 0.65,
        "entropy_between": 1.3,
        "entropy_seen": 0.65,
        "entropy_new": 0.65,
        "classification": 0.35,
        "supervised_contrastive": 0.35,
    }


def test_entropies_of_a_prediction_by_hand() -> None:
    values = group_entropies(torch.tensor([0.5, 0.25, 0.2, 0.05]), 2)
    assert values["between"].item() == pytest.approx(
        math.log(2) + 0.75 * math.log(0.75) + 0.25 * math.log(0.25)
    )
    assert values["seen"].item() == pytest.approx(
        math.log(2) + 2 / 3 * math.log(2 / 3) + 1 / 3 * math.log(1 / 3)
    )
    assert values["new"].item() == pytest.approx(
        math.log(2) + 0.8 * math.log(0.8) + 0.2 * math.log(0.2), rel=1e-5
    )


def test_one_new_class_has_no_entropy_inside() -> None:
    assert group_entropies(torch.tensor([0.7, 0.2, 0.1]), 2)["new"] == 0.0


def test_where_everything_is_new_the_share_of_new_classes_is_to_be_one() -> None:
    values = group_entropies(torch.tensor([0.5, 0.25, 0.2, 0.05]), 2, only_new=True)
    assert values["between"].item() == pytest.approx(-math.log(0.25))
    assert values["seen"] == 0.0


@given(
    st.lists(st.floats(0.0, 1.0), min_size=2, max_size=8).filter(lambda p: sum(p) > 0.01),
    st.data(),
)
def test_entropies_are_finite_and_not_negative(shares: list[float], data: Any) -> None:
    seen = data.draw(st.integers(0, len(shares)))
    probabilities = torch.tensor(shares, dtype=torch.float64)
    probabilities = (probabilities / probabilities.sum()).requires_grad_()
    for only_new in (False, True):
        values = group_entropies(probabilities, seen, only_new=only_new)
        for value in values.values():
            assert value.item() >= -1e-9
            assert math.isfinite(value.item())
        total = torch.stack(list(values.values())).sum()
        if total.requires_grad:
            (gradient,) = torch.autograd.grad(total, [probabilities])
            assert torch.isfinite(gradient).all()


def test_radius_of_two_points_each_side_of_their_mean() -> None:
    angle = math.radians(30)
    units = torch.tensor(
        [[math.cos(angle), math.sin(angle)], [math.cos(angle), -math.sin(angle)], [1.0, 0.0]]
    )
    # class 0 has covariance trace sin(30)^2 = 1/4, class 1 of one sample none; D = 2
    assert radius(units, torch.tensor([0, 0, 1])) == pytest.approx(math.sqrt(0.25 / 2 / 2))


def test_labels_of_old_classes_move_their_prototypes() -> None:
    before = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    units = torch.tensor([[0.6, 0.8], [-1.0, 0.0]])
    rows = stage_prototypes(units, torch.tensor([0, 2]), torch.ones(3, 2), before)
    torch.testing.assert_close(rows, torch.tensor([[0.6, 0.8], [0.0, 1.0], [-1.0, 0.0]]))


def test_a_single_prototype_is_always_drawn() -> None:
    replay = Replay.of(torch.tensor([[3.0, 4.0]]), 0.0, 0.1)
    class_M, drawn = replay.draw(5, torch.Generator().manual_seed(0))
    assert class_M.tolist() == [0] * 5
    torch.testing.assert_close(drawn, torch.tensor([[0.6, 0.8]]).expand(5, 2))


def test_prototypes_are_drawn_as_often_as_they_are_hard() -> None:
    rows = torch.tensor([[1.0, 0.0, 0.0], [0.8, 0.6, 0.0], [0.0, 0.0, 1.0]])
    replay = Replay.of(rows, 0.5, 0.5)
    class_M, drawn = replay.draw(20_000, torch.Generator().manual_seed(0))
    share = class_M.bincount().double() / len(class_M)
    torch.testing.assert_close(share, replay.hardness.double(), rtol=0.0, atol=0.02)
    noise = (drawn - rows[class_M]) / 0.5
    assert noise.std().item() == pytest.approx(1.0, abs=0.02)


def test_equal_generators_draw_equal_prototypes() -> None:
    replay = Replay.of(torch.eye(4), 0.1, 0.1)
    first, second = (replay.draw(8, torch.Generator().manual_seed(3)) for _ in range(2))
    assert torch.equal(first[0], second[0])
    assert torch.equal(first[1], second[1])


def test_novel_rows_start_at_the_centres_that_seen_rows_explain_least() -> None:
    rows = torch.tensor([[5.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    centres = torch.tensor([[0.9, 0.1], [0.0, 0.5], [-0.3, 0.4]])
    start_rows_from_centres(rows, 1, 2, centres)
    # the drawn rows have lengths 3 and 1, so new ones have 2; the most foreign centre comes first
    expected = torch.tensor([[5.0, 0.0], [-1.2, 1.6], [0.0, 2.0]])
    torch.testing.assert_close(rows, expected)


def test_with_fewer_centres_than_novel_classes_the_last_rows_stay_as_drawn() -> None:
    rows = torch.tensor([[1.0, 0.0], [1.0, 0.0], [0.6, 0.8]])
    start_rows_from_centres(rows, 1, 2, torch.tensor([[0.0, 7.0]]))
    torch.testing.assert_close(rows, torch.tensor([[1.0, 0.0], [0.0, 1.0], [0.6, 0.8]]))


def test_rows_of_labelled_classes_start_at_their_means() -> None:
    rows = torch.tensor([[1.0, 0.0], [3.0, 0.0], [0.0, 1.0]])
    start_rows_from_means(rows, 1, torch.tensor([[0.3, 0.4], [0.0, -0.1]]))
    torch.testing.assert_close(rows, torch.tensor([[1.0, 0.0], [1.2, 1.6], [0.0, -2.0]]))

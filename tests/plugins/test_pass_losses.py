"""The formulas of PASS against arrays of the released code and values on paper."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from cilsim.prototypes.means import class_means
from cilsim.training.distillation import feature_distance
from cilsim.training.rotation import rotated_images
from cilsim_pass.augmentation import cloud_radius, draw, noisy_prototypes


@pytest.fixture(scope="module")
def arrays(golden: Path) -> dict[str, Any]:
    return dict(np.load(golden / "pass_losses.npz", allow_pickle=False))


def toy_features(images: Any, weight: Any) -> Tensor:
    """The extractor that the golden arrays were made with."""
    pooled = F.adaptive_avg_pool2d(torch.from_numpy(images).float(), 4).flatten(1)
    return F.relu(F.linear(pooled, torch.from_numpy(weight).float()) + 0.1)


def base_features(arrays: dict[str, Any]) -> tuple[Tensor, Tensor]:
    """The released code drops the incomplete last batch: 16 of 20 images are left."""
    features = toy_features(arrays["task0_images"][:16], arrays["lin_weight"])
    return features, torch.from_numpy(arrays["task0_labels"][:16])


def test_prototypes_and_radius_equal_the_released_code(arrays: dict[str, Any]) -> None:
    features, labels = base_features(arrays)
    means = class_means(features, labels, range(4))
    np.testing.assert_allclose(means.numpy(), arrays["proto0"], atol=1e-5)
    assert cloud_radius(features, labels, means) == pytest.approx(float(arrays["radius"]), rel=1e-5)


def test_incremental_loss_equals_the_released_code(arrays: dict[str, Any]) -> None:
    prototypes = torch.from_numpy(arrays["proto0"])
    weight = torch.from_numpy(arrays["fc_weight"]).clone().requires_grad_()
    bias = torch.from_numpy(arrays["fc_bias"])
    images = rotated_images(torch.from_numpy(arrays["task1_images"]).float()).numpy()
    labels = torch.from_numpy(arrays["task1_labels"])
    features = toy_features(images, arrays["lin_weight_new"])
    old = toy_features(images, arrays["lin_weight"])

    draws = np.random.RandomState(int(arrays["np_seed"]))
    classes, noise, order = [], [], list(range(4))
    for _ in range(8):
        draws.shuffle(order)
        classes.append(order[0])
        noise.append(draws.normal(0.0, 1.0, 512))
    class_B = torch.tensor(classes)
    noise_BD = torch.from_numpy(np.array(noise)).float()
    augmented = noisy_prototypes(prototypes, class_B, noise_BD, float(arrays["radius"]))
    np.testing.assert_allclose(augmented.numpy(), arrays["proto_aug"], atol=1e-6)
    assert (4 * class_B).tolist() == arrays["proto_aug_label"].tolist()

    rotated_labels = (4 * labels.unsqueeze(1) + torch.arange(4)).flatten()
    classification = F.cross_entropy(F.linear(features, weight, bias) / 0.1, rotated_labels)
    retention = F.cross_entropy(F.linear(augmented, weight, bias) / 0.1, 4 * class_B)
    distillation = feature_distance(features, old)
    total = classification + 10.0 * retention + 10.0 * distillation
    total.backward()
    found = [term.item() for term in (classification, retention, distillation, total)]
    names = ("loss_cls", "loss_protoAug", "loss_kd", "loss")
    assert found == pytest.approx([float(arrays[name]) for name in names], rel=1e-5)
    np.testing.assert_allclose(weight.grad, arrays["grad_fc_weight"], atol=1e-4)


def test_radius_of_a_hand_made_case() -> None:
    """Variances 2 and 0 of class 0, 8 and 2 of class 1: traces 2 and 10, mean 6, per dimension 3"""
    features = torch.tensor([[0.0, 0.0], [2.0, 0.0], [0.0, 1.0], [4.0, 3.0]])
    labels = torch.tensor([0, 0, 1, 1])
    means = class_means(features, labels, range(2))
    assert cloud_radius(features, labels, means) == pytest.approx(math.sqrt(3.0))
    deviations = (1.0 + 0.0 + 2.0 + 1.0) / 4
    assert cloud_radius(features, labels, means, "deviation") == pytest.approx(deviations)


def test_classes_of_one_sample_have_no_radius() -> None:
    features, labels = torch.tensor([[1.0, 2.0], [3.0, 4.0]]), torch.tensor([0, 1])
    assert cloud_radius(features, labels, features.clone()) == 0.0


@settings(max_examples=50, deadline=None)
@given(
    classes=st.integers(1, 6),
    dimensions=st.integers(1, 5),
    shift=st.floats(-10.0, 10.0),
    scale=st.floats(0.1, 10.0),
    seed=st.integers(0, 1000),
)
def test_the_radius_ignores_shifts_and_follows_the_scale(
    classes: int, dimensions: int, shift: float, scale: float, seed: int
) -> None:
    generator = torch.Generator().manual_seed(seed)
    features = torch.randn(4 * classes, dimensions, generator=generator)
    labels = torch.arange(4 * classes) % classes

    def radius(moved: Tensor) -> float:
        return cloud_radius(moved, labels, class_means(moved, labels, range(classes)))

    assert radius(scale * features + shift) == pytest.approx(scale * radius(features), rel=1e-3)


@settings(max_examples=50, deadline=None)
@given(old=st.integers(1, 20), count=st.integers(1, 64), seed=st.integers(0, 1000))
def test_draws_name_old_classes_alone_and_follow_the_generator(
    old: int, count: int, seed: int
) -> None:
    class_B, noise_BD = draw(old, count, 3, torch.Generator().manual_seed(seed))
    assert class_B.shape == (count,)
    assert noise_BD.shape == (count, 3)
    assert 0 <= int(class_B.min()) <= int(class_B.max()) < old
    again, _ = draw(old, count, 3, torch.Generator().manual_seed(seed))
    assert torch.equal(class_B, again)


def test_without_noise_prototypes_are_the_means() -> None:
    means = torch.tensor([[1.0, 2.0], [3.0, 4.0]])
    drawn = noisy_prototypes(means, torch.tensor([1, 0, 1]), torch.ones(3, 2), 0.0)
    assert drawn.tolist() == [[3.0, 4.0], [1.0, 2.0], [3.0, 4.0]]


def test_the_distance_is_the_norm_of_the_whole_difference() -> None:
    features = torch.tensor([[3.0, 0.0], [0.0, 4.0]], requires_grad=True)
    distance = feature_distance(features, torch.zeros(2, 2))
    assert distance.item() == 5.0
    distance.backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    np.testing.assert_allclose(features.grad, [[0.6, 0.0], [0.0, 0.8]], atol=1e-6)


def test_equal_features_have_a_distance_and_gradient_of_zero() -> None:
    features = torch.ones(2, 2, requires_grad=True)
    feature_distance(features, torch.ones(2, 2)).backward()  # type: ignore[no-untyped-call]
    assert features.grad is not None
    assert features.grad.tolist() == [[0.0, 0.0], [0.0, 0.0]]

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim.testing import DiscoveryContract
from cilsim.training.projection import ProjectionHead
from cilsim_simgcd.losses import simgcd_loss
from cilsim_simgcd.options import SimGCDOptions

SMALL = {"hidden": 16, "bottleneck": 8}


class TestGeneralisedDiscovery(DiscoveryContract):
    strategy = "simgcd"
    kind = "generalized_category_discovery"
    options = SMALL


@pytest.mark.slow
class TestNovelClasses(DiscoveryContract):
    strategy = "simgcd"
    options = SMALL

    def stream(self) -> dict[str, Any]:
        return {**super().stream(), "keep_labelled": True}


class TestContinualDiscovery(DiscoveryContract):
    strategy = "simgcd"
    kind = "continual_category_discovery"
    options = SMALL
    bar = 0.1


@pytest.fixture(scope="module")
def reference(golden: Path) -> Any:
    return np.load(golden / "simgcd_losses.npz", allow_pickle=False)


def labels(reference: Any) -> torch.Tensor:
    known = torch.from_numpy(reference["mask_lab"])
    return torch.where(known, torch.from_numpy(reference["labels"]), -1)


@pytest.mark.parametrize("epoch", [0, 10, 29, 30, 199])
@pytest.mark.parametrize("weight", [1, 2, 4])
def test_loss_and_gradients_equal_the_released_code(
    reference: Any, epoch: int, weight: int
) -> None:
    logits = torch.from_numpy(reference["student_out"]).requires_grad_()
    projections = torch.from_numpy(reference["student_proj"]).requires_grad_()
    options = SimGCDOptions(entropy_weight=weight)
    total, parts = simgcd_loss(logits, projections, labels(reference), epoch, options)
    gradients = torch.autograd.grad(total, [logits, projections])
    case = f"ep{epoch}_memax{weight}"
    expected = {
        "distillation": f"{case}_distill_loss",
        "entropy": f"{case}_me_max_loss",
        "contrastive": f"{case}_contrastive_loss",
        "classification": f"{case}_cls_loss",
        "supervised_contrastive": f"{case}_sup_con_loss",
    }
    for name, key in expected.items():
        assert parts[name].item() == pytest.approx(reference[key], rel=1e-4), name
    assert total.item() == pytest.approx(reference[f"{case}_total_loss"], rel=1e-4)
    for gradient, name in zip(gradients, ("student_out", "student_proj"), strict=True):
        expected_gradient = reference[f"{case}_grad_{name}"]
        np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-3, atol=1e-6)


def test_projection_equals_the_released_head(reference: Any) -> None:
    size = reference["x"].shape[1]
    hidden, bottleneck = (len(reference[f"head_mlp_{n}_bias"]) for n in (0, 4))
    head = ProjectionHead(size, torch.Generator(), hidden=hidden, bottleneck=bottleneck)
    names = {
        f"mlp.{n}.{part}": f"head_mlp_{n}_{part}" for n in (0, 2, 4) for part in ("weight", "bias")
    }
    head.load_state_dict({ours: torch.from_numpy(reference[name]) for ours, name in names.items()})
    projected = head(torch.from_numpy(reference["x"])).detach()
    np.testing.assert_allclose(projected, reference["head_proj"], rtol=1e-4, atol=1e-6)


def test_without_labels_the_terms_that_use_them_are_zero() -> None:
    logits = torch.rand(8, 3, generator=torch.Generator().manual_seed(0))
    nobody = torch.full((4,), -1)
    total, parts = simgcd_loss(logits, logits, nobody, 0, SimGCDOptions())
    assert parts["classification"] == 0.0
    assert parts["supervised_contrastive"] == 0.0
    assert torch.isfinite(total)

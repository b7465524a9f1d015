from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from cilsim.training.contrastive import info_nce, supervised_contrastive


@pytest.fixture
def reference(golden: Path) -> Any:
    return np.load(golden / "gcd_contrastive.npz", allow_pickle=False)


@pytest.mark.parametrize(("temperature", "case"), [(1.0, "T1"), (0.07, "T007")])
def test_losses_and_gradient_equal_the_released_code(
    reference: Any, temperature: float, case: str
) -> None:
    projections = torch.from_numpy(reference["z"]).requires_grad_()
    known = torch.from_numpy(reference["mask_lab"])
    labels = torch.where(known, torch.from_numpy(reference["labels"]), -1)
    unsupervised = info_nce(projections, temperature)
    supervised = supervised_contrastive(projections, labels)
    total = 0.65 * unsupervised + 0.35 * supervised
    (gradient,) = torch.autograd.grad(total, projections)
    assert unsupervised.item() == pytest.approx(reference[f"{case}_infonce_loss"], rel=1e-5)
    assert supervised.item() == pytest.approx(reference[f"{case}_supcon_loss"], rel=1e-5)
    assert total.item() == pytest.approx(reference[f"{case}_total_loss"], rel=1e-5)
    np.testing.assert_allclose(gradient, reference[f"{case}_grad_z"], rtol=1e-3, atol=1e-6)


def test_all_labelled_equals_the_released_code(reference: Any) -> None:
    labels = torch.from_numpy(reference["labels"])
    loss = supervised_contrastive(torch.from_numpy(reference["z"]), labels)
    assert loss.item() == pytest.approx(reference["supcon_all_labels"], rel=1e-5)


def test_a_class_per_image_makes_the_supervised_loss_the_unsupervised_one(reference: Any) -> None:
    projections = torch.from_numpy(reference["z"])
    alone = supervised_contrastive(projections, torch.arange(10))
    assert alone.item() == pytest.approx(info_nce(projections, 0.07).item(), rel=1e-5)


def test_no_labelled_image_makes_the_supervised_loss_zero() -> None:
    projections = torch.randn(8, 4, generator=torch.Generator().manual_seed(0)).requires_grad_()
    loss = supervised_contrastive(projections, torch.full((4,), -1))
    (gradient,) = torch.autograd.grad(loss, projections)
    assert loss.item() == 0.0
    assert torch.equal(gradient, torch.zeros_like(gradient))


def test_one_labelled_image_finds_its_other_view_for_sure() -> None:
    projections = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    assert supervised_contrastive(projections, torch.tensor([-1, 3, -1])).item() == 0.0


def test_two_images_at_right_angles_by_hand() -> None:
    views = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [0.0, 1.0]])
    # the other view has cosine 1, both views of the other image cosine 0
    assert info_nce(views, 1.0).item() == pytest.approx(math.log(1 + 2 / math.e))


@given(scale=st.floats(0.1, 10.0), seed=st.integers(0, 100))
def test_lengths_of_projections_do_not_matter(scale: float, seed: int) -> None:
    projections = torch.randn(8, 5, generator=torch.Generator().manual_seed(seed))
    labels = torch.tensor([0, 1, 0, -1])
    for loss in (info_nce, lambda z: supervised_contrastive(z, labels)):
        assert loss(scale * projections).item() == pytest.approx(
            loss(projections).item(), rel=1e-4, abs=1e-5
        )


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16], ids=["fp16", "bf16"])
def test_half_precision_changes_the_projections_alone(dtype: torch.dtype) -> None:
    projections = torch.randn(12, 5, generator=torch.Generator().manual_seed(0)).to(dtype)
    labels = torch.tensor([0, 1, 0, -1, 1, -1])
    exact = projections.float()
    with torch.autocast("cpu", dtype):
        contrastive = info_nce(projections), supervised_contrastive(projections, labels)
    torch.testing.assert_close(
        contrastive, (info_nce(exact), supervised_contrastive(exact, labels))
    )

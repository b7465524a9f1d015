from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from cilsim.training.self_distillation import (
    classification,
    entropy_gap,
    mean_probabilities,
    swapped_cross_entropy,
    swapped_distillation,
    teacher_temperature,
)


@pytest.fixture
def reference(golden: Path) -> Any:
    return np.load(golden / "simgcd_losses.npz", allow_pickle=False)


def test_teacher_temperature_follows_the_released_schedule(reference: Any) -> None:
    schedule = [teacher_temperature(epoch) for epoch in range(200)]
    assert schedule == pytest.approx(reference["teacher_temp_schedule"].tolist(), abs=1e-12)


def test_a_warmup_of_one_epoch_has_no_slope() -> None:
    assert teacher_temperature(0, warmup_epochs=1) == 0.04


@pytest.mark.parametrize("epoch", [0, 10, 29, 30, 199])
def test_distillation_equals_the_released_code(reference: Any, epoch: int) -> None:
    logits = torch.from_numpy(reference["student_out"])
    loss = swapped_distillation(logits, teacher_temperature(epoch))
    assert loss.item() == pytest.approx(reference[f"ep{epoch}_memax1_distill_loss"], rel=1e-5)


def test_entropy_gap_equals_the_released_code(reference: Any) -> None:
    logits = torch.from_numpy(reference["student_out"])
    gap = entropy_gap(mean_probabilities(logits))
    assert gap.item() == pytest.approx(reference["ep0_memax1_me_max_loss"], rel=1e-5)


def test_entropy_gap_by_hand() -> None:
    assert entropy_gap(torch.full((4,), 0.25)).item() == pytest.approx(0.0, abs=1e-6)
    assert entropy_gap(torch.tensor([1.0, 0.0])).item() == pytest.approx(math.log(2))


def test_targets_come_from_the_other_view_and_take_no_gradient() -> None:
    logits = torch.tensor([[0.1, 0.0], [0.0, 0.1]])
    targets = torch.tensor([[1.0, 0.0], [0.0, 1.0]], requires_grad=True)
    loss = swapped_cross_entropy(logits.requires_grad_(), targets)
    # each view is asked for the class that the other one is sure of: cosine 0 against 0.1
    assert loss.item() == pytest.approx(math.log(1 + math.e))
    loss.backward()  # type: ignore[no-untyped-call]
    assert targets.grad is None


def test_classification_counts_labelled_rows_of_both_views() -> None:
    logits = torch.tensor([[2.0, 0.0], [0.0, 5.0], [0.0, 0.0], [5.0, 0.0]])
    # image 0 is labelled: its views have cross-entropies log(1 + e^-2) and log 2
    loss = classification(logits, torch.tensor([0, -1]))
    assert loss.item() == pytest.approx((math.log1p(math.exp(-2.0)) + math.log(2.0)) / 2)

"""Several optimisers in one training."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import nn

from cilsim.errors import Interrupted
from cilsim.scenario.recipe import Recipe
from cilsim.training.loop import fit
from cilsim.training.optimiser_set import OptimiserSet
from cilsim.training.state import TrainingState

ADAM = Recipe(epochs=4, optimizer="adam", lr=0.01, weight_decay=0.0, schedule="constant")
SGD = Recipe(
    epochs=1, lr=1.0, momentum=0.0, weight_decay=0.0, schedule="step", milestones=(2,), gamma=0.5
)


def one() -> nn.Parameter:
    return nn.Parameter(torch.ones(1))


def test_each_group_follows_its_own_optimiser_and_schedule() -> None:
    """Adam's first steps are its learning rate long; SGD's are rate times gradient."""
    adam, sgd = one(), one()
    optimisers = OptimiserSet(ADAM, [{"params": [adam]}, {"params": [sgd], "recipe": SGD}])
    moved = []
    for epoch in range(4):
        assert optimisers.set_learning_rates(epoch, 0, 1) == 0.01
        before = (adam.item(), sgd.item())
        adam.grad, sgd.grad = torch.full((1,), 3.0), torch.full((1,), 0.25)
        optimisers.step(None)
        moved.append((before[0] - adam.item(), before[1] - sgd.item()))
    assert [pair[0] for pair in moved] == pytest.approx([0.01] * 4, abs=1e-5)
    assert [pair[1] for pair in moved] == pytest.approx([0.25, 0.25, 0.125, 0.125])


def test_groups_of_equal_recipes_share_an_optimiser() -> None:
    first, second, third = one(), one(), one()
    optimisers = OptimiserSet(
        SGD, [{"params": [first], "recipe": ADAM}, {"params": [second], "recipe": ADAM},
              {"params": [third]}],
    )  # fmt: skip
    optimisers.set_learning_rates(0, 0, 1)
    for parameter in (first, second, third):
        parameter.grad = torch.ones(1)
    optimisers.step(None)
    assert sorted(optimisers.tensors()) == [
        f"{number}.{name}" for number in (0, 1) for name in ("exp_avg", "exp_avg_sq", "step")
    ]


def test_gradients_are_forgotten_everywhere() -> None:
    first, second = one(), one()
    optimisers = OptimiserSet(ADAM, [{"params": [first]}, {"params": [second], "recipe": SGD}])
    first.grad, second.grad = torch.ones(1), torch.ones(1)
    optimisers.zero_grad()
    assert first.grad is None
    assert second.grad is None


def test_frozen_groups_need_no_optimiser() -> None:
    frozen, trained = nn.Parameter(torch.ones(1), requires_grad=False), one()
    optimisers = OptimiserSet(ADAM, [{"params": [frozen]}, {"params": [trained], "recipe": SGD}])
    optimisers.set_learning_rates(0, 0, 1)
    trained.grad = torch.ones(1)
    optimisers.step(None)
    assert (frozen.item(), trained.item()) == (1.0, 0.0)


def test_a_training_with_two_optimisers_resumes_bit_for_bit(toy: Any) -> None:
    """The momenta of both are saved and put back."""

    def spec(**changes: Any) -> Any:
        modules = toy.image_modules()
        own = Recipe(optimizer="adam", lr=0.01, schedule="step", milestones=(1, 2))
        groups = [
            {"params": list(modules["backbone"].parameters())},
            {"params": list(modules["head"].parameters()), "recipe": own},
        ]
        return toy.spec(modules, parameter_groups=groups, **changes)

    whole = spec()
    fit(whole)
    saved: list[TrainingState] = []
    asked = iter([False] * 4 + [True])
    stopped = spec(save=saved.append, should_stop=lambda: next(asked))
    with pytest.raises(Interrupted):
        fit(stopped)
    resumed = replace(spec(), resume_from=saved[-1])
    fit(resumed)
    toy.assert_equal(whole.modules, resumed.modules)

import pytest
import torch
from torch import nn

from cilsim.scenario.recipe import Recipe
from cilsim.training.optimisers import (
    build_optimiser,
    load_optimiser_tensors,
    optimiser_tensors,
    set_learning_rate,
    trainable,
)

RECIPES = pytest.mark.parametrize(
    "recipe",
    [
        pytest.param(Recipe(lr=0.1, optimizer="sgd"), id="sgd-nesterov"),
        pytest.param(Recipe(lr=0.1, optimizer="sgd", nesterov=False), id="sgd-momentum"),
        pytest.param(Recipe(lr=0.1, optimizer="sgd", momentum=0.0), id="sgd"),
        pytest.param(Recipe(lr=0.01, optimizer="adam"), id="adam"),
        pytest.param(Recipe(lr=0.01, optimizer="adamw", weight_decay=0.1), id="adamw"),
    ],
)

REFERENCES = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW}


def parameters(layout: torch.memory_format = torch.contiguous_format) -> list[nn.Parameter]:
    generator = torch.Generator().manual_seed(0)
    convolution = torch.randn(4, 3, 3, 3, generator=generator).to(memory_format=layout)
    return [nn.Parameter(convolution), nn.Parameter(torch.randn(4, generator=generator))]


def steps(optimiser: torch.optim.Optimizer, count: int, seed: int = 1) -> None:
    generator = torch.Generator().manual_seed(seed)
    for _ in range(count):
        for group in optimiser.param_groups:
            for parameter in group["params"]:
                parameter.grad = torch.empty_like(parameter).copy_(
                    torch.randn(parameter.shape, generator=generator)
                )
        optimiser.step()


@RECIPES
def test_updates_are_those_of_torch(recipe):
    ours, theirs = parameters(), parameters()
    options = {"lr": recipe.lr, "weight_decay": recipe.weight_decay, "fused": False}
    if recipe.optimizer == "sgd":
        nesterov = recipe.nesterov and recipe.momentum > 0
        options |= {"momentum": recipe.momentum, "nesterov": nesterov}
    steps(build_optimiser(recipe, [{"params": ours}]), 3)
    steps(REFERENCES[recipe.optimizer](theirs, **options), 3)
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-6)


@RECIPES
@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last], ids=str)
def test_restored_tensors_continue_bit_for_bit(recipe, layout):
    whole, cut = parameters(layout), parameters(layout)
    optimiser = build_optimiser(recipe, [{"params": whole}])
    steps(optimiser, 2)
    first = build_optimiser(recipe, [{"params": cut}])
    steps(first, 2)
    saved = optimiser_tensors(first)
    assert all(tensor.is_contiguous() for tensor in saved.values())
    second = build_optimiser(recipe, [{"params": cut}])
    load_optimiser_tensors(second, saved)
    steps(optimiser, 2, seed=2)
    steps(second, 2, seed=2)
    assert all(torch.equal(one, other) for one, other in zip(whole, cut, strict=True))


def test_tensors_are_named_by_parameter_and_copied():
    optimiser = build_optimiser(Recipe(lr=0.1), [{"params": parameters()}])
    assert optimiser_tensors(optimiser) == {}
    steps(optimiser, 1)
    saved = optimiser_tensors(optimiser)
    assert sorted(saved) == ["0.momentum_buffer", "1.momentum_buffer"]
    before = saved["1.momentum_buffer"].clone()
    steps(optimiser, 1)
    assert torch.equal(saved["1.momentum_buffer"], before)


def test_parameters_without_gradient_are_left_out():
    frozen, trained = parameters()
    frozen.requires_grad_(False)
    optimiser = build_optimiser(Recipe(), [{"params": [frozen]}, {"params": [frozen, trained]}])
    assert [group["params"] for group in optimiser.param_groups] == [[trained]]


def test_groups_keep_their_proportion_to_the_recipes_learning_rate():
    one, other = parameters()
    groups = [{"params": [one], "weight_decay": 0.0}, {"params": [other], "lr": 0.02}]
    optimiser = build_optimiser(Recipe(lr=0.1), groups)
    set_learning_rate(optimiser, 0.05)
    assert [group["lr"] for group in optimiser.param_groups] == pytest.approx([0.05, 0.01])
    assert [group["weight_decay"] for group in optimiser.param_groups] == [0.0, 5e-4]


def test_trainable_lists_each_parameter_once():
    layer = nn.Linear(2, 2)
    layer.bias.requires_grad_(False)
    listed = trainable([layer, nn.Sequential(layer)])
    assert len(listed) == 1
    assert listed[0] is layer.weight

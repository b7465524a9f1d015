"""The optimisers of a training: one, or several where parameters have recipes of their own."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from cilsim.scenario.recipe import Recipe
from cilsim.training.optimisers import (
    ParameterGroup,
    build_optimiser,
    load_optimiser_tensors,
    optimiser_tensors,
    set_learning_rate,
)
from cilsim.training.schedules import learning_rate


class OptimiserSet:
    """One optimiser per recipe among the parameter groups, stepped together.

    A group with the key `recipe` takes optimiser, schedule, momentum and weight decay from there;
    the number of epochs, the batches and everything else remain those of the training.

    Attributes:
        recipe: the training's, for the groups that have none of their own.
    """

    def __init__(self, recipe: Recipe, groups: Sequence[ParameterGroup]) -> None:
        self.recipe = recipe
        by_recipe: dict[Recipe, list[ParameterGroup]] = {}
        for group in groups:
            if any(parameter.requires_grad for parameter in group["params"]):
                plain = {key: value for key, value in group.items() if key != "recipe"}
                by_recipe.setdefault(self._recipe_of(group), []).append(plain)
        self._recipes = tuple(by_recipe)
        self._optimisers = [build_optimiser(own, by_recipe[own]) for own in self._recipes]
        self._rates = [math.nan] * len(self._recipes)

    def _recipe_of(self, group: ParameterGroup) -> Recipe:
        own: Recipe = group.get("recipe", self.recipe)
        return own.model_copy(update={"epochs": self.recipe.epochs})

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for optimiser in self._optimisers:
            optimiser.zero_grad(set_to_none=True)

    def unscale(self, scaler: torch.amp.GradScaler) -> None:
        """Divide the gradients by the loss scale."""
        for optimiser in self._optimisers:
            scaler.unscale_(optimiser)

    def step(self, scaler: torch.amp.GradScaler | None) -> None:
        """Update all parameters."""
        for optimiser in self._optimisers:
            if scaler is None:
                optimiser.step()
            else:
                scaler.step(optimiser)
        if scaler is not None:
            scaler.update()

    def set_learning_rates(self, epoch: int, step: int, steps_per_epoch: int) -> float:
        """Set every learning rate for one step and return that of the training's own recipe."""
        for place, (recipe, optimiser) in enumerate(
            zip(self._recipes, self._optimisers, strict=True)
        ):
            rate = learning_rate(recipe, epoch, step, steps_per_epoch)
            if rate != self._rates[place]:
                set_learning_rate(optimiser, rate)
                self._rates[place] = rate
        return learning_rate(self.recipe, epoch, step, steps_per_epoch)

    def tensors(self) -> dict[str, Tensor]:
        """Return copies of momenta and step counts, parameters numbered through."""
        return {
            f"{first + int(number)}.{name}": tensor
            for first, optimiser in zip(self._first_numbers(), self._optimisers, strict=True)
            for key, tensor in optimiser_tensors(optimiser).items()
            for number, _, name in [key.partition(".")]
        }

    def load_tensors(self, tensors: Mapping[str, Tensor]) -> None:
        """Put back what `tensors` returned."""
        for first, optimiser in zip(self._first_numbers(), self._optimisers, strict=True):
            own = {}
            for key, tensor in tensors.items():
                number, _, name = key.partition(".")
                if first <= int(number) < first + _count(optimiser):
                    own[f"{int(number) - first}.{name}"] = tensor
            load_optimiser_tensors(optimiser, own)

    def _first_numbers(self) -> list[int]:
        counts = [_count(optimiser) for optimiser in self._optimisers]
        return [sum(counts[:place]) for place in range(len(counts))]


def _count(optimiser: Optimizer) -> int:
    groups: list[dict[str, Any]] = optimiser.param_groups
    return sum(len(group["params"]) for group in groups)

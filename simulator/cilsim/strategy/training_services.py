"""What a strategy can ask about training: of the base, of more, and what is told about it.

Axis letters: N samples.
"""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.data.samples import Samples
from cilsim.records import Scalars
from cilsim.scenario.recipe import Recipe
from cilsim.seeding import derive_seed
from cilsim.strategy.context_parts import ContextParts
from cilsim.strategy.experience import Experience
from cilsim.strategy.feature_services import FeatureServices
from cilsim.strategy.mixed_up import refuse_experience, refuse_samples
from cilsim.strategy.step_parts import Loss
from cilsim.training.batch import Batch
from cilsim.training.sampling import PLAIN, Sampling


class TrainingServices(FeatureServices):
    """The part of a context that trains.

    Attributes:
        base_recipe: the scenario's `base_training`.
        training_recipe: the scenario's `training`, for experiences after the base.
    """

    def __init__(self, parts: ContextParts) -> None:
        super().__init__(parts.run, parts.model, parts.features)
        self.base_recipe = parts.base_recipe
        self.training_recipe = parts.training_recipe
        self._trainer = parts.trainer
        self._base = parts.base
        self._recall = parts.recall
        self._strategy: Any = None

    @property
    def recipe(self) -> Recipe:
        """The recipe of the training that is under way."""
        return self._trainer.recipe

    @property
    def experience_recipe(self) -> Recipe:
        """The scenario's recipe for the current experience: `base_training` or `training`."""
        return self.training_recipe if self.experience_index else self.base_recipe

    def train_base(
        self,
        experience: Experience,
        *,
        for_features: bool = False,
        modules: Mapping[str, nn.Module] | None = None,
        samples: Samples | None = None,
        sampling: Sampling = PLAIN,
    ) -> None:
        """Train backbone and head on the base, or reuse an equal base trained before.

        Args:
            experience: the base.
            for_features: the head will not be used, so that a backbone without parameters, or
                with frozen ones, needs no training at all.
            modules: further modules that the strategy's loss trains, by name; they must start
                the same whenever strategy, options and seed do.
            samples: what to train on; default the labelled samples.
            sampling: which samples an epoch draws, and in how many views.
        """
        refuse_samples("train_base()", experience)
        if for_features and not self._model.trainable:
            return
        chosen = experience.labelled if samples is None else samples
        self._base.train(self._strategy, chosen, self.base_recipe, modules, sampling)

    def fit(
        self,
        samples: Samples,
        *,
        recipe: Recipe | None = None,
        modules: Mapping[str, nn.Module] | None = None,
        loss: Loss | None = None,
        sampling: Sampling = PLAIN,
    ) -> None:
        """Train backbone, head and further `modules` with the strategy's `loss`.

        Args:
            samples: what to train on.
            recipe: default the scenario's `training`.
            modules: further modules to train, by a name that stays the same.
            loss: another loss, for a classifier of the strategy's own: `modules` alone are
                trained with it, and what the strategy or hooks make of a step stays out.
            sampling: which samples an epoch draws, and in how many views.
        """
        refuse_experience("fit()", samples)
        recipe = recipe or self.training_recipe
        self._trainer.fit(self._strategy, samples, recipe, modules, loss=loss, sampling=sampling)

    def recall(self, index_N: Tensor, labels_N: Tensor | None = None) -> Samples:
        """Return samples seen before by their position in the data set (`Samples.index`).

        What you recall is stored data: count its bytes in `kept`. Labels are those that you kept.

        Raises:
            ValueError: a sample was never given to this strategy.
        """
        return self._recall(index_N, labels_N)

    def step_generator(self, batch: Batch, name: str) -> torch.Generator:
        """Return a fresh CPU generator for (seed, experience, epoch, step, name).

        What a loss draws from it is drawn again after a resume inside the training.
        """
        place = (batch.experience, batch.epoch, batch.step, "strategy", name)
        return torch.Generator().manual_seed(derive_seed(self.run.seed, *place))

    def log(self, name: str, value: Tensor | float) -> None:
        """Report a value for this experience; a tensor is read once, after training.

        Raises:
            ValueError: it is not one number.
        """
        if not isinstance(value, Tensor | Real) or (isinstance(value, Tensor) and len(value.shape)):
            raise ValueError(f"log({name!r}): found {_shown(value)}, expected one number")
        self._trainer.reported.logged[name if "/" in name else f"strategy/{name}"] = value

    def report_training(self, values: Mapping[str, float], steps: int) -> None:
        """Report scalars such as `train/loss` of a training loop of your own, now.

        Args:
            values: by name.
            steps: optimiser steps since the last report, which the scalars come after.
        """
        self._trainer.step += steps
        self._trainer.emit(Scalars(dict(values), self._trainer.step))


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"a value of type '{type(value).__name__}'"

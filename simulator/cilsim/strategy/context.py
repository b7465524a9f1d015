"""The services of the engine that a strategy works with.

Axis letters: N samples, D features, K classes.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from numbers import Real
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.data.samples import Samples
from cilsim.features.cache import FeatureCache
from cilsim.records import RunInfo, Scalars
from cilsim.scenario.recipe import Recipe
from cilsim.seeding import derive_seed
from cilsim.strategy.base_training import BaseTraining
from cilsim.strategy.class_counting import ClassCounter
from cilsim.strategy.experience import Experience
from cilsim.strategy.feature_services import FeatureServices
from cilsim.strategy.model import Model
from cilsim.strategy.trainer import Loss, Trainer
from cilsim.training.batch import Batch
from cilsim.training.head import Head
from cilsim.training.modes import set_layout
from cilsim.training.sampling import PLAIN, Sampling

Recall = Callable[[Tensor, Tensor | None], Samples]


class Context(FeatureServices):
    """What a strategy can ask for. Test samples, future classes and hidden labels are not here.

    Attributes:
        run: facts about the run.
        base_recipe: the scenario's `base_training`.
        training_recipe: the scenario's `training`, for experiences after the base.
        device: where tensors live.
        base_classes: number of labelled classes of experience 0.
        seen_classes: number of classes told apart, those of the current experience included; the
            novel ones among these count once `novel_classes` was asked for.
        experience_index: the current experience.
    """

    def __init__(
        self,
        run: RunInfo,
        model: Model,
        trainer: Trainer,
        base: BaseTraining,
        features: FeatureCache,
        recall: Recall,
        recipes: tuple[Recipe, Recipe],
        counter: ClassCounter,
        device: torch.device,
    ) -> None:
        super().__init__(run, model, features)
        self.base_recipe, self.training_recipe = recipes
        self.device = device
        self.base_classes = len(run.stream.base_labels)
        self.seen_classes = 0
        self._trainer = trainer
        self._base = base
        self._recall = recall
        self._counter = counter
        self._strategy: Any = None

    # ---------------------------------------------------------------- network

    @property
    def backbone(self) -> nn.Module:
        """Normalised samples (B, ...) to features (B, D)."""
        return self._model.backbone

    @property
    def head(self) -> Head:
        """Features (B, D) to logits (B, K) over the classes seen."""
        return self._model.head

    @property
    def recipe(self) -> Recipe:
        """The recipe of the training that is under way."""
        return self._trainer.recipe

    @property
    def experience_recipe(self) -> Recipe:
        """The scenario's recipe for the current experience: `base_training` or `training`."""
        return self.training_recipe if self.experience_index else self.base_recipe

    def old_model(self) -> tuple[nn.Module, nn.Module]:
        """Return frozen copies of backbone and head as they are now, in evaluation mode.

        The copies are yours to keep; report their bytes in `kept`.
        """
        copies = copy.deepcopy((self._model.backbone, self._model.head))
        # rounding depends on the layout, which a restored model need not share with a trained one
        set_layout(copies, self.experience_recipe.channels_last)
        for module in copies:
            module.requires_grad_(False).eval()
        return copies

    def reset_model(self) -> None:
        """Start backbone and head afresh, with the head open for all classes seen."""
        generator = self.generator("reset")
        self._model.reset(generator)
        self._model.head.open(self.seen_classes, generator)

    # --------------------------------------------------------------- training

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
        recipe = recipe or self.training_recipe
        self._trainer.fit(self._strategy, samples, recipe, modules, loss=loss, sampling=sampling)

    def recall(self, index_N: Tensor, labels_N: Tensor | None = None) -> Samples:
        """Return samples seen before by their position in the data set (`Samples.index`).

        What you recall is stored data: count its bytes in `kept`. Labels are those that you kept.

        Raises:
            ValueError: a sample was never given to this strategy.
        """
        return self._recall(index_N, labels_N)

    # -------------------------------------------------------------- discovery

    def novel_classes(self, experience: Experience) -> int:
        """Return how many novel classes to make of an experience, and open the head for them.

        That is what the scenario's `number_of_classes` tells, or an estimate from the features of
        the backbone as it is at the first call in an experience; later calls repeat the answer.
        """
        if experience.unlabelled is None:
            return 0
        if not self._counter.asked:
            number = self._counter.number(self, experience)
            self._model.head.open(number, self.generator("novel head"))
            self.seen_classes += number
        return self._counter.answer

    @property
    def discovered(self) -> int:
        """How many novel classes the strategy made of the current experience, so far."""
        return self._counter.answer

    # ------------------------------------------------------- randomness, logs

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
        self._trainer.logged[name if "/" in name else f"strategy/{name}"] = value

    def report_training(self, values: Mapping[str, float], steps: int) -> None:
        """Report scalars such as `train/loss` of a training loop of your own, now.

        Args:
            values: by name.
            steps: optimiser steps since the last report, which the scalars come after.
        """
        self._trainer.step += steps
        self._trainer.emit(Scalars(dict(values), self._trainer.step))

    # ------------------------------------------------------------- the engine

    def bind(self, strategy: Any) -> None:
        """Used by the engine: say which strategy this context serves."""
        self._strategy = strategy

    def begin_experience(self, experience: Experience) -> None:
        """Used by the engine: move on to an experience and open the head for its classes."""
        self.experience_index = experience.index
        self.seen_classes = experience.seen_classes
        self._counter.begin()
        self._trainer.begin_experience(experience.index)
        self._model.head.open(experience.new_classes, self.generator("head"))

    def take_logged(self) -> dict[str, float]:
        """Used by the engine: return what was logged since the last call."""
        logged = {name: float(value) for name, value in self._trainer.logged.items()}
        self._trainer.logged = {}
        return logged


def _shown(value: Any) -> str:
    if isinstance(value, Tensor):
        return f"a tensor of shape {tuple(value.shape)}"
    return f"a value of type '{type(value).__name__}'"

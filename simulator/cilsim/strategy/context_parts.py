"""What the engine puts behind the services of a strategy's context."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.data.samples import Samples
from cilsim.features.cache import FeatureCache
from cilsim.records import RunInfo
from cilsim.scenario.recipe import Recipe
from cilsim.strategy.base_training import BaseTraining
from cilsim.strategy.class_counting import ClassCounter
from cilsim.strategy.model import Model
from cilsim.strategy.trainer import Trainer

Recall = Callable[[Tensor, Tensor | None], Samples]
"""Returns samples seen before by their position in the data set, with labels that were kept."""


@dataclass(frozen=True)
class ContextParts:
    """The parts of one run that its strategy works with, through a context.

    Attributes:
        run: facts about the run.
        model: backbone and head.
        trainer: trains them.
        base: trains or reuses the base.
        features: extracts features once.
        recall: see `Recall`.
        base_recipe: the scenario's `base_training`.
        training_recipe: the scenario's `training`.
        counter: knows or estimates the number of classes to discover.
        device: where tensors live.
    """

    run: RunInfo
    model: Model
    trainer: Trainer
    base: BaseTraining
    features: FeatureCache
    recall: Recall
    base_recipe: Recipe
    training_recipe: Recipe
    counter: ClassCounter
    device: torch.device

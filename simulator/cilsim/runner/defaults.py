"""The engine's own answers to its hooks; plugins come first or wrap them."""

from __future__ import annotations

from torch import Tensor

from cilsim.hookspecs import hookimpl
from cilsim.strategy import Experience, FeatureSet, Strategy
from cilsim.training.batch import Batch, TrainingLoss


@hookimpl(trylast=True)
def cilsim_train_experience(strategy: Strategy, experience: Experience) -> bool:
    """Let the strategy learn."""
    strategy.learn(experience)
    return True


@hookimpl(trylast=True)
def cilsim_training_loss(strategy: Strategy, batch: Batch) -> TrainingLoss:
    """Take the strategy's loss."""
    return strategy.loss(batch)


@hookimpl(trylast=True)
def cilsim_scores(strategy: Strategy, features: Tensor) -> Tensor:
    """Take the strategy's scores."""
    return strategy.scores(features)


@hookimpl(trylast=True)
def cilsim_assign(strategy: Strategy, feature_set: FeatureSet) -> Tensor:
    """Take the strategy's assignment."""
    return strategy.assign(feature_set)

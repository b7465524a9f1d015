"""The engine's own answers to its hooks; plugins come first or wrap them."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from cilsim.hookspecs import hookimpl
from cilsim.registry import Entry
from cilsim.runner.expectations import Expectations
from cilsim.runner.guard import Check, Guard
from cilsim.runner.guarded_strategy import method_of
from cilsim.strategy import Experience, FeatureSet, Strategy
from cilsim.training.batch import Batch, TrainingLoss


class Defaults:
    """Asks the strategy; what it answers to an evaluation is checked here.

    A strategy may call its own `scores` on whatever it likes; only the engine expects one row for
    each sample.

    Args:
        entry: the strategy's.
        guard: of the run.
        expectations: what evaluations need.
    """

    def __init__(self, entry: Entry, guard: Guard, expectations: Expectations) -> None:
        self._entry = entry
        self._guard = guard
        self._checks: Mapping[str, Check] = {
            "scores": expectations.scores,
            "assign": expectations.assign,
        }

    @hookimpl(trylast=True)
    def cilsim_train_experience(self, strategy: Strategy, experience: Experience) -> bool:
        """Let the strategy learn."""
        strategy.learn(experience)
        return True

    @hookimpl(trylast=True)
    def cilsim_training_loss(self, strategy: Strategy, batch: Batch) -> TrainingLoss:
        """Take the strategy's loss."""
        return strategy.loss(batch)

    @hookimpl(trylast=True)
    def cilsim_scores(self, strategy: Strategy, features: Tensor) -> Tensor:
        """Take the strategy's scores."""
        return self._checked("scores", strategy.scores(features))

    @hookimpl(trylast=True)
    def cilsim_assign(self, strategy: Strategy, feature_set: FeatureSet) -> Tensor:
        """Take the strategy's assignment."""
        return self._checked("assign", strategy.assign(feature_set))

    def _checked(self, method: str, found: Tensor) -> Tensor:
        complaint = self._checks[method](found, ())
        if complaint:
            what = method_of(method, self._entry)
            raise self._guard.failure(self._entry.owner, what, complaint)
        return found

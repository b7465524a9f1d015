"""One training as it is stored on the way and at its end, and taken up where it was left."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import nn

from cilsim.scenario.checkpoint_interval import CheckpointInterval
from cilsim.strategy.reported import Reported
from cilsim.strategy.selection import BestTestEpoch
from cilsim.strategy.strategy import Strategy
from cilsim.strategy.training_slot import Place, TrainingSlot, load_result, loop_data
from cilsim.training.spec import EpochReport, FitSpec, FitSummary
from cilsim.training.state import TrainingState, module_tensors, on_device

SECONDS_WORTH_KEEPING = 1.0
"""A training that took less is done again after an interruption, unless states are more frequent.
"""


@dataclass
class StoredTraining:
    """What is stored of one training: weights, and beside them strategy, reports and selection.

    Attributes:
        slot: where it is stored.
        place: which training it is.
        strategy: whose loss is trained.
        reported: of the run; a training that is taken up brings what it had reported.
        selection: chooses among the epochs; None for the last one.
        device: where tensors of the strategy go.
    """

    slot: TrainingSlot
    place: Place
    strategy: Strategy
    reported: Reported
    selection: BestTestEpoch | None
    device: torch.device

    def take_over(self, trained: Mapping[str, nn.Module], channels_last: bool) -> int | None:
        """Take the result of a training that an interrupted command has finished, if it has.

        Returns:
            The optimiser steps that it took, None if there is none.
        """
        stored = self.slot.load_finished(self.place.training)
        if stored is None or not self.place.owns(stored[1]):
            return None
        state = stored[0]
        self._take_beside(state)
        load_result(trained, state["modules"], channels_last)
        steps: int = state["steps"]
        return steps

    def resuming(self, spec: FitSpec, report: Callable[[EpochReport], None]) -> FitSpec:
        """Return the spec of a training that is stored on the way and goes on from what is.

        Args:
            spec: the training from its beginning.
            report: told of every epoch.
        """

        def on_epoch(epoch: EpochReport) -> None:
            if self.selection is not None:
                self.selection.after_epoch(spec.modules)
            report(epoch)

        def save(state: TrainingState) -> None:
            chosen = {} if self.selection is None else {"selection": self.selection.state_dict()}
            done = state.epoch * state.steps_per_epoch + state.step
            state_data = {"loop": loop_data(state), **self._beside(), **chosen}
            self.slot.save_training(state_data, self.place.facts(done))

        spec = replace(spec, on_epoch=on_epoch, save=save)
        stored = self.slot.load_training()
        if stored is None or not self.place.owns(stored[1]):
            return spec
        state = stored[0]
        self._take_beside(state)
        if self.selection is not None:
            self.selection.load_state_dict(state["selection"])
        return replace(spec, resume_from=TrainingState(**state["loop"]))

    def finish(self, spec: FitSpec, summary: FitSummary, interval: CheckpointInterval) -> None:
        """Store the result, unless the training is done again as quickly."""
        worth_keeping = min(interval.seconds, SECONDS_WORTH_KEEPING)
        if spec.resume_from or interval.epochs or summary.seconds >= worth_keeping:
            result = {"modules": module_tensors(spec.modules), "steps": summary.steps}
            state = {**self._beside(), **result}
            self.slot.finish_training(self.place.training, state, self.place.facts(summary.steps))

    def _beside(self) -> dict[str, Any]:
        """Return what is stored besides the weights."""
        return {"strategy": self.strategy.state_dict(), "reported": self.reported.state_dict()}

    def _take_beside(self, state: Mapping[str, Any]) -> None:
        self.strategy.load_state_dict(on_device(state["strategy"], self.device))
        self.reported.load_state_dict(state["reported"])

"""What is stored about the trainings of an experience, so that an interrupted one goes on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Protocol

from torch import Tensor, nn

from cilsim.training.modes import set_layout
from cilsim.training.state import TrainingState, load_modules


class TrainingSlot(Protocol):
    """Where the trainings of the current experience are kept."""

    def save_training(self, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Keep a state inside a training."""

    def load_training(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the state kept last, with its facts, or None."""

    def finish_training(
        self, number: int, state: Mapping[str, Any], facts: Mapping[str, Any]
    ) -> None:
        """Keep the result of a training in place of states inside it."""

    def load_finished(self, number: int) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the result of a training, with its facts, or None."""


@dataclass(frozen=True)
class Place:
    """Which training of a run.

    Attributes:
        experience: index of the experience.
        training: number of the training within it, from 0.
        step: optimiser steps of the run before it.
    """

    experience: int
    training: int
    step: int

    def facts(self, done: int) -> dict[str, int]:
        """Return facts about a state after `done` steps of this training."""
        return {**asdict(self), "behind": self.step + done}

    def owns(self, facts: Mapping[str, Any]) -> bool:
        """Return whether a stored state belongs to this training."""
        return all(facts.get(name) == value for name, value in asdict(self).items())


def loop_data(state: TrainingState) -> dict[str, Any]:
    """Return the state of a training as data."""
    return {field.name: getattr(state, field.name) for field in fields(state)}


def load_result(
    modules: Mapping[str, nn.Module], tensors: Mapping[str, Tensor], channels_last: bool
) -> None:
    """Put the result of a training into `modules`, which end as a training leaves them.

    Args:
        modules: what was trained, by name.
        tensors: what `module_tensors` returned after the training.
        channels_last: memory layout that the recipe asks for; rounding depends on it.

    Raises:
        CheckpointError: a tensor is missing or has another shape.
    """
    set_layout(list(modules.values()), channels_last)
    load_modules(modules, TrainingState(0, 0, 0, tensors))
    for module in modules.values():
        module.eval()

"""What a training is asked for, and what it reports."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import nn

from cilsim.data.samples import Samples
from cilsim.distributed.processes import ALONE, Processes
from cilsim.scenario.recipe import Recipe
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.optimisers import ParameterGroup
from cilsim.training.sampling import PLAIN, Sampling
from cilsim.training.state import TrainingState


@dataclass(frozen=True)
class EpochReport:
    """One finished epoch.

    Attributes:
        experience: index of the experience.
        epoch: index of the epoch, from 0.
        epochs: how many there are.
        step: optimiser steps done in this training.
        loss: mean over the epoch's samples.
        accuracy: fraction correct, or None where the loss gave no logits or there are no labels.
        lr: learning rate of the last step.
        images_per_s: samples per second of wall time.
        parts: means of the parts of the loss.
    """

    experience: int
    epoch: int
    epochs: int
    step: int
    loss: float
    accuracy: float | None
    lr: float
    images_per_s: float
    parts: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class StepReport:
    """Where a training is, for a progress bar.

    Attributes:
        epoch: index of the epoch, from 0.
        epochs: how many there are.
        step: optimiser steps done in this training.
        steps: how many it will be.
    """

    epoch: int
    epochs: int
    step: int
    steps: int


@dataclass(frozen=True)
class FitSummary:
    """A finished training.

    Attributes:
        steps: optimiser steps of the whole training.
        images: samples seen by this process, epochs counted.
        seconds: wall time in this process.
        last: the last epoch, or None if there was none to run.
    """

    steps: int
    images: int
    seconds: float
    last: EpochReport | None


@dataclass(frozen=True)
class FitSpec:
    """One training.

    Attributes:
        modules: what is trained, by name; the one named `backbone` is compiled if the recipe asks.
        samples: the part to train on; without labels, batches have none.
        recipe: optimiser, schedule, augmentation, precision.
        loss: called once per step, within autocast.
        seed_path: start of the position that every random number is derived from, such as
            (run seed, experience, "base_training").
        experience: index of the experience.
        strategy: whose training it is, for messages.
        parameter_groups: see `ParameterGroup`; None trains every parameter of `modules`.
        transform_batch: called before the loss; returns the batch to use.
        after_backward: called between the backward pass and clipping.
        on_epoch: called after each epoch.
        on_step: called between steps, at most every 0.2 seconds.
        resume_from: where an earlier training of the same spec stopped.
        save: called between steps with everything that `resume_from` needs.
        save_every_seconds: how often at most; infinite for never.
        save_every_epochs: also before each epoch whose index is a multiple of this; 0 for never.
        should_stop: asked before each step; True saves and raises `Interrupted`.
        sampling: which samples an epoch draws, and in how many views.
        mean_loss: the loss is a mean over the samples of a batch, each counted for itself, so that
            a batch for which there is no memory may be done in two halves.
        random_forward: the loss draws from torch's global generator although no module has a
            dropout layer; the generator is then seeded for each step and put back.
        processes: those that do this training together.
    """

    modules: Mapping[str, nn.Module]
    samples: Samples
    recipe: Recipe
    loss: Callable[[Batch], TrainingLoss]
    seed_path: tuple[int | str, ...]
    experience: int = 0
    strategy: str = ""
    parameter_groups: Sequence[ParameterGroup] | None = None
    transform_batch: Callable[[Batch], Batch] | None = None
    after_backward: Callable[[Batch], None] | None = None
    on_epoch: Callable[[EpochReport], None] | None = None
    on_step: Callable[[StepReport], None] | None = None
    resume_from: TrainingState | None = None
    save: Callable[[TrainingState], None] | None = None
    save_every_seconds: float = 60.0
    save_every_epochs: int = 0
    should_stop: Callable[[], bool] | None = None
    sampling: Sampling = PLAIN
    mean_loss: bool = False
    random_forward: bool = False
    processes: Processes = ALONE

    def where(self, epoch: int, step: int) -> str:
        """Return how messages call a step, counted from 1 in its epoch."""
        whose = f"strategy '{self.strategy}': " if self.strategy else ""
        return (
            f"{whose}experience {self.experience}, epoch {epoch + 1} of {self.recipe.epochs}, "
            f"step {step + 1}"
        )

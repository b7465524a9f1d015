"""Training within a run: counted, reported, and resumed where an interruption left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from torch import nn

from cilsim.data.samples import Samples
from cilsim.distributed.processes import ALONE, Processes
from cilsim.distributed.weights import take_weights_of_first
from cilsim.records import RunInfo, Scalars
from cilsim.scenario.checkpoint_interval import CheckpointInterval
from cilsim.scenario.recipe import Recipe
from cilsim.strategy.model import Model
from cilsim.strategy.reported import Logged, Reported, epoch_scalars
from cilsim.strategy.selection import BestTestEpoch
from cilsim.strategy.step_parts import Loss, StepParts, strategy_step
from cilsim.strategy.stored_training import StoredTraining
from cilsim.strategy.strategy import Strategy
from cilsim.strategy.training_slot import Place, TrainingSlot
from cilsim.training.loop import fit
from cilsim.training.sampling import PLAIN, Sampling
from cilsim.training.spec import EpochReport, FitSpec


@dataclass
class Trainer:
    """Runs the trainings of one run.

    Attributes:
        run: facts about the run.
        hook: hook callers of the run's plugin manager.
        model: backbone and head.
        stop: whether somebody asked to save and stop.
        slot: where the trainings of the current experience are kept.
        interval: how often the state inside a training is kept.
        processes: those that train together.
        step: optimiser steps so far, over the whole run.
        reported_step: scalars up to this step were reported by the command that was interrupted.
        reported: scalars in this experience, and values that the strategy logged.
        recipe: of the training that is under way.
    """

    run: RunInfo
    hook: Any
    model: Model
    stop: Callable[[], bool]
    slot: TrainingSlot
    interval: CheckpointInterval
    processes: Processes = ALONE
    step: int = 0
    reported_step: int = 0
    reported: Reported = field(default_factory=Reported)
    recipe: Recipe = field(default_factory=Recipe)
    _experience: int = 0
    _trainings: int = 0

    def begin_experience(self, index: int) -> None:
        """Say which experience is learnt now."""
        self._experience, self._trainings = index, 0
        self.reported.scalars = []

    def fit(
        self,
        strategy: Strategy,
        samples: Samples,
        recipe: Recipe,
        modules: Mapping[str, nn.Module] | None = None,
        selection: BestTestEpoch | None = None,
        loss: Loss | None = None,
        sampling: Sampling = PLAIN,
    ) -> Logged:
        """Train backbone, head and further `modules` on `samples`; return what was logged.

        A training that an interrupted command has finished is not done again.

        Args:
            strategy: gives the loss and whatever else it changes of a step.
            samples: what to train on.
            recipe: how.
            modules: trained beside backbone and head, by name.
            selection: chooses among the epochs; default the last one.
            loss: trains `modules` alone, without what the strategy and hooks make of a step.
            sampling: which samples an epoch draws, and in how many views.

        Raises:
            RunFailed: there is nothing to train, or the loss became NaN or infinite.
            Interrupted: the user asked to stop; the state is saved.
        """
        self.recipe = recipe
        trained = dict(modules or {})
        if loss is None:
            trained = {"backbone": self.model.backbone, "head": self.model.head, **trained}
        place = Place(self._experience, self._trainings, self.step)
        self._trainings += 1
        reported = self.reported
        earlier, reported.logged = reported.logged, {}
        stored = StoredTraining(self.slot, place, strategy, reported, selection, self.model.device)
        steps = stored.take_over(trained, recipe.channels_last)
        if steps is None:
            parts = StepParts(loss) if loss else strategy_step(strategy, self.run, self.hook)
            steps = self._train(self._spec(parts, samples, trained, place, sampling), stored)
        self.step += steps
        self.model.changed()
        within, reported.logged = reported.logged, {**earlier, **reported.logged}
        return within

    def asked_to_stop(self) -> bool:
        """Return whether somebody asked any of the processes to save and stop."""
        (asked,) = self.processes.greatest(self.stop())
        return bool(asked)

    def skip(self, steps: int, logged: Logged) -> None:
        """Count a training whose result was at hand, so that later ones draw as if it had run."""
        self._trainings += 1
        self.step += steps
        self.reported.logged.update(logged)

    def emit(self, scalars: Scalars) -> None:
        """Report scalars now, unless an interrupted command has."""
        self.reported.scalars.append(scalars)
        if scalars.step > self.reported_step:
            self.hook.cilsim_on_scalars(run=self.run, scalars=scalars)

    def _train(self, spec: FitSpec, stored: StoredTraining) -> int:
        """Do a training, or the rest of it, and return the optimiser steps of the whole."""
        spec = stored.resuming(spec, self._report)
        summary = fit(spec)
        if stored.selection is not None:
            stored.selection.finish(spec.modules)
        take_weights_of_first(spec.modules.values(), self.processes)
        stored.finish(spec, summary, self.interval)
        return summary.steps

    def _spec(
        self,
        parts: StepParts,
        samples: Samples,
        trained: Mapping[str, nn.Module],
        place: Place,
        sampling: Sampling,
    ) -> FitSpec:
        return FitSpec(
            modules=trained,
            samples=samples,
            recipe=self.recipe,
            loss=parts.loss,
            seed_path=(self.run.seed, place.experience, place.training),
            experience=place.experience,
            strategy=self.run.strategy,
            parameter_groups=parts.parameter_groups,
            transform_batch=parts.transform_batch,
            after_backward=parts.after_backward,
            save_every_seconds=self.interval.seconds,
            save_every_epochs=self.interval.epochs,
            should_stop=self.stop,
            sampling=sampling,
            mean_loss=parts.mean_loss,
            processes=self.processes,
        )

    def _report(self, report: EpochReport) -> None:
        self.emit(epoch_scalars(report, self.step))

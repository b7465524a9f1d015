"""Training within a run: counted, reported, and resumed where an interruption left it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
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
from cilsim.strategy.strategy import Strategy
from cilsim.strategy.training_slot import Place, TrainingSlot, load_result, loop_data
from cilsim.training.loop import fit
from cilsim.training.sampling import PLAIN, Sampling
from cilsim.training.spec import EpochReport, FitSpec
from cilsim.training.state import TrainingState, module_tensors, on_device

SECONDS_WORTH_KEEPING = 1.0
"""A training that took less is done again after an interruption, unless states are more frequent.
"""


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
        scalars: everything reported in this experience, for sharing a base training.
        logged: values that the strategy logged since they were last taken; while a training is
            under way, those logged within it.
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
    scalars: list[Scalars] = field(default_factory=list)
    logged: Logged = field(default_factory=dict)
    recipe: Recipe = field(default_factory=Recipe)
    _experience: int = 0
    _trainings: int = 0

    def begin_experience(self, index: int) -> None:
        """Say which experience is learnt now."""
        self._experience, self._trainings = index, 0
        self.scalars = []

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
        earlier, self.logged = self.logged, {}
        if not self._take_over(place, strategy, trained):
            parts = StepParts(loss) if loss else strategy_step(strategy, self.run, self.hook)
            spec = self._spec(parts, samples, trained, place, sampling)
            self._train(spec, strategy, place, selection)
        self.model.changed()
        within, self.logged = self.logged, {**earlier, **self.logged}
        return within

    def asked_to_stop(self) -> bool:
        """Return whether somebody asked any of the processes to save and stop."""
        (asked,) = self.processes.greatest(self.stop())
        return bool(asked)

    def skip(self, steps: int, logged: Logged) -> None:
        """Count a training whose result was at hand, so that later ones draw as if it had run."""
        self._trainings += 1
        self.step += steps
        self.logged.update(logged)

    def emit(self, scalars: Scalars) -> None:
        """Report scalars now, unless an interrupted command has."""
        self.scalars.append(scalars)
        if scalars.step > self.reported_step:
            self.hook.cilsim_on_scalars(run=self.run, scalars=scalars)

    def _train(
        self, spec: FitSpec, strategy: Strategy, place: Place, selection: BestTestEpoch | None
    ) -> None:
        spec = self._resuming(spec, strategy, place, selection)
        summary = fit(spec)
        if selection is not None:
            selection.finish(spec.modules)
        take_weights_of_first(spec.modules.values(), self.processes)
        self.step += summary.steps
        worth_keeping = min(self.interval.seconds, SECONDS_WORTH_KEEPING)
        if spec.resume_from or self.interval.epochs or summary.seconds >= worth_keeping:
            result = {"modules": module_tensors(spec.modules), "steps": summary.steps}
            state = {**self._beside(strategy), **result}
            self.slot.finish_training(place.training, state, place.facts(summary.steps))

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
            on_epoch=self._report,
            save_every_seconds=self.interval.seconds,
            save_every_epochs=self.interval.epochs,
            should_stop=self.stop,
            sampling=sampling,
            mean_loss=parts.mean_loss,
            processes=self.processes,
        )

    def _resuming(
        self, spec: FitSpec, strategy: Strategy, place: Place, selection: BestTestEpoch | None
    ) -> FitSpec:
        """Return the spec of a training that is stored on the way and goes on from what is."""

        def on_epoch(report: EpochReport) -> None:
            if selection is not None:
                selection.after_epoch(spec.modules)
            self._report(report)

        def save(state: TrainingState) -> None:
            chosen = {} if selection is None else {"selection": selection.state_dict()}
            beside = {**self._beside(strategy), **chosen}
            done = state.epoch * state.steps_per_epoch + state.step
            self.slot.save_training({"loop": loop_data(state), **beside}, place.facts(done))

        spec = replace(spec, on_epoch=on_epoch, save=save)
        stored = self.slot.load_training()
        if stored is None or not place.owns(stored[1]):
            return spec
        state = stored[0]
        self._take_beside(state, strategy)
        if selection is not None:
            selection.load_state_dict(state["selection"])
        return replace(spec, resume_from=TrainingState(**state["loop"]))

    def _take_over(
        self, place: Place, strategy: Strategy, trained: Mapping[str, nn.Module]
    ) -> bool:
        """Take the result of a training that an interrupted command has finished, if it has."""
        stored = self.slot.load_finished(place.training)
        if stored is None or not place.owns(stored[1]):
            return False
        state = stored[0]
        self._take_beside(state, strategy)
        load_result(trained, state["modules"], self.recipe.channels_last)
        self.step += state["steps"]
        return True

    def _beside(self, strategy: Strategy) -> dict[str, Any]:
        """Return what a stored training holds besides the weights."""
        reported = Reported(self.scalars, self.logged)
        return {"strategy": strategy.state_dict(), "reported": reported.state_dict()}

    def _take_beside(self, state: Mapping[str, Any], strategy: Strategy) -> None:
        device = next(self.model.head.parameters()).device
        strategy.load_state_dict(on_device(state["strategy"], device))
        reported = Reported.from_state(state["reported"])
        self.scalars, self.logged = reported.scalars, reported.logged

    def _report(self, report: EpochReport) -> None:
        self.emit(epoch_scalars(report, self.step))

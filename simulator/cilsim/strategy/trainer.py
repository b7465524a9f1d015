"""Training within a run: the hooks around each step, scalars per epoch, and resume inside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Any, Protocol

from torch import nn

from cilsim.data.samples import Samples
from cilsim.records import RunInfo, Scalars
from cilsim.scenario.recipe import Recipe
from cilsim.strategy.model import Model
from cilsim.strategy.selection import BestTestEpoch
from cilsim.strategy.strategy import Strategy
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.loop import fit
from cilsim.training.sampling import PLAIN, Sampling
from cilsim.training.spec import EpochReport, FitSpec
from cilsim.training.state import TrainingState, on_device

Loss = Callable[[Batch], TrainingLoss]
"""The loss of one optimiser step."""


class TrainingSlot(Protocol):
    """Where the state inside a long training is kept."""

    def save_training(self, state: Mapping[str, Any], facts: Mapping[str, Any]) -> None:
        """Keep one state."""

    def load_training(self) -> tuple[dict[str, Any], dict[str, Any]] | None:
        """Return the state kept last, or None."""

    def clear_training(self) -> None:
        """Forget it."""


@dataclass
class Trainer:
    """Runs the trainings of one run.

    Attributes:
        run: facts about the run.
        hook: hook callers of the run's plugin manager.
        model: backbone and head.
        stop: whether somebody asked to save and stop.
        slot: where the state inside a training is kept.
        save_every_seconds: how often.
        step: optimiser steps so far, over the whole run.
        scalars: everything reported in this experience, for sharing a base training.
    """

    run: RunInfo
    hook: Any
    model: Model
    stop: Callable[[], bool]
    slot: TrainingSlot
    save_every_seconds: float
    step: int = 0
    scalars: list[Scalars] = field(default_factory=list)
    _experience: int = 0
    _trainings: int = 0
    recipe: Recipe = field(default_factory=Recipe)
    _extra: dict[str, Any] = field(default_factory=dict)

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
    ) -> None:
        """Train backbone, head and further `modules` on `samples`.

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
        place = {"experience": self._experience, "training": self._trainings}
        self._trainings += 1
        spec = replace(self._spec(strategy, samples, recipe, trained, place), sampling=sampling)
        if loss is not None:
            spec = replace(
                spec, loss=loss, parameter_groups=None, transform_batch=None, after_backward=None
            )
        summary = fit(spec if selection is None else self._selecting(spec, selection))
        if selection is not None:
            selection.finish(trained)
        self.step += summary.steps
        self.slot.clear_training()
        self.model.changed()

    def skip(self, steps: int) -> None:
        """Count a training whose result was at hand, so that later ones draw as if it had run."""
        self._trainings += 1
        self.step += steps

    def emit(self, scalars: Scalars) -> None:
        """Report scalars now."""
        self.scalars.append(scalars)
        self.hook.cilsim_on_scalars(run=self.run, scalars=scalars)

    def _spec(
        self,
        strategy: Strategy,
        samples: Samples,
        recipe: Recipe,
        trained: Mapping[str, nn.Module],
        place: dict[str, int],
    ) -> FitSpec:
        facts = {**place, "step": self.step}

        def save(state: TrainingState) -> None:
            loop = {field.name: getattr(state, field.name) for field in fields(state)}
            scalars = [asdict(scalars) for scalars in self.scalars]
            state_now = {"loop": loop, "strategy": strategy.state_dict(), "scalars": scalars}
            self.slot.save_training({**state_now, **self._extra}, facts)

        return FitSpec(
            modules=trained,
            samples=samples,
            recipe=recipe,
            loss=self._loss(strategy),
            seed_path=(self.run.seed, place["experience"], place["training"]),
            experience=place["experience"],
            parameter_groups=strategy.parameter_groups(),
            transform_batch=strategy.transform_batch,
            after_backward=lambda batch: strategy.after_backward(),
            on_epoch=self._report,
            resume_from=self._resume(strategy, facts),
            save=save,
            save_every_seconds=self.save_every_seconds,
            should_stop=self.stop,
        )

    def _selecting(self, spec: FitSpec, selection: BestTestEpoch) -> FitSpec:
        """Return the spec with a selection that survives an interruption beside it."""
        stored = self.slot.load_training() if spec.resume_from else None
        if stored is not None:
            selection.load_state_dict(stored[0]["selection"])

        def on_epoch(report: EpochReport) -> None:
            selection.after_epoch(spec.modules)
            self._report(report)

        def save(state: TrainingState) -> None:
            assert spec.save is not None  # set by _spec
            self._extra = {"selection": selection.state_dict()}
            spec.save(state)

        return replace(spec, on_epoch=on_epoch, save=save)

    def _resume(self, strategy: Strategy, facts: Mapping[str, int]) -> TrainingState | None:
        stored = self.slot.load_training()
        if stored is None or stored[1] != facts:
            return None
        state, _ = stored
        device = next(self.model.head.parameters()).device
        strategy.load_state_dict(on_device(state["strategy"], device))
        self.scalars = [Scalars(**scalars) for scalars in state["scalars"]]
        return TrainingState(**state["loop"])

    def _loss(self, strategy: Strategy) -> Callable[[Batch], TrainingLoss]:
        caller = self.hook.cilsim_training_loss
        if len(caller.get_hookimpls()) == 1:  # only the engine's default: skip the hook
            return strategy.loss

        def loss(batch: Batch) -> TrainingLoss:
            result: TrainingLoss = caller(run=self.run, strategy=strategy, batch=batch)
            return result

        return loss

    def _report(self, report: EpochReport) -> None:
        values = {
            "train/loss": report.loss,
            "train/lr": report.lr,
            "train/images_per_s": report.images_per_s,
            "train/epoch": report.epoch + 1,
            "train/epochs": report.epochs,
        }
        if report.accuracy is not None:
            values["train/accuracy"] = report.accuracy
        values.update({f"train/loss_{name}": value for name, value in report.parts.items()})
        self.emit(Scalars(values, self.step + report.step))

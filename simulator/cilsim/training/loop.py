"""The training loop.

Between two epochs nothing is read from the device: losses and predictions are kept there. A
position (epoch, step) is the random state, so that a training can be cut and continued anywhere.
"""

from __future__ import annotations

import math
import time

from torch import Tensor

from cilsim.errors import CheckpointError, Interrupted, RunFailed
from cilsim.training.batch import Batch
from cilsim.training.batching import Batcher
from cilsim.training.compiling import compiled
from cilsim.training.meter import Meter
from cilsim.training.modes import keep_batch_statistics, set_layout, train_mode
from cilsim.training.spec import EpochReport, FitSpec, FitSummary, StepReport
from cilsim.training.state import TrainingState, load_modules, module_tensors, prefixed
from cilsim.training.step import OptimiserStep

SECONDS_BETWEEN_STEP_REPORTS = 0.2


def fit(spec: FitSpec) -> FitSummary:
    """Train `spec.modules` in place and return what it took; the modules end in eval mode.

    Raises:
        RunFailed: there is nothing to train or to train on, the loss is not a `TrainingLoss`
            with a scalar total, or an epoch's loss is not finite.
        Interrupted: `should_stop` said so; `save` was called before.
        CheckpointError: `resume_from` does not fit.
    """
    if not len(spec.samples):
        raise RunFailed(f"experience {spec.experience}: there are no samples to train on")
    modules = list(spec.modules.values())
    set_layout(modules, spec.recipe.channels_last)
    train_mode(modules)
    try:
        training = _Training(spec)
        backbone = spec.modules.get("backbone") if spec.recipe.compile else None
        with compiled(backbone, training.step.device):
            return training.run()
    finally:
        for module in modules:
            module.eval()


class _Training:
    """One call of `fit`: the position, what an epoch adds up to, and when it was last saved."""

    def __init__(self, spec: FitSpec) -> None:
        self.spec = spec
        self.recipe = spec.recipe
        self.step = OptimiserStep(spec)
        self.batcher = Batcher(
            spec.samples, spec.recipe, spec.seed_path, self.step.device, spec.sampling
        )
        self.steps_per_epoch = len(self.batcher.bounds)
        self.epoch = self.position = self.images = 0
        self.meter = Meter()
        self.began = self.saved_at = self.reported_at = time.monotonic()
        if self.batcher.smallest == 1:
            keep_batch_statistics(spec.modules.values())
        if spec.resume_from is not None:
            self._resume(spec.resume_from)

    def run(self) -> FitSummary:
        last = None
        while self.epoch < self.recipe.epochs:
            last = self._run_epoch()
            self.epoch, self.position, self.meter = self.epoch + 1, 0, Meter()
        steps = self.recipe.epochs * self.steps_per_epoch
        return FitSummary(steps, self.images, time.monotonic() - self.began, last)

    def _run_epoch(self) -> EpochReport:
        began, images_before, lr = time.monotonic(), self.images, math.nan
        order_N = self.batcher.order(self.epoch)
        while self.position < self.steps_per_epoch:
            self._between_steps()
            lr = self._set_learning_rates()
            batch = self._batch(order_N)
            self.images += len(batch)
            self.meter.add(*self.step(batch))
            self.position += 1
        loss, accuracy = self._finite_loss(), self.meter.accuracy()
        report = EpochReport(
            experience=self.spec.experience,
            epoch=self.epoch,
            epochs=self.recipe.epochs,
            step=(self.epoch + 1) * self.steps_per_epoch,
            loss=loss,
            accuracy=accuracy,
            lr=lr,
            images_per_s=(self.images - images_before) / (time.monotonic() - began),
            parts={name: mean.read() for name, mean in self.meter.parts.items()},
        )
        if self.spec.on_epoch is not None:
            self.spec.on_epoch(report)
        return report

    def _set_learning_rates(self) -> float:
        optimisers = self.step.optimisers
        return optimisers.set_learning_rates(self.epoch, self.position, self.steps_per_epoch)

    def _batch(self, order_N: Tensor) -> Batch:
        start, stop = self.batcher.bounds[self.position]
        position_B = order_N[start:stop]
        done = self.epoch * self.steps_per_epoch + self.position
        return Batch(
            x=self.batcher.x(position_B, self.epoch, self.position),
            labels=self.batcher.labels(position_B),
            position=position_B,
            experience=self.spec.experience,
            epoch=self.epoch,
            step=self.position,
            progress=done / (self.recipe.epochs * self.steps_per_epoch),
            views=self.spec.sampling.views,
        )

    def _between_steps(self) -> None:
        """Stop, save or report, if it is time to."""
        spec, now = self.spec, time.monotonic()
        if spec.should_stop is not None and spec.should_stop():
            self._save()
            raise Interrupted(
                f"experience {spec.experience}: training was stopped in "
                f"epoch {self.epoch + 1} of {self.recipe.epochs}"
            )
        if now - self.saved_at >= spec.save_every_seconds:
            self._save()
            self.saved_at = now
        if now - self.reported_at >= SECONDS_BETWEEN_STEP_REPORTS and spec.on_step is not None:
            done = self.epoch * self.steps_per_epoch + self.position
            steps = self.recipe.epochs * self.steps_per_epoch
            spec.on_step(StepReport(self.epoch, self.recipe.epochs, done, steps))
            self.reported_at = now

    def _finite_loss(self) -> float:
        loss = self.meter.loss.read()
        if not math.isfinite(loss):
            raise RunFailed(
                f"experience {self.spec.experience}: the training loss is {loss} in "
                f"epoch {self.epoch + 1} of {self.recipe.epochs}; "
                "a smaller 'lr' or 'clip_gradient_norm' may help"
            )
        return loss

    def _save(self) -> None:
        if self.spec.save is None:
            return
        if self.position:
            self._finite_loss()
        self.spec.save(self._state())

    def _state(self) -> TrainingState:
        scaler = self.step.scaler
        return TrainingState(
            epoch=self.epoch,
            step=self.position,
            steps_per_epoch=self.steps_per_epoch,
            tensors={
                **module_tensors(self.spec.modules),
                **prefixed("optimiser", self.step.optimisers.tensors()),
                **prefixed("meter", self.meter.tensors()),
            },
            numbers=scaler.state_dict() if scaler is not None else {},
        )

    def _resume(self, state: TrainingState) -> None:
        if state.steps_per_epoch != self.steps_per_epoch or state.epoch >= self.recipe.epochs:
            raise CheckpointError(
                f"experience {self.spec.experience}: the saved training stands in epoch "
                f"{state.epoch + 1} of {state.steps_per_epoch} steps each, this one has "
                f"{self.recipe.epochs} epochs of {self.steps_per_epoch} steps"
            )
        load_modules(self.spec.modules, state)
        self.step.optimisers.load_tensors(state.group("optimiser"))
        if self.step.scaler is not None:
            self.step.scaler.load_state_dict(dict(state.numbers))
        self.meter = Meter.from_tensors(state.group("meter"), self.step.device)
        self.epoch, self.position = state.epoch, state.step

"""The training loop.

Between two epochs nothing is read from the device: losses and predictions are kept there. A
position (epoch, step) is the random state, so that a training can be cut and continued anywhere.
"""

from __future__ import annotations

import math
import time

from torch import Tensor

from cilsim.data.memory import is_out_of_memory
from cilsim.distributed.lockstep import Lockstep
from cilsim.errors import CheckpointError, Interrupted, RunFailed
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.batching import Batcher
from cilsim.training.compiling import CompiledForward, compiled, to_compile
from cilsim.training.meter import Meter
from cilsim.training.modes import keep_batch_statistics, set_layout, train_mode
from cilsim.training.refusals import no_memory
from cilsim.training.soundness import Soundness
from cilsim.training.spec import EpochReport, FitSpec, FitSummary, StepReport
from cilsim.training.state import TrainingState, load_modules, module_tensors, prefixed
from cilsim.training.step import OptimiserStep

SECONDS_BETWEEN_STEP_REPORTS = 0.2


def fit(spec: FitSpec) -> FitSummary:
    """Train `spec.modules` in place and return what it took; the modules end in eval mode.

    Raises:
        RunFailed: there is nothing to train or to train on, the loss is not a `TrainingLoss`
            with a scalar total, a loss or weight is not finite, or there is no memory for a batch
            that cannot be done in halves.
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
        norms = training.step.shared_norms
        backbone = to_compile(spec.modules, norms) if spec.recipe.compile else None
        with norms.in_place(), compiled(backbone, training.step.device) as training.forward:
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
        self.forward: CompiledForward | None = None
        self.lockstep = Lockstep(spec.processes)
        if spec.resume_from is not None:
            self._resume(spec.resume_from)
        self.soundness = Soundness(spec, self.step.parameters, self.steps_per_epoch, self._done)

    @property
    def _done(self) -> int:
        """Steps done in this training."""
        return self.epoch * self.steps_per_epoch + self.position

    def run(self) -> FitSummary:
        last = None
        while self.epoch < self.recipe.epochs:
            last = self._run_epoch()
            self.epoch, self.position, self.meter = self.epoch + 1, 0, Meter()
        self.soundness.require_all(self._done)
        steps = self.recipe.epochs * self.steps_per_epoch
        return FitSummary(steps, self.images, time.monotonic() - self.began, last)

    def _run_epoch(self) -> EpochReport:
        began, images_before, lr = time.monotonic(), self.images, math.nan
        order_N = self.batcher.order(self.epoch)
        while self.position < self.steps_per_epoch:
            self._between_steps()
            lr = self._set_learning_rates()
            self._advance(order_N)
        self.soundness.require_losses()
        report = EpochReport(
            experience=self.spec.experience,
            epoch=self.epoch,
            epochs=self.recipe.epochs,
            step=(self.epoch + 1) * self.steps_per_epoch,
            loss=self.meter.loss.read(),
            accuracy=self.meter.accuracy(),
            lr=lr,
            images_per_s=(self.images - images_before) / (time.monotonic() - began),
            parts={name: mean.read() for name, mean in self.meter.parts.items()},
        )
        if self.spec.on_epoch is not None:
            self.spec.on_epoch(report)
        return report

    def _advance(self, order_N: Tensor) -> None:
        """Do one step; nothing of it but its loss and predictions outlives the call."""
        try:
            batch = self.batcher.batch(order_N, self.spec.experience, self.epoch, self.position)
            self.images += len(batch)
            loss, batch = self._step(batch)
        except Exception as error:
            if is_out_of_memory(error):
                raise no_memory(
                    self.spec, self.epoch, self.position, self._size, self.step
                ) from error
            raise
        self.meter.add(loss, batch)
        self.position += 1
        self.soundness.note(loss.total)

    def _step(self, batch: Batch) -> tuple[TrainingLoss, Batch]:
        if self.forward is None:
            return self.step(batch)
        self.forward.on = self._size == self.recipe.batch_size
        try:
            return self.step(batch)
        finally:
            self.forward.on = False

    @property
    def _size(self) -> int:
        """Samples of the batch of the next step."""
        start, stop = self.batcher.bounds[self.position]
        return stop - start

    def _set_learning_rates(self) -> float:
        optimisers = self.step.optimisers
        return optimisers.set_learning_rates(self.epoch, self.position, self.steps_per_epoch)

    def _between_steps(self) -> None:
        """Stop, save or report, if it is time to."""
        spec, now = self.spec, time.monotonic()
        stop, save = self.lockstep.decide(
            stop=spec.should_stop is not None and spec.should_stop(),
            save=now - self.saved_at >= spec.save_every_seconds,
        )
        if stop:
            self._save()
            raise Interrupted(
                f"experience {spec.experience}: training was stopped in "
                f"epoch {self.epoch + 1} of {self.recipe.epochs}"
            )
        if save or self._epoch_is_saved():
            self._save()
            self.saved_at = now
        if now - self.reported_at >= SECONDS_BETWEEN_STEP_REPORTS and spec.on_step is not None:
            steps = self.recipe.epochs * self.steps_per_epoch
            spec.on_step(StepReport(self.epoch, self.recipe.epochs, self._done, steps))
            self.reported_at = now

    def _epoch_is_saved(self) -> bool:
        epochs = self.spec.save_every_epochs
        begins_epoch = self.position == 0 and self.epoch > 0
        return begins_epoch and epochs > 0 and self.epoch % epochs == 0

    def _save(self) -> None:
        if self.spec.save is None:
            return
        self.soundness.require_all(self._done)
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

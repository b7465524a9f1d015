"""One optimiser step: loss, backward pass, clipping, update."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import nn

from cilsim.errors import RunFailed
from cilsim.seeding import derive_seed
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.modes import draws_random_numbers
from cilsim.training.optimiser_set import OptimiserSet
from cilsim.training.optimisers import trainable
from cilsim.training.precision import autocast, loss_scaler
from cilsim.training.spec import FitSpec


class OptimiserStep:
    """Updates the parameters of a training by one batch at a time.

    Attributes:
        device: where the parameters live.
        optimisers: built from the recipe and the parameter groups.
        scaler: scales the loss in fp16, else None.
    """

    def __init__(self, spec: FitSpec) -> None:
        modules = list(spec.modules.values())
        given = spec.parameter_groups or [{"params": trainable(modules)}]
        groups = [{**group, "params": list(group["params"])} for group in given]
        self.parameters = [p for group in groups for p in group["params"] if p.requires_grad]
        if not self.parameters:
            raise RunFailed(
                f"experience {spec.experience}: nothing to train, no parameter requires a gradient"
            )
        self.spec = spec
        self.device = self.parameters[0].device
        self.optimisers = OptimiserSet(spec.recipe, groups)
        self.scaler = loss_scaler(spec.recipe.precision, self.device)
        self._autocast = autocast(spec.recipe.precision, self.device)
        self._seeds_forward = spec.random_forward or draws_random_numbers(modules)

    def __call__(self, batch: Batch) -> tuple[TrainingLoss, Batch]:
        """Return the loss before the update, and the batch that it was computed on."""
        spec = self.spec
        with self._seeded_forward(batch):
            if spec.transform_batch is not None:
                batch = spec.transform_batch(batch)
            with self._autocast:
                loss = spec.loss(batch)
        _check(loss, spec.experience)
        self.optimisers.zero_grad()
        if self.scaler is None:
            torch.autograd.backward(loss.total)
        else:
            torch.autograd.backward(self.scaler.scale(loss.total))
            self.optimisers.unscale(self.scaler)
        if spec.after_backward is not None:
            spec.after_backward(batch)
        if spec.recipe.clip_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, spec.recipe.clip_gradient_norm)
        self.optimisers.step(self.scaler)
        return loss, batch

    def _seeded_forward(self, batch: Batch) -> AbstractContextManager[None]:
        if not self._seeds_forward:
            return nullcontext()
        seed = derive_seed(*self.spec.seed_path, batch.epoch, batch.step, "model")
        return _seeded(seed, self.device)


@contextmanager
def _seeded(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators inside the block and put them back after it."""
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.default_generator.manual_seed(seed)
        if device.type == "cuda":
            torch.cuda.manual_seed(seed)
        yield


def _check(loss: TrainingLoss, experience: int) -> None:
    if not isinstance(loss, TrainingLoss):
        raise RunFailed(
            f"experience {experience}: the loss is of type '{type(loss).__name__}', "
            "expected a TrainingLoss"
        )
    if loss.total.ndim:
        raise RunFailed(
            f"experience {experience}: the loss has shape {tuple(loss.total.shape)}, "
            "expected a scalar"
        )

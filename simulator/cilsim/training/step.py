"""One optimiser step: loss, backward pass, clipping, update."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import torch
from torch import Tensor, nn

from cilsim.data.memory import is_out_of_memory, release_unused
from cilsim.distributed.batch_norm import SharedBatchNorms
from cilsim.errors import RunFailed
from cilsim.seeding import derive_seed
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.halving import halves, joined, why_whole
from cilsim.training.modes import draws_random_numbers
from cilsim.training.optimiser_set import OptimiserSet
from cilsim.training.optimisers import trainable
from cilsim.training.precision import autocast, loss_scaler
from cilsim.training.sharing import Sharing, sharing
from cilsim.training.spec import FitSpec

logger = logging.getLogger(__name__)


class OptimiserStep:
    """Updates the parameters of a training by one batch at a time.

    Where there is no memory for a batch, its halves are done one after the other, if that gives
    the same step but for rounding (see `halving`), and so are all batches of the training after
    it; otherwise the error of the allocation passes. What several processes share is not halved.

    Attributes:
        device: where the parameters live.
        parameters: what is trained.
        optimisers: built from the recipe and the parameter groups.
        scaler: scales the loss in fp16, else None.
        halved: whether batches are done in halves.
        sharing: deals batches out to several processes, else None.
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
        self.halved = False
        self.sharing = sharing(spec, self.parameters, draws_numbers=self._seeds_forward)

    def __call__(self, batch: Batch) -> tuple[TrainingLoss, Batch]:
        """Return the loss before the update, and the batch that it was computed on."""
        loss, batch = self._differentiate(batch)
        spec = self.spec
        if self.scaler is not None:
            self.optimisers.unscale(self.scaler)
        if spec.after_backward is not None:
            spec.after_backward(batch)
        if spec.recipe.clip_gradient_norm is not None:
            nn.utils.clip_grad_norm_(self.parameters, spec.recipe.clip_gradient_norm)
        self.optimisers.step(self.scaler)
        return loss, batch

    @property
    def shared_norms(self) -> SharedBatchNorms:
        """The batch norms that look at the shares of all processes; none if nothing is shared."""
        return (
            SharedBatchNorms((), self.spec.processes)
            if self.sharing is None
            else self.sharing.norms
        )

    def why_whole(self) -> str:
        """Return why a batch is not done in halves, or nothing if it may be."""
        if self.sharing is not None:
            return f"{self.spec.processes.count} processes share it"
        return why_whole(self.spec, draws_numbers=self._seeds_forward)

    def _differentiate(self, batch: Batch) -> tuple[TrainingLoss, Batch]:
        """Leave the gradients of a batch in the parameters."""
        if self.sharing is not None and self.sharing.takes(batch):
            return self._shared(batch, self.sharing), batch
        if not self.halved:
            try:
                return self._whole(batch)
            except Exception as error:
                if not is_out_of_memory(error) or len(batch.position) < 2 or self.why_whole():
                    raise
            # outside of the block, where the error no longer holds the tensors of its frames
            self._begin_halving(batch)
        return self._in_halves(batch), batch

    def _whole(self, batch: Batch) -> tuple[TrainingLoss, Batch]:
        spec = self.spec
        with self._seeded_forward(batch):
            if spec.transform_batch is not None:
                batch = spec.transform_batch(batch)
            with self._autocast:
                loss = spec.loss(batch)
        _check(loss, spec.experience)
        self.optimisers.zero_grad()
        self._backward(loss.total)
        return loss, batch

    def _in_halves(self, batch: Batch) -> TrainingLoss:
        self.optimisers.zero_grad()
        losses, shares = [], []
        for half in halves(batch):
            with self._autocast:
                loss = self.spec.loss(half)
            _check(loss, self.spec.experience)
            shares.append(len(half.position) / len(batch.position))
            self._backward(loss.total * shares[-1])
            losses.append(loss)
        return joined(losses, shares)

    def _shared(self, batch: Batch, sharing: Sharing) -> TrainingLoss:
        self.optimisers.zero_grad()
        with sharing.share(batch) as (own, fraction):
            with self._autocast:
                loss = self.spec.loss(own)
            _check(loss, self.spec.experience)
        self._backward(loss.total * fraction)
        return sharing.joined(loss, batch)

    def _backward(self, loss: Tensor) -> None:
        torch.autograd.backward(loss if self.scaler is None else self.scaler.scale(loss))

    def _begin_halving(self, batch: Batch) -> None:
        self.halved = True
        self.optimisers.zero_grad()
        release_unused(self.device)
        logger.warning(
            "%s: no memory for a batch of %d; from here on the halves of each batch are done one "
            "after the other, which changes results by no more than rounding",
            self.spec.where(batch.epoch, batch.step), len(batch.position),
        )  # fmt: skip

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

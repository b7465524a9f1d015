"""A step that several processes do together, each with its share of the batch.

All of them draw the same batch. Each computes loss and gradients of its share; the sums of both
over the processes are those of the whole batch but for rounding.

Axis letters: B batch, K classes seen.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from torch import Tensor, nn

from cilsim.distributed.batch_norm import SharedBatchNorms
from cilsim.distributed.gradients import GradientSum
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.shares import bounds, part_of, why_inseparable
from cilsim.training.spec import FitSpec

logger = logging.getLogger(__name__)

LEAST_SAMPLES = 2
"""Of a batch for each process; smaller ones every process does whole."""


class Sharing:
    """Deals a training's batches out to the processes.

    Attributes:
        norms: the batch norms of what is trained.
    """

    def __init__(self, spec: FitSpec, parameters: Sequence[nn.Parameter]) -> None:
        self._processes = spec.processes
        self._gradients = GradientSum(parameters, spec.processes)
        self.norms = SharedBatchNorms(spec.modules.values(), spec.processes)

    def takes(self, batch: Batch) -> bool:
        """Return whether a batch is large enough to be shared."""
        return len(batch.position) >= LEAST_SAMPLES * self._processes.count

    @contextmanager
    def share(self, batch: Batch) -> Iterator[tuple[Batch, float]]:
        """Give this process's part of a batch and its fraction; norms look at all in the block."""
        own = part_of(batch, self._rows(batch))
        with self.norms.over_all():
            yield own, len(own.position) / len(batch.position)

    def joined(self, loss: TrainingLoss, batch: Batch) -> TrainingLoss:
        """Add up the gradients, and return the loss of the whole batch, without gradients.

        Args:
            loss: of this process's share, differentiated.
            batch: the whole one.
        """
        rows, count = self._rows(batch), len(batch.position)
        fraction = (rows.stop - rows.start) / count
        scalars = [value.detach() * fraction for value in (loss.total, *loss.parts.values())]
        logits = [] if loss.logits is None else [_placed(loss.logits.detach(), rows, count)]
        total, *sums = self._gradients.add_up([*scalars, *logits])
        return TrainingLoss(
            total=total,
            logits=sums.pop() if logits else None,
            parts=dict(zip(loss.parts, sums, strict=True)),
        )

    def _rows(self, batch: Batch) -> slice:
        return bounds(len(batch.position), self._processes.count)[self._processes.rank]


def sharing(
    spec: FitSpec, parameters: Sequence[nn.Parameter], *, draws_numbers: bool
) -> Sharing | None:
    """Return what shares a training out, or None if this process does the whole of it.

    Why several processes each do the whole is logged.
    """
    if spec.processes.count == 1:
        return None
    reason = why_inseparable(spec, draws_numbers=draws_numbers)
    if not reason:
        return Sharing(spec, parameters)
    logger.log(
        logging.DEBUG if spec.experience else logging.INFO,
        "strategy '%s': each of the %d processes does the whole training: %s",
        *(spec.strategy, spec.processes.count, reason),
    )
    return None


def _placed(own_BK: Tensor, rows: slice, count: int) -> Tensor:
    """Return (count, K) zeros with the given rows in their place."""
    placed_BK = own_BK.new_zeros(count, own_BK.shape[1])
    placed_BK[rows] = own_BK
    return placed_BK

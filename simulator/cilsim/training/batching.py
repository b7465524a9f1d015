"""Which samples make up each step.

Axis letters: N samples, B batch.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.data.augment import augment
from cilsim.data.batch_reading import EpochReader
from cilsim.data.host_rows import HostRows
from cilsim.data.samples import Samples
from cilsim.data.transfer import sent
from cilsim.scenario.recipe import Recipe
from cilsim.seeding import derive_seed
from cilsim.training.batch import Batch
from cilsim.training.sampling import PLAIN, Sampling


def batch_bounds(count: int, batch_size: int, *, drop_last: bool = False) -> list[tuple[int, int]]:
    """Return (start, stop) of each step of an epoch over `count` samples.

    A last batch of one sample is merged into the batch before it: batch norm over a 1x1 map has
    no variance for a single image. With `drop_last` an incomplete batch is left out, unless it
    is the only one.
    """
    if drop_last and count > batch_size:
        count -= count % batch_size
    starts = list(range(0, count, batch_size))
    if len(starts) > 1 and batch_size > 1 and count - starts[-1] == 1:
        starts.pop()
    return list(zip(starts, [*starts[1:], count], strict=True))


class Batcher:
    """Draws the order of each epoch and prepares the samples of each step."""

    def __init__(
        self,
        samples: Samples,
        recipe: Recipe,
        seed_path: tuple[int | str, ...],
        device: torch.device,
        sampling: Sampling = PLAIN,
    ) -> None:
        self.samples = samples
        self.recipe = recipe
        self.seed_path = seed_path
        self.device = device
        self.sampling = sampling
        self.bounds = batch_bounds(len(samples), recipe.batch_size, drop_last=sampling.drop_last)
        self._generator = torch.Generator()
        self._reader: EpochReader | None = None
        if isinstance(samples.x, HostRows):
            self._reader = EpochReader(samples.x, self.bounds, device)

    @property
    def smallest(self) -> int:
        """Size of the smallest batch."""
        return min(stop - start for start, stop in self.bounds)

    def order(self, epoch: int) -> Tensor:
        """Return the (N,) positions of one epoch, drawn on the CPU, where the samples live."""
        seed = derive_seed(*self.seed_path, epoch, "shuffle")
        generator = torch.Generator().manual_seed(seed)
        order_N = self.sampling.order(len(self.samples), generator)
        if self._reader is not None:
            self._reader.begin(order_N)
        return order_N.to(self.samples.device)

    def batch(self, order_N: Tensor, experience: int, epoch: int, step: int) -> Batch:
        """Return the samples of one step of an epoch whose `order` is given."""
        start, stop = self.bounds[step]
        position_B, steps = order_N[start:stop], len(self.bounds)
        return Batch(
            x=self.x(position_B, epoch, step),
            labels=self.labels(position_B),
            position=position_B,
            experience=experience,
            epoch=epoch,
            step=step,
            progress=(epoch * steps + step) / (self.recipe.epochs * steps),
            views=self.sampling.views,
        )

    def x(self, position_B: Tensor, epoch: int, step: int) -> Tensor:
        """Return the samples at `position_B`, augmented and normalised, on the device.

        With V views the result has V B rows: all samples in the first view, then in the second.
        """
        if self._reader is not None:
            x = self._reader.batch(step)
        else:
            x = sent(self.samples.x.index_select(0, position_B), self.device)
        views = range(self.sampling.views)
        if len(views) == 1:
            return self._view(x, (epoch, step, "augment"))
        return torch.cat([self._view(x, (epoch, step, "augment", view)) for view in views])

    def _view(self, x: Tensor, place: tuple[int | str, ...]) -> Tensor:
        samples, recipe = self.samples, self.recipe
        if samples.are_features:
            return x
        seed = derive_seed(*self.seed_path, *place)
        return augment(
            x, recipe.augmentation, self._generator.manual_seed(seed),
            samples.mean, samples.std, crop=samples.crop, channels_last=recipe.channels_last,
        )  # fmt: skip

    def labels(self, position_B: Tensor) -> Tensor | None:
        """Return the labels at `position_B`, or None for an unlabelled part."""
        labels = self.samples.labels
        return None if labels is None else sent(labels.index_select(0, position_B), self.device)

"""Which samples an epoch draws, and in how many views.

Axis letters: N samples.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

import torch
from torch import Tensor

from cilsim.data.samples import NO_LABEL


@dataclass(frozen=True)
class Sampling:
    """How the steps of a training draw from its samples.

    Attributes:
        views: how many augmentations of each sample a batch holds; contrastive losses need two.
            The batch's `x` has all samples in the first view, then all in the second; `labels`
            and `position` name each sample once.
        weights: (N,) drawing weights, not negative: an epoch draws N samples with replacement.
            None takes every sample once.
        drop_last: whether an incomplete last batch is left out.
    """

    views: int = 1
    weights: Tensor | None = field(default=None, compare=False)
    drop_last: bool = False

    def order(self, count: int, generator: torch.Generator) -> Tensor:
        """Return the positions of one epoch.

        Args:
            count: N.
            generator: CPU generator, fresh for the epoch.

        Raises:
            ValueError: there are not as many weights as samples.
        """
        if self.weights is None:
            return torch.randperm(count, generator=generator)
        if len(self.weights) != count:
            raise ValueError(f"{len(self.weights)} drawing weights for {count} samples")
        weights_N = self.weights.double().cpu()
        return torch.multinomial(weights_N, count, replacement=True, generator=generator)

    def facts(self) -> list[object]:
        """Return what identifies the sampling, as plain data."""
        weights = None
        if self.weights is not None:
            weights = sha256(self.weights.double().cpu().numpy().tobytes()).hexdigest()
        return [self.views, weights, self.drop_last]


PLAIN = Sampling()
"""Every sample once per epoch, in one view."""


def balancing_weights(labels_N: Tensor) -> Tensor:
    """Return (N,) drawing weights by which half of a batch is labelled in expectation.

    A labelled sample weighs 1, an unlabelled one |labelled| / |unlabelled|, as in the released
    code of Vaze et al. 2022 (GCD) and its followers.

    Args:
        labels_N: `NO_LABEL` where there is none.
    """
    labelled_N = labels_N != NO_LABEL
    labelled = int(labelled_N.sum())
    unlabelled_weight = labelled / max(1, len(labels_N) - labelled)
    # with nothing labelled every weight would be 0
    return torch.where(labelled_N, 1.0, unlabelled_weight or 1.0).double()


def balanced_views(labels_N: Tensor) -> Sampling:
    """Return two views of batches that are half labelled in expectation, all of them complete.

    Where all samples have labels, or none has, each is drawn once per epoch.

    Args:
        labels_N: `NO_LABEL` where there is none.
    """
    labelled = int((labels_N != NO_LABEL).sum())
    both = 0 < labelled < len(labels_N)
    weights = balancing_weights(labels_N) if both else None
    return Sampling(views=2, weights=weights, drop_last=True)

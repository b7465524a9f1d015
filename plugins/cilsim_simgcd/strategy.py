"""SimGCD: the strategy.

Axis letters: N rows, D features.
"""

from __future__ import annotations

from torch import Tensor

from cilsim import Batch, TrainingLoss
from cilsim.strategy.cosine_discovery import CosineDiscovery
from cilsim_simgcd.losses import simgcd_loss


class SimGCD(CosineDiscovery):
    """A cosine classifier over all classes, trained on labelled and unlabelled samples together.

    Each view is taught the sharpened prediction of the other, the mean prediction is kept spread
    over all classes, and labels are used where there are any. Nothing is clustered. In a stage
    without labels the classifier grows and the terms with labels are 0: the baseline "SimGCD" of
    Ma et al. 2024 (Happy), which does nothing against forgetting.
    """

    def discovery_loss(self, features_ND: Tensor, batch: Batch) -> TrainingLoss:
        """Return SimGCD's loss of a batch in two views."""
        assert batch.labels is not None  # joined samples have them
        total, parts = simgcd_loss(
            self.classifier(features_ND),
            self.projection(features_ND),
            batch.labels,
            batch.epoch,
            self.options,
        )
        return TrainingLoss(total, parts=parts)

"""The nearest class medoid.

Axis letters: B batch, N samples, D features, K classes seen.
"""

from __future__ import annotations

import torch
from cilsim import Experience, Strategy
from torch import Tensor


class NearestMedoid(Strategy):
    """A class is the training sample with the smallest sum of distances to its class."""

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add one medoid per new class."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        samples = experience.labelled
        features_ND = self.context.features(samples)
        medoids = [self._medoid(features_ND[samples.labels == c]) for c in experience.new_labels]
        old = [] if self.prototypes is None else [self.prototypes]
        self.prototypes = torch.cat([*old, torch.stack(medoids)])

    def _medoid(self, features_ND: Tensor) -> Tensor:
        return features_ND[self._distances(features_ND, features_ND).sum(1).argmin()]

    def _distances(self, a_BD: Tensor, b_KD: Tensor) -> Tensor:
        return torch.cdist(a_BD, b_KD, p=1.0 if self.options.distance == "manhattan" else 2.0)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) negative distances to the medoids."""
        assert self.prototypes is not None  # learn() comes first
        return -self._distances(x, self.prototypes)

"""SLDA as a strategy.

Axis letters: B batch, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cilsim import Experience, Strategy
from cilsim.prototypes.rows import moved_rows
from cilsim_slda.streaming import StreamingGaussian


class Slda(Strategy):
    """A linear discriminant of class means and one covariance that every sample updates.

    The backbone is trained on experience 0 and frozen; after it each sample is used once, in its
    order, and the result can be asked for at any time. Stored: two vectors per class and one
    matrix, 12 K D + 8 D^2 bytes; no exemplars. Hayes and Kanan, "Lifelong Machine Learning with
    Deep Streaming Linear Discriminant Analysis", CVPR Workshops 2020.
    """

    def setup(self) -> None:
        """Start with no statistics."""
        self._gaussian: StreamingGaussian | None = None
        self._precision_DD: Tensor | None = None

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; stream the samples of this experience."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        features_ND = self.context.features(samples)
        if self._gaussian is None:
            self._gaussian = StreamingGaussian(features_ND.shape[1], features_ND.device)
        if experience.index == 0 and self.options.base_phase:
            self._gaussian.fit_base(features_ND, samples.labels, experience.seen_classes)
        else:
            order_N = self._order(len(samples)).to(features_ND.device)
            self._gaussian.stream(
                features_ND[order_N],
                samples.labels[order_N],
                experience.seen_classes,
                plastic=self.options.covariance == "plastic",
            )
        came_K = torch.bincount(samples.labels, minlength=experience.seen_classes)
        means_KD = self._gaussian.means_KD.to(features_ND.dtype)
        self.prototypes = moved_rows(self.prototypes, means_KD, came_K)
        self._precision_DD = None

    def _order(self, samples: int) -> Tensor:
        if self.options.stream_order == "as_stored":
            return torch.arange(samples)
        return torch.randperm(samples, generator=self.context.generator("stream order"))

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) linear discriminants x.w - mean.w / 2 with w = precision mean."""
        assert self.prototypes is not None  # learn() comes first
        assert self._gaussian is not None
        if self._precision_DD is None:
            self._precision_DD = self._gaussian.precision(self.options.shrinkage)
        means_KD = self.prototypes.double()
        weights_KD = means_KD @ self._precision_DD
        offsets_K = 0.5 * (means_KD * weights_KD).sum(1)
        return x.double() @ weights_KD.T - offsets_K

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes and statistics."""
        gaussian = None if self._gaussian is None else self._gaussian.state_dict()
        return {**super().state_dict(), "gaussian": gaussian}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over prototypes and statistics."""
        super().load_state_dict(state)
        self._precision_DD, stored = None, state["gaussian"]
        if stored is not None:
            self._gaussian = StreamingGaussian(len(stored["scatter"]), stored["scatter"].device)
            self._gaussian.load_state_dict(stored)

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of means and covariance."""
        if self._gaussian is None:
            return super().kept()
        means, scatter = self._gaussian.means_KD, self._gaussian.scatter_DD
        return {
            **super().kept(),
            "means": means.nbytes,
            "covariances": scatter.nbytes,
        }

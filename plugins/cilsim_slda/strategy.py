"""SLDA as a strategy.

Axis letters: B batch, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cilsim import Experience, PlainClassifier, Strategy
from cilsim.prototypes.rows import moved_rows
from cilsim_slda.streaming import StreamingGaussian


class Slda(Strategy):
    """A linear discriminant of class means and one covariance that every sample updates.

    The backbone is trained on experience 0 and frozen; after it each sample is used once, in its
    order, and the result can be asked for at any time. Stored: two vectors per class and one
    matrix, 12 K D + 8 D^2 bytes; no exemplars. Hayes and Kanan, "Lifelong Machine Learning with
    Deep Streaming Linear Discriminant Analysis", CVPR Workshops 2020.
    """

    adds_classes_without_training = True

    def setup(self) -> None:
        """Start with no statistics."""
        self._gaussian: StreamingGaussian | None = None
        self._solved: tuple[Tensor, Tensor, Tensor] | None = None

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
            self._gaussian.stream(
                features_ND,
                samples.labels,
                experience.seen_classes,
                order_N=self._order(len(samples)).to(features_ND.device),
                plastic=self.options.covariance == "plastic",
            )
        came_K = torch.bincount(samples.labels, minlength=experience.seen_classes)
        means_KD = self._gaussian.means_KD.to(features_ND.dtype)
        self.prototypes = moved_rows(self.prototypes, means_KD, came_K)
        self._solved = None

    def _order(self, samples: int) -> Tensor:
        if self.options.stream_order == "as_stored":
            return torch.arange(samples)
        return torch.randperm(samples, generator=self.context.generator("stream order"))

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) linear discriminants x.w - mean.w / 2 with w = precision mean."""
        weights_KD, offsets_K = self._discriminants()
        return x.double() @ weights_KD.T - offsets_K

    def _discriminants(self) -> tuple[Tensor, Tensor]:
        """Return (K, D) weights and (K,) offsets, solved once for the prototypes as they are."""
        assert self.prototypes is not None  # learn() comes first
        assert self._gaussian is not None
        if self._solved is None or self._solved[0] is not self.prototypes:
            means_KD = self.prototypes.double()
            weights_KD = self._gaussian.weights(means_KD, self.options.shrinkage)
            offsets_K = 0.5 * (means_KD * weights_KD).sum(1)
            self._solved = self.prototypes, weights_KD, offsets_K
        return self._solved[1:]

    def plain_classifier(self) -> PlainClassifier:
        """Return the linear discriminants."""
        weights_KD, offsets_K = self._discriminants()
        return PlainClassifier("linear", {"weight": weights_KD, "bias": -offsets_K})

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes and statistics."""
        gaussian = None if self._gaussian is None else self._gaussian.state_dict()
        return {**super().state_dict(), "gaussian": gaussian}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over prototypes and statistics."""
        super().load_state_dict(state)
        self._solved, stored = None, state["gaussian"]
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

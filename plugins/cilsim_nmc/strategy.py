"""The nearest class mean.

Axis letters: N samples, B batch, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch.nn.functional as F
from torch import Tensor

from cilsim import Experience, PlainClassifier, Strategy
from cilsim.prototypes.rows import moved_rows
from cilsim.prototypes.scores import cosine_scores, euclidean_scores
from cilsim_nmc.statistics import ClassStatistics


class Nmc(Strategy):
    """A class is the mean of its training features; a sample goes to the nearest class.

    The backbone is trained on experience 0 and frozen; each later sample costs one forward pass
    and moves the mean of its class, new or seen before, so that the order of samples and where
    one experience ends do not matter. Stored: 12 D + 8 bytes per class; no exemplars. Sources:
    Janson et al. 2022, "A Simple Baseline that Questions the Use of Pretrained-Models in
    Continual Learning"; Zhou et al. 2023 (SimpleCIL); the row "ProtoNet" or "Decoupled-Cosine"
    of few-shot tables.
    """

    adds_classes_without_training = True

    def setup(self) -> None:
        """Start with no class."""
        self._statistics = ClassStatistics(self.options.update)

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; move the means of this experience's classes."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        features_ND = self.context.features(samples)
        came_K = self._statistics.add(
            features_ND, samples.labels, experience.seen_classes, self._embed
        )
        means_KD = self._statistics.means().to(features_ND.dtype).to(features_ND.device)
        self.prototypes = moved_rows(self.prototypes, means_KD, came_K.to(features_ND.device))

    def _embed(self, features: Tensor) -> Tensor:
        return F.normalize(features) if self.options.metric == "euclidean_normalised" else features

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) cosine similarities or negative squared distances to the means."""
        assert self.prototypes is not None  # learn() comes first
        if self.options.metric == "cosine":
            return cosine_scores(x, self.prototypes)
        return euclidean_scores(self._embed(x), self.prototypes)

    def plain_classifier(self) -> PlainClassifier:
        """Return the means and how features are compared with them."""
        assert self.prototypes is not None  # learn() comes first
        if self.options.metric == "cosine":
            return PlainClassifier("cosine", {"prototypes": self.prototypes})
        unit = {"unit_features": self.options.metric == "euclidean_normalised"}
        return PlainClassifier("distance", {"prototypes": self.prototypes}, unit)

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes and statistics."""
        return {**super().state_dict(), "statistics": self._statistics.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over prototypes and statistics."""
        super().load_state_dict(state)
        self._statistics.load_state_dict(state["statistics"])

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of the prototypes and of what moves them."""
        kind = "sums" if self.options.update == "sums" else "means"
        return {**super().kept(), kind: self._statistics.bytes_kept}

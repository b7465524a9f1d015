"""RanPAC as a strategy.

Axis letters: N samples, B batch, D features, M random features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cilsim import Experience, PlainClassifier, Strategy
from cilsim.prototypes.scores import cosine_scores
from cilsim_ranpac.projection import draw_projection, random_features
from cilsim_ranpac.regression import RidgeClassifier


class Ranpac(Strategy):
    """Ridge regression onto class indicators, from random ReLU features of a frozen backbone.

    The backbone is trained on experience 0 and frozen (phase 1 of the paper tunes adapters of a
    pretrained one instead). Of an experience only sums remain: the Gram matrix of the features and
    their sums per class, so with a given penalty the result is that of all data at once, in any
    order. Stored: 8 M^2 + 8 M K bytes, twice with the penalty `accumulated`, and the projection;
    no exemplars. McDonnell et al., "RanPAC: Random Projections and Pre-trained Models for
    Continual Learning", NeurIPS 2023.
    """

    adds_classes_without_training = True

    def setup(self) -> None:
        """Start with no sums."""
        self._projection_DM: Tensor | None = None
        self._weights_MK: Tensor | None = None
        self._classifier = RidgeClassifier(self.options.ridge, self.options.held_out)

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add this experience to the sums and solve."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        features_ND = self.context.features(samples)
        if experience.index == 0 and self.options.random_features:
            self._projection_DM = draw_projection(
                features_ND.shape[1],
                self.options.random_features,
                self.context.generator("projection"),
            ).to(features_ND.device)
        order_N = torch.randperm(len(samples), generator=self.context.generator("held out"))
        order_N = order_N.to(features_ND.device)
        weights_MK = self._classifier.learn(
            features_ND,
            samples.labels,
            experience.seen_classes,
            self._projection_DM,
            order_N,
        )
        self._weights_MK = weights_MK.float()
        self.context.log("ranpac/ridge", self._classifier.ridge)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) logits h.w, or cosines for the cosine head."""
        assert self._weights_MK is not None  # learn() comes first
        hidden_BM = random_features(x, self._projection_DM)
        if self.options.head == "cosine":
            return cosine_scores(hidden_BM, self._weights_MK.T)
        return hidden_BM @ self._weights_MK

    def plain_classifier(self) -> PlainClassifier:
        """Return projection and weights."""
        assert self._weights_MK is not None  # learn() comes first
        rows_KM, projection = self._weights_MK.T, self._projection_DM
        given = {} if projection is None else {"projection": projection}
        if self.options.head == "cosine":
            return PlainClassifier("cosine", {"prototypes": rows_KM, **given})
        bias_K = rows_KM.new_zeros(len(rows_KM))
        return PlainClassifier("linear", {"weight": rows_KM, "bias": bias_K, **given})

    def state_dict(self) -> dict[str, Any]:
        """Return projection, weights and sums."""
        return {
            "projection": self._projection_DM,
            "weights": self._weights_MK,
            "classifier": self._classifier.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over projection, weights and sums."""
        self._projection_DM, self._weights_MK = state["projection"], state["weights"]
        self._classifier.load_state_dict(state["classifier"])

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of sums, projection and weights."""
        parts = {"projection": self._projection_DM, "weights": self._weights_MK}
        sizes = {name: tensor.nbytes for name, tensor in parts.items() if tensor is not None}
        return {"sums": self._classifier.bytes_kept, **sizes}

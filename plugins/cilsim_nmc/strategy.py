"""The nearest class mean.

Axis letters: B batch, D features, K classes seen.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from cilsim import Experience, Strategy
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import cosine_scores, euclidean_scores


class Nmc(Strategy):
    """A class is the mean of its training features; a sample goes to the nearest class.

    The backbone is trained on experience 0 and frozen; each later class costs one forward pass
    over its samples and one vector of D float32. No exemplars. Sources: Janson et al. 2022, "A
    Simple Baseline that Questions the Use of Pretrained-Models in Continual Learning"; Zhou et
    al. 2023 (SimpleCIL); the row "ProtoNet" or "Decoupled-Cosine" of few-shot tables.
    """

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add one mean per new class."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        means_KD = self.context.class_means(experience, embed=self._embed)
        self.prototypes = append_rows(self.prototypes, means_KD)

    def _embed(self, features: Tensor) -> Tensor:
        return F.normalize(features) if self.options.metric == "euclidean_normalised" else features

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) cosine similarities or negative squared distances to the means."""
        assert self.prototypes is not None  # learn() comes first
        if self.options.metric == "cosine":
            return cosine_scores(x, self.prototypes)
        return euclidean_scores(self._embed(x), self.prototypes)

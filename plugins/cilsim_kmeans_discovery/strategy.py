"""The k-means baseline of novel discovery.

Axis letters: N samples, D features, K classes or clusters.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from cilsim import Experience, FeatureSet, Strategy
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import euclidean_scores


class KMeansDiscovery(Strategy):
    """Labelled classes are their means; each stage without labels adds as many k-means centres.

    The backbone is trained on the labelled experience and frozen, nothing is trained afterwards,
    no exemplars are kept: what remains of a stage is one vector of D float32 per cluster. The
    number of new classes of a stage is given. A sample goes to the nearest of all vectors, so one
    assignment covers old and new classes. The floor that Vaze et al. 2022 (GCD) and their
    followers report as "k-means".
    """

    def learn(self, experience: Experience) -> None:
        """Add a mean per labelled class or a centre per cluster."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        if experience.unlabelled is None:
            rows_KD = self.context.class_means(experience, embed=self._embed)
        else:
            rows_KD = self._cluster(self.context.features(experience.unlabelled), experience)
        self.prototypes = append_rows(self.prototypes, rows_KD)

    def _cluster(self, features_ND: Tensor, experience: Experience) -> Tensor:
        result = self.context.kmeans(
            self._embed(features_ND),
            experience.new_classes,
            n_init=self.options.inits,
            max_iterations=self.options.iterations,
        )
        self.context.log("kmeans/inertia", result.inertia)
        return result.centres

    def _embed(self, features_ND: Tensor) -> Tensor:
        return F.normalize(features_ND) if self.options.normalise else features_ND

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) negative squared distances to means and centres."""
        assert self.prototypes is not None  # learn() comes first
        return euclidean_scores(self._embed(x), self.prototypes)

    def assign(self, feature_set: FeatureSet) -> Tensor:
        """Return the nearest mean or centre of each sample."""
        return self.scores(feature_set.features).argmax(1)

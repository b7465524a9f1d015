"""The k-means baseline of novel discovery.

Axis letters: N samples, D features, K classes told apart, M clusters.
"""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor

from cilsim import Experience, FeatureSet, Strategy
from cilsim.prototypes.novelty import least_like
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import best_rows, euclidean_scores


class KMeansDiscovery(Strategy):
    """Labelled classes are their means; novel ones are k-means centres of what has no labels.

    The backbone is trained on the labelled samples of experience 0 and frozen, nothing is trained
    afterwards, no exemplars are kept: what remains of a stage is one vector of D float32 per
    class. A sample goes to the nearest of all vectors, so one assignment covers old and new
    classes. The floor that Vaze et al. 2022 (GCD) and their followers report as "k-means".

    Where seen classes are mixed among the unlabelled samples, as many clusters are made as there
    are classes, and those least like a class already known (smallest largest cosine) are the
    novel ones, as Ma et al. 2024 (Happy, section 4.1) start their classifier.
    """

    def learn(self, experience: Experience) -> None:
        """Add a mean per labelled class and a centre per novel one."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        if experience.new_classes:
            means_KD = self.context.class_means(experience, embed=self._embed)
            self.prototypes = append_rows(self.prototypes, means_KD)
        if experience.unlabelled is not None:
            centres_KD = self._cluster(self.context.features(experience.unlabelled), experience)
            self.prototypes = append_rows(self.prototypes, centres_KD)

    def _cluster(self, features_ND: Tensor, experience: Experience) -> Tensor:
        novel = self.context.novel_classes(experience)
        mixed = self.context.run.stream.kind != "novel_class_discovery"
        everyone = min(self.context.seen_classes, len(features_ND))  # no cluster can be empty
        result = self.context.kmeans(
            features_ND,
            max(novel, everyone) if mixed else novel,
            n_init=self.options.inits,
            max_iterations=self.options.iterations,
            embed=self._embed,
        )
        self.context.log("kmeans/inertia", result.inertia)
        if not mixed:
            return result.centres
        assert self.prototypes is not None  # experience 0 has labels
        return least_like(result.centres, self.prototypes, novel)

    def _embed(self, features_ND: Tensor) -> Tensor:
        return F.normalize(features_ND) if self.options.normalise else features_ND

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) negative squared distances to means and centres."""
        assert self.prototypes is not None  # learn() comes first
        return euclidean_scores(self._embed(x), self.prototypes)

    def assign(self, feature_set: FeatureSet) -> Tensor:
        """Return the nearest mean or centre of each sample."""
        return best_rows(feature_set.features, self.scores)

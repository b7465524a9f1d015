"""What a strategy can ask about features: extraction, means, clusters, linear classifiers.

Axis letters: N samples, D features, K classes.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from cilsim.data.samples import Samples
from cilsim.features.augmented import augmented_features
from cilsim.features.cache import FeatureCache
from cilsim.prototypes.means import class_means
from cilsim.records import RunInfo
from cilsim.scenario.recipe import Augmentation
from cilsim.seeding import derive_seed
from cilsim.solvers.assignment import match_clusters
from cilsim.solvers.kmeans import KMeansResult, kmeans
from cilsim.solvers.linear_svm import fit_linear_svm
from cilsim.strategy.experience import Experience
from cilsim.strategy.mixed_up import refuse_experience, refuse_samples
from cilsim.strategy.model import Model


class FeatureServices:
    """The part of a context that needs nothing but the backbone as it is.

    Attributes:
        run: facts about the run.
        experience_index: the current experience.
    """

    def __init__(self, run: RunInfo, model: Model, features: FeatureCache) -> None:
        self.run = run
        self.experience_index = 0
        self._model = model
        self._features = features

    def features(self, samples: Samples, view: str = "plain") -> Tensor:
        """Return (N, D) float32 features under the test transform, cached per backbone version.

        On a CPU features of many samples are mapped from the disk: what works row by row, class by
        class or chunk by chunk holds no more than that in memory.

        Args:
            samples: a part.
            view: `plain`, or `mirror` for images mirrored left and right.
        """
        refuse_experience("features()", samples)
        return self._features.features(
            self._model.backbone,
            self._model.version,
            samples,
            view=view,
            lasting=self._model.lasting,
        )

    def augmented_features(
        self, samples: Samples, augmentation: Augmentation, *, quarter_turns: int = 0
    ) -> Tensor:
        """Return (N, D) float32 features of the images as an augmentation changes them, not cached.

        Equal calls in one experience see equal images; see `cilsim.features.augmented`.
        """
        seed_path = (self.run.seed, self.experience_index, "augmented_features")
        return augmented_features(
            self._model.backbone, samples, augmentation, seed_path, quarter_turns=quarter_turns
        )

    def class_means(
        self, experience: Experience, embed: Callable[[Tensor], Tensor] | None = None
    ) -> Tensor:
        """Return (new classes, D) means of the labelled samples' features.

        Args:
            experience: whose labelled samples.
            embed: applied to the features of a class before averaging, row by row, such as a
                normalisation.
        """
        refuse_samples("class_means()", experience)
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        features_ND = self.features(samples)
        return class_means(features_ND, samples.labels, experience.new_labels, embed)

    def kmeans(
        self,
        features_ND: Tensor,
        clusters: int,
        *,
        labelled: tuple[Tensor, Tensor] | None = None,
        embed: Callable[[Tensor], Tensor] | None = None,
        n_init: int = 10,
        max_iterations: int = 100,
    ) -> KMeansResult:
        """Cluster features; the draws depend on seed and experience alone.

        Args:
            features_ND: what to cluster.
            clusters: K, labelled classes included.
            labelled: (M, D) features and (M,) labels 0..C-1 of samples that stay in the cluster of
                their class (Vaze et al. 2022).
            embed: applied to `features_ND` before, row by row, such as a normalisation; of many
                features no embedded copy is held.
            n_init: starts; the one with the smallest inertia is kept.
            max_iterations: of each start.
        """
        return kmeans(
            features_ND,
            clusters,
            generator=self.generator("kmeans"),
            n_init=n_init,
            max_iterations=max_iterations,
            candidates=None if labelled is None else 1,
            labelled=labelled,
            embed=embed,
        )

    match_clusters = staticmethod(match_clusters)
    fit_linear_svm = staticmethod(fit_linear_svm)

    def generator(self, name: str) -> torch.Generator:
        """Return a fresh CPU generator for (seed, experience, name): the same at every call."""
        seed = derive_seed(self.run.seed, self.experience_index, "strategy", name)
        return torch.Generator().manual_seed(seed)

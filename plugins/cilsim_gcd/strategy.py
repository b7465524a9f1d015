"""GCD: two contrastive losses for the features, semi-supervised k-means for the classes.

Axis letters: N samples, B batch, D features, K classes told apart.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim import Batch, Experience, FeatureSet, Strategy, TrainingLoss
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import best_rows, euclidean_scores
from cilsim.training.contrastive import info_nce, supervised_contrastive
from cilsim.training.projection import ProjectionHead
from cilsim.training.sampling import Sampling, balancing_weights


class GCD(Strategy):
    """Clusters L2-normalised features; a new sample goes to the nearest centre.

    Where labelled samples are at hand, they stay in the cluster of their class and count in its
    centre (section 3.2). Where they are gone, as in continual discovery, the centres kept from
    before stand for them, one point per class, and do not move afterwards; the backbone is then
    left as it is, because nothing would hold the old centres and new features together.
    """

    plain_base = True

    def learn(self, experience: Experience) -> None:
        """Train the features if there is something labelled to hold on to, then cluster."""
        if experience.index == 0 and self.options.start == "supervised":
            self.context.train_base(experience, for_features=True)
        if experience.train is not None and self.options.contrastive:
            self._train_features(experience)
        if experience.unlabelled is None:
            means_KD = self.context.class_means(experience, embed=F.normalize)
            self.prototypes = append_rows(self.prototypes, means_KD)
        else:
            self._cluster(experience)

    # ---------------------------------------------------------------- features

    def _train_features(self, experience: Experience) -> None:
        if not any(p.requires_grad for p in self.context.backbone.parameters()):
            return
        options = self.options
        samples = experience.everything
        assert samples.labels is not None  # joined samples have them, some NO_LABEL
        self._projection = ProjectionHead(
            int(self.context.head.weight.shape[1]),
            self.context.generator("projection"),
            hidden=options.hidden,
            bottleneck=options.bottleneck,
            outputs=options.outputs,
        ).to(self.context.device)
        sampling = Sampling(views=2, weights=balancing_weights(samples.labels), drop_last=True)
        self.context.fit(samples, modules={"projection": self._projection}, sampling=sampling)

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return the weighted sum of both contrastive losses, or the base's cross-entropy."""
        if batch.views == 1:
            return super().loss(batch)
        assert batch.labels is not None  # joined samples have them
        projections_NP = self._projection(self.context.backbone(batch.x))
        unsupervised = info_nce(projections_NP, self.options.temperature)
        supervised = supervised_contrastive(
            projections_NP, batch.labels, self.options.supervised_temperature
        )
        weight = self.options.supervised_weight
        total = (1.0 - weight) * unsupervised + weight * supervised
        return TrainingLoss(total, parts={"unsupervised": unsupervised, "supervised": supervised})

    # ---------------------------------------------------------------- clusters

    def _cluster(self, experience: Experience) -> None:
        assert experience.unlabelled is not None  # learn() looked
        self.context.novel_classes(experience)
        result = self.context.kmeans(
            self.context.features(experience.unlabelled),
            self.context.seen_classes,
            labelled=self._labelled_side(experience),
            n_init=self.options.inits,
            max_iterations=self.options.iterations,
            embed=F.normalize,
        )
        self.context.log("kmeans/inertia", result.inertia)
        known = 0 if experience.train is not None else experience.old_classes
        self.prototypes = append_rows(
            None if self.prototypes is None else self.prototypes[:known], result.centres[known:]
        )
        self._assigned_N = result.labels

    def _labelled_side(self, experience: Experience) -> tuple[Tensor, Tensor]:
        """Return the points that stay: labelled samples, and centres of classes without any."""
        points, classes = [], []
        if experience.train is not None:
            assert experience.labelled.labels is not None  # `labelled` has them
            points.append(F.normalize(self.context.features(experience.labelled)))
            classes.append(experience.labelled.labels)
        if self.prototypes is not None:
            everyone = torch.arange(len(self.prototypes), device=self.prototypes.device)
            missing = everyone if not classes else everyone[~torch.isin(everyone, classes[0])]
            points.append(self.prototypes[missing])
            classes.append(missing)
        return torch.cat(points), torch.cat(classes)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) negative squared distances of normalised features to the centres."""
        assert self.prototypes is not None  # learn() comes first
        return euclidean_scores(F.normalize(x), self.prototypes)

    def assign(self, feature_set: FeatureSet) -> Tensor:
        """Return the cluster of each clustered sample, and of others the nearest centre."""
        if feature_set.name == "unlabelled":
            return self._assigned_N
        return best_rows(feature_set.features, self.scores)

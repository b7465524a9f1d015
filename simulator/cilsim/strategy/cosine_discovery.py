"""A strategy whose classes are the rows of one cosine classifier, trained on two views.

SimGCD, ProtoGCD and what is built on them differ in their loss alone. Axis letters: B images,
D features, K classes told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from cilsim.scenario.recipe import Recipe
from cilsim.strategy.experience import Experience
from cilsim.strategy.strategy import Strategy, bytes_of
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.decay_groups import decay_groups
from cilsim.training.head import Head
from cilsim.training.projection import ProjectionHead
from cilsim.training.sampling import balanced_views


class CosineDiscovery(Strategy):
    """Trains backbone, classifier and projection on labelled and unlabelled samples together.

    Subclasses give `discovery_loss`, and their options derive from `CosineDiscoveryOptions`. With
    `start: supervised` the base is trained on the labelled samples first, as every strategy does,
    and shared. The classifier's rows grow with the classes; the projection is new in each
    experience. The prediction is the largest cosine.

    Attributes:
        projection: features (N, D) to what contrastive losses compare; within `learn` only.
    """

    plain_base = True
    projection: ProjectionHead

    def setup(self) -> None:
        """The classifier has no classes yet."""
        self._classifier: Head | None = None

    def discovery_loss(self, features_ND: Tensor, batch: Batch) -> TrainingLoss:
        """Return the loss of a batch in two views.

        Args:
            features_ND: of all rows, first view 1, then view 2.
            batch: its labels are `NO_LABEL` where there is none.
        """
        raise NotImplementedError

    @property
    def classifier(self) -> Head:
        """Features (N, D) to cosines (N, K); `learn` makes it."""
        assert self._classifier is not None
        return self._classifier

    def learn(self, experience: Experience) -> None:
        """Add rows for new classes and train everything on all samples of the experience."""
        if experience.index == 0 and self.options.start == "supervised":
            self.context.train_base(experience, for_features=True)
        self.context.novel_classes(experience)
        self._grow()
        self._train(experience)

    def _train(self, experience: Experience, recipe: Recipe | None = None) -> None:
        """Train everything on all samples of the experience, by default with `training`."""
        self.projection = self._new_projection()
        samples = experience.everything
        assert samples.labels is not None  # joined samples have them
        sampling = balanced_views(samples.labels)
        self.context.fit(samples, recipe=recipe, modules=self._modules, sampling=sampling)

    def _new_projection(self) -> ProjectionHead:
        return ProjectionHead(
            self._feature_size,
            self.context.generator("projection"),
            hidden=self.options.hidden,
            bottleneck=self.options.bottleneck,
        ).to(self.context.device)

    @property
    def _feature_size(self) -> int:
        return int(self.context.head.weight.shape[1])

    @property
    def _modules(self) -> dict[str, nn.Module]:
        return {"classifier": self.classifier, "projection": self.projection}

    def _grow(self) -> None:
        generator, classes = self.context.generator("classifier"), self.context.seen_classes
        if self._classifier is None:
            self._classifier = Head(self._feature_size, classes, "cosine", temperature=1.0)
            self._classifier.to(self.context.device).open(classes, generator)
        else:
            more = classes - self._classifier.seen
            self._classifier = self._classifier.widened(more, generator)

    def parameter_groups(self) -> list[dict[str, Any]] | None:
        """Return groups without weight decay on biases and norms, once the base is trained."""
        if self._classifier is None:
            return None
        return decay_groups([self.context.backbone, *self._modules.values()])

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return the base's cross-entropy for one view, `discovery_loss` for two."""
        if batch.views == 1:
            return super().loss(batch)
        return self.discovery_loss(self.context.backbone(batch.x), batch)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) cosines to the classifier's rows."""
        scores_BK: Tensor = self.classifier(x)
        return scores_BK

    def state_dict(self) -> dict[str, Any]:
        """Return the classifier's rows."""
        rows_KD = None if self._classifier is None else self._classifier.weight.detach()
        return {**super().state_dict(), "classifier": rows_KD}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state)
        rows_KD = state["classifier"]
        # within a training the rows are those of its own state, and the object must stay
        if rows_KD is not None and self._classifier is None:
            self._classifier = Head.of_rows(rows_KD, temperature=1.0)

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of the classifier."""
        if self._classifier is None:
            return {}
        return {"classifier": bytes_of(self._classifier.weight)}

"""PASS.

Axis letters: B batch (rotations included), D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cilsim import Batch, Experience, PlainClassifier, Strategy, TrainingLoss
from cilsim.data.transfer import sent
from cilsim.prototypes.means import class_means
from cilsim.prototypes.rows import append_rows
from cilsim.strategy.strategy import bytes_of
from cilsim.training.distillation import feature_distance
from cilsim.training.head import Head
from cilsim.training.rotation import require_square_images, rotated
from cilsim_pass.augmentation import cloud_radius, draw, noisy_prototypes


class Pass(Strategy):
    """Old classes are kept by noise around their means and by holding features in place.

    Backbone and a linear head over (class, rotation) are trained in every experience; in later
    ones the loss adds the cross-entropy of prototypes of old classes with Gaussian noise and the
    distance of the batch's features to those of the backbone before. A prediction takes the
    outputs of rotation 0. No exemplars: one mean of D float32 per class, one radius, and the
    head's four rows per class. Zhu et al., "Prototype Augmentation and Self-Supervision for
    Incremental Learning", CVPR 2021.
    """

    def setup(self) -> None:
        """Start without classes."""
        size: Any = self.context.backbone.feature_size
        self._head = Head(size, 0).to(self.context.device)
        self._old: nn.Module | None = None
        self._radius = 0.0

    def learn(self, experience: Experience) -> None:
        """Train on the experience; add means of its classes."""
        if self.options.rotations > 1:
            require_square_images(experience.labelled, "pass")
        generator = self.context.generator("rotation_head")
        rows = self.options.rotations * experience.new_classes
        self._head = self._head.widened(rows, generator)
        modules = {"rotation_head": self._head}
        if experience.index == 0:
            self.context.train_base(experience, modules=modules)
        else:
            self._old, _ = self.context.old_model()
            self.context.fit(experience.labelled, modules=modules)
            self._old = None
        self._remember(experience)

    def _remember(self, experience: Experience) -> None:
        """Store means of the new classes and, after the base, the radius."""
        samples, context = experience.labelled, self.context
        assert samples.labels is not None  # `labelled` never returns a part without labels
        if self.options.prototype_images == "augmented":
            features_ND = context.augmented_features(
                samples, context.experience_recipe.augmentation
            )
        else:
            features_ND = context.features(samples)
        means_KD = class_means(features_ND, samples.labels, experience.new_labels)
        if experience.index == 0:
            kind = self.options.radius
            self._radius = cloud_radius(features_ND, samples.labels, means_KD, kind)
            context.log("pass/radius", self._radius)
        self.prototypes = append_rows(self.prototypes, means_KD)

    def transform_batch(self, batch: Batch) -> Batch:
        """Return the batch in four rotations."""
        if self.options.rotations == 1:
            return batch
        return rotated(batch, channels_last=self.context.recipe.channels_last)

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return cross-entropy; after the base, plus prototypes and distillation."""
        assert batch.labels is not None  # fit() refuses parts without labels
        features_BD = self.context.backbone(batch.x)
        logits_BK = self._head(features_BD)
        smoothing = self.context.recipe.label_smoothing
        tempered_BK = logits_BK / self.options.temperature
        total = F.cross_entropy(tempered_BK, batch.labels, label_smoothing=smoothing)
        if self._old is None:
            return TrainingLoss(total, logits_BK)
        prototypes = self._prototype_loss(batch)
        distillation = feature_distance(features_BD, self._old_features(batch.x))
        parts = {"classes": total, "prototypes": prototypes, "distillation": distillation}
        total = total + self.options.prototype_weight * prototypes
        return TrainingLoss(
            total + self.options.distillation_weight * distillation, logits_BK, parts
        )

    def _prototype_loss(self, batch: Batch) -> Tensor:
        assert self.prototypes is not None  # there is an old model, so there are old classes
        generator = self.context.step_generator(batch, "prototypes")
        old, size = self.prototypes.shape
        class_B, noise_BD = draw(old, self.context.recipe.batch_size, size, generator)
        class_B, noise_BD = sent(class_B, batch.x.device), sent(noise_BD, batch.x.device)
        drawn_BD = noisy_prototypes(self.prototypes, class_B, noise_BD, self._radius)
        logits_BK = self._head(drawn_BD) / self.options.temperature
        return F.cross_entropy(logits_BK, self.options.rotations * class_B)

    @torch.no_grad()
    def _old_features(self, x: Tensor) -> Tensor:
        assert self._old is not None  # loss() looked
        if self.options.released_double_forward:
            self.context.backbone(x)  # in train mode: batch norm counts the batch once more
        features_BD: Tensor = self._old(x)
        return features_BD

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) logits of rotation 0."""
        logits_BK: Tensor = self._head(x)
        return logits_BK[:, :: self.options.rotations]

    def plain_classifier(self) -> PlainClassifier:
        """Return the head's rows of rotation 0."""
        assert self._head.bias is not None  # it is linear
        step = self.options.rotations
        weight_KD, bias_K = self._head.weight.detach()[::step], self._head.bias.detach()[::step]
        return PlainClassifier("linear", {"weight": weight_KD, "bias": bias_K})

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes, radius and head; the old backbone lives during training alone."""
        own = {"radius": self._radius, "head": self._head.state_dict()}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; a head of the same size stays the same object."""
        super().load_state_dict(state)
        self._radius = state["radius"]
        rows, size = state["head"]["weight"].shape
        if len(self._head.weight) != rows:
            self._head = Head(size, rows).to(self.context.device)
        self._head.load_state_dict(state["head"])

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of prototypes and head."""
        head = sum(bytes_of(parameter) for parameter in self._head.parameters())
        return {**super().kept(), "rotation_head": head}

"""SSRE.

Axis letters: B batch, D features, K classes seen.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cilsim import Batch, Experience, Strategy, TrainingLoss
from cilsim.data.transfer import sent
from cilsim.prototypes.means import class_means
from cilsim.prototypes.rows import append_rows
from cilsim_ssre.branches import attached, fold_batch_norm, merge, new_branches, residual
from cilsim_ssre.losses import resemblance, selected_cross_entropy, selected_distance


class Ssre(Strategy):
    """A frozen residual network learns through side branches that are merged into it afterwards.

    After the base batch norm is folded into the convolutions. Each later experience trains a 1x1
    branch beside every 3x3 convolution of the blocks, and the head: samples that resemble an old
    prototype are held where the old network had them, the others are classified, and prototypes
    of old classes stand in for their samples. The network never grows, no exemplars: one mean of
    D float32 per class. Zhu et al., "Self-Sustaining Representation Expansion for
    Non-Exemplar Class-Incremental Learning", CVPR 2022.
    """

    def setup(self) -> None:
        """Refuse backbones without residual blocks."""
        residual(self.context.backbone)
        self._branches: nn.ModuleDict | None = None
        self._old: nn.Module | None = None

    def learn(self, experience: Experience) -> None:
        """Train the base, or branches and head; add means of the new classes."""
        backbone = residual(self.context.backbone)
        if experience.index == 0:
            self.context.train_base(experience)
            fold_batch_norm(backbone)
        else:
            backbone.requires_grad_(False)
            self._old, _ = self.context.old_model()
            self._branches = new_branches(backbone)
            with attached(self._branches, backbone):
                self.context.fit(experience.labelled, modules={"branches": self._branches})
            merge(self._branches, backbone)
            self._old = self._branches = None
        self.prototypes = append_rows(self.prototypes, self._means(experience))

    def _means(self, experience: Experience) -> Tensor:
        samples, context = experience.labelled, self.context
        assert samples.labels is not None  # `labelled` never returns a part without labels
        if self.options.prototype_images == "plain":
            return context.class_means(experience)
        augmentation = context.experience_recipe.augmentation
        features_ND = context.augmented_features(samples, augmentation)
        return class_means(features_ND, samples.labels, experience.new_labels)

    def parameter_groups(self) -> list[dict[str, Any]] | None:
        """Return branches and head; everything in the base."""
        if self._branches is None:
            return None
        return [{"params": [*self._branches.parameters(), *self.context.head.parameters()]}]

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return cross-entropy; after the base, selected, plus distillation and prototypes."""
        assert batch.labels is not None  # fit() refuses parts without labels
        smoothing, temperature = self.context.recipe.label_smoothing, self.options.temperature
        features_BD = self.context.backbone(batch.x)
        logits_BK = self.context.head(features_BD)
        if self._old is None or self.prototypes is None:
            tempered_BK = logits_BK / temperature
            total = F.cross_entropy(tempered_BK, batch.labels, label_smoothing=smoothing)
            return TrainingLoss(total, logits_BK)
        with torch.no_grad():
            old_BD = self._old(batch.x)
        kept_B = self._kept_weights(features_BD, self.prototypes)
        classes = selected_cross_entropy(logits_BK, batch.labels, kept_B, temperature, smoothing)
        distillation = selected_distance(features_BD, old_BD, kept_B)
        prototypes = self._prototype_loss(batch, self.prototypes)
        total = classes + self.options.distillation_weight * distillation
        total = total + self.options.prototype_weight * prototypes
        parts = {"classes": classes, "distillation": distillation, "prototypes": prototypes}
        return TrainingLoss(total, logits_BK, parts)

    def _kept_weights(self, features_BD: Tensor, prototypes_KD: Tensor) -> Tensor:
        """Return (B,) how far each sample is held rather than classified."""
        cosine_B = resemblance(features_BD, prototypes_KD)
        if self.options.selection == "hard":
            above_B: Tensor = cosine_B > self.options.threshold
            return above_B.float()
        return cosine_B.detach() if self.options.detach_selection else cosine_B

    def _prototype_loss(self, batch: Batch, prototypes_KD: Tensor) -> Tensor:
        """Return the cross-entropy of prototypes drawn uniformly, without noise."""
        generator, count = (
            self.context.step_generator(batch, "ssre"),
            self.context.recipe.batch_size,
        )
        class_B = torch.randint(len(prototypes_KD), (count,), generator=generator)
        class_B = sent(class_B, prototypes_KD.device)
        logits_BK = self.context.head(prototypes_KD.index_select(0, class_B))
        return F.cross_entropy(logits_BK / self.options.temperature, class_B)

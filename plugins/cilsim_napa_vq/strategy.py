"""NAPA-VQ.

Axis letters: B batch (rotations included), D features, K code vectors.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cilsim import Batch, Experience, PlainClassifier, Strategy, TrainingLoss
from cilsim.data.transfer import sent
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import cosine_scores
from cilsim.scenario.recipe import Augmentation
from cilsim.strategy.strategy import bytes_of
from cilsim.training.distillation import feature_distance
from cilsim.training.rotation import require_square_images, rotated
from cilsim_napa_vq.augmentation import drawn_prototypes
from cilsim_napa_vq.codebook import Codebook
from cilsim_napa_vq.memory import rotation_means
from cilsim_napa_vq.quantiser import quantise


class NapaVq(Strategy):
    """One learned code vector per class and rotation, and a neighbourhood graph over all of them.

    Backbone and code vectors are trained together: features go to their code vector and away from
    its neighbours. In later experiences old code vectors stand still, prototypes of old classes
    mixed with those of neighbours stand in for their samples, and features are held where the old
    backbone had them. A sample goes to the nearest code vector of rotation 0, by cosine. No
    exemplars: four code vectors and four means of D float32 per class, and the graph.
    Malepathirana et al., "NAPA-VQ: Neighborhood-Aware Prototype Augmentation with Vector
    Quantization for Continual Learning", ICCV 2023.
    """

    def setup(self) -> None:
        """Start without classes."""
        size: Any = self.context.backbone.feature_size
        self._codebook = Codebook.empty(size, self.context.device)
        self._memory: Tensor | None = None
        self._old: nn.Module | None = None

    def learn(self, experience: Experience) -> None:
        """Grow the codebook and train; `prototypes` are the code vectors of rotation 0."""
        rotations, old_memory = self.options.rotations, self._memory
        if rotations > 1:
            require_square_images(experience.labelled, "napa_vq")
        generator = self.context.generator("codebook")
        self._codebook = self._codebook.grown(rotations * experience.new_classes, generator)
        modules = {"codebook": self._codebook}
        if experience.index == 0:
            self.context.train_base(experience, modules=modules)
        else:
            self._memory = append_rows(old_memory, self._means(experience))  # of the old backbone
            self._old, _ = self.context.old_model()
            self.context.fit(experience.labelled, modules=modules)
            self._old = None
        self._memory = append_rows(old_memory, self._means(experience))
        new_KD = self._codebook.vectors.detach()[::rotations][experience.old_classes :].clone()
        self.prototypes = append_rows(self.prototypes, new_KD)

    def _means(self, experience: Experience) -> Tensor:
        augmentation = self.context.experience_recipe.augmentation
        if self.options.prototype_images == "plain":
            augmentation = Augmentation()
        return rotation_means(self.context, experience, augmentation, self.options.rotations)

    def transform_batch(self, batch: Batch) -> Batch:
        """Return the batch in four rotations."""
        if self.options.rotations == 1:
            return batch
        return rotated(batch, channels_last=self.context.recipe.channels_last)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Return the backbone under the recipe and the code vectors under their own."""
        epochs, experience = self.context.recipe.epochs, self.context.experience_index
        own = self.options.codebook_recipe(experience, epochs)
        return [
            {"params": list(self.context.backbone.parameters())},
            {"params": [self._codebook.vectors], "recipe": own},
        ]

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return DCE plus neighbourhood loss; after the base, plus prototypes and distillation."""
        assert batch.labels is not None  # fit() refuses parts without labels
        options, smoothing = self.options, self.context.recipe.label_smoothing
        features_BD = self.context.backbone(batch.x)
        real = quantise(self._codebook, features_BD, batch.labels, options, smoothing)
        total, near = real.classes + real.neighbourhood, real.neighbourhood
        if self._old is None:
            return TrainingLoss(total, real.logits, {"neighbourhood": near})
        with torch.no_grad():
            old_BD = self._old(batch.x)
        distillation = feature_distance(features_BD, old_BD)
        drawn = quantise(self._codebook, *self._prototypes(batch), options)
        total = total + drawn.neighbourhood + options.prototype_weight * drawn.classes
        total = total + options.distillation_weight * distillation
        parts = {"classes": real.classes, "prototypes": drawn.classes}
        parts |= {"neighbourhood": near + drawn.neighbourhood, "distillation": distillation}
        return TrainingLoss(total, real.logits, parts)

    def _prototypes(self, batch: Batch) -> tuple[Tensor, Tensor]:
        """Return (B, D) mixed prototypes of old classes and their code vectors (B,)."""
        assert self._memory is not None  # filled before the training
        assert self.prototypes is not None  # there is an old backbone, so there are old classes
        generator = self.context.step_generator(batch, "prototypes")
        uniform_3B = torch.rand(3, self.context.recipe.batch_size, generator=generator)
        return drawn_prototypes(
            self._codebook,
            self._memory,
            sent(uniform_3B, batch.x.device),
            old_classes=len(self.prototypes),
            rotations=self.options.rotations,
            choice=self.options.neighbour_choice,
        )

    def after_backward(self) -> None:
        """Keep old code vectors where they are: no gradient, and no momentum or decay either."""
        if self.prototypes is not None:
            gradient_KD = self._codebook.vectors.grad
            assert gradient_KD is not None  # every batch reaches every code vector
            gradient_KD[: self.options.rotations * len(self.prototypes)] = 0.0

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, classes) cosine similarities to the code vectors of rotation 0."""
        assert self.prototypes is not None  # learn() comes first
        return cosine_scores(x, self.prototypes)

    def plain_classifier(self) -> PlainClassifier:
        """Return the code vectors of rotation 0."""
        assert self.prototypes is not None  # learn() comes first
        return PlainClassifier("cosine", {"prototypes": self.prototypes})

    def state_dict(self) -> dict[str, Any]:
        """Return code vectors, graph and memory; the old backbone lives during training alone."""
        codebook = self._codebook.state_dict()
        return {**super().state_dict(), "codebook": codebook, "memory": self._memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; a codebook of the same size stays the object."""
        super().load_state_dict(state)
        self._memory = state["memory"]
        self._codebook = self._codebook.resized(state["codebook"]["vectors"])
        self._codebook.load_state_dict(state["codebook"])

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of prototypes, and of code vectors with their graph."""
        if self._memory is None or self.prototypes is None:
            return {}
        codebook = bytes_of(self._codebook.vectors) + bytes_of(self._codebook.edges)
        prototypes = bytes_of(self.prototypes) + bytes_of(self._memory)
        return {"prototypes": prototypes, "codebook": codebook}

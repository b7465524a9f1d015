"""Happy: the strategy.

Axis letters: N rows, M drawn prototypes, D features, K classes told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cilsim import Batch, Experience, TrainingLoss
from cilsim.data.samples import NO_LABEL
from cilsim.strategy.cosine_discovery import CosineDiscovery
from cilsim.strategy.strategy import bytes_of
from cilsim.training.distillation import unit_feature_distance
from cilsim.training.projection import ProjectionHead
from cilsim_happy.initialisation import start_rows_from_centres, start_rows_from_means
from cilsim_happy.losses import (
    Stage,
    Terms,
    first_stage_terms,
    later_stage_terms,
    summed,
)
from cilsim_happy.prototypes import radius, stage_prototypes
from cilsim_happy.replay import Replay


class Happy(CosineDiscovery):
    """A cosine classifier that grows by clusters and replays the prototypes easily confused.

    Rows of novel classes start at cluster centres that old rows explain least. In a stage the
    prediction is kept even between seen and new classes and within each, prototypes of seen
    classes are drawn with noise, the more often the more they resemble others, and features are
    held where the model before had them. No exemplars: per class one prototype and one row of D
    float32, and one radius. Ma et al. 2024.
    """

    _stage: Stage

    def setup(self) -> None:
        """Nothing is learnt yet."""
        super().setup()
        self._radius = 0.0
        self._before: nn.Module | None = None
        self._replay: Replay | None = None

    # ---------------------------------------------------------------- stages

    def learn(self, experience: Experience) -> None:
        """Train the classifier on a stage, then add prototypes of its new classes."""
        context, options = self.context, self.options
        if experience.index == 0 and options.start == "supervised":
            context.train_base(experience, for_features=True)
        self._stage = self._facts(experience)
        novel = context.novel_classes(experience)
        self._grow()
        if self.prototypes is not None:
            if options.initialisation == "clusters":
                self._start_rows(experience, novel)
            temperature = options.hardness_temperature
            self._replay = Replay.of(self.prototypes, self._radius, temperature)
            self._before = self._model_before()
        self._train(experience, context.experience_recipe)
        self._before = self._replay = None
        self._remember(experience)

    def _facts(self, experience: Experience) -> Stage:
        labelled, unlabelled = experience.train is not None, experience.unlabelled is not None
        only_new = not (unlabelled and labelled) and (labelled or self._disjoint)
        return Stage(experience.old_classes, labelled, unlabelled, only_new)

    @property
    def _disjoint(self) -> bool:
        """Whether unlabelled samples are known to be of novel classes."""
        return self.context.run.stream.kind == "novel_class_discovery"

    def _start_rows(self, experience: Experience, novel: int) -> None:
        """Put rows of new classes where samples are, by means of labelled ones or by clusters."""
        rows_KD, seen = self.classifier.weight, self._stage.seen
        if experience.new_classes:
            means_LD = self.context.class_means(experience, embed=F.normalize)
            start_rows_from_means(rows_KD, seen, means_LD)
        if novel:
            assert experience.unlabelled is not None  # else nothing would be novel
            units_ND = F.normalize(self.context.features(experience.unlabelled))
            clusters = novel if self._disjoint else self.context.seen_classes
            result = self.context.kmeans(
                units_ND, min(clusters, len(units_ND)), n_init=self.options.inits
            )
            start_rows_from_centres(rows_KD, seen, novel, result.centres)

    def _model_before(self) -> nn.Module | None:
        """Return a copy of the backbone to hold features by; None where nothing can move them."""
        moves = any(parameter.requires_grad for parameter in self.context.backbone.parameters())
        if not moves or not self.options.distillation_weight:
            return None
        backbone, _ = self.context.old_model()
        return backbone

    def _remember(self, experience: Experience) -> None:
        """Make prototypes from labels and, for novel classes, from predictions."""
        units, labels = [], []
        if experience.train is not None:
            units.append(F.normalize(self.context.features(experience.train)))
            assert experience.train.labels is not None  # a labelled part has them
            labels.append(experience.train.labels)
            if self.prototypes is None:
                self._radius = radius(units[0], labels[0])
                self.context.log("happy/radius", self._radius)
        if experience.unlabelled is not None:
            units.append(F.normalize(self.context.features(experience.unlabelled)))
            predicted_N = self.scores(units[-1]).argmax(1)
            labels.append(predicted_N.where(predicted_N >= experience.seen_classes, NO_LABEL))
        with torch.no_grad():
            self.prototypes = stage_prototypes(
                torch.cat(units), torch.cat(labels), self.classifier.weight, self.prototypes
            )

    # ----------------------------------------------------------------- loss

    def discovery_loss(self, features_ND: Tensor, batch: Batch) -> TrainingLoss:
        """Return the loss of stage 0, or the six terms of a later stage."""
        assert batch.labels is not None  # joined samples have them
        logits_NK, projections_NP = self.classifier(features_ND), self.projection(features_ND)
        inputs = (logits_NK, projections_NP, batch.labels)
        if self._replay is None:
            return summed(first_stage_terms(*inputs, batch.epoch, self._stage, self.options))
        terms = later_stage_terms(*inputs, self._stage, self.options)
        return summed(terms | self._held(features_ND, batch, self._replay))

    def _held(self, features_ND: Tensor, batch: Batch, replay: Replay) -> Terms:
        """Return the two terms against forgetting."""
        options = self.options
        count = options.prototype_samples or len(batch)
        class_M, drawn_MD = replay.draw(count, self.context.step_generator(batch, "prototypes"))
        logits_MK = self.classifier(drawn_MD) / options.temperature
        terms: Terms = {
            "prototypes": (options.prototype_weight, F.cross_entropy(logits_MK, class_M))
        }
        if self._before is not None:
            with torch.no_grad():
                before_ND = self._before(batch.x)
            squared = unit_feature_distance(features_ND, before_ND)
            value = squared / 2.0 if options.distillation == "cosine" else squared
            terms["distillation"] = (options.distillation_weight, value)
        return terms

    # ---------------------------------------------------------------- state

    def _new_projection(self) -> ProjectionHead:
        """Return the projection of the stage before, if it is to go on, or a fresh one."""
        if not self.options.fresh_projection and hasattr(self, "projection"):
            return self.projection
        return super()._new_projection()

    @property
    def _kept_projection(self) -> dict[str, Tensor] | None:
        if self.options.fresh_projection or not hasattr(self, "projection"):
            return None
        return self.projection.state_dict()

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes, radius and rows; the projection where it goes on."""
        own = {"radius": self._radius, "projection": self._kept_projection}
        return {**super().state_dict(), **own}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        super().load_state_dict(state)
        self._radius = state["radius"]
        # within a training the object must stay
        if state["projection"] is not None and not hasattr(self, "projection"):
            self.projection = super()._new_projection()
            self.projection.load_state_dict(state["projection"])

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of prototypes, classifier and a projection that goes on."""
        kept = dict(super().kept())
        if self.prototypes is not None:
            kept["prototypes"] = bytes_of(self.prototypes)
        if self._kept_projection is not None:
            kept["projection"] = sum(bytes_of(part) for part in self._kept_projection.values())
        return kept

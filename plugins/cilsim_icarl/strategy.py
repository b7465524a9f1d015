"""iCaRL.

Axis letters: B batch, N samples, M exemplars, D features, K classes seen, O old classes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from cilsim import Batch, Experience, PlainClassifier, Strategy, TrainingLoss
from cilsim.data.samples import Samples
from cilsim.prototypes.means import class_means
from cilsim.prototypes.scores import euclidean_scores
from cilsim.strategy.strategy import bytes_of
from cilsim_icarl.exemplars import Exemplars
from cilsim_icarl.herding import drawn, herded
from cilsim_icarl.losses import binary_classification, binary_distillation, softmax_distillation
from cilsim_icarl.prior import start_at_prior
from cilsim_icarl.refusals import refuse_features, refuse_stream


class Icarl(Strategy):
    """Old classes stay through stored samples of theirs and through the old network's outputs.

    Each experience trains on its samples and all exemplars, holding the outputs of old classes;
    then the new classes' exemplars are chosen by herding, and a sample goes to the class whose
    exemplars have the nearest mean feature. Keeps real samples, 2000 by default, one mean of D
    float32 per class, and no old network between experiences. Rebuffi, Kolesnikov, Sperl and
    Lampert, "iCaRL: Incremental Classifier and Representation Learning", CVPR 2017.
    """

    def setup(self) -> None:
        """Start without exemplars; refuse a stream that does not fit the options."""
        refuse_stream(self.options, self.context.run.stream)
        self._exemplars = Exemplars()
        self._sample_bytes = 0
        self._old: tuple[nn.Module, nn.Module] | None = None
        self._old_classes = 0

    def learn(self, experience: Experience) -> None:
        """Train with the exemplars, choose new ones, and take the means anew."""
        refuse_features(self.options, experience.labelled)
        self._train(experience)
        limit = self.options.exemplars_per_class(experience.seen_classes)
        again, others = self._exemplars.split(_labels(experience.labelled))
        samples = self._with(again, experience.labelled)
        self._exemplars = others.first(limit).joined(self._chosen(samples, limit))
        self._sample_bytes = bytes_of(samples.x[0])
        self.context.log("icarl/exemplars", float(len(self._exemplars)))
        if self.options.classifier == "nme":
            self.prototypes = self._means(experience.seen_classes)

    def _train(self, experience: Experience) -> None:
        context = self.context
        trainable = any(parameter.requires_grad for parameter in context.backbone.parameters())
        if self.options.classifier == "nme" and not trainable:
            return  # ready features: nothing that is trained would predict
        if self.options.prior_bias and self.options.loss == "bce":
            start_at_prior(context.head, experience.new_labels)
        if experience.index == 0:
            context.train_base(experience)
            return
        self._old, self._old_classes = context.old_model(), experience.old_classes
        context.fit(self._with(self._exemplars, experience.labelled))
        self._old, self._old_classes = None, 0

    def _with(self, exemplars: Exemplars, samples: Samples) -> Samples:
        """Return exemplars followed by samples."""
        if not len(exemplars):
            return samples
        index_N = torch.cat([exemplars.index, samples.index])
        return self.context.recall(index_N, torch.cat([exemplars.labels, _labels(samples).cpu()]))

    def _chosen(self, samples: Samples, limit: int) -> Exemplars:
        labels_N = _labels(samples)
        if self.options.selection == "random":
            generator = self.context.generator("exemplars")
            position_M = drawn(labels_N, limit, generator)
        else:
            position_M = herded(self._unit_features(samples), labels_N, limit)
        position_M = position_M.cpu()
        return Exemplars(samples.index[position_M], labels_N.cpu()[position_M])

    def _unit_features(self, samples: Samples) -> Tensor:
        return F.normalize(self.context.features(samples))

    def _means(self, classes: int) -> Tensor:
        """Return (K, D) means of unit features of exemplars, divided by their lengths."""
        samples = self.context.recall(self._exemplars.index, self._exemplars.labels)
        features_MD = self._unit_features(samples)
        if self.options.mirror:
            turned_MD = F.normalize(self.context.features(samples, view="mirror"))
            features_MD = (features_MD + turned_MD) / 2
        return F.normalize(class_means(features_MD, _labels(samples), range(classes)))

    def loss(self, batch: Batch) -> TrainingLoss:
        """Return the classification loss; after the base, plus distillation of old outputs."""
        assert batch.labels is not None  # fit() refuses parts without labels
        smoothing, binary = self.context.recipe.label_smoothing, self.options.loss == "bce"
        logits_BK = self.context.head(self.context.backbone(batch.x))
        if binary:
            classes = binary_classification(logits_BK, batch.labels, self._old_classes, smoothing)
        else:
            classes = F.cross_entropy(logits_BK, batch.labels, label_smoothing=smoothing)
        if self._old is None:
            return TrainingLoss(classes, logits_BK)
        distillation = self._distillation(logits_BK[:, : self._old_classes], batch.x, self._old)
        total = classes + self.options.distillation_weight * distillation
        return TrainingLoss(total, logits_BK, {"classes": classes, "distillation": distillation})

    def _distillation(
        self, logits_BO: Tensor, x: Tensor, old: tuple[nn.Module, nn.Module]
    ) -> Tensor:
        backbone, head = old
        with torch.no_grad():
            old_BO = head(backbone(x))[:, : self._old_classes]
        if self.options.loss == "kd":
            return softmax_distillation(logits_BO, old_BO, self.options.temperature)
        return binary_distillation(logits_BO, old_BO)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) minus squared distances to the means of exemplars, or logits."""
        if self.options.classifier == "head":
            return super().scores(x)
        assert self.prototypes is not None  # learn() comes first
        return euclidean_scores(x, self.prototypes, normalise=True)

    def plain_classifier(self) -> PlainClassifier | None:
        """Return the means of exemplars, whose lengths are 1, or the head."""
        if self.options.classifier == "head":
            return super().plain_classifier()
        assert self.prototypes is not None  # learn() comes first
        unit_KD = F.normalize(self.prototypes)
        return PlainClassifier("distance", {"prototypes": unit_KD}, {"unit_features": True})

    def state_dict(self) -> dict[str, Any]:
        """Return positions and labels of the exemplars, not the samples, and the means."""
        memory: dict[str, Tensor | int] = {
            "index": self._exemplars.index,
            "labels": self._exemplars.labels,
            "sample_bytes": self._sample_bytes,
        }
        return {**super().state_dict(), **memory}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned; the old network lives during training alone."""
        super().load_state_dict(state)
        self._exemplars = Exemplars(state["index"].cpu(), state["labels"].cpu())
        self._sample_bytes = state["sample_bytes"]

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of the exemplars with their labels, and of the means."""
        exemplars = len(self._exemplars) * self._sample_bytes + bytes_of(self._exemplars.labels)
        return {**super().kept(), "exemplars": exemplars}


def _labels(samples: Samples) -> Tensor:
    assert samples.labels is not None  # `labelled` never returns a part without labels
    return samples.labels

"""TEEN as a strategy."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from cilsim import Experience, PlainClassifier, Strategy
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import cosine_scores
from cilsim_teen.calibration import calibrate
from cilsim_teen.held_out import choose_weight

logger = logging.getLogger(__name__)


class Teen(Strategy):
    """Nearest class mean by cosine whose new prototypes are calibrated once, on arrival.

    The backbone is trained on experience 0 and frozen, base prototypes replace the trained head.
    A class of a later experience is the mean of its shots, pulled towards a mixture of the base
    prototypes that resemble it; earlier new classes are neither used nor touched. No training
    after the base, no exemplars, one vector of D float32 per class. Wang et al., "Few-Shot
    Class-Incremental Learning via Training-Free Prototype Calibration", NeurIPS 2023.
    """

    adds_classes_without_training = True

    def setup(self) -> None:
        """Take the weight that is given."""
        self._weight: float = self.options.calibration_weight

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add calibrated means of new classes."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
            if self.options.weight_rule == "held_out_base":
                self._weight = self._chosen(experience)
        means_KD = self.context.class_means(experience)
        if self.prototypes is not None:
            means_KD = self._calibrated(means_KD, self.prototypes[: self.context.base_classes])
        self.prototypes = append_rows(self.prototypes, means_KD)

    def _chosen(self, base: Experience) -> float:
        if self.context.base_classes < 2:
            logger.warning(
                "strategy 'teen': one base class cannot be held out; calibration_weight %g is used",
                self._weight,
            )
            return self._weight
        assert base.labelled.labels is not None  # `labelled` never returns a part without labels
        weight, harmonic_mean = choose_weight(
            self.context.features(base.labelled),
            base.labelled.labels,
            shots=self.options.held_out_shots,
            similarity_scale=self.options.similarity_scale,
            generator=self.context.generator("held-out base"),
        )
        self.context.log("calibration_weight", weight)
        self.context.log("held_out_harmonic_mean", harmonic_mean)
        logger.info("strategy 'teen': held-out base classes choose the weight %g", weight)
        return weight

    def _calibrated(self, new_KD: Tensor, base_KD: Tensor) -> Tensor:
        return calibrate(
            new_KD,
            base_KD,
            calibration_weight=self._weight,
            similarity_scale=self.options.similarity_scale,
        )

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) cosine similarities to the prototypes."""
        assert self.prototypes is not None  # learn() comes first
        return cosine_scores(x, self.prototypes)

    def plain_classifier(self) -> PlainClassifier:
        """Return the prototypes."""
        assert self.prototypes is not None  # learn() comes first
        return PlainClassifier("cosine", {"prototypes": self.prototypes})

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes and the weight, chosen or given."""
        return {**super().state_dict(), "weight": self._weight}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over prototypes and weight."""
        super().load_state_dict(state)
        self._weight = state["weight"]

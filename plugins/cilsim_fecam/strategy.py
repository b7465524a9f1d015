"""FeCAM as a strategy.

Axis letters: N samples, B batch, D features, K classes seen.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from torch import Tensor

from cilsim import Experience, PlainClassifier, Strategy
from cilsim.errors import RunFailed
from cilsim.prototypes.means import class_means
from cilsim.prototypes.rows import append_rows
from cilsim_fecam.embedding import compared, prepared, tukey
from cilsim_fecam.precisions import Precisions

logger = logging.getLogger(__name__)


class Fecam(Strategy):
    """A class is a mean and a covariance; the nearest class has the least Mahalanobis distance.

    The backbone is trained on experience 0 and frozen; each later class costs one forward pass
    over its samples, and its mean and matrix never change. Stored: 4 D + 4 D^2 bytes per class
    (`common`: 8 D^2 for all); no exemplars. Goswami et al., "FeCAM: Exploiting the Heterogeneity
    of Class Distributions in Exemplar-Free Continual Learning", NeurIPS 2023.
    """

    adds_classes_without_training = True

    def setup(self) -> None:
        """Start with no matrices."""
        self._precisions = Precisions(self.options)

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add means and matrices of the new classes."""
        if experience.index == 0:
            uses_head = self.options.first_experience == "head"
            self.context.train_base(experience, for_features=not uses_head)
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        features_ND, new = self.context.features(samples), experience.new_labels
        self._refuse_negative(features_ND)
        means_KD = class_means(features_ND, samples.labels, new, self._prepared)
        try:
            self._precisions.add(features_ND, samples.labels, new, self._transformed)
        except ValueError as error:
            common = self.options.covariance == "common"
            advice = "" if common else "; use covariance: common or more samples per class"
            raise RunFailed(
                f"strategy '{self.context.run.strategy}': experience {experience.index}: "
                f"{error}{advice}"
            ) from error
        self.prototypes = append_rows(self.prototypes, means_KD)
        self._report(experience)

    def _prepared(self, features_ND: Tensor) -> Tensor:
        return prepared(features_ND, self.options)

    def _transformed(self, features_ND: Tensor) -> Tensor:
        return tukey(self._prepared(features_ND), self.options.tukey_power)

    def _report(self, experience: Experience) -> None:
        if self.options.covariance != "class":
            return
        self.context.log("fecam/indefinite_matrices", float(self._precisions.indefinite))
        if self._precisions.indefinite:
            logger.warning(
                "%s: experience %d: %d of %d matrices have negative eigenvalues, so their "
                "distances mean little; use shrink_off_diagonal: 0",
                self.context.run.strategy,
                experience.index,
                self._precisions.indefinite,
                experience.new_classes,
            )

    def _refuse_negative(self, features_ND: Tensor) -> None:
        power = self.options.tukey_power
        if power != 1.0 and bool(features_ND.min() < 0):
            raise RunFailed(
                f"strategy '{self.context.run.strategy}': features go down to "
                f"{float(self._prepared(features_ND).min()):.3g}, but tukey_power {power:g} needs "
                "features that are never negative; use preset: vit or tukey_power: 1"
            )

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) minus the squared distances, or the head's logits for the base alone."""
        assert self.prototypes is not None  # learn() comes first
        if self._head_serves():
            logits_BK: Tensor = self.context.head(x)
            return logits_BK
        features_BD = compared(prepared(x, self.options), self.options)
        return -self._precisions.distances(features_BD, compared(self.prototypes, self.options))

    def _head_serves(self) -> bool:
        assert self.prototypes is not None  # learn() comes first
        only_base = len(self.prototypes) == self.context.base_classes
        return only_base and bool(self.options.first_experience == "head")

    def plain_classifier(self) -> PlainClassifier | None:
        """Return transformed means and matrices, or the head for the base alone."""
        assert self.prototypes is not None  # learn() comes first
        if self._head_serves():
            return super().plain_classifier()
        settings = {
            "unit_features": self.options.unit_features,
            "power": self.options.tukey_power,
            "unit_transformed": self.options.compare_unit_vectors,
        }
        means_KD, precisions = compared(self.prototypes, self.options), self._precisions.inverse()
        if precisions is None:
            return PlainClassifier("distance", {"prototypes": means_KD}, settings)
        name = "diagonals" if self.options.covariance == "diagonal" else "precisions"
        tensors = {"prototypes": means_KD.to(precisions.dtype), name: precisions}
        return PlainClassifier("distance", tensors, settings)

    def state_dict(self) -> dict[str, Any]:
        """Return prototypes and matrices."""
        return {**super().state_dict(), "matrices": self._precisions.matrices}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over prototypes and matrices."""
        super().load_state_dict(state)
        self._precisions.restore(state["matrices"])

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of prototypes and matrices."""
        matrices = self._precisions.matrices
        if matrices is None:
            return super().kept()
        return {**super().kept(), "covariances": matrices.nbytes}

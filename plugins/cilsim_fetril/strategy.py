"""FeTrIL.

Axis letters: B batch, M samples of new classes, N training rows, D features, K classes seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim import Experience, PlainClassifier, Strategy
from cilsim.prototypes.rows import append_rows, with_lengths
from cilsim.solvers.design_rows import NORM_FLOOR, ShiftedRows
from cilsim.strategy.strategy import bytes_of
from cilsim_fetril.classifiers import fit_linear, fit_svm
from cilsim_fetril.pseudo_features import (
    Rows,
    borrowed_rows,
    nearest_new,
    normalised_by_the_script,
    random_rows,
    translate,
)


class Fetril(Strategy):
    """Old classes are remembered by their mean; new features stand in for theirs, moved there.

    The backbone is trained on experience 0 and frozen. In each experience a linear classifier
    over all classes is trained from scratch on the features of the new classes and, for each old
    class, on pseudo-features: those of the most similar new class, translated from its mean to
    the old class's. No exemplars; one vector of D float32 per class, and the classifier. Petit et
    al., "FeTrIL: Feature Translation for Exemplar-Free Class-Incremental Learning", WACV 2023.

    The prototypes are the means. A calibrator that changes one changes where that class's
    training rows are moved to, new classes included, and which class lends to it; a changed mean
    keeps the length that it had, whatever the calibrator made of it.
    """

    adds_classes_without_training = True

    def setup(self) -> None:
        """Start without a classifier."""
        self._weight_KD: Tensor | None = None
        self._bias_K: Tensor | None = None
        self._lengths_K: Tensor | None = None

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add one mean per new class."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        self.prototypes = append_rows(self.prototypes, self.context.class_means(experience))
        self._lengths_K = torch.linalg.vector_norm(self.prototypes, dim=1)

    def after_calibration(self, experience: Experience) -> None:
        """Train the classifier of all classes seen."""
        assert self.prototypes is not None  # learn() comes first
        assert self._lengths_K is not None
        self.prototypes = with_lengths(self.prototypes, self._lengths_K)
        rows, labels_N = self._training_rows(experience)
        if self.options.classifier == "linear_svm":
            c, tolerance = self.options.svm_c, self.options.svm_tolerance
            fitted = fit_svm(self.context, rows, labels_N, c=c, tolerance=tolerance)
        else:
            fitted = fit_linear(self.context, rows, labels_N)
        self._weight_KD, self._bias_K = fitted

    def _training_rows(self, experience: Experience) -> tuple[ShiftedRows, Tensor]:
        samples = experience.labelled
        assert samples.labels is not None  # `labelled` never returns a part without labels
        assert self.prototypes is not None
        labels_M = samples.labels.to(self.context.device) - experience.old_classes
        rows = self._choose(labels_M)
        bug = self.options.released_bug
        shifted = translate(
            self.context.features(samples),
            labels_M,
            self.context.class_means(experience),
            self.prototypes,
            rows,
            normalise=normalised_by_the_script(rows.label) if bug else True,
        )
        return shifted, rows.label

    def _choose(self, labels_M: Tensor) -> Rows:
        assert self.prototypes is not None
        if self.options.source == "random":
            generator = self.context.generator("pseudo_features")
            return random_rows(labels_M, len(self.prototypes), generator)
        new = int(labels_M.max()) + 1
        measure, rank = self.options.source, self.options.rank
        source_K = nearest_new(self.prototypes, new, measure=measure, rank=rank)
        return borrowed_rows(labels_M, source_K)

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) scores of the L2-normalised features."""
        assert self._weight_KD is not None  # after_calibration() comes first
        assert self._bias_K is not None
        with torch.autocast(x.device.type, enabled=False):
            unit_BD = F.normalize(x.to(self._weight_KD.dtype), dim=1, eps=NORM_FLOOR)
            return F.linear(unit_BD, self._weight_KD, self._bias_K)

    def plain_classifier(self) -> PlainClassifier:
        """Return the linear classifier over features of length 1."""
        assert self._weight_KD is not None  # after_calibration() comes first
        assert self._bias_K is not None
        tensors = {"weight": self._weight_KD, "bias": self._bias_K}
        return PlainClassifier("linear", tensors, {"unit_features": True})

    def state_dict(self) -> dict[str, Any]:
        """Return the means and the classifier."""
        return {**super().state_dict(), "weight": self._weight_KD, "bias": self._bias_K}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over the means and the classifier."""
        super().load_state_dict(state)
        self._weight_KD, self._bias_K = state["weight"], state["bias"]

    def kept(self) -> Mapping[str, int]:
        """Return the bytes of the means and of the classifier."""
        parts = (self._weight_KD, self._bias_K)
        return {**super().kept(), "classifier": sum(bytes_of(p) for p in parts if p is not None)}

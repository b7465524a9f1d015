"""TEEN as a strategy."""

from __future__ import annotations

from torch import Tensor

from cilsim import Experience, Strategy
from cilsim.prototypes.rows import append_rows
from cilsim.prototypes.scores import cosine_scores
from cilsim_teen.calibration import calibrate


class Teen(Strategy):
    """Nearest class mean by cosine whose new prototypes are calibrated once, on arrival.

    The backbone is trained on experience 0 and frozen, base prototypes replace the trained head.
    A class of a later experience is the mean of its shots, pulled towards a mixture of the base
    prototypes that resemble it; earlier new classes are neither used nor touched. No training
    after the base, no exemplars, one vector of D float32 per class. Wang et al., "Few-Shot
    Class-Incremental Learning via Training-Free Prototype Calibration", NeurIPS 2023.
    """

    def learn(self, experience: Experience) -> None:
        """Train the backbone on the base; add calibrated means of new classes."""
        if experience.index == 0:
            self.context.train_base(experience, for_features=True)
        means_KD = self.context.class_means(experience)
        if self.prototypes is not None:
            means_KD = self._calibrated(means_KD, self.prototypes[: self.context.base_classes])
        self.prototypes = append_rows(self.prototypes, means_KD)

    def _calibrated(self, new_KD: Tensor, base_KD: Tensor) -> Tensor:
        return calibrate(
            new_KD,
            base_KD,
            calibration_weight=self.options.calibration_weight,
            similarity_scale=self.options.similarity_scale,
        )

    def scores(self, x: Tensor) -> Tensor:
        """Return (B, K) cosine similarities to the prototypes."""
        assert self.prototypes is not None  # learn() comes first
        return cosine_scores(x, self.prototypes)

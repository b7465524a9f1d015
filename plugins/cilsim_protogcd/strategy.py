"""ProtoGCD: the strategy.

Axis letters: N rows, D features, K classes told apart.
"""

from __future__ import annotations

from torch import Tensor

from cilsim import Batch, TrainingLoss
from cilsim.naming import did_you_mean
from cilsim.strategy.cosine_discovery import CosineDiscovery
from cilsim.training.contrastive import info_nce, supervised_contrastive
from cilsim.training.self_distillation import (
    classification,
    entropy_gap,
    mean_probabilities,
    swapped_cross_entropy,
)
from cilsim_protogcd.losses import adaptive_targets, hard_share, separation
from cilsim_protogcd.outliers import SCORES


class ProtoGCD(CosineDiscovery):
    """Prototypes of old and novel classes under one objective.

    Each view is taught the other's pseudo-labels, one-hot where they are sure and soft where not,
    surer rows first and in the end all; the mean prediction is kept spread over all classes, and
    prototypes are kept apart. Labels are used where there are any.
    """

    def discovery_loss(self, features_ND: Tensor, batch: Batch) -> TrainingLoss:
        """Return (1 - w) (pseudo-labels + entropy + separation + contrastive) + w (labels)."""
        assert batch.labels is not None  # joined samples have them
        options, cosine_NK = self.options, self.classifier(features_ND)
        projections_NP = self.projection(features_ND)
        parts = {
            "pseudo_labels": swapped_cross_entropy(
                cosine_NK, self._targets(cosine_NK, batch.epoch), options.temperature
            ),
            "entropy": entropy_gap(mean_probabilities(cosine_NK, options.temperature)),
            "separation": separation(self.classifier.weight, options.separation_temperature),
            "contrastive": info_nce(projections_NP, options.contrastive_temperature),
            "classification": classification(cosine_NK / options.temperature, batch.labels),
            "supervised_contrastive": supervised_contrastive(
                projections_NP, batch.labels, options.supervised_temperature
            ),
        }
        unsupervised = (
            parts["pseudo_labels"]
            + options.entropy_weight * parts["entropy"]
            + options.separation_weight * parts["separation"]
            + parts["contrastive"]
        )
        supervised = parts["classification"] + parts["supervised_contrastive"]
        weight = options.supervised_weight
        return TrainingLoss((1.0 - weight) * unsupervised + weight * supervised, parts=parts)

    def _targets(self, cosine_NK: Tensor, epoch: int) -> Tensor:
        options = self.options
        share = hard_share(
            epoch, options.first_hard_share, options.last_hard_share, options.ramp_epochs
        )
        return adaptive_targets(cosine_NK, options.teacher_temperature, share)

    def outlier_scores(self, x: Tensor, score: str = "msp") -> Tensor:
        """Return (N,) how much samples look like none of the classes; higher is more of one.

        Args:
            x: (N, D) features.
            score: a name in `cilsim_protogcd.outliers.SCORES`.

        Raises:
            ValueError: there is no such score.
        """
        if score not in SCORES:
            raise ValueError(f"no outlier score is named '{score}'{did_you_mean(score, SCORES)}")
        return SCORES[score](self.scores(x))

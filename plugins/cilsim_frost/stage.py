"""What FRoST needs in one stage, and which samples its novel head learns from.

Axis letters: N samples, D features, M clusters, K known classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from cilsim.prototypes.scores import cosine_scores
from cilsim.training.head import Head


@dataclass(frozen=True)
class Stage:
    """One stage after the base; nothing of it is kept.

    Attributes:
        known: how many classes have labels or are of earlier stages; cluster i of the novel head
            is output `known + i` of the joint head.
        novel_head: features to the logits of this stage's clusters, or None if there are none.
        counts: (N,) bool, the samples that the novel head learns from, unlabelled ones last.
        labelled: whether some samples have labels.
        before: frozen backbone of before the stage, or None where features cannot move.
        means: (K, D) of the classes to replay.
        classes: (K,) their labels.
        spread: (D,) standard deviations, shared by all of them.
    """

    known: int
    novel_head: Head | None
    counts: Tensor
    labelled: bool
    before: nn.Module | None
    means: Tensor
    classes: Tensor
    spread: Tensor

    def clusters(self, features_ND: Tensor, joint_NK: Tensor) -> Tensor:
        """Return (N,) ids for the unlabelled samples of the stage.

        That is the cluster of the novel head as output of the joint head; for a sample that the
        novel head did not learn from, the likeliest known class of the joint head.

        Args:
            features_ND: of all unlabelled samples, in their order.
            joint_NK: what the joint head says to them.
        """
        if self.novel_head is None:
            return joint_NK.argmax(1)
        counts_N = self.counts[-len(features_ND) :]
        found_N = self.novel_head(features_ND).argmax(1) + self.known
        return torch.where(counts_N, found_N, joint_NK[:, : self.known].argmax(1))


def lower_new_biases(head: Head, before: int) -> None:
    """Start new outputs of the joint head 1 below the smallest old bias (released code).

    Args:
        head: with its new rows open; one without biases is left alone.
        before: how many outputs are old.
    """
    if head.bias is not None:
        with torch.no_grad():
            head.bias[before : head.seen] = head.bias[:before].min() - 1.0


def look_novel(clusters_N: Tensor, centres_MD: Tensor, means_KD: Tensor, novel: int) -> Tensor:
    """Return (N,) bool: whether a sample is in a cluster that is unlike every known class.

    The `novel` clusters whose largest cosine to a known mean is smallest, as Ma et al. 2024
    (Happy, section 4.2) start their classifier.

    Args:
        clusters_N: cluster of each sample.
        centres_MD: of the clusters.
        means_KD: of known classes.
        novel: how many clusters are of novel classes.
    """
    likeness_M = cosine_scores(centres_MD, means_KD).amax(1)
    return torch.isin(clusters_N, likeness_M.argsort(stable=True)[:novel])

"""Discovery beside the test samples: the unlabelled samples learnt from, and how many classes.

Axis letters: N samples.
"""

from __future__ import annotations

import math

import numpy as np

from cilsim.metrics.accuracy import accuracy
from cilsim.metrics.clustering import ari, nmi
from cilsim.metrics.matching import hungarian_match, relabel
from cilsim.records import Predictions, StreamInfo

PREFIX = "transductive"


def discovery_values(
    unlabelled: Predictions | None, told_apart: int, after: int, stream: StreamInfo
) -> dict[str, float]:
    """Return what a discovery stream adds to the metrics of its test samples.

    Args:
        unlabelled: of the experience, or None if it had no unlabelled samples.
        told_apart: how many classes the strategy tells apart now.
        after: after which experience.
        stream: facts about the stream.
    """
    values = {} if unlabelled is None else transductive_values(unlabelled, stream)
    true = stream.experiences[after].seen
    return {
        **values,
        "classes_found": float(told_apart),
        "classes_error": float(told_apart - true),
    }


def transductive_values(predictions: Predictions, stream: StreamInfo) -> dict[str, float]:
    """Return accuracies on the unlabelled samples of one experience, as GCD's tables give them.

    One matching over these samples names the clusters (Vaze et al. 2022, appendix E, "v2"); new
    classes are those to be discovered in this experience, all others are old. A value without
    meaning, such as the accuracy on old classes where there are none, is absent.

    Args:
        predictions: true labels and cluster ids of the unlabelled samples.
        stream: facts about the stream.
    """
    label, clusters = predictions.label, predictions.predicted
    named = relabel(clusters, hungarian_match(label, clusters))
    new = np.isin(label, stream.experiences[predictions.experience].novel_labels)
    values = {
        "A_all": accuracy(label, named),
        "A_old": accuracy(label[~new], named[~new]),
        "A_new": accuracy(label[new], named[new]),
        "nmi": nmi(label, clusters),
        "ari": ari(label, clusters),
    }
    return {f"{PREFIX}/{name}": v for name, v in values.items() if not math.isnan(v)}

"""How well a score tells outliers from samples of known classes.

Axis letters: N known samples, M outliers.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from cilsim.records import FloatArray


class OutlierDetection(NamedTuple):
    """AUROC, average precision, and false-positive rate at 95 % recall; the first two higher."""

    auroc: float
    aupr: float
    fpr95: float


def outlier_detection(
    known_N: FloatArray, outliers_M: FloatArray, *, outliers_positive: bool = True
) -> OutlierDetection:
    """Return the three numbers of outlier detection tables.

    Args:
        known_N: scores of samples of known classes, higher for what looks like an outlier.
        outliers_M: scores of outliers.
        outliers_positive: whether outliers are what is to be found; else the known samples.
    """
    from sklearn.metrics import average_precision_score, roc_auc_score, roc_curve

    scores = np.concatenate([known_N, outliers_M])
    truth = np.concatenate([np.zeros(len(known_N)), np.ones(len(outliers_M))])
    if not outliers_positive:
        scores, truth = -scores, 1.0 - truth
    false_rate, true_rate, _ = roc_curve(truth, scores, drop_intermediate=False)
    return OutlierDetection(
        auroc=float(roc_auc_score(truth, scores)),
        aupr=float(average_precision_score(truth, scores)),
        fpr95=float(false_rate[np.argmax(true_rate >= 0.95)]),
    )

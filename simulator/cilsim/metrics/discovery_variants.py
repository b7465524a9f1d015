"""The same names in the code of Cr-KD (Gu et al. 2023): three ways to score a discovery.

Its "v2" is `clustering.matched_accuracy`. In the other two, old ids are not matched, so the
prediction of an old class must carry that class's own label. Axis letter: N samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cilsim.metrics.accuracy import accuracy, check_pair
from cilsim.metrics.clustering import MatchedAccuracy, cluster_accuracy
from cilsim.metrics.matching import hungarian_match, relabel
from cilsim.records import IntArray


def crkd_v1_accuracy(
    label: IntArray, predicted: IntArray, old_labels: Sequence[int]
) -> MatchedAccuracy:
    """Return Old without any matching, New and All each under a matching of their own.

    New is at least that of the other ways. All is that of `matched_accuracy` and no mean of Old
    and New.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids; those of old classes are labels.
        old_labels: the classes that count as old.
    """
    check_pair(label, predicted)
    old = np.isin(label, old_labels)
    return MatchedAccuracy(
        all=cluster_accuracy(label, predicted),
        old=accuracy(label[old], predicted[old]),
        new=cluster_accuracy(label[~old], predicted[~old]),
    )


def crkd_v3_accuracy(
    label: IntArray, predicted: IntArray, old_labels: Sequence[int]
) -> MatchedAccuracy:
    """Return All/Old/New with old ids fixed to themselves and only novel ids matched.

    The novel ids are matched on samples of new classes alone. Never above `matched_accuracy` on
    All.

    Args:
        label: (N,) true labels.
        predicted: (N,) cluster ids; those of old classes are labels.
        old_labels: the classes that count as old.
    """
    check_pair(label, predicted)
    old, called_old = np.isin(label, old_labels), np.isin(predicted, old_labels)
    block = ~old & ~called_old
    match = hungarian_match(label[block], predicted[block])
    fixed = {int(name): int(name) for name in old_labels}
    named = relabel(predicted, {**match, **fixed})
    return MatchedAccuracy(
        all=accuracy(label, named),
        old=accuracy(label[old], named[old]),
        new=accuracy(label[~old], named[~old]),
    )

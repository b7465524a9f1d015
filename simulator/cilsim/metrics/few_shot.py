"""Base against novel classes, as few-shot class-incremental papers report them.

Axis letter: N samples.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from cilsim.metrics.accuracy import check_pair, macro_accuracy
from cilsim.records import IntArray


def harmonic_mean(base: float, novel: float) -> float:
    """Return 2 b n / (b + n), and 0 where both are 0.

    Wang et al. 2023 (TEEN) on the macro accuracies of `base_and_novel_accuracy`; their code rounds
    both to 0.001 % before, this does not. "aHM" of later papers is its mean over the sessions from
    1 on.

    Args:
        base: accuracy on base classes.
        novel: accuracy on all novel classes seen so far.
    """
    total = base + novel
    return 0.0 if total == 0 else 2.0 * base * novel / total


def base_and_novel_accuracy(
    label: IntArray, predicted: IntArray, base_labels: Sequence[int]
) -> tuple[float, float]:
    """Return the mean recall of base classes and that of all other classes.

    Both against all classes seen: a novel sample called a base class is wrong. CLOM's "novel
    accuracy", measured among novel classes only, is another thing.

    Args:
        label: (N,) true labels.
        predicted: (N,) predicted labels.
        base_labels: the classes of experience 0.
    """
    others = np.setdiff1d(label, np.asarray(base_labels, dtype=np.int64))
    return (
        macro_accuracy(label, predicted, base_labels),
        macro_accuracy(label, predicted, others.tolist()),
    )


def novel_to_base_rate(label: IntArray, predicted: IntArray, base_labels: Sequence[int]) -> float:
    """Return P(predicted in base | true label novel); NaN without novel samples.

    The error that TEEN (Wang et al. 2023) calibrates away; with base as the positive class it is
    the false positive rate. Named by its direction because FPR and FNR swap with the roles.

    Args:
        label: (N,) true labels.
        predicted: (N,) predicted labels.
        base_labels: the classes of experience 0.
    """
    check_pair(label, predicted)
    novel = ~np.isin(label, base_labels)
    return _share(np.isin(predicted, base_labels), novel)


def base_to_novel_rate(label: IntArray, predicted: IntArray, base_labels: Sequence[int]) -> float:
    """Return P(predicted novel | true label in base); NaN without base samples.

    The opposite of `novel_to_base_rate`, not its complement. A prediction of no class (-1) is
    neither base nor novel.

    Args:
        label: (N,) true labels.
        predicted: (N,) predicted labels.
        base_labels: the classes of experience 0.
    """
    check_pair(label, predicted)
    base = np.isin(label, base_labels)
    return _share(~np.isin(predicted, base_labels) & (predicted >= 0), base)


def _share(event: NDArray[np.bool_], given: NDArray[np.bool_]) -> float:
    return float(np.mean(event[given])) if given.any() else float("nan")

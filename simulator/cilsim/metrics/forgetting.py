"""What an accuracy matrix says about keeping and losing.

R[i, j] is the accuracy on the test part of experience j after learning experience i, NaN where it
was not measured. Everything here takes the whole matrix and the experience `after` which one
looks. Axis letter: T experiences.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from cilsim.records import FloatArray


def forgetting_by_experience(matrix: FloatArray, after: int) -> FloatArray:
    """Return, for each old experience j < after, its best earlier accuracy minus the present one.

    f_j = max over j <= l < i of R[l, j], minus R[i, j], with i = `after` (Chaudhry et al. 2018,
    section 3.1). The present row is not among those compared, so f_j is negative where accuracy
    rose. `variants` has the forms of other tools, which differ in just that.

    Args:
        matrix: (T, T) accuracy matrix.
        after: i.
    """
    check_matrix(matrix, after)
    earlier = matrix[:after, :after]
    measured = np.tril(np.isfinite(earlier))
    best = np.where(measured, earlier, -np.inf).max(axis=0, initial=-np.inf)
    return np.where(measured.any(axis=0), best, np.nan) - matrix[after, :after]


def forgetting(matrix: FloatArray, after: int) -> float:
    """Return the mean of `forgetting_by_experience` over the old experiences; NaN without any.

    Average forgetting F_k of Chaudhry et al. 2018. Lower is better.

    Args:
        matrix: (T, T) accuracy matrix.
        after: i.
    """
    return mean_of_measured(forgetting_by_experience(matrix, after))


def backward_transfer(matrix: FloatArray, after: int) -> float:
    """Return the mean over j < after of R[after, j] - R[j, j]; NaN without old experiences.

    BWT of Lopez-Paz and Ranzato 2017. It compares with the accuracy just after learning, where
    forgetting compares with the best: bwt is -forgetting only if accuracies never rise. Higher
    is better.

    Args:
        matrix: (T, T) accuracy matrix.
        after: i.
    """
    check_matrix(matrix, after)
    return mean_of_measured(matrix[after, :after] - np.diagonal(matrix)[:after])


def intransigence(reference_accuracy: float, own: float) -> float:
    """Return how much worse new classes are learnt than by a reference trained on all data.

    I_k of Chaudhry et al. 2018: the accuracy on experience k of a model trained jointly on
    experiences 0..k, minus the own R[k, k]. Lower is better; negative means better than joint.

    Args:
        reference_accuracy: the joint reference's accuracy on the test part of experience k.
        own: R[k, k].
    """
    return reference_accuracy - own


def average_incremental_accuracy(accuracies: Sequence[float]) -> float:
    """Return the mean, over the experiences so far, of the accuracy over all classes then seen.

    Rebuffi et al. 2017 (iCaRL). Each accuracy is pooled over samples and the base experience is
    included; with a large base this is above the mean-over-experiences variant.

    Args:
        accuracies: A_all after experiences 0..i.
    """
    return mean_of_measured(np.asarray(accuracies, dtype=np.float64))


def average_incremental_accuracy_by_experience(matrix: FloatArray, after: int) -> float:
    """Return the mean over l <= after of the mean over j <= l of R[l, j].

    The variant of PASS and FACIL: experiences weigh the same however many classes they have. One
    B50 matrix gave 0.690 pooled and 0.650 this way, so a table must say which it prints.

    Args:
        matrix: (T, T) accuracy matrix.
        after: the last experience that counts.
    """
    check_matrix(matrix, after)
    rows = [mean_of_measured(matrix[row, : row + 1]) for row in range(after + 1)]
    return mean_of_measured(np.asarray(rows))


def performance_drop(accuracies: Sequence[float]) -> float:
    """Return the first accuracy minus the last: PD of the few-shot tables.

    Tao et al. 2020 (TOPIC) and after. It depends directly on how the base classes are classified
    in session 0, by the trained head or by prototypes. Lower is better.

    Args:
        accuracies: A_all after experiences 0..i.
    """
    return float(accuracies[0] - accuracies[-1])


def mean_of_measured(values: FloatArray) -> float:
    """Return the mean of the values that are not NaN, NaN if there are none."""
    measured = values[~np.isnan(values)]
    return float(measured.mean()) if measured.size else float("nan")


def check_matrix(matrix: FloatArray, after: int) -> None:
    """Check that `after` is a row of a square matrix.

    Raises:
        ValueError: it is not.
    """
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1]:
        raise ValueError(f"accuracy matrix has shape {matrix.shape}; expected (T, T)")
    if not 0 <= after < len(matrix):
        raise ValueError(f"after={after}; expected an experience from 0 to {len(matrix) - 1}")

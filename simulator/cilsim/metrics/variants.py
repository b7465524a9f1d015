"""The same names in other tools: what they compute from an accuracy matrix.

Read in the tools' own code in 2026. They exist to recompute other people's tables; `forgetting`
has the definitions of the papers. All take fractions, where most of the tools print percent.
R[i, j] is the accuracy on experience j after learning i, NaN where not measured.
"""

from __future__ import annotations

import numpy as np

from cilsim.metrics.accuracy import NAN
from cilsim.metrics.forgetting import backward_transfer, check_matrix, mean_of_measured
from cilsim.records import FloatArray


def forgetting_over_all_rows(matrix: FloatArray, after: int) -> float:
    """Return the mean over j < i of max over l <= i of R[l, j], minus R[i, j] (PyCIL, Mammoth).

    The present row takes part in the maximum, so a rise counts as 0 and not as negative
    forgetting: never below `forgetting.forgetting`.
    """
    check_matrix(matrix, after)
    rows = matrix[: after + 1, :after]
    best = np.where(np.isnan(rows), -np.inf, rows).max(axis=0, initial=-np.inf)
    best[np.isinf(best)] = np.nan
    return mean_of_measured(best - matrix[after, :after])


def forgetting_since_learnt(matrix: FloatArray, after: int) -> float:
    """Return the mean over j < i of R[j, j] - R[i, j] (Avalanche's StreamForgetting).

    Just-after-learning minus now: minus the backward transfer of Lopez-Paz and Ranzato 2017,
    blind to accuracies that rose in between.
    """
    return -backward_transfer(matrix, after)


def forgetting_pass(matrix: FloatArray, after: int) -> float:
    """Return the sum over j <= i of max over ALL l of R[l, j], minus R[i, j], over i; 0 at i = 0.

    What the TinyImageNet and ImageNet-Subset scripts of PASS (Zhu et al. 2021) print. The maximum
    looks ahead and the newest experience takes part, so values before the last experience are
    inflated; the last one is `forgetting_over_all_rows`.
    """
    check_matrix(matrix, after)
    if after == 0:
        return 0.0
    columns = matrix[:, : after + 1]
    best = np.where(np.isnan(columns), -np.inf, columns).max(axis=0)
    return float((best - matrix[after, : after + 1]).sum()) / after


def forgetting_continuum(matrix: FloatArray, after: int) -> float:
    """Return Continuum's `forgetting` after i >= 1: neither R[:, i-1] nor row i-1 takes part.

    Sum over j < i-1 of (max over j <= l < i-1 of R[l, j], minus R[i, j]), over i. It names
    Chaudhry et al. 2018, whose sum has one term and whose maximum one row more.
    """
    check_matrix(matrix, after)
    if after == 0:
        return 0.0
    lost = [np.max(matrix[j : after - 1, j]) - matrix[after, j] for j in range(after - 1)]
    return float(sum(lost)) / after


def forgetting_libcontinual(matrix: FloatArray, after: int) -> float:
    """Return LibContinual's "Overall Frgt": the mean over 2 <= k <= after of its value after k.

    Its value after k is the sum over j < k-1 of R[j, j] - R[k, j], over k; it compares with the
    accuracy just after learning and leaves out the newest old experience.
    """
    check_matrix(matrix, after)
    diagonal = np.diagonal(matrix)
    values = [(diagonal[: k - 1] - matrix[k, : k - 1]).sum() / k for k in range(2, after + 1)]
    return mean_of_measured(np.asarray(values, dtype=np.float64))


def backward_transfer_continuum(matrix: FloatArray, after: int) -> float:
    """Return Continuum's `backward_transfer`: pairs at least two experiences apart.

    Sum over i <= after and j < i-1 of R[i, j] - R[j, j], over all (T T-1)/2 pairs of T = after + 1
    experiences; adjacent pairs are left out of the sum and counted in the divisor.
    """
    check_matrix(matrix, after)
    if after == 0:
        return 0.0
    gained = matrix[: after + 1, : after + 1] - np.diagonal(matrix)[: after + 1]
    return float(np.tril(gained, k=-2).sum()) * 2 / ((after + 1) * after)


def backward_transfer_libcontinual(matrix: FloatArray, after: int) -> float:
    """Return LibContinual's "Overall BwT": the mean over 2 <= k <= after of Continuum's form."""
    values = [backward_transfer_continuum(matrix, k) for k in range(2, after + 1)]
    return mean_of_measured(np.asarray(values, dtype=np.float64))


def backward_transfer_over_all_pairs(matrix: FloatArray, after: int) -> float:
    """Return the mean over all j < i <= after of R[i, j] - R[j, j] (Diaz-Rodriguez et al. 2018).

    The whole course counts, where Lopez-Paz and Ranzato 2017 look at the last row.
    """
    check_matrix(matrix, after)
    gained = matrix[: after + 1, : after + 1] - np.diagonal(matrix)[: after + 1]
    return mean_of_measured(gained[np.tril_indices(after + 1, k=-1)])


def accuracy_over_all_pairs(matrix: FloatArray, after: int) -> float:
    """Return the mean over all j <= i <= after of R[i, j]: A of Diaz-Rodriguez et al. 2018.

    Continuum's `accuracy_A`. Late experiences weigh less than in the mean over experiences.
    """
    check_matrix(matrix, after)
    return mean_of_measured(matrix[: after + 1, : after + 1][np.tril_indices(after + 1)])


def last_accuracy_by_experience(matrix: FloatArray, after: int) -> float:
    """Return the mean over j <= after of R[after, j] (FACIL, Mammoth, Lopez-Paz's ACC).

    Experiences weigh the same; A_all weighs samples, so with a large base the two differ.
    """
    check_matrix(matrix, after)
    return mean_of_measured(matrix[after, : after + 1])


def happy_forgetting(matrix: FloatArray, after: int) -> float:
    """Return M_f = max over t of R[0, 0] - R[t, 0], for 1 <= t <= after; NaN at 0.

    Ma et al. 2024 (Happy): Old are always the classes of stage 0 ("hard"). Grow and Merge (Zhang
    et al. 2022) takes all classes seen before t instead. Lower is better.
    """
    check_matrix(matrix, after)
    return float(np.max(matrix[0, 0] - matrix[1 : after + 1, 0])) if after else NAN


def happy_discovery(matrix: FloatArray, after: int) -> float:
    """Return M_d = mean over 1 <= t <= after of R[t, t]; NaN at 0.

    Ma et al. 2024 (Happy): accuracy on the classes new at each stage ("soft"). Grow and Merge
    reports the last stage only. Higher is better.
    """
    check_matrix(matrix, after)
    return mean_of_measured(np.diagonal(matrix)[1 : after + 1])

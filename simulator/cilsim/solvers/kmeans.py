"""k-means and semi-supervised k-means on the device of the features.

All restarts run at once in a few matrix products per iteration. Draws come from a CPU generator,
so they are the same on every device. Distances are float32 (float64 for float64 features) outside
autocast; TF32, which PyTorch leaves off unless told otherwise, would blur them.

Axis letters: N points, L labelled points, D features, K clusters, C labelled classes, R restarts.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for
from cilsim.solvers.kmeans_arguments import check_features, check_sizes, draws_for
from cilsim.solvers.point_rows import Embed, PointRows, column_means
from cilsim.solvers.restarts import best_restart, gather_points


@dataclass(frozen=True)
class KMeansResult:
    """The kept restart: the one of smallest inertia, the first on ties.

    Attributes:
        labels: (N,) cluster of each point that was free to move.
        centres: (K, D) centres, after the update that followed the labels.
        inertia: sum of squared distances, pinned points included, before that update; a
            distance taken to `centres` is therefore not exactly this.
        iterations: iterations until this restart stopped.
        pinned: (L,) cluster of each labelled point; empty without labels. Cluster j belongs to
            the j-th smallest labelled class.
        restart_inertias: inertia of every restart, in the order of the draws.
    """

    labels: Tensor
    centres: Tensor
    inertia: float
    iterations: int
    pinned: Tensor
    restart_inertias: tuple[float, ...]


def kmeans(
    features_ND: Tensor,
    clusters: int,
    *,
    generator: torch.Generator | None = None,
    uniform_draws: Tensor | None = None,
    n_init: int = 10,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
    candidates: int | None = None,
    labelled: tuple[Tensor, Tensor] | None = None,
    embed: Embed | None = None,
    max_bytes: int | None = None,
) -> KMeansResult:
    """Return the best of `n_init` restarts of k-means, k-means++ seeded.

    Lloyd 1982 with the first centres of Arthur and Vassilvitskii 2007, the best of several
    candidates each, as scikit-learn draws them: with many separate clusters one candidate alone
    ends in far worse optima. An empty cluster is refilled with the point farthest from its own
    centre.

    Args:
        features_ND: (N, D) points that are free to move.
        clusters: K.
        generator: a CPU generator for the draws; either this or `uniform_draws`.
        uniform_draws: (n_init, K - C) uniforms in [0, 1) instead, one per first centre; they set
            `n_init`, and `candidates` to 1.
        n_init: number of restarts.
        max_iterations: most iterations of a restart.
        tolerance: a restart stops when (sum over clusters of the shift)^2 is below.
        candidates: points tried per first centre; by default 2 + floor(ln K).
        labelled: (L, D) features and (L,) class ids; see `semi_supervised_kmeans`.
        embed: applied to features_ND, whose embedding is not held where it is large; labelled
            features come embedded.
        max_bytes: bound on the largest intermediate tensor; by default the device's.

    Raises:
        ValueError: the arguments do not fit each other, or features are not finite.
    """
    labelled_LD, ids_L = labelled or (features_ND[:0], features_ND.new_zeros(0).long())
    bound = bound_for(max_bytes, features_ND.device)
    check_features(features_ND, labelled_LD, ids_L, bound)
    classes_C, pinned_L = torch.unique(ids_L, return_inverse=True)
    free = clusters - len(classes_C)
    check_sizes(len(features_ND), clusters, free, max_iterations)
    tried = 2 + int(math.log(clusters)) if candidates is None else candidates
    draws_RMA = draws_for(generator, uniform_draws, n_init, free, tried).to(features_ND.device)
    with torch.inference_mode(), torch.autocast(features_ND.device.type, enabled=False):
        dtype = torch.promote_types(features_ND.dtype, torch.float32)
        shift_D = column_means(features_ND, bound, embed).to(dtype)
        free_points = PointRows(features_ND, shift_D, bound, embed)
        pinned_points = PointRows(labelled_LD, shift_D, bound)
        points = gather_points(free_points, pinned_points, pinned_L, len(classes_C))
        best, inertia_R = best_restart(points, draws_RMA, max_iterations, tolerance)
        centres_KD = best.centres[0] + shift_D
    return KMeansResult(
        labels=best.labels[0].clone(),  # a tensor of inference mode could not be trained with
        centres=centres_KD.clone(),
        inertia=float(best.inertia[0]),
        iterations=int(best.iterations[0]),
        pinned=pinned_L,
        restart_inertias=tuple(inertia_R.tolist()),
    )


def semi_supervised_kmeans(
    labelled_LD: Tensor,
    class_ids_L: Tensor,
    unlabelled_ND: Tensor,
    clusters: int,
    *,
    generator: torch.Generator | None = None,
    uniform_draws: Tensor | None = None,
    n_init: int = 10,
    max_iterations: int = 100,
    tolerance: float = 1e-4,
    candidates: int = 1,
    max_bytes: int | None = None,
) -> KMeansResult:
    """Return k-means in which labelled points stay in the cluster of their class.

    Vaze et al. 2022 (GCD, section 3.2). Labelled classes, sorted by id, own the first clusters and
    start them from their means; further centres are drawn from unlabelled points alone; all
    points count in the updates and in the inertia. GCD passes L2-normalised features, n_init 100
    and 200 iterations. Deviations from their code: empty clusters are refilled, coinciding points
    do no harm, and `iterations` counts iterations.

    Args:
        labelled_LD: (L, D) labelled points.
        class_ids_L: (L,) their class ids, which need not be contiguous.
        unlabelled_ND: (N, D) points that are free to move.
        clusters: K, labelled classes included.
        generator: as in `kmeans`.
        uniform_draws: as in `kmeans`.
        n_init: as in `kmeans`.
        max_iterations: as in `kmeans`.
        tolerance: as in `kmeans`.
        candidates: as in `kmeans`; GCD tries one.
        max_bytes: as in `kmeans`.

    Raises:
        ValueError: the arguments do not fit each other, or features are not finite.
    """
    return kmeans(
        unlabelled_ND,
        clusters,
        generator=generator,
        uniform_draws=uniform_draws,
        n_init=n_init,
        max_iterations=max_iterations,
        tolerance=tolerance,
        candidates=candidates,
        labelled=(labelled_LD, class_ids_L),
        max_bytes=max_bytes,
    )

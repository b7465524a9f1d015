"""How well a number of clusters suits features and the labels that some of them have.

All scores come from one k-means over all rows, without the labels. Axis letters: N unlabelled and L
labelled samples, D features, C labelled classes, K clusters.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor

from cilsim.seeding import derive_seed
from cilsim.solvers.assignment import match_clusters
from cilsim.solvers.kmeans import kmeans
from cilsim.solvers.silhouette import silhouette

_WITHIN = 0.95
"""Share of a class's labelled samples that lie within its radius."""


@dataclass(frozen=True)
class Problem:
    """What is clustered.

    Attributes:
        labelled: (L, D) labelled features; L may be 0.
        classes: (L,) their classes as 0..C-1.
        unlabelled: (N, D) the other features.
        seed: of the draws of k-means, with the number of clusters.
        n_init: restarts of k-means.
        max_iterations: of each restart.
        sampled: positions among all rows, labelled first, on which silhouettes are taken.
        kept: clusters found so far, by their number.
    """

    labelled: Tensor
    classes: Tensor
    unlabelled: Tensor
    seed: int
    n_init: int
    max_iterations: int
    sampled: Tensor
    kept: dict[int, Tensor] = field(default_factory=dict)

    @property
    def labelled_classes(self) -> int:
        """C."""
        return int(self.classes.max()) + 1 if len(self.classes) else 0

    @property
    def rows(self) -> Tensor:
        """(L + N, D) all features, labelled ones first."""
        return torch.cat([self.labelled, self.unlabelled])

    def clustered(self, clusters: int) -> Tensor:
        """Return (L + N,) clusters of all rows, found once per number."""
        if clusters not in self.kept:
            seed = derive_seed(self.seed, "class_count", clusters)
            self.kept[clusters] = kmeans(
                self.rows,
                clusters,
                generator=torch.Generator().manual_seed(seed),
                n_init=self.n_init,
                max_iterations=self.max_iterations,
            ).labels
        return self.kept[clusters]


def labelled_accuracy(problem: Problem, clusters: int) -> float:
    """Return the accuracy on labelled samples, clusters matched to classes (Vaze et al. 2022).

    Splitting labelled classes is punished; joining one with a class without labels is not, so
    that with classes that are easy to tell apart too few clusters score as well as enough.
    """
    labels_N = problem.clustered(clusters)[: len(problem.labelled)]
    counts_KC = _counts(labels_N, problem.classes, clusters, problem.labelled_classes)
    return _matched(counts_KC)[1]


def agreement(problem: Problem, clusters: int) -> float:
    """Return the mean of the accuracy on labelled samples and the share of others well placed.

    An unlabelled sample is misplaced if its cluster is matched to a labelled class and it is
    farther from the mean of that class than 95 % of the class's labelled samples. Too many
    clusters lower the first half, too few the second, as in the prototype score that the authors
    of ProtoGCD (Ma et al. 2025) describe, which adds to the accuracy how well the centroids of
    labelled and pseudo-labelled samples agree. Blind to what happens among new classes alone.
    """
    labels_N = problem.clustered(clusters)
    own_L, other_N = labels_N[: len(problem.labelled)], labels_N[len(problem.labelled) :]
    counts_KC = _counts(own_L, problem.classes, clusters, problem.labelled_classes)
    class_of_K, accuracy = _matched(counts_KC)
    means_CD, radii_C = _means_and_radii(problem)
    class_N = class_of_K.to(labels_N.device)[other_N]
    nearest_N = class_N.clamp_min(0)
    distances_N = torch.linalg.vector_norm(problem.unlabelled - means_CD[nearest_N], dim=1)
    misplaced_N = (class_N >= 0) & (distances_N > radii_C[nearest_N])
    return (accuracy + 1.0 - float(misplaced_N.double().mean())) / 2.0


def mean_silhouette(problem: Problem, clusters: int) -> float:
    """Return the silhouette of the clustering, labels unseen; -1 if it is a single cluster."""
    labels_N = problem.clustered(clusters)
    sampled = problem.sampled.to(labels_N.device)
    chosen = labels_N[sampled]
    return silhouette(problem.rows[sampled], chosen) if len(torch.unique(chosen)) > 1 else -1.0


def _counts(labels_L: Tensor, classes_L: Tensor, clusters: int, classes: int) -> Tensor:
    """Return (K, C) the labelled samples of each cluster and class, on the CPU."""
    cells_L = labels_L * classes + classes_L
    return torch.bincount(cells_L, minlength=clusters * classes).view(clusters, classes).cpu()


def _matched(counts_KC: Tensor) -> tuple[Tensor, float]:
    """Return (K,) the class of each cluster, -1 for none, and the share of samples it fits."""
    class_of_K = torch.from_numpy(match_clusters(counts_KC))
    has_class = class_of_K >= 0
    fitting = counts_KC[has_class].gather(1, class_of_K[has_class].unsqueeze(1)).sum()
    return class_of_K, float(fitting) / float(counts_KC.sum())


def _means_and_radii(problem: Problem) -> tuple[Tensor, Tensor]:
    """Return (C, D) means of the labelled classes and (C,) distances that hold most samples."""
    counts_C = torch.bincount(problem.classes)
    sums_CD = problem.labelled.new_zeros(len(counts_C), problem.labelled.shape[1])
    one_hot_LC = torch.nn.functional.one_hot(problem.classes, len(counts_C))
    sums_CD = one_hot_LC.to(sums_CD.dtype).T @ problem.labelled
    means_CD = sums_CD / counts_C.unsqueeze(1)
    distances_L = torch.linalg.vector_norm(problem.labelled - means_CD[problem.classes], dim=1)
    by_distance = distances_L.argsort()
    by_class = by_distance[problem.classes[by_distance].argsort(stable=True)]
    starts_C = counts_C.cumsum(0) - counts_C
    places_C = starts_C + (_WITHIN * (counts_C - 1)).ceil().long()
    return means_CD, distances_L[by_class[places_C]]

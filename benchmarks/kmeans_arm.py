"""Clustering against other tools; the arms against its own products are in `cilsim.bench.kmeans`.

`kmeans-gcd-*`: semi-supervised, against the way of GCD's released code, from the same draws; the
clusters must be the same. `kmeans-plain`: k-means of 10 restarts against scikit-learn's and, where
it is installed, faiss, which draw first centres of their own.

`python -m benchmarks.kmeans_arm` compares inertia instead of times.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec

import torch
import torch.nn.functional as F
from torch import Tensor

from benchmarks.peers import gcd_kmeans
from cilsim.bench.rounds import Arm, Contestants, Decisions, Goal
from cilsim.solvers.kmeans import KMeansResult, kmeans, semi_supervised_kmeans

ITERATIONS, RESTARTS = 100, 10


@dataclass(frozen=True)
class Workload:
    """Classes on the sphere, half of them labelled with a fifth as many samples.

    Attributes:
        free: (N, D) samples that are free to move.
        labelled: (L, D).
        class_ids: (L,).
        draws: (1, K - C) uniforms of one restart.
        clusters: K.
    """

    free: Tensor
    labelled: Tensor
    class_ids: Tensor
    draws: Tensor
    clusters: int


def workload(samples: int, size: int, clusters: int, device: torch.device) -> Workload:
    """Return `samples` free samples of `clusters` overlapping classes."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(clusters, size, generator=generator)
    known = clusters // 2

    def features(labels: Tensor) -> Tensor:
        noise = torch.randn(len(labels), size, generator=generator)
        return F.normalize(centres[labels] + noise).to(device)

    free = features(torch.randint(clusters, (samples,), generator=generator))
    class_ids = torch.arange(known).repeat_interleave(samples // 5 // known)
    draws = torch.rand(1, clusters - known, generator=generator, dtype=torch.float64)
    return Workload(free, features(class_ids), class_ids.to(device), draws, clusters)


def gcd_way(work: Workload) -> gcd_kmeans.Clusters:
    """Cluster as GCD's released code does."""
    return gcd_kmeans.cluster(work.labelled, work.class_ids, work.free, work.draws, ITERATIONS)


def our_way(work: Workload) -> KMeansResult:
    """Cluster with the solver, from the same draws."""
    return semi_supervised_kmeans(
        work.labelled,
        work.class_ids,
        work.free,
        work.clusters,
        uniform_draws=work.draws,
        max_iterations=ITERATIONS,
    )


def against_gcd(samples: int, size: int, clusters: int, goal: float) -> Arm:
    """Return the comparison with GCD's way, one restart, for a size that engine notes give."""

    def build(device: torch.device) -> Contestants:
        work = workload(samples, size, clusters, device)
        return {
            "gcd": lambda: gcd_way(work).labels.cpu().numpy(),
            "cilsim": lambda: our_way(work).labels.cpu().numpy(),
        }

    summary = f"semi-supervised k-means of {samples:,} x {size}, {clusters} clusters, one restart"
    goals = (Goal("cilsim", goal, goal),)
    return Arm(summary, "gcd", build, 1, "restart", goals, agreement=1.0)


def sklearn_way(work: Workload) -> float:
    """Return the inertia of scikit-learn's KMeans, k-means++ seeded."""
    from sklearn.cluster import KMeans

    rows = work.free.cpu().numpy()
    found = KMeans(work.clusters, n_init=RESTARTS, max_iter=ITERATIONS, tol=1e-4, random_state=0)
    return float(found.fit(rows).inertia_)


def faiss_way(work: Workload) -> float:
    """Return the inertia of faiss's Kmeans, which starts from random samples."""
    import faiss

    rows = work.free.cpu().numpy()
    found = faiss.Kmeans(
        rows.shape[1],
        work.clusters,
        niter=ITERATIONS,
        nredo=RESTARTS,
        seed=1,
        max_points_per_centroid=len(rows),
        gpu=work.free.is_cuda,
    )
    found.train(rows)
    distances, _ = found.index.search(rows, 1)
    return float(distances.sum())


def plain_way(work: Workload) -> float:
    """Return the inertia of the solver."""
    draws = torch.Generator().manual_seed(0)
    return kmeans(
        work.free, work.clusters, generator=draws, n_init=RESTARTS, max_iterations=ITERATIONS
    ).inertia


def plain_ways() -> dict[str, Callable[[Workload], float]]:
    """Return the contestants of plain k-means that are installed."""
    ways: dict[str, Callable[[Workload], float]] = {"sklearn": sklearn_way, "cilsim": plain_way}
    if find_spec("faiss"):
        ways["faiss"] = faiss_way
    return ways


def _plain_arm(samples: int, size: int, clusters: int) -> Arm:
    def build(device: torch.device) -> Contestants:
        work = workload(samples, size, clusters, device)

        def timed(way: Callable[[Workload], float]) -> Callable[[], Decisions | None]:
            def call() -> None:
                way(work)

            return call

        return {name: timed(way) for name, way in plain_ways().items()}

    summary = f"k-means of {samples:,} x {size}, {clusters} clusters, {RESTARTS} restarts"
    return Arm(summary, "sklearn", build, RESTARTS, "restart", (Goal("cilsim", 1.0, 10.0),))


KMEANS_GCD_50 = against_gcd(5_000, 64, 50, 31.0)
KMEANS_GCD_100 = against_gcd(10_000, 384, 100, 380.0)
KMEANS_PLAIN = _plain_arm(5_000, 128, 50)


def main() -> None:
    """Print the inertia that every contestant reaches."""
    for samples, size, clusters in ((5_000, 64, 50), (10_000, 384, 100)):
        work = workload(samples, size, clusters, torch.device("cpu"))
        theirs, ours = gcd_way(work), our_way(work)
        equal = float((theirs.labels == ours.labels).double().mean())
        above = ours.inertia / theirs.inertia - 1.0
        print(
            f"{samples:,} x {size}, {clusters} clusters: inertia {above:+.1e} relative to GCD's, "
            f"{equal:.2%} of labels equal, {ours.iterations} iterations"
        )
        for name, way in plain_ways().items():
            print(f"  {name}: inertia {way(work):.2f} of {RESTARTS} restarts")


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()

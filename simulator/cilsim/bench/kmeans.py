"""Semi-supervised k-means against the distance products that it cannot do without.

100 clusters, 50 of them labelled, of 768 features, 10 restarts of 100 iterations. `products` is one
matrix product of samples and centres per iteration and nothing else; `cilsim` is the whole
solver, first centres included; `sequential` runs restart after restart, as the released code of
GCD does, with the distances of `torch.cdist`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.bench.rounds import Arm, Contestants, Goal
from cilsim.solvers.centre_seeding import draw_centres
from cilsim.solvers.chunking import chunks, default_max_bytes
from cilsim.solvers.kmeans import semi_supervised_kmeans
from cilsim.solvers.point_rows import PointRows

CLUSTERS, LABELLED, SIZE, RESTARTS = 100, 50, 768, 10


@dataclass(frozen=True)
class Workload:
    """Overlapping classes on the sphere: free samples, and labelled ones a fifth as many."""

    free: Tensor
    labelled: Tensor
    class_ids: Tensor
    draws: Tensor


def workload(samples: int, device: torch.device) -> Workload:
    """Return `samples` free samples with uniforms for the first centres."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(CLUSTERS, SIZE, generator=generator)

    def features(labels: Tensor) -> Tensor:
        noise = 2.0 * torch.randn(len(labels), SIZE, generator=generator)
        return F.normalize(centres[labels] + noise).to(device)

    free = features(torch.randint(CLUSTERS, (samples,), generator=generator))
    class_ids = torch.arange(LABELLED).repeat_interleave(samples // 5 // LABELLED)
    draws = torch.rand(RESTARTS, CLUSTERS - LABELLED, generator=generator, dtype=torch.float64)
    return Workload(free, features(class_ids), class_ids.to(device), draws)


def products(work: Workload, iterations: int) -> None:
    """Multiply all samples by all centres of all restarts, once per iteration."""
    bound = default_max_bytes(work.free.device)
    centres_MD = work.free[torch.arange(RESTARTS * CLUSTERS) % len(work.free)]
    for _ in range(iterations):
        for part in chunks(len(work.free), 4 * len(centres_MD), bound):
            torch.mm(work.free[part], centres_MD.T)


def sequential(work: Workload, iterations: int) -> None:
    """Run the restarts one after the other."""
    rows = torch.cat([work.labelled, work.free])
    means = torch.zeros(LABELLED, SIZE, device=rows.device)
    means.index_add_(0, work.class_ids, work.labelled)
    means /= torch.bincount(work.class_ids).unsqueeze(1)
    free = PointRows(work.free)
    for draws in work.draws.to(rows.device):
        centres = draw_centres(free, means, draws.view(1, -1, 1))[0]
        for _ in range(iterations):
            nearest = torch.cdist(work.free, centres).argmin(1)
            labels = torch.cat([work.class_ids, nearest])
            sums = torch.zeros_like(centres).index_add_(0, labels, rows)
            centres = sums / torch.bincount(labels, minlength=CLUSTERS).clamp_min(1).unsqueeze(1)


def batched(work: Workload, iterations: int) -> None:
    """Run the solver; no restart stops early."""
    semi_supervised_kmeans(
        work.labelled,
        work.class_ids,
        work.free,
        CLUSTERS,
        uniform_draws=work.draws,
        max_iterations=iterations,
        tolerance=0.0,
    )


def arm(samples: int, iterations: int) -> Arm:
    """Return the comparison with bare products for `samples` free samples."""

    def build(device: torch.device) -> Contestants:
        work = workload(samples, device)
        return {
            "products": lambda: products(work, iterations),
            "cilsim": lambda: batched(work, iterations),
        }

    summary = (
        f"semi-supervised k-means of {samples:,} x {SIZE}, {CLUSTERS} clusters, {RESTARTS} "
        f"restarts, {iterations} iterations"
    )
    goals = (Goal("cilsim", 1 / 3, 1 / 3),)
    return Arm(summary, "products", build, RESTARTS * iterations, "iteration", goals)


def arm_against_restarts(samples: int, iterations: int) -> Arm:
    """Return the comparison with restarts one after the other."""

    def build(device: torch.device) -> Contestants:
        work = workload(samples, device)
        return {
            "sequential": lambda: sequential(work, iterations),
            "cilsim": lambda: batched(work, iterations),
        }

    summary = f"the same of {samples:,} x {SIZE}, {iterations} iterations, against single restarts"
    goals = (Goal("cilsim", 1.0, 10.0),)
    return Arm(summary, "sequential", build, RESTARTS * iterations, "iteration", goals)


KMEANS_5000, KMEANS_50000 = arm(5_000, 100), arm(50_000, 100)
KMEANS_RESTARTS = arm_against_restarts(5_000, 20)

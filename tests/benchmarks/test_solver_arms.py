"""The contestants of the solvers' arms do the same work; small sizes."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from benchmarks import kmeans_arm, mahalanobis_arm, ridge_arm

CPU = torch.device("cpu")


@pytest.mark.parametrize(("samples", "size", "clusters"), [(300, 8, 6), (500, 16, 10)])
def test_our_clusters_are_those_of_the_way_of_gcd(samples: int, size: int, clusters: int) -> None:
    work = kmeans_arm.workload(samples, size, clusters, CPU)
    theirs, ours = kmeans_arm.gcd_way(work), kmeans_arm.our_way(work)
    assert torch.equal(ours.labels, theirs.labels)
    assert ours.inertia == pytest.approx(theirs.inertia, rel=1e-5)


def test_plain_k_means_ends_near_the_inertia_of_scikit_learn() -> None:
    """Of ten restarts each, with draws of their own: within 2 %."""
    work = kmeans_arm.workload(400, 8, 6, CPU)
    sklearn = kmeans_arm.sklearn_way(work)
    assert kmeans_arm.plain_way(work) == pytest.approx(sklearn, rel=0.02)


def test_one_decomposition_decides_as_a_fit_per_penalty(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"CLASSES": 5, "SIZE": 8, "FEATURES": 40, "TRAIN": 80, "HELD_OUT": 30, "TESTS": 60}
    for name, value in sizes.items():
        monkeypatch.setattr(ridge_arm, name, value)
    work = ridge_arm.workload(CPU)
    np.testing.assert_array_equal(ridge_arm.our_way(work), ridge_arm.each_penalty_alone(work))


def test_batched_distances_decide_as_class_after_class(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"CLASSES": 6, "SIZE": 8, "EACH": 40, "TESTS": 100}.items():
        monkeypatch.setattr(mahalanobis_arm, name, value)
    work = mahalanobis_arm.workload(CPU)
    expected = mahalanobis_arm.class_by_class(work)
    np.testing.assert_array_equal(mahalanobis_arm.our_way(work), expected)

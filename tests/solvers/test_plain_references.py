"""The fast paths against the plainest code in float64 NumPy: loops over samples and classes."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from cilsim.solvers.covariance import class_covariances
from cilsim.solvers.kmeans import semi_supervised_kmeans
from cilsim.solvers.mahalanobis import class_distances
from cilsim.solvers.ridge import ridge_path

Floats = NDArray[np.float64]
SEEDS = st.integers(0, 2**31)


def squared(point: Floats, centre: Floats) -> float:
    return float(sum((a - b) ** 2 for a, b in zip(point, centre, strict=True)))


def plain_kmeans(
    labelled: Floats, ids: list[int], free: Floats, draws: Floats, iterations: int
) -> tuple[list[int], float]:
    """Vaze et al. 2022, sample by sample: labels of the best iteration, and its inertia."""
    classes = max(ids) + 1
    own = [
        [x for x, label in zip(labelled, ids, strict=True) if label == k] for k in range(classes)
    ]
    centres = [np.mean(rows, axis=0) for rows in own]
    for uniform in draws:
        nearest = np.array([min(squared(x, c) for c in centres) for x in free])
        shares = np.cumsum(nearest) / nearest.sum()
        centres.append(free[int(np.argmax(shares >= uniform))])
    best: tuple[list[int], float] = ([], np.inf)
    for _ in range(iterations):
        distances = [[squared(x, c) for c in centres] for x in free]
        labels = [int(np.argmin(row)) for row in distances]
        pinned = sum(squared(x, centres[k]) for x, k in zip(labelled, ids, strict=True))
        inertia = sum(min(row) for row in distances) + pinned
        if inertia < best[1]:
            best = labels, inertia
        members = [
            [*(own[k] if k < classes else []), *free[np.array(labels) == k]]
            for k in range(len(centres))
        ]
        centres = [np.mean(rows, axis=0) for rows in members]
    return best


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, bound=st.sampled_from([500, 1 << 27]))
def test_semi_supervised_k_means(seed: int, bound: int) -> None:
    """Equal labels, inertia to 1e-9, on float64 points; draws keep off the ends of shares."""
    drawn = np.random.default_rng(seed)
    centres = 6.0 * drawn.normal(size=(4, 3))
    free = centres[np.arange(24) % 4] + drawn.normal(size=(24, 3))
    labelled, ids = centres[[0, 0, 1, 1]] + drawn.normal(size=(4, 3)), [0, 0, 1, 1]
    draws = drawn.uniform(0.05, 0.95, size=(1, 2))
    labels, inertia = plain_kmeans(labelled, ids, free, draws[0], 6)
    found = semi_supervised_kmeans(
        torch.from_numpy(labelled), torch.tensor(ids), torch.from_numpy(free), 4,
        uniform_draws=torch.from_numpy(draws), max_iterations=6, tolerance=0.0, max_bytes=bound,
    )  # fmt: skip
    assert found.labels.tolist() == labels
    assert found.inertia == pytest.approx(inertia, rel=1e-9)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, samples=st.sampled_from([6, 30]), bound=st.sampled_from([200, 1 << 27]))
def test_ridge_of_many_penalties(seed: int, samples: int, bound: int) -> None:
    """Each penalty solved by itself, weights to 1e-8 of the largest, errors to 1e-9."""
    drawn = np.random.default_rng(seed)
    x, y = drawn.normal(size=(samples, 12)), drawn.normal(size=(samples, 2))
    held_x, held_y = drawn.normal(size=(9, 12)), drawn.normal(size=(9, 2))
    penalties = (1e-2, 1.0, 1e3)
    path = ridge_path(torch.from_numpy(x), torch.from_numpy(y), max_bytes=bound)
    errors = path.errors(
        torch.from_numpy(held_x), torch.from_numpy(held_y), penalties, max_bytes=bound
    )
    for penalty, error in zip(penalties, errors.tolist(), strict=True):
        plain = np.linalg.solve(x.T @ x + penalty * np.eye(12), x.T @ y)
        tolerance = 1e-8 * np.abs(plain).max()
        np.testing.assert_allclose(path.weights(penalty), plain, rtol=0, atol=tolerance)
        assert error == pytest.approx(float(((held_x @ plain - held_y) ** 2).mean()), rel=1e-9)


@settings(deadline=None, max_examples=15)
@given(seed=SEEDS, bound=st.sampled_from([100, 1 << 27]))
def test_covariances_and_distances_of_classes(seed: int, bound: int) -> None:
    """NumPy's covariance and a product per sample and class, to 1e-9."""
    drawn = np.random.default_rng(seed)
    labels = np.repeat([0, 1, 2], [7, 9, 12])
    x, tests = drawn.normal(size=(28, 4)), drawn.normal(size=(6, 4))
    found = torch.cat(
        list(
            class_covariances(
                torch.from_numpy(x), torch.from_numpy(labels), range(3), max_bytes=bound
            )
        )
    )
    plain = np.stack([np.cov(x[labels == k].T) for k in range(3)])
    np.testing.assert_allclose(found, plain, rtol=1e-9, atol=1e-12)
    means = np.stack([x[labels == k].mean(0) for k in range(3)])
    distances = [
        [float((t - means[k]) @ np.linalg.inv(plain[k]) @ (t - means[k])) for k in range(3)]
        for t in tests
    ]
    ours = class_distances(
        torch.from_numpy(tests), torch.from_numpy(means), torch.linalg.inv(found), max_bytes=bound
    )
    np.testing.assert_allclose(ours, distances, rtol=1e-9)

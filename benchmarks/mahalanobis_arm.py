"""A covariance per class and the distances by them, as FeCAM, against scikit-learn.

`EmpiricalCovariance` is fitted and asked class by class, its least distance decides;
`QuadraticDiscriminantAnalysis` adds log-determinants and priors, so that its decisions are its own;
`cilsim` takes classes in batches.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from cilsim.bench.rounds import Arm, Contestants, Decisions, Goal
from cilsim.prototypes.means import class_means
from cilsim.solvers.conditioning import inverse
from cilsim.solvers.covariance import class_covariances
from cilsim.solvers.mahalanobis import class_distances

CLASSES, SIZE, EACH, TESTS = 100, 128, 300, 5000


@dataclass(frozen=True)
class Workload:
    """Samples of classes that each have a spread of their own."""

    features: Tensor
    labels: Tensor
    tests: Tensor


def workload(device: torch.device) -> Workload:
    """Return overlapping classes."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(CLASSES, SIZE, generator=generator)
    spreads = torch.rand(CLASSES, SIZE, generator=generator) + 2.0

    def features(labels: Tensor) -> Tensor:
        noise = torch.randn(len(labels), SIZE, generator=generator)
        return (centres[labels] + spreads[labels] * noise).to(device)

    labels = torch.arange(CLASSES).repeat_interleave(EACH)
    tests = torch.randint(CLASSES, (TESTS,), generator=generator)
    return Workload(features(labels), labels.to(device), features(tests))


def our_way(work: Workload) -> Decisions:
    """Return the nearest class of every test."""
    means_KD = class_means(work.features, work.labels, range(CLASSES))
    parts = class_covariances(work.features, work.labels, range(CLASSES))
    precisions_KDD = torch.cat([inverse(part).float() for part in parts])
    decisions: Decisions = (
        class_distances(work.tests, means_KD, precisions_KDD).argmin(1).cpu().numpy()
    )
    return decisions


def class_by_class(work: Workload) -> Decisions:
    """Return the same with scikit-learn's EmpiricalCovariance, one object per class."""
    from sklearn.covariance import EmpiricalCovariance

    features, tests = work.features.cpu().numpy(), work.tests.cpu().numpy()
    labels = work.labels.cpu().numpy()
    fitted = [EmpiricalCovariance().fit(features[labels == label]) for label in range(CLASSES)]
    distances = np.stack([own.mahalanobis(tests) for own in fitted], axis=1)
    decisions: Decisions = distances.argmin(1)
    return decisions


def quadratic_discriminant(work: Workload) -> None:
    """Fit and ask scikit-learn's QuadraticDiscriminantAnalysis."""
    from sklearn.discriminant_analysis import QuadraticDiscriminantAnalysis

    features, labels = work.features.cpu().numpy(), work.labels.cpu().numpy()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        QuadraticDiscriminantAnalysis().fit(features, labels).predict(work.tests.cpu().numpy())


def _build(device: torch.device) -> Contestants:
    work = workload(device)
    return {
        "EmpiricalCov": lambda: class_by_class(work),
        "QDA": lambda: quadratic_discriminant(work),
        "cilsim": lambda: our_way(work),
    }


MAHALANOBIS = Arm(
    f"covariances of {CLASSES} classes of {EACH} x {SIZE}, distances of {TESTS:,} tests to all",
    "EmpiricalCov",
    _build,
    CLASSES,
    "class",
    (Goal("cilsim", 1.5, 10.0),),
    agreement=0.999,
)

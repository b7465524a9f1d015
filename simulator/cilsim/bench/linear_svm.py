"""FeTrIL's one-vs-rest linear SVM against scikit-learn's `LinearSVC` with the released settings.

100 classes of 512 features: 10 new ones, and 90 old ones made of pseudo-features. `sklearn` and
`dense` get the normalised rows as a matrix, `cilsim` gets what the strategy passes: the features
of the new classes and one translation per class.

`python -m benchmarks.svm_arm` compares objective and decisions instead of times.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.bench.rounds import Arm, Contestants, Goal
from cilsim.solvers.design_rows import DenseRows, ShiftedRows
from cilsim.solvers.linear_svm import fit_linear_svm

CLASSES, NEW, SIZE = 100, 10, 512


@dataclass(frozen=True)
class Workload:
    """The rows of one experience, in both forms, and rows to predict."""

    dense: Tensor
    shifted: ShiftedRows
    labels: Tensor
    tests: Tensor


def workload(each: int, device: torch.device) -> Workload:
    """Return `each` rows per class: overlapping classes, positive features, uneven spectrum."""
    generator = torch.Generator().manual_seed(0)
    centres = 0.6 * torch.randn(CLASSES, SIZE, generator=generator)
    spectrum = torch.linspace(0.0, -2.0, SIZE).exp()

    def features(labels: Tensor) -> Tensor:
        noise = 1.5 * spectrum * torch.randn(len(labels), SIZE, generator=generator)
        return F.relu(centres[labels] + noise)

    old = CLASSES - NEW
    means = torch.stack([features(torch.full((each,), label)).mean(0) for label in range(CLASSES)])
    new = features(torch.arange(old, CLASSES).repeat_interleave(each))
    means[old:] = new.view(NEW, each, SIZE).mean(1)
    source = torch.cat([torch.cdist(means[:old], means[old:]).argmin(1), torch.arange(NEW)])
    labels = torch.arange(CLASSES).repeat_interleave(each)
    samples = (source * each).repeat_interleave(each) + torch.arange(each).repeat(CLASSES)
    centred = new - means[old:].repeat_interleave(each, 0)
    shifted = ShiftedRows(
        *(part.to(device) for part in (centred, samples, means, labels)), normalise=True
    )
    dense = F.normalize(centred[samples] + means[labels]).to(device)
    tests = F.normalize(features(torch.arange(CLASSES).repeat(50)))
    return Workload(dense, shifted, labels.to(device), tests.to(device))


def released(rows: Any, labels: Any) -> Any:
    """Return scikit-learn's classifier with the settings of FeTrIL's script."""
    from sklearn.svm import LinearSVC

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return LinearSVC(dual=False, C=1.0, tol=1e-4).fit(rows, labels)


def arm(each: int) -> Arm:
    """Return the comparison for `each` rows per class."""

    def build(device: torch.device) -> Contestants:
        work = workload(each, device)
        rows, labels = work.dense.cpu().numpy(), work.labels.cpu().numpy()

        def sklearn() -> None:
            released(rows, labels)

        def dense() -> None:
            fit_linear_svm(DenseRows(work.dense), work.labels, CLASSES)

        def shifted() -> None:
            fit_linear_svm(work.shifted, work.labels, CLASSES)

        return {"sklearn": sklearn, "dense": dense, "cilsim": shifted}

    count = CLASSES * each
    summary = f"one-vs-rest linear SVM of {CLASSES} classes on {count:,} x {SIZE} pseudo-features"
    goals = (Goal("dense", 5.0, 20.0), Goal("cilsim", 5.0, 20.0))
    return Arm(summary, "sklearn", build, CLASSES, "class", goals)


SVM_5000, SVM_20000, SVM_50000 = arm(50), arm(200), arm(500)

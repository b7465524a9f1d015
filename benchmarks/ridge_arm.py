"""Ridge regression with 17 penalties, the best chosen on held-out samples, against scikit-learn.

800 random features, 100 classes, as RanPAC has them. `Ridge` fits every penalty by itself;
`RidgeCV` has one decomposition for all, and chooses by leave-one-out on the same training samples,
so that its choice may differ; `cilsim` has one eigendecomposition and chooses on the held-out ones.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from cilsim.bench.rounds import Arm, Contestants, Decisions, Goal
from cilsim.solvers.ridge import PENALTIES, best_penalty, ridge_path

CLASSES, SIZE, FEATURES = 100, 256, 800
TRAIN, HELD_OUT, TESTS = 2000, 500, 2000


@dataclass(frozen=True)
class Workload:
    """Random ReLU features and class indicators of three parts."""

    train: tuple[Tensor, Tensor]
    held_out: tuple[Tensor, Tensor]
    tests: Tensor


def workload(device: torch.device) -> Workload:
    """Return overlapping classes behind a random projection."""
    generator = torch.Generator().manual_seed(0)
    centres = torch.randn(CLASSES, SIZE, generator=generator)
    projection = torch.randn(SIZE, FEATURES, generator=generator) / SIZE**0.5

    def part(samples: int) -> tuple[Tensor, Tensor]:
        labels = torch.randint(CLASSES, (samples,), generator=generator)
        noise = 2.0 * torch.randn(samples, SIZE, generator=generator)
        features = F.relu((centres[labels] + noise) @ projection)
        return features.double().to(device), F.one_hot(labels, CLASSES).double().to(device)

    return Workload(part(TRAIN), part(HELD_OUT), part(TESTS)[0])


def our_way(work: Workload) -> Decisions:
    """Return the decisions on the tests with the penalty of the least held-out error."""
    path = ridge_path(*work.train)
    penalty = best_penalty(path.errors(*work.held_out))
    decisions: Decisions = (work.tests @ path.weights(penalty)).argmax(1).cpu().numpy()
    return decisions


def each_penalty_alone(work: Workload) -> Decisions:
    """Return the same with scikit-learn's Ridge, fitted once per penalty."""
    from sklearn.linear_model import Ridge

    (rows, targets), (held_rows, held_targets) = _on_host(work.train), _on_host(work.held_out)
    best, least = None, float("inf")
    for penalty in PENALTIES:
        model = Ridge(penalty, fit_intercept=False, solver="cholesky").fit(rows, targets)
        error = float(((model.predict(held_rows) - held_targets) ** 2).mean())
        if error <= least:
            best, least = model, error
    assert best is not None  # there are penalties
    decisions: Decisions = best.predict(work.tests.cpu().numpy()).argmax(1)
    return decisions


def leave_one_out(work: Workload) -> None:
    """Fit scikit-learn's RidgeCV over the same penalties."""
    from sklearn.linear_model import RidgeCV

    rows, targets = _on_host(work.train)
    RidgeCV(PENALTIES, fit_intercept=False).fit(rows, targets).predict(work.tests.cpu().numpy())


def _on_host(part: tuple[Tensor, Tensor]) -> tuple[Decisions, Decisions]:
    return part[0].cpu().numpy(), part[1].cpu().numpy()


def _build(device: torch.device) -> Contestants:
    work = workload(device)
    return {
        "Ridge": lambda: each_penalty_alone(work),
        "RidgeCV": lambda: leave_one_out(work),
        "cilsim": lambda: our_way(work),
    }


RIDGE_PATH = Arm(
    f"ridge regression of {TRAIN:,} x {FEATURES:,}, {CLASSES} classes, {len(PENALTIES)} penalties",
    "Ridge",
    _build,
    len(PENALTIES),
    "penalty",
    (Goal("cilsim", 2.0, 10.0),),
    agreement=0.999,
)

"""Objective and decisions of FeTrIL's SVM against scikit-learn's: `python -m benchmarks.svm_arm`.

Times are compared by the arms of `cilsim.bench.linear_svm`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from cilsim.bench.linear_svm import CLASSES, Workload, released, workload
from cilsim.solvers.linear_svm import fit_linear_svm


def agreement(each: int) -> str:
    """Return how objective and decisions compare with scikit-learn's."""
    work = workload(each, torch.device("cpu"))
    ours = fit_linear_svm(work.shifted, work.labels, CLASSES)
    theirs = released(work.dense.numpy(), work.labels.numpy())
    weight, bias = torch.tensor(theirs.coef_), torch.tensor(theirs.intercept_)
    losses = [_objective(work, ours.weight, ours.bias), _objective(work, weight, bias)]
    equal = (ours.scores(work.tests).argmax(1).numpy() == theirs.predict(work.tests)).mean()
    return (
        f"{CLASSES * each:,} rows: objective {losses[0] / losses[1] - 1.0:+.1e} relative to "
        f"sklearn's, {equal:.2%} of {len(work.tests)} decisions equal, {ours.iterations} steps"
    )


def _objective(work: Workload, weight: Tensor, bias: Tensor) -> float:
    weight, bias = weight.double(), bias.double()
    signs = torch.where(work.labels.unsqueeze(1) == torch.arange(CLASSES), 1.0, -1.0)
    margins = 1.0 - signs * (work.dense.double() @ weight.T + bias)
    loss = margins.clamp_min_(0.0).square_().sum()
    return float(0.5 * (weight.square().sum() + bias.square().sum()) + loss)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for rows_per_class in (50, 200):
        print(agreement(rows_per_class))

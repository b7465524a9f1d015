"""One-vs-rest linear support vector machines: all classes at once, at liblinear's optimum.

Each class k has weights w and bias b of its own, with y = 1 on its rows and -1 on all others:

    minimise  0.5 (|w|^2 + b^2) + C sum_n max(0, 1 - y_n (w.x_n + b))^2

which is scikit-learn's `LinearSVC` (squared hinge, `intercept_scaling=1`): the bias is
regularised. Solved by Newton steps whose systems conjugate gradients solve (Lin, Weng and Keerthi
2008); one step is a few products of the rows with one column per class, whatever the rows are.

Axis letters: N rows, D features, P = D + 1 parameters with the bias last, K classes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.solvers.chunking import bound_for, chunks
from cilsim.solvers.design_rows import Rows
from cilsim.solvers.svm_newton import minimise


@dataclass(frozen=True)
class LinearSvm:
    """A fitted classifier.

    Attributes:
        weight: (K, D).
        bias: (K,).
        gradient: (K,) the norm of each class's gradient relative to that at zero weights.
        iterations: Newton steps of the class that needed most.
    """

    weight: Tensor
    bias: Tensor
    gradient: Tensor
    iterations: int

    def scores(self, features_BD: Tensor) -> Tensor:
        """Return (B, K) decision values; the largest is the prediction."""
        with torch.autocast(features_BD.device.type, enabled=False):
            return torch.addmm(self.bias, features_BD.to(self.weight.dtype), self.weight.T)


def fit_linear_svm(
    rows: Rows,
    labels_N: Tensor,
    classes: int,
    *,
    c: float = 1.0,
    tolerance: float = 1e-6,
    max_iterations: int = 100,
    max_bytes: int | None = None,
) -> LinearSvm:
    """Return the one-vs-rest SVM of `classes` classes.

    Draws nothing: equal input gives equal bits on the same device and number of threads. Classes
    are solved side by side, as many at a time as the memory bound allows.

    Args:
        rows: (N, D) training rows, a matrix (`DenseRows`) or something that multiplies like one.
        labels_N: (N,) int64 labels from 0 to classes - 1.
        classes: K; each needs at least one row.
        c: weight of the loss against the regulariser, `C` of scikit-learn.
        tolerance: a class is done when its gradient has fallen to this share of the one at zero
            weights. liblinear's `tol` is multiplied by the share of the rarer side first: its
            1e-4 means 1e-6 here for 100 classes of equal size.
        max_iterations: most Newton steps; see `LinearSvm.gradient` for where they led.
        max_bytes: bound on the largest intermediate tensor; by default the device's.

    Raises:
        ValueError: labels do not fit, a class has no row, rows are not finite, or a number is
            out of range.
    """
    _check(rows, labels_N, classes, c, tolerance)
    bound = bound_for(max_bytes, labels_N.device)
    bytes_per_class = rows.like.itemsize * max(rows.shape)
    class_K = torch.arange(classes, device=labels_N.device)
    with torch.no_grad(), torch.autocast(labels_N.device.type, enabled=False):
        minima = [
            minimise(rows, labels_N.unsqueeze(1) == class_K[part], c, tolerance, max_iterations)
            for part in chunks(classes, bytes_per_class, bound)
        ]
    gradient_K = torch.cat([minimum.gradient for minimum in minima])
    if not bool(torch.isfinite(gradient_K).all()):
        raise ValueError("rows hold NaN or infinity; expected finite numbers")
    found_PK = torch.cat([minimum.parameters for minimum in minima], dim=1)
    return LinearSvm(
        weight=found_PK[:-1].T.contiguous(),
        bias=found_PK[-1].clone(),
        gradient=gradient_K,
        iterations=max(minimum.iterations for minimum in minima),
    )


def _check(rows: Rows, labels_N: Tensor, classes: int, c: float, tolerance: float) -> None:
    count, _ = rows.shape
    if labels_N.shape != (count,) or count == 0:
        raise ValueError(
            f"{count} rows and labels of shape {tuple(labels_N.shape)}; "
            "expected one label per row, and at least one row"
        )
    if not (c > 0.0 and tolerance > 0.0):
        raise ValueError(f"c={c} and tolerance={tolerance}; expected positive numbers")
    low, high = int(labels_N.min()), int(labels_N.max())
    if low < 0 or high >= classes:
        raise ValueError(f"labels from {low} to {high}; expected them within 0 to {classes - 1}")
    empty_K = torch.bincount(labels_N, minlength=classes) == 0
    if bool(empty_K.any()):
        raise ValueError(f"class {int(empty_K.int().argmax())} has no rows; expected at least one")

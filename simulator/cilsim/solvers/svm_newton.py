"""The minimiser behind `linear_svm`: truncated Newton for many classes that share their rows.

Axis letters: N rows, P parameters with the bias last, K classes that are still open.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from cilsim.solvers.design_rows import Rows

FORCING = 0.1
"""A Newton system is solved until its residual is this share of the gradient, as in liblinear.
Measured on 5,000 and 20,000 rows of 512: 0.5 and 0.02 both take 10 to 30 % longer."""
EARLY_FORCING, EARLY_STEPS = 0.8, 6
"""The same for the first steps, which only find out which rows lie within the margin: 20 % less."""
CROWD = 0.75
"""Solved systems leave the products when no more than this share of them is still open."""
MOST_CG_STEPS = 500
MOST_SEARCH_STEPS = 40
ENOUGH = 0.5
"""A step is taken when the slope along it has fallen to this share of the slope at its start."""


@dataclass(frozen=True)
class Minimum:
    """Where the minimisation ended.

    Attributes:
        parameters: (P, K).
        gradient: (K,) norm of the gradient relative to that at zero parameters.
        iterations: Newton steps.
    """

    parameters: Tensor
    gradient: Tensor
    iterations: int


def minimise(rows: Rows, own_NK: Tensor, c: float, tolerance: float, limit: int) -> Minimum:
    """Return the minimum of each class's squared hinge loss with a regularised bias.

    Classes that are done leave the products.

    Args:
        rows: (N, D).
        own_NK: (N, K) bool, whether a row belongs to the class.
        c: weight of the loss.
        tolerance: gradient, relative to that at zero, at which a class is done.
        limit: most Newton steps.
    """
    found_PK = rows.like.new_zeros(rows.shape[1] + 1, own_NK.shape[1])
    first_K = ratio_K = found_PK.new_zeros(own_NK.shape[1])
    problem = Problem(rows, own_NK.to(found_PK.dtype).mul_(2.0).sub_(1.0), c)
    open_K = torch.arange(own_NK.shape[1], device=own_NK.device)
    for iteration in range(limit + 1):
        margin_NK = problem.margins(found_PK[:, open_K])
        gradient_PK = problem.gradient(found_PK[:, open_K], margin_NK)
        norm_K = torch.linalg.vector_norm(gradient_PK, dim=0)
        if iteration == 0:
            first_K, ratio_K = norm_K, torch.where(norm_K == 0.0, 0.0, norm_K / norm_K)
        else:
            ratio_K[open_K] = norm_K / first_K[open_K]
        going = torch.nonzero(ratio_K[open_K] > tolerance).squeeze(1)  # waits for the device
        if not len(going) or iteration == limit:
            break
        if len(going) < len(open_K):
            open_K, problem = open_K[going], problem.only(going)
            margin_NK, gradient_PK = margin_NK[:, going], gradient_PK[:, going]
        found_PK[:, open_K] += problem.step(
            found_PK[:, open_K],
            margin_NK,
            gradient_PK,
            EARLY_FORCING if iteration < EARLY_STEPS else FORCING,
        )
    return Minimum(found_PK, ratio_K, iteration)


class Problem:
    """The losses of K classes over the same rows.

    With margin m = 1 - y (w.x + b), gradient w - 2C X.T (y max(m, 0)), generalised Hessian
    I + 2C X.T diag(m > 0) X.
    """

    def __init__(self, rows: Rows, signs_NK: Tensor, c: float) -> None:
        self._rows = rows
        self._signs_NK = signs_NK
        self._c = c

    def only(self, classes_K: Tensor) -> Problem:
        """Return the problem of some of the classes."""
        return Problem(self._rows, self._signs_NK[:, classes_K], self._c)

    def margins(self, parameters_PK: Tensor) -> Tensor:
        """Return (N, K) how far each row is from its side of the margin; negative is beyond."""
        return self._scores(parameters_PK).mul_(self._signs_NK).neg_().add_(1.0)

    def gradient(self, parameters_PK: Tensor, margin_NK: Tensor) -> Tensor:
        """Return (P, K) the gradients."""
        pull_NK = margin_NK.clamp_min(0.0).mul_(self._signs_NK)
        return parameters_PK - 2.0 * self._c * self._transposed(pull_NK)

    def step(
        self, parameters_PK: Tensor, margin_NK: Tensor, gradient_PK: Tensor, forcing: float
    ) -> Tensor:
        """Return (P, K) what to add to the parameters: a Newton direction times its length."""
        active_NK = (margin_NK > 0.0).to(margin_NK.dtype)
        direction_PK = self._direction(gradient_PK, active_NK, forcing)
        gain_NK = self._scores(direction_PK).mul_(self._signs_NK)
        along_K = (parameters_PK * direction_PK).sum(0)
        square_K = direction_PK.square().sum(0)

        def slope(length_K: Tensor) -> Tensor:
            loss_NK = torch.addcmul(margin_NK, gain_NK, length_K, value=-1.0).clamp_min_(0.0)
            pull_K = loss_NK.mul_(gain_NK).sum(0)
            return along_K + length_K * square_K - 2.0 * self._c * pull_K

        start_K = (gradient_PK * direction_PK).sum(0)
        return direction_PK * _length(slope, start_K)

    def _direction(self, gradient_PK: Tensor, active_NK: Tensor, forcing: float) -> Tensor:
        """Return (P, K) the solution of Hessian @ direction = -gradient, by conjugate gradients.

        Systems that are solved stand still, and leave the products when there are enough of them.
        """
        found_PK = torch.zeros_like(gradient_PK)
        open_K = torch.arange(gradient_PK.shape[1], device=gradient_PK.device)
        direction_PK, residual_PK = torch.zeros_like(gradient_PK), -gradient_PK
        search_PK = residual_PK.clone()
        square_K = residual_PK.square().sum(0)
        enough_K = square_K * forcing**2
        for _ in range(MOST_CG_STEPS):
            going_K = square_K > enough_K
            count = int(going_K.sum())  # waits for the device
            if count == 0:
                break
            if count <= CROWD * len(open_K):
                found_PK[:, open_K] = direction_PK
                keep = torch.nonzero(going_K).squeeze(1)
                open_K, square_K, enough_K = open_K[keep], square_K[keep], enough_K[keep]
                direction_PK, residual_PK = direction_PK[:, keep], residual_PK[:, keep]
                search_PK, active_NK = search_PK[:, keep], active_NK[:, keep]
                going_K = going_K[keep]
            bent_PK = self._hessian_times(search_PK, active_NK)
            length_K = torch.where(going_K, square_K / (search_PK * bent_PK).sum(0), 0.0)
            direction_PK += length_K * search_PK
            residual_PK -= length_K * bent_PK
            next_K = torch.where(going_K, residual_PK.square().sum(0), square_K)
            search_PK = residual_PK + (next_K / square_K) * search_PK
            square_K = next_K
        found_PK[:, open_K] = direction_PK
        return found_PK

    def _hessian_times(self, search_PK: Tensor, active_NK: Tensor) -> Tensor:
        bent_NK = self._scores(search_PK).mul_(active_NK)
        return search_PK + 2.0 * self._c * self._transposed(bent_NK)

    def _scores(self, parameters_PK: Tensor) -> Tensor:
        return self._rows.times(parameters_PK[:-1]).add_(parameters_PK[-1])

    def _transposed(self, values_NK: Tensor) -> Tensor:
        products_DK = self._rows.transposed_times(values_NK)
        return torch.cat([products_DK, values_NK.sum(0, keepdim=True)])


def _length(slope: Callable[[Tensor], Tensor], start_K: Tensor) -> Tensor:
    """Return (K,) step lengths at which the slope is small beside `start_K`, its value at 0.

    The loss along a direction is convex: a negative slope asks for more, a positive one for less.
    The full step is tried first, and nearly always taken.
    """
    length_K = torch.ones_like(start_K)
    low_K, high_K = torch.zeros_like(start_K), torch.full_like(start_K, torch.inf)
    for _ in range(MOST_SEARCH_STEPS):
        slope_K = slope(length_K)
        off_K = slope_K.abs() > ENOUGH * start_K.abs()
        if not bool(off_K.any()):
            break
        low_K = torch.where(slope_K < 0.0, length_K, low_K)
        high_K = torch.where(slope_K > 0.0, length_K, high_K)
        next_K = torch.where(high_K.isinf(), 2.0 * length_K, 0.5 * (low_K + high_K))
        length_K = torch.where(off_K, next_K, length_K)
    return length_K

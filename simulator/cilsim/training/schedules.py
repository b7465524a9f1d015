"""The learning rate as a pure function of the position in a training."""

from __future__ import annotations

import math

from cilsim.scenario.recipe import Recipe

RISE = 0.25
"""Part of a one-cycle training in which the learning rate rises."""


def learning_rate(recipe: Recipe, epoch: int, step_in_epoch: int, steps_per_epoch: int) -> float:
    """Return the learning rate of one optimiser step; all positions count from 0.

    With k the index of the epoch (or of the step, if `schedule_interval` is `step`), n their
    number, and w of them warming up:

    - warm-up, k < w: lr (k + 1) / (w + 1), the line from 0 without its first point;
    - cosine: e + (lr - e) (1 + cos(pi (k - w) / (n - w))) / 2 with e = lr `final_lr` (Loshchilov
      and Hutter 2017, equation 5);
    - step: lr gamma^m, with m the number of milestones up to and including the current epoch;
    - one_cycle: at f = (k - w + 1) / (n - w + 1), lr f / 0.25 up to a quarter and
      lr (1 - f) / 0.75 after it; the two ends, where it is 0, are left out;
    - constant: lr.
    """
    unit = 1 if recipe.schedule_interval == "epoch" else steps_per_epoch
    k = epoch if recipe.schedule_interval == "epoch" else epoch * unit + step_in_epoch
    n, w = recipe.epochs * unit, recipe.warmup_epochs * unit
    if k < w:
        return recipe.lr * (k + 1) / (w + 1)
    if recipe.schedule == "cosine":
        end = recipe.lr * recipe.final_lr
        return end + 0.5 * (recipe.lr - end) * (1.0 + math.cos(math.pi * (k - w) / (n - w)))
    if recipe.schedule == "step":
        return recipe.lr * recipe.gamma ** sum(m <= epoch for m in recipe.milestones)
    if recipe.schedule == "one_cycle":
        return recipe.lr * _triangle((k - w + 1) / (n - w + 1))
    return recipe.lr


def _triangle(fraction: float) -> float:
    return fraction / RISE if fraction < RISE else (1.0 - fraction) / (1.0 - RISE)

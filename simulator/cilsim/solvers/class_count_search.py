"""Searches for the number of classes with the best score.

Scores are noisy, so none of these finds the best number for certain; each says which ones it
looked at. A score is computed once per number.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

Score = Callable[[int], float]

_PER_ROUND = 12
"""Numbers that `zoom` looks at before it narrows the range."""


class Memo:
    """A score that is computed once per number.

    Attributes:
        values: what was computed, by number of classes.
    """

    def __init__(self, score: Score) -> None:
        self._score = score
        self.values: dict[int, float] = {}

    def __call__(self, classes: int) -> float:
        """Return the score of a number of classes."""
        if classes not in self.values:
            self.values[classes] = self._score(classes)
        return self.values[classes]

    def best_of(self, numbers: Sequence[int]) -> int:
        """Return the number with the highest score, the smallest on ties."""
        return max(sorted(set(numbers)), key=self)


def bounded(score: Memo, at_least: int, at_most: int) -> int:
    """Return what SciPy's bounded scalar minimisation of the negated score ends at.

    Vaze et al. 2022 (GCD), who call it Brent's method: golden sections and parabolas on real
    numbers, which the score truncates. `at_most` itself is never reached.
    """
    from scipy.optimize import minimize_scalar

    if at_most - at_least < 2:
        return score.best_of(range(at_least, at_most + 1))
    found = minimize_scalar(lambda x: -score(int(x)), bounds=(at_least, at_most), method="bounded")
    return int(found.x)


def bisection(score: Memo, at_least: int, at_most: int) -> int:
    """Return the best of the three points that halving the range ends with.

    The other search of the released GCD code: the midpoint replaces the worse end, the upper one
    on ties, as many times as the range has binary digits.
    """
    low, high = at_least, at_most
    middle = (low + high) // 2
    for _ in range(int(np.log2(max(high - low, 1)))):
        if score(high) > score(low):
            low = middle
        else:
            high = middle
        middle = (low + high) // 2
    return score.best_of((low, middle, high))


def zoom(score: Memo, at_least: int, at_most: int) -> int:
    """Return the best of all numbers looked at: evenly in the logarithm, then around the best.

    Up to a dozen numbers are all looked at.
    """
    low, high = at_least, at_most
    while True:
        spaced = np.rint(np.geomspace(low, high, _PER_ROUND)).astype(int).tolist()
        score.best_of(range(low, high + 1) if high - low < _PER_ROUND else spaced)
        best = score.best_of(list(score.values))
        below = max((number for number in score.values if number < best), default=best)
        above = min((number for number in score.values if number > best), default=best)
        if above - best <= 1 and best - below <= 1:
            return best
        low, high = max(below, at_least), min(above, at_most)

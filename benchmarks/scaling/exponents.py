"""How fast a figure grows: the slope of its logarithm over that of the axis."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np


def exponent(figures: Mapping[int, float], last: int = 3) -> float:
    """Return p of the least-squares fit of figure = c axis^p over the `last` largest points.

    Small points hold what every run costs, which hides how the rest grows.

    Raises:
        ValueError: there are fewer than two points, or a figure is not positive.
    """
    points = sorted(figures.items())[-last:]
    if len(points) < 2 or min(value for _, value in points) <= 0.0:
        raise ValueError(f"{len(points)} points {points}; expected at least 2 of positive figures")
    x, y = np.log(np.array(points, dtype=np.float64)).T
    return float(np.polyfit(x, y, 1)[0])

"""How strategies learn how many classes there are to discover: told, told too many, or not told."""

from __future__ import annotations

import math
from typing import Annotated, Literal

from pydantic import Field

from cilsim.options import Options

Method = Literal["published", "bisection", "silhouette", "agreement"]
"""Names of the estimators in `cilsim.solvers.class_count`."""


class OverCount(Options):
    """Strategies are told too many novel classes, as when nobody knows better."""

    over: Annotated[float, Field(ge=1.0, le=100.0)]
    """Factor on the true number of novel classes, rounded up."""


class EstimatedCount(Options):
    """Strategies are told nothing; the number is estimated from features."""

    estimate: Method = "published"
    """Which estimator."""
    at_most: Annotated[int, Field(ge=1, le=10_000)] = 200
    """Largest number of novel classes of one stage that is considered."""


ClassCount = Literal["given", "estimate"] | OverCount | EstimatedCount
"""What a scenario may say under `number_of_classes`."""


def told(rule: ClassCount, novel: int) -> int | None:
    """Return how many novel classes a strategy is told, or None if it must estimate.

    Args:
        rule: what the scenario says.
        novel: how many there are.
    """
    if rule == "given":
        return novel
    if isinstance(rule, OverCount):
        return math.ceil(rule.over * novel)
    return None


def estimation(rule: ClassCount) -> EstimatedCount:
    """Return how the number is estimated where it is not told."""
    return rule if isinstance(rule, EstimatedCount) else EstimatedCount()


def most_outputs(rule: ClassCount, novel: int) -> int:
    """Return the largest number of novel classes that a strategy may make of a stage."""
    number = told(rule, novel)
    if number is None:
        return estimation(rule).at_most if novel else 0
    return number


def spelled(rule: ClassCount) -> str:
    """Return the rule in a few words, for reports: `given`, `estimate (published)`, `over 1.5`."""
    if rule == "given":
        return "given"
    if isinstance(rule, OverCount):
        return f"over {rule.over:g}"
    return f"estimate ({estimation(rule).estimate})"

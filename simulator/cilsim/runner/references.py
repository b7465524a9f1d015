"""Measures that need another run of the same scenario as reference."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import replace

from cilsim.metrics.forgetting import intransigence
from cilsim.records import Evaluation, RunResult

REFERENCE = "joint"
"""The strategy that bounds what can be learnt."""


def with_references(results: Sequence[RunResult], names: dict[str, str]) -> list[RunResult]:
    """Return the results with `intransigence` where a joint run has the same seed.

    Args:
        results: finished runs of one scenario.
        names: strategy name by label.
    """
    joint = {
        result.run.seed: result for result in results if names[result.run.strategy] == REFERENCE
    }
    return [
        _compared(result, joint[result.run.seed])
        if result.run.seed in joint and result is not joint[result.run.seed]
        else result
        for result in results
    ]


def _compared(result: RunResult, reference: RunResult) -> RunResult:
    pairs = zip(result.evaluations, reference.evaluations, strict=True)
    return replace(result, evaluations=tuple(_with_value(own, other) for own, other in pairs))


def _with_value(own: Evaluation, reference: Evaluation) -> Evaluation:
    at = (own.experience, own.experience)
    value = intransigence(float(reference.accuracy_matrix[at]), float(own.accuracy_matrix[at]))
    if math.isnan(value):  # a fixed test set belongs to no later experience
        return own
    return own.with_values({**own.values, "intransigence": value})

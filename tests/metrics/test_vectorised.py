"""Metrics of a million predictions cost no more calls than those of a thousand."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from cilsim.metrics.accuracy import accuracy_matrix_row, confusion
from cilsim.metrics.evaluate import recompute
from cilsim.metrics.experience_values import accuracy_values, clustering_values
from cilsim.metrics.named import experience_of_sample, named_predictions
from cilsim.records import Predictions, StreamInfo

CLASSES, EXPERIENCES = 500, 10
PER_EXPERIENCE = CLASSES // EXPERIENCES
FEW = 1.02
"""NumPy takes other paths for longer arrays: a handful of calls more or fewer."""


def calls_of(work: Callable[[], Any]) -> int:
    """Returns how many Python and C functions are called, imports left out."""
    work()
    counts: Counter[str] = Counter()
    sys.setprofile(lambda frame, event, argument: counts.update((event,)))
    try:
        work()
    finally:
        sys.setprofile(None)
    return counts["call"] + counts["c_call"]


def last_predictions(samples: int) -> Predictions:
    """Predictions after the last experience for so many test samples, of which 7 in 10 right."""
    generator = np.random.default_rng(0)
    label = np.repeat(np.arange(CLASSES), samples // CLASSES)
    guess = generator.integers(0, CLASSES, samples)
    predicted = np.where(generator.random(samples) < 0.7, label, guess)
    return Predictions(EXPERIENCES - 1, np.arange(samples), label, predicted)


@pytest.mark.parametrize("discovery", [False, True], ids=["labels", "clusters"])
def test_evaluation_calls_no_function_per_sample(
    stream: Callable[..., StreamInfo], discovery: bool
) -> None:
    hidden = (0, *[5] * (EXPERIENCES - 1)) if discovery else None
    calls = {}
    for samples in (10_000, 1_000_000):
        tests = (samples // EXPERIENCES,) * EXPERIENCES
        facts = stream((PER_EXPERIENCE,) * EXPERIENCES, tests, hidden)
        last = last_predictions(samples)
        calls[samples] = calls_of(
            lambda last=last, facts=facts: [
                *accuracy_values(
                    last.label, named_predictions(last, facts), facts, EXPERIENCES - 1
                ),
                *clustering_values(last),
                accuracy_matrix_row(
                    last.label, last.predicted, experience_of_sample(last, facts), EXPERIENCES
                ),
                confusion(last.label, last.predicted, CLASSES),
            ]
        )
    assert calls[1_000_000] <= FEW * calls[10_000]
    assert calls[1_000_000] < 6 * CLASSES


def test_a_course_of_evaluations_costs_the_same_whatever_the_number_of_samples(
    stream: Callable[..., StreamInfo],
) -> None:
    calls = {}
    for samples in (50, 5_000):  # of each experience
        facts = stream((PER_EXPERIENCE,) * EXPERIENCES, (samples,) * EXPERIENCES)
        history = [
            Predictions(after, np.arange(len(label)), label, label[::-1].copy())
            for after in range(EXPERIENCES)
            for label in [np.arange((after + 1) * samples) % ((after + 1) * PER_EXPERIENCE)]
        ]
        calls[samples] = calls_of(lambda given=(history, facts): recompute(*given))
    assert calls[5_000] <= FEW * calls[50]

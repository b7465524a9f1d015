from __future__ import annotations

import pytest

from cilsim.scenario.class_count import (
    ClassCount,
    EstimatedCount,
    OverCount,
    estimation,
    most_outputs,
    spelled,
    told,
)

ESTIMATED = EstimatedCount(estimate="silhouette", at_most=30)


@pytest.mark.parametrize(
    ("rule", "number"),
    [("given", 10), (OverCount(over=1.25), 13), ("estimate", None), (ESTIMATED, None)],
)
def test_what_a_strategy_is_told(rule: ClassCount, number: int | None) -> None:
    assert told(rule, 10) == number


@pytest.mark.parametrize(
    ("rule", "number"),
    [("given", 10), (OverCount(over=2.0), 20), ("estimate", 200), (ESTIMATED, 30)],
)
def test_the_most_classes_that_it_may_make(rule: ClassCount, number: int) -> None:
    assert most_outputs(rule, 10) == number


def test_nothing_to_discover_needs_no_room() -> None:
    assert most_outputs("estimate", 0) == 0


@pytest.mark.parametrize(
    ("rule", "text"),
    [
        ("given", "given"),
        (OverCount(over=1.5), "over 1.5"),
        ("estimate", "estimate (published)"),
        (ESTIMATED, "estimate (silhouette)"),
    ],
)
def test_rules_are_spelled_for_reports(rule: ClassCount, text: str) -> None:
    assert spelled(rule) == text


def test_a_bare_estimate_takes_the_defaults() -> None:
    assert estimation("estimate") == EstimatedCount(estimate="published", at_most=200)
    assert estimation(ESTIMATED) is ESTIMATED

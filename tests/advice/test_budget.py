"""A budget is parsed, and ends what runs."""

from __future__ import annotations

import threading

import pytest

from cilsim.advice.budget import Budget, parse_budget


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90.0), ("30m", 1800.0), ("1.5h", 5400.0), ("2 h", 7200.0)]
)
def test_times_are_seconds(text: str, seconds: float) -> None:
    assert parse_budget(text) == seconds


@pytest.mark.parametrize("text", ["", "30", "0s", "ten minutes", "-1m"])
def test_what_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError) as caught:  # noqa: PT011
        parse_budget(text)
    assert str(caught.value) == (f"found '{text}', expected a time such as '90s', '30m' or '1.5h'")


def test_what_outlasts_the_budget_is_asked_to_stop() -> None:
    budget, asked = Budget(0.01), threading.Event()
    with budget.stopping(asked.set):
        assert asked.wait(5.0)
    assert (budget.spent, budget.left) == (True, 0.0)


def test_what_ends_in_time_is_left_alone() -> None:
    budget, asked = Budget(60.0), threading.Event()
    with budget.stopping(asked.set):
        pass
    assert (budget.spent, asked.is_set()) == (False, False)
    assert 0.0 < budget.left < 60.0

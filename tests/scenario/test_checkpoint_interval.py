from __future__ import annotations

import math

import pytest

from cilsim.scenario.checkpoint_interval import CheckpointInterval, parse_interval


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("0s", 0.0), ("90s", 90.0), ("10m", 600.0), ("1.5 h", 5400.0), ("0.05s", 0.05)],
)
def test_a_time_is_a_number_with_its_unit(text: str, seconds: float) -> None:
    assert parse_interval(text) == CheckpointInterval(seconds=seconds, epochs=0)


@pytest.mark.parametrize(("text", "epochs"), [("1epoch", 1), ("5epochs", 5), ("20 epochs", 20)])
def test_epochs_leave_no_time(text: str, epochs: int) -> None:
    assert parse_interval(text) == CheckpointInterval(seconds=math.inf, epochs=epochs)


@pytest.mark.parametrize("text", ["", "10", "-1s", "10 minutes", "0epochs", "1.5epochs", "1e3s"])
def test_anything_else_is_told_with_what_is_expected(text: str) -> None:
    with pytest.raises(ValueError) as raised:  # noqa: PT011 the whole text is compared
        parse_interval(text)
    assert str(raised.value) == (
        f"found '{text}', expected a time such as '90s', '10m' or '1h', or epochs such as '5epochs'"
    )

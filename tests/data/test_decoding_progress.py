"""What is told while many images are decoded."""

from __future__ import annotations

import logging

import pytest

from cilsim.data.decoding_progress import DecodingProgress


def progress(*seconds: float) -> DecodingProgress:
    """Return the progress of 40 images on a clock that shows these seconds."""
    clock = iter(seconds)
    return DecodingProgress("data set 'set'", 40, lambda: next(clock))


def test_the_time_left_is_told_every_ten_seconds(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    report = progress(100.0, 112.0, 113.0, 124.0)
    for done in (10, 11, 20):
        report(done)
    assert caplog.messages == [
        "data set 'set': 10 of 40 images decoded, 36 s left",
        "data set 'set': 20 of 40 images decoded, 24 s left",
    ]


def test_what_is_behind_a_part_counts(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress(100.0, 130.0).after(20)(10)
    assert caplog.messages == ["data set 'set': 30 of 40 images decoded, 10 s left"]


def test_the_end_is_not_told(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    progress(100.0, 160.0)(40)
    assert caplog.messages == []

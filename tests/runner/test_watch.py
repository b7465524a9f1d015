"""A plugin that takes long is named while it does."""

from __future__ import annotations

import time

import pytest

from cilsim.registry import Owner
from cilsim.runner.guard import Guard
from cilsim.runner.watch import Watch

OWNER = Owner("slow", "cilsim-slow", "1.0")


def said(caplog: pytest.LogCaptureFixture, *, may_take_long: bool) -> list[str]:
    watch = Watch(patience_seconds=0.04)
    guard = Guard(watch=watch)
    with watch.watching(), guard.calling(OWNER, "a hook", may_take_long=may_take_long):
        time.sleep(0.3)
    return caplog.messages


def test_a_call_that_takes_long_is_named_once(caplog: pytest.LogCaptureFixture) -> None:
    assert said(caplog, may_take_long=False) == [
        "plugin 'slow' of cilsim-slow 1.0: a hook has been running for 0 s"
    ]


def test_a_call_that_may_take_long_is_not_named(caplog: pytest.LogCaptureFixture) -> None:
    assert said(caplog, may_take_long=True) == []

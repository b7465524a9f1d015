from __future__ import annotations

import logging
import threading

import pytest

from cilsim.errors import RunFolderError
from cilsim.results.background import BackgroundWriter


def fail() -> None:
    raise RunFolderError("there: cannot be written: No space left on device")


def test_the_work_goes_on_while_something_is_written() -> None:
    writer, may_end, ended = BackgroundWriter(), threading.Event(), threading.Event()

    def write() -> None:
        assert may_end.wait(30)
        ended.set()

    writer.submit(write)
    assert not ended.is_set()
    may_end.set()
    writer.wait()
    assert ended.is_set()


def test_one_piece_at_a_time_in_the_order_of_submission() -> None:
    writer, order, running = BackgroundWriter(), [], threading.Lock()
    for number in range(20):

        def write(number: int = number) -> None:
            assert running.acquire(blocking=False)
            order.append(number)
            running.release()

        writer.submit(write)
    writer.wait()
    assert order == list(range(20))


def test_an_error_is_raised_where_the_next_piece_is_handed_over() -> None:
    writer = BackgroundWriter()
    writer.submit(fail)
    with pytest.raises(RunFolderError) as raised:
        writer.submit(lambda: None)
    assert str(raised.value) == "there: cannot be written: No space left on device"
    writer.wait()


def test_an_error_is_raised_once_by_whoever_waits() -> None:
    writer = BackgroundWriter()
    writer.submit(fail)
    with pytest.raises(RunFolderError):
        writer.wait()
    writer.wait()


def test_beside_a_worse_error_it_is_a_warning(caplog: pytest.LogCaptureFixture) -> None:
    writer = BackgroundWriter()
    writer.submit(fail)
    with caplog.at_level(logging.WARNING):
        writer.abandon()
    assert caplog.messages == ["there: cannot be written: No space left on device"]

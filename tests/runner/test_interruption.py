from __future__ import annotations

import os
import signal
import threading

import pytest

from cilsim.errors import RunFailed
from cilsim.runner.interruption import StopRequest, stop_on_signals


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "terminate"])
def test_the_first_signal_asks_and_the_second_stops(number: int) -> None:
    request = StopRequest()
    with stop_on_signals(request):
        os.kill(os.getpid(), number)
        assert request()
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), number)


def test_handlers_are_put_back() -> None:
    before = signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)
    with stop_on_signals(StopRequest()):
        assert signal.getsignal(signal.SIGINT) is not before[0]
    assert (signal.getsignal(signal.SIGINT), signal.getsignal(signal.SIGTERM)) == before


def test_outside_the_main_thread_signals_are_left_alone() -> None:
    handlers: list[object] = []

    def inside() -> None:
        with stop_on_signals(StopRequest()):
            handlers.append(signal.getsignal(signal.SIGINT))

    before = signal.getsignal(signal.SIGINT)
    thread = threading.Thread(target=inside)
    thread.start()
    thread.join()
    assert handlers == [before]


def test_signals_that_cannot_be_watched_are_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr("cilsim.runner.interruption.socket.socketpair", refuse)
    with pytest.raises(RunFailed) as caught, stop_on_signals(StopRequest(), lambda _: None):
        pass
    assert str(caught.value) == "signals cannot be watched: Too many open files"

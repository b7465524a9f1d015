"""What is shown while files are fetched."""

from __future__ import annotations

import sys

import pytest

from cilsim.cli import fetch_progress
from cilsim.cli.fetch_progress import shown_progress
from cilsim.data.publication import PublishedFile

FILE = PublishedFile("birds.tgz", size=10_000_000)


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(fetch_progress, "time", clock)
    return clock


def test_without_a_terminal_a_line_every_ten_seconds_tells_the_time_left(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress(quiet=False) as progress_of:
        tell = progress_of(FILE)
        for second in range(21):
            clock.now = second
            tell(1_000_000 + 100_000 * second, 10_000_000)
    assert capsys.readouterr().err == (
        "birds.tgz: 2.0 MB of 10.0 MB, 1:20 left\nbirds.tgz: 3.0 MB of 10.0 MB, 1:10 left\n"
    )


def test_without_a_known_size_the_bytes_are_told(
    clock: Clock, capsys: pytest.CaptureFixture[str]
) -> None:
    with shown_progress(quiet=False) as progress_of:
        tell = progress_of(FILE)
        tell(0, None)
        clock.now = 11.0
        tell(2_500_000, None)
    assert capsys.readouterr().err == "birds.tgz: 2.5 MB\n"


def test_quiet_shows_nothing(clock: Clock, capsys: pytest.CaptureFixture[str]) -> None:
    with shown_progress(quiet=True) as progress_of:
        tell = progress_of(FILE)
        for second in (0, 20, 40):
            clock.now = second
            tell(second, 100)
    assert capsys.readouterr().err == ""


def test_a_terminal_gets_a_bar_that_goes_away(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    with shown_progress(quiet=False) as progress_of:
        tell = progress_of(FILE)
        tell(5_000_000, 10_000_000)
    shown = capsys.readouterr().err
    assert "birds.tgz" in shown
    assert "5.0/10.0 MB" in shown
    assert "\x1b[2K" in shown

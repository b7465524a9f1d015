from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from rich.console import Console

from cilsim.results.status import StatusFile
from cilsim.sweep.load import Sweep
from cilsim.sweep.schedule import Progress
from cilsim.sweep.view import SweepView, counts_line, event_line, experience_text

Load = Callable[[str], Sweep]


@pytest.fixture
def cells(load: Load) -> Sequence[Progress]:
    found = load("{scenarios: [digits.yaml], strategies: [nmc], seeds: [0, 1, 2]}").cells
    progress = [Progress(cell, Path("runs") / cell.name) for cell in found]
    progress[0].phase, progress[0].seconds = "finished", 75.0
    progress[1].phase, progress[1].attempts = "running", 2
    return progress


def test_an_event_is_one_line(cells: Sequence[Progress]) -> None:
    assert event_line(cells[0], cells) == "finished    1/3  digits--nmc--seed-0 in 1:15"


def test_what_is_started_again_says_why(cells: Sequence[Progress]) -> None:
    cells[2].told = "lost: ended by SIGKILL"

    assert event_line(cells[2], cells) == (
        "again       1/3  digits--nmc--seed-2: lost: ended by SIGKILL"
    )


def test_the_counts_come_with_the_time_left(cells: Sequence[Progress]) -> None:
    assert counts_line(cells, 60.0) == (
        "3 runs: 1 finished, 1 running, 1 waiting, 1:00, about 2:00 left"
    )


def test_what_was_finished_before_says_nothing_about_the_time_left(
    cells: Sequence[Progress],
) -> None:
    cells[0].skipped = True

    assert counts_line(cells, 60.0) == "3 runs: 1 finished, 1 running, 1 waiting, 1:00"


def test_the_experience_is_what_the_status_says(cells: Sequence[Progress]) -> None:
    assert experience_text(cells[1]) == "-"
    status = StatusFile(cells[1].folder / "status.json")
    status.begin("")
    status.advance("nmc", 1, experience=2, of=4)

    assert experience_text(cells[1]) == "2/4"


def test_elsewhere_than_on_a_terminal_there_are_only_lines(cells: Sequence[Progress]) -> None:
    stream = io.StringIO()
    view = SweepView(stream=stream)

    view.event(cells[1], cells)
    view.refresh(cells)
    view.event(cells[0], cells)
    view.close()

    assert stream.getvalue() == (
        "running     1/3  digits--nmc--seed-1\nfinished    1/3  digits--nmc--seed-0 in 1:15\n"
    )


def test_a_quiet_view_tells_failures_only(cells: Sequence[Progress]) -> None:
    stream = io.StringIO()
    view = SweepView(quiet=True, stream=stream)
    cells[1].phase, cells[1].told = "failed", "no space"

    view.event(cells[0], cells)
    view.event(cells[1], cells)

    assert stream.getvalue() == "failed      2/3  digits--nmc--seed-1: no space\n"


def test_a_terminal_shows_a_table_of_what_is_running(
    cells: Sequence[Progress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    stream, now = io.StringIO(), [0.0]

    def terminal(**options: object) -> Console:
        return Console(force_terminal=True, width=80, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("rich.console.Console", terminal, raising=True)
    view = SweepView(stream=stream, clock=lambda: now[0])
    now[0] = 60.0
    view.event(cells[1], cells)  # the table shows that it has begun
    view.refresh(cells)
    view.close()

    shown = stream.getvalue()
    assert "3 runs: 1 finished, 1 running, 1 waiting, 1:00, about 2:00 left" in shown
    assert "digits--nmc--seed-1" in shown
    assert "running     1/3" not in shown

"""The order of events, with workers that do what a test says."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from cilsim.results.lock import FolderLock
from cilsim.results.run_folder import RunFolder
from cilsim.scenario.resolved import difference, resolved_yaml, scenario_hash
from cilsim.sweep import schedule
from cilsim.sweep.cell import Cell
from cilsim.sweep.event_log import EventLog
from cilsim.sweep.job import Ended, Job
from cilsim.sweep.load import Sweep
from cilsim.sweep.schedule import Progress, Schedule

Load = Callable[[str], Sweep]

FINISH = 0
EMPTY = 1000
"""Stands for an end with exit code 0 that leaves no finished run."""


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(schedule, "SECONDS_BETWEEN_LOOKS", 0.0)


@pytest.fixture
def cells(load: Load) -> Sequence[Progress]:
    found = load("{scenarios: [digits.yaml], strategies: [nmc], seeds: [0, 1, 2]}").cells
    return [Progress(cell, Path("runs") / cell.name) for cell in found]


def finish(cell: Cell, state: str = "finished") -> None:
    """Store the run folder of a cell."""
    with RunFolder.open_or_create(
        Path("runs"), cell.name, "", resolved_yaml(cell.scenario), scenario_hash(cell.scenario),
        difference,
    ) as folder:  # fmt: skip
        if state == "finished":
            folder.status.end("finished")


@dataclass
class Scripted:
    """Workers that end each attempt at a cell with the next of the codes that it was given."""

    cells: Sequence[Progress]
    room: int = 1
    codes: dict[int, list[int]] = field(default_factory=dict)
    started: list[str] = field(default_factory=list)
    killed: bool = False
    stopped: bool = False
    _running: deque[str] = field(default_factory=deque)

    def has_room(self) -> bool:
        return len(self._running) < self.room

    def start(self, job: Job) -> None:
        self.started.append(job.name)
        self._running.append(job.name)

    def ended(self) -> Iterator[Ended]:
        while self._running:
            name = self._running.popleft()
            progress = next(one for one in self.cells if one.cell.name == name)
            code = 130 if self.stopped else (self.codes.get(progress.cell.seed) or [FINISH]).pop(0)
            if code == FINISH:
                finish(progress.cell)
            code = 0 if code == EMPTY else code
            yield Ended(name, code, "" if code == FINISH else f"ended with {code}")

    def stop(self) -> None:
        self.stopped = True

    def kill(self) -> None:
        self.killed = True


class Silent:
    def event(self, progress: Progress, all_cells: Sequence[Progress]) -> None:
        """Show nothing."""

    def refresh(self, all_cells: Sequence[Progress]) -> None:
        """Show nothing."""


def job(cell: Cell, folder: Path) -> Job:
    return Job(cell.name, (), folder, Path("log"), 1)


def run(
    cells: Sequence[Progress],
    workers: Scripted,
    retries: int = 2,
    stop: Callable[[], bool] = lambda: False,
) -> None:
    Schedule(cells, workers, job, retries, Silent(), EventLog(Path("events.jsonl")), stop).run()


def outcome(cells: Sequence[Progress]) -> list[tuple[str, int, str]]:
    return [(one.phase, one.attempts, one.told) for one in cells]


def test_every_cell_is_run_once_in_the_order_of_the_sweep(cells: Sequence[Progress]) -> None:
    workers = Scripted(cells)

    run(cells, workers)

    assert workers.started == [f"digits--nmc--seed-{seed}" for seed in (0, 1, 2)]
    assert outcome(cells) == [("finished", 1, "")] * 3


def test_what_is_finished_is_not_started(cells: Sequence[Progress]) -> None:
    finish(cells[1].cell)
    workers = Scripted(cells)

    run(cells, workers)

    assert workers.started == ["digits--nmc--seed-0", "digits--nmc--seed-2"]
    assert [one.skipped for one in cells] == [False, True, False]


@pytest.mark.parametrize("code", [-9, 1, 130], ids=["killed", "failed", "interrupted"])
def test_what_was_lost_is_started_again_after_the_others(
    code: int, cells: Sequence[Progress]
) -> None:
    workers = Scripted(cells, codes={0: [code, FINISH]})

    run(cells, workers)

    assert [name[-1] for name in workers.started] == ["0", "1", "2", "0"]
    assert outcome(cells) == [("finished", 2, ""), ("finished", 1, ""), ("finished", 1, "")]


def test_what_fails_every_time_is_given_up(cells: Sequence[Progress]) -> None:
    workers = Scripted(cells, codes={1: [1, 1, -9]})

    run(cells, workers, retries=2)

    assert outcome(cells)[1] == ("failed", 3, "ended with -9")
    assert [one.phase for one in cells] == ["finished", "failed", "finished"]


def test_what_the_user_has_to_mend_is_not_tried_again(cells: Sequence[Progress]) -> None:
    workers = Scripted(cells, codes={1: [2]})

    run(cells, workers)

    assert outcome(cells)[1] == ("failed", 1, "ended with 2")


def test_a_good_end_without_a_finished_folder_counts_as_lost(cells: Sequence[Progress]) -> None:
    workers = Scripted(cells, codes={0: [EMPTY, FINISH]})

    run(cells[:1], workers)

    assert outcome(cells[:1]) == [("finished", 2, "")]


def test_a_cell_that_another_process_runs_waits_until_that_is_over(
    cells: Sequence[Progress], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(schedule, "SECONDS_UNTIL_FREE", 0.0)
    finish(cells[0].cell, state="running")
    lock, workers = FolderLock(cells[0].folder), Scripted(cells)
    lock.acquire()
    looks = iter(range(1000))

    def stop() -> bool:
        if next(looks) == 20:
            assert [name[-1] for name in workers.started] == ["1", "2"]
            lock.release()
        return False

    run(cells, workers, stop=stop)

    assert [name[-1] for name in workers.started] == ["1", "2", "0"]


def test_a_cell_that_another_process_finished_meanwhile_is_not_run(
    cells: Sequence[Progress],
) -> None:
    workers, looks = Scripted(cells), iter(range(1000))

    def stop() -> bool:
        if next(looks) == 1:
            finish(cells[2].cell)
        return False

    run(cells, workers, stop=stop)

    assert [name[-1] for name in workers.started] == ["0", "1"]
    assert outcome(cells)[2] == ("finished", 0, "")


def test_a_stop_reaches_the_workers_and_starts_nothing_more(cells: Sequence[Progress]) -> None:
    workers, asked = Scripted(cells, room=2, codes={0: [FINISH]}), iter([False, True])

    run(cells, workers, stop=lambda: next(asked, True))

    assert workers.stopped
    assert [name[-1] for name in workers.started] == ["0", "1"]
    assert [one.phase for one in cells] == ["interrupted"] * 3


def test_an_error_in_the_middle_leaves_no_worker_behind(cells: Sequence[Progress]) -> None:
    workers = Scripted(cells)

    def stop() -> bool:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(cells, workers, stop=stop)

    assert workers.killed


def test_every_event_is_noted(cells: Sequence[Progress]) -> None:
    run(cells[:1], Scripted(cells, codes={0: [-9, FINISH]}))

    noted = [json.loads(line) for line in Path("events.jsonl").read_text().splitlines()]
    assert [(line["event"], line["attempt"], line["told"]) for line in noted] == [
        ("running", 1, ""),
        ("waiting", 1, "ended with -9"),
        ("running", 2, ""),
        ("finished", 2, ""),
    ]
    assert {line["cell"] for line in noted} == {"digits--nmc--seed-0"}

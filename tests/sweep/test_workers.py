"""Real processes, which do next to nothing."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import psutil
import pytest

from cilsim.sweep import job as job_module
from cilsim.sweep.job import PARENT, Ended, Job, last_line, perform, start, stop_and_wait
from cilsim.sweep.workers import LocalWorkers, threads_per_worker

WAIT = "import time; print('error: waiting', file=__import__('sys').stderr, flush=True); "
WAIT += "time.sleep(60)"
STUBBORN = "import signal, time; signal.signal(signal.SIGINT, signal.SIG_IGN); "
STUBBORN += "open('ready', 'w').close(); time.sleep(60)"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def job(code: str, name: str = "cell", **changes: object) -> Job:
    values = {"folder": Path(name), "log": Path("logs") / f"{name}.log", "threads": 3, **changes}
    return Job(name=name, arguments=("-c", code), **values)  # type: ignore[arg-type]


def all_ended(workers: LocalWorkers, count: int = 1) -> list[Ended]:
    found: list[Ended] = []
    deadline = time.monotonic() + 30
    while len(found) < count and time.monotonic() < deadline:
        found += workers.ended()
        time.sleep(0.01)
    return found


def wait_for(path: Path) -> None:
    deadline = time.monotonic() + 30
    while not (path.exists() and path.stat().st_size >= 0) and time.monotonic() < deadline:
        time.sleep(0.01)


def test_no_more_processes_run_than_asked_for() -> None:
    workers = LocalWorkers(2)

    workers.start(job("", "a"))
    assert workers.has_room()
    workers.start(job("", "b"))
    assert not workers.has_room()

    assert sorted(ended.name for ended in all_ended(workers, 2)) == ["a", "b"]
    assert workers.has_room()


def test_a_process_gets_its_threads_and_knows_its_parent() -> None:
    workers = LocalWorkers(1)
    names = ["OMP_NUM_THREADS", "MKL_NUM_THREADS", PARENT]
    code = f"import os; open('found', 'w').write(' '.join(os.environ[n] for n in {names}))"

    workers.start(job(code))

    assert all_ended(workers) == [Ended("cell", 0, "")]
    assert Path("found").read_text() == f"3 3 {os.getpid()}"


def test_the_last_complaint_of_a_failed_process_is_told() -> None:
    workers = LocalWorkers(1)

    workers.start(job("import sys; sys.exit('error: no space\\nmore')"))

    assert all_ended(workers) == [Ended("cell", 1, "no space")]
    assert Path("logs/cell.log").read_text() == "error: no space\nmore\n"


def test_a_killed_process_is_told_by_its_signal() -> None:
    workers = LocalWorkers(1)

    workers.start(job("import os; os.kill(os.getpid(), 9)"))

    assert all_ended(workers) == [Ended("cell", -9, "lost: ended by SIGKILL")]


def test_a_stop_asks_by_sigint() -> None:
    workers = LocalWorkers(1)
    code = "import sys, time\ntry:\n open('ready', 'w').close(); time.sleep(60)\n"
    workers.start(job(code + "except KeyboardInterrupt:\n sys.exit(130)"))
    wait_for(Path("ready"))

    workers.stop()

    assert [ended.code for ended in all_ended(workers)] == [130]


def test_a_process_that_does_not_stop_in_time_is_killed() -> None:
    now = [0.0]
    workers = LocalWorkers(1, clock=lambda: now[0])
    workers.start(job(STUBBORN))
    wait_for(Path("ready"))

    workers.stop()
    assert list(workers.ended()) == []
    now[0] = 61.0

    assert all_ended(workers) == [Ended("cell", -9, "lost: ended by SIGKILL")]


def test_a_process_that_takes_too_long_is_stopped() -> None:
    now = [0.0]
    workers = LocalWorkers(1, clock=lambda: now[0])
    workers.start(job(WAIT, timeout=5.0))
    wait_for(Path("logs/cell.log"))
    assert list(workers.ended()) == []

    now[0] = 6.0

    (ended,) = all_ended(workers)
    assert ended.told == "stopped after 5 s, its timeout"
    assert ended.code != 0


def test_all_are_killed_at_once_with_what_they_have_started() -> None:
    workers = LocalWorkers(1)
    inner = "import subprocess, sys\n"
    inner += f"p = subprocess.Popen([sys.executable, '-c', {WAIT!r}])\n"
    inner += "open('pid.tmp', 'w').write(str(p.pid)); __import__('os').rename('pid.tmp', 'pid')\n"
    workers.start(job(inner + "p.wait()"))
    wait_for(Path("pid"))
    grandchild = psutil.Process(int(Path("pid").read_text()))

    workers.kill()

    assert [ended.code for ended in all_ended(workers)] == [-9]
    grandchild.wait(10)


def test_each_worker_gets_one_of_several_gpus(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "4, 7")
    workers = LocalWorkers(3)
    for name in "abc":
        code = f"import os; open('{name}', 'w').write(os.environ['CUDA_VISIBLE_DEVICES'])"
        workers.start(job(code, name))

    assert len(all_ended(workers, 3)) == 3
    assert [Path(name).read_text() for name in "abc"] == ["4", "7", "4"]


@pytest.mark.parametrize(
    ("given", "workers", "threads"),
    [("", 1, 8), ("", 2, 4), ("", 3, 2), ("", 20, 1), ("1", 2, 1), ("6", 2, 4), ("none", 2, 4)],
)
def test_workers_share_the_cores(
    given: str, workers: int, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", given)
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)))

    assert threads_per_worker(workers) == threads


def test_a_job_that_is_performed_is_waited_for() -> None:
    assert perform(job("import sys; sys.exit(3)")) == Ended("cell", 3, "")


def test_a_performed_job_that_takes_too_long_is_stopped() -> None:
    assert perform(job(WAIT, timeout=0.5)).told == "stopped after 0.5 s, its timeout"


def test_a_performed_job_ends_with_who_waits_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    pids: list[int] = []
    others = {child.pid for child in psutil.Process().children()}

    def sleep(seconds: float) -> None:
        if pids or not Path("logs/cell.log").read_text():
            return
        pids.extend({child.pid for child in psutil.Process().children()} - others)
        raise KeyboardInterrupt

    monkeypatch.setattr(job_module.time, "sleep", sleep)

    with pytest.raises(KeyboardInterrupt):
        perform(job(WAIT))

    assert len(pids) == 1
    assert not psutil.pid_exists(pids[0])


def test_a_process_that_has_ended_needs_no_stop() -> None:
    process = start(job(""))
    process.wait()

    stop_and_wait(process)

    assert process.returncode == 0


@pytest.mark.parametrize(
    ("text", "line"),
    [("", ""), ("one\ntwo\n\n", "two"), ("error: why\nmore\n", "why"), (None, "")],
)
def test_the_last_line_of_a_log_is_its_last_complaint(text: str | None, line: str) -> None:
    if text is not None:
        Path("log").write_text(text)

    assert last_line(Path("log")) == line


WATCHED = """
import os, signal, subprocess, sys, time
inner = '''
import signal, sys, time
from cilsim.cli.worker import watch_parent
def end(number, frame):
    open("saved", "w").close()
    sys.exit(130)
signal.signal(signal.SIGTERM, end)
watch_parent()
open("ready", "w").close()
time.sleep(60)
'''
environment = {**os.environ, "CILSIM_WORKER_OF": str(os.getpid())}
subprocess.Popen([sys.executable, "-c", inner], env=environment, start_new_session=True)
time.sleep(60)
"""


def test_a_worker_whose_parent_was_killed_saves_and_stops() -> None:
    process = start(job(WATCHED))
    wait_for(Path("ready"))
    (worker,) = psutil.Process(process.pid).children()

    os.kill(process.pid, signal.SIGKILL)
    process.wait()

    worker.wait(30)
    assert Path("saved").exists()

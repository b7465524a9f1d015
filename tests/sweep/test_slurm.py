"""The script for sbatch, run by bash with commands in place of those of SLURM."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from cilsim.sweep.slurm import array_script

Task = Callable[..., "subprocess.Popen[bytes]"]

SCRIPT = """\
#!/bin/bash
#SBATCH --job-name=shots
#SBATCH --array=0-3,7%2
#SBATCH --cpus-per-task=4
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@180
#SBATCH --open-mode=append
#SBATCH --output=runs/shots/.sweep/slurm-%A_%a.out

# Time, memory, GPUs and partition are yours to set. A run that needs longer than --time saves,
# leaves, and goes on where it was when the task is queued again.
export OMP_NUM_THREADS="${SLURM_CPUS_PER_TASK:-4}"

run=
told=
stop() {
    told=yes
    if [ -n "$run" ]; then kill -TERM "$run" 2>/dev/null; fi
}
trap stop TERM INT

cilsim sweep 'my sweep.yaml' --only "$SLURM_ARRAY_TASK_ID" &
run=$!
if [ -n "$told" ]; then stop; fi  # it came before the run had a number
wait "$run"
code=$?
while kill -0 "$run" 2>/dev/null; do  # a signal ended the waiting, not the run
    wait "$run"
    code=$?
done
if [ "$code" -eq 143 ]; then  # the run has ended in that very moment
    wait "$run"
    code=$?
fi

if [ "$code" -eq 143 ] && [ -n "$told" ]; then  # stopped before it could say that it is resumable
    code=130
fi
if [ "$code" -eq 130 ]; then
    scontrol requeue "${SLURM_ARRAY_JOB_ID}_${SLURM_ARRAY_TASK_ID}"
fi
exit "$code"
"""


def script(*numbers: int, at_once: int | None = None) -> str:
    return array_script(
        "shots", numbers, command=["cilsim", "sweep", "my sweep.yaml"],
        folder=Path("runs/shots/.sweep"), threads=4, at_once=at_once,
    )  # fmt: skip


def test_the_script_asks_for_one_task_per_run() -> None:
    assert script(0, 1, 2, 3, 7, at_once=2) == SCRIPT


def test_without_a_limit_all_tasks_may_run() -> None:
    assert "#SBATCH --array=5\n" in script(5)


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a `cilsim` that does what the variable DO says, and a `scontrol`."""
    commands = {"cilsim": 'echo "$@ $OMP_NUM_THREADS" > started; eval "$DO"',
                "scontrol": 'echo "$@" > queued'}  # fmt: skip
    for name, body in commands.items():
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"#!/bin/bash\n{body}\n")
        path.chmod(0o755)
    (tmp_path / "job.sh").write_text(script(3))
    return tmp_path


def test_numbers_that_are_too_great_for_a_task_are_counted_from_the_least() -> None:
    text = script(*range(1000, 2000))
    assert "#SBATCH --array=0-999\n" in text
    assert """--only "$((SLURM_ARRAY_TASK_ID + 1000))" &\n""" in text


def test_a_path_with_a_space_is_one_word() -> None:
    text = array_script("s", [0], command=["cilsim"], folder=Path("my runs"), threads=1)
    assert "#SBATCH --output='my runs/slurm-%A_%a.out'\n" in text


@pytest.fixture
def task(place: Path) -> Iterator[Task]:
    """Start the script as SLURM starts a task of an array; none outlives its test."""
    started: list[subprocess.Popen[bytes]] = []

    def start(do: str, **surroundings: str) -> subprocess.Popen[bytes]:
        environment = {
            **os.environ,
            "PATH": f"{place / 'bin'}:{os.environ['PATH']}",
            "DO": do,
            "SLURM_ARRAY_TASK_ID": "3",
            "SLURM_ARRAY_JOB_ID": "1234",
            "SLURM_CPUS_PER_TASK": "2",
            **surroundings,
        }
        command = ["bash", "job.sh"]
        process = subprocess.Popen(command, cwd=place, env=environment, start_new_session=True)
        started.append(process)
        return process

    yield start
    for process in started:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_task_counted_from_the_least_runs_its_number(place: Path, task: Task) -> None:
    (place / "job.sh").write_text(script(1004, 1007))
    assert task("exit 0").wait(30) == 0
    assert (place / "started").read_text() == "sweep my sweep.yaml --only 1007 2\n"


@pytest.mark.parametrize("code", [0, 1, 2])
def test_a_task_runs_its_number_and_ends_as_the_run_does(
    code: int, place: Path, task: Task
) -> None:
    assert task(f"exit {code}").wait(30) == code
    assert (place / "started").read_text() == "sweep my sweep.yaml --only 3 2\n"
    assert not (place / "queued").exists()


def test_a_task_whose_time_is_over_saves_and_is_queued_again(place: Path, task: Task) -> None:
    save = "trap 'sleep 0.2; touch saved; exit 130' TERM; touch ready; while :; do sleep 0.05; done"
    process = task(save)

    assert _terminated(process, place) == 130
    assert (place / "saved").exists()
    assert (place / "queued").read_text() == "requeue 1234_3\n"


def test_a_run_that_ends_while_it_is_told_to_is_queued_again(place: Path, task: Task) -> None:
    (place / "slow.sh").write_text('kill() { builtin kill "$@" && sleep 0.4; }\n')
    save = "trap 'exit 130' TERM; touch ready; while :; do sleep 0.01; done"
    process = task(save, BASH_ENV=str(place / "slow.sh"))

    assert _terminated(process, place) == 130
    assert (place / "queued").read_text() == "requeue 1234_3\n"


def test_a_task_that_is_stopped_while_it_starts_its_run_is_queued_again(
    place: Path, task: Task
) -> None:
    slow = """trap 'if [ "$BASH_COMMAND" = "run=\\$!" ]; then sleep 0.4; fi' DEBUG\n"""
    (place / "slow.sh").write_text(slow)
    save = "trap 'exit 130' TERM; touch ready; while :; do sleep 0.01; done"
    process = task(save, BASH_ENV=str(place / "slow.sh"))

    assert _terminated(process, place) == 130
    assert (place / "queued").read_text() == "requeue 1234_3\n"


def test_a_run_that_is_stopped_before_it_can_save_is_queued_again(place: Path, task: Task) -> None:
    process = task("touch ready; exec sleep 30")

    assert _terminated(process, place) == 130
    assert (place / "queued").read_text() == "requeue 1234_3\n"


def test_a_run_that_somebody_else_terminates_is_not_queued_again(place: Path, task: Task) -> None:
    assert task("kill -TERM $$").wait(30) == 143
    assert not (place / "queued").exists()


def _terminated(process: subprocess.Popen[bytes], place: Path) -> int:
    """Send what --signal=B:TERM sends to the batch script alone; return its exit code."""
    deadline = time.monotonic() + 30
    while not (place / "ready").exists() and time.monotonic() < deadline:
        time.sleep(0.01)
    process.send_signal(signal.SIGTERM)
    return process.wait(30)

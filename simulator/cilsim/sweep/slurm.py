"""A batch script for SLURM: an array job with one task per run, requeued where it was stopped."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

SECONDS_BEFORE_THE_LIMIT = 180
"""How long before its end a task is told to save; a run saves within seconds."""
LARGEST_TASK = 1000
"""The greatest number of a task where `MaxArraySize` is what SLURM sets."""

_SCRIPT = """\
#!/bin/bash
#SBATCH --job-name={name}
#SBATCH --array={array}
#SBATCH --cpus-per-task={threads}
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --signal=B:TERM@{seconds}
#SBATCH --open-mode=append
#SBATCH --output={output}

# Time, memory, GPUs and partition are yours to set. A run that needs longer than --time saves,
# leaves, and goes on where it was when the task is queued again.
export OMP_NUM_THREADS="${{SLURM_CPUS_PER_TASK:-{threads}}}"

run=
told=
stop() {{
    told=yes
    if [ -n "$run" ]; then kill -TERM "$run" 2>/dev/null; fi
}}
trap stop TERM INT

{command} --only "{number}" &
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
    scontrol requeue "${{SLURM_ARRAY_JOB_ID}}_${{SLURM_ARRAY_TASK_ID}}"
fi
exit "$code"
"""


def array_script(
    name: str,
    numbers: Sequence[int],
    *,
    command: Sequence[str],
    folder: Path,
    threads: int,
    at_once: int | None = None,
) -> str:
    """Return a script to give to `sbatch`.

    Args:
        name: of the sweep.
        numbers: of the cells to run.
        command: that runs the sweep; `--only NUMBER` is put behind it.
        folder: where the output of the tasks goes; made by whoever writes the script.
        threads: cores of each task.
        at_once: how many tasks may run at a time, None for as many as there is room for.
    """
    limit = "" if at_once is None else f"%{at_once}"
    before = min(numbers) if max(numbers) > LARGEST_TASK else 0
    return _SCRIPT.format(
        name=shlex.quote(name),
        array=f"{_ranges([number - before for number in numbers])}{limit}",
        number=f"$((SLURM_ARRAY_TASK_ID + {before}))" if before else "$SLURM_ARRAY_TASK_ID",
        threads=threads,
        seconds=SECONDS_BEFORE_THE_LIMIT,
        output=shlex.quote(str(folder / "slurm-%A_%a.out")),
        command=shlex.join(command),
    )


def _ranges(numbers: Sequence[int]) -> str:
    """Return numbers as SLURM takes them: `0-3,7`."""
    runs: list[list[int]] = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(f"{a}" if a == b else f"{a}-{b}" for a, b in runs)

"""`cilsim sweep`: what it lists and refuses, and small sweeps on real worker processes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest
from held_runs import contents, finished, held, let_go, start, wait_until

SWEEP = """\
name: small
scenarios: [tiny.yaml]
strategies: [nmc]
seeds: [0, 1, 2]
"""
RUNS = [f"tiny--nmc--seed-{seed}" for seed in range(3)]


@pytest.fixture
def sweep(tiny: Path) -> Path:
    """`sweep.yaml` in the current folder, of three runs."""
    Path("sweep.yaml").write_text(SWEEP)
    return Path("sweep.yaml")


def test_a_dry_run_lists_what_would_be_run(cli: Any, sweep: Path) -> None:
    outcome = cli("sweep", sweep, "--dry-run")

    assert outcome.code == 0
    assert outcome.out.splitlines() == [
        "number  run                state",
        *(f"{number}       {name}  new" for number, name in enumerate(RUNS)),
    ]
    assert outcome.err == "3 runs, 3 to do\n"
    assert not Path("runs").exists()


def test_a_dry_run_as_json_has_what_each_run_is(cli: Any, sweep: Path) -> None:
    sweep.write_text(SWEEP + "set: {stream.increment: 3}\n")

    (run,) = cli("sweep", sweep, "--dry-run", "--only", "1", "--json").document()

    assert run == {
        "number": 1,
        "run": "tiny--stream.increment-3--nmc--seed-1",
        "scenario": "tiny",
        "strategy": "nmc",
        "seed": 1,
        "settings": {"stream.increment": 3},
        "state": "new",
    }


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--only", "3"), "--only: there is no run 3; the sweep has runs 0 to 2"),
        (("--only", "x"), "--only: found 'x', expected runs such as '0,1,2' or '0-4'"),
        (("--only", "1,1"), "--only 1,1: 1 is given twice"),
    ],
)
def test_a_number_that_no_run_has_is_refused(
    arguments: tuple[str, ...], line: str, cli: Any, sweep: Path
) -> None:
    outcome = cli("sweep", sweep, *arguments)

    assert (outcome.code, outcome.out, outcome.err) == (2, "", f"error: {line}\n")


def test_without_ray_one_line_says_how_to_get_it(
    cli: Any, sweep: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)

    outcome = cli("sweep", sweep, "--ray")

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err == (
        'error: --ray: Ray is not installed; install it with: pip install "cilsim[ray]"\n'
    )


def test_a_script_for_slurm_has_one_task_for_each_run_that_is_left(cli: Any, sweep: Path) -> None:
    outcome = cli(
        "sweep", sweep, "--slurm-script", "--threads", "4", "--workers", "2", "--device", "cuda"
    )

    lines = outcome.out.splitlines()
    assert outcome.code == 0
    assert lines[:4] == [
        "#!/bin/bash",
        "#SBATCH --job-name=small",
        "#SBATCH --array=0-2%2",
        "#SBATCH --cpus-per-task=4",
    ]
    command = "cilsim sweep sweep.yaml --out runs --device cuda"
    assert f'{command} --only "$SLURM_ARRAY_TASK_ID" &' in lines
    assert Path("runs/small/.sweep").is_dir()  # SLURM does not make the folder of its output


def test_a_sweep_runs_resumes_and_skips(sweep: Path, cli: Any) -> None:
    process = start("--only", "0,2", "--workers", "2", "--json")
    out, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    found = json.loads(out)
    assert (found["name"], found["folder"]) == ("small", "runs/small")
    assert [(run["run"], run["state"], run["attempts"]) for run in found["runs"]] == [
        (RUNS[0], "finished", 1),
        (RUNS[2], "finished", 1),
    ]
    assert [round(run["metrics"]["A_all"], 4) for run in found["runs"]] == [0.9833, 0.9833]
    rows = Path("runs/small/results.csv").read_text().splitlines()
    assert [row.split(",")[:5] for row in rows] == [
        ["run", "scenario", "strategy", "seed", "A_all"],
        [RUNS[0], "tiny", "nmc", "0", "0.9833333333333333"],
        [RUNS[2], "tiny", "nmc", "2", "0.9833333333333333"],
    ]
    listed = cli("sweep", sweep, "--dry-run").out.split()[5::3]
    assert listed == ["finished", "new", "finished"]
    again = cli("sweep", sweep, "--only", "0,2")  # nothing is started
    assert (again.code, again.out) == (0, "runs/small\n")
    assert [run["folder"] for run in cli("runs", "--sort", "folder", "--json").document()] == [
        f"small/{RUNS[0]}/nmc/seed-0",
        f"small/{RUNS[2]}/nmc/seed-2",
    ]
    assert cli("report", f"runs/small/{RUNS[0]}").code == 0
    compared = cli("compare", f"runs/small/{RUNS[0]}", f"runs/small/{RUNS[2]}", "--json")
    (entrant,) = compared.document()[0]["strategies"]
    assert (entrant["strategy"], entrant["n"]) == ("nmc", 2)  # one strategy with two seeds


def test_a_run_that_fails_is_named_with_where_its_lines_are(sweep: Path, cli: Any) -> None:
    Path("failing.py").write_text(
        "import cilsim\ncilsim_api = 1\n\n@cilsim.hookimpl\n"
        "def cilsim_after_evaluation(run):\n    raise RuntimeError('no luck')\n"
    )
    sweep.write_text(SWEEP + "retries: 0\n")

    outcome = cli("sweep", sweep, "--only", "1", "--device", "cpu", "--plugin", "failing.py")

    lines = outcome.err.splitlines()
    assert (outcome.code, outcome.out) == (1, "runs/small\n")
    assert [line.split()[0] for line in lines] == ["running", "failed", "error:"]
    assert lines[-1] == (
        f"error: 1 of 1 runs failed: {RUNS[1]}; their lines are in runs/small/.sweep/logs; "
        "give the same command again to go on"
    )


@pytest.mark.slow
def test_a_killed_worker_is_noticed_and_its_run_resumed(sweep: Path) -> None:
    process = start("--workers", "2", holding=True)
    wait_until(lambda: len(held()) == 2)

    os.kill(held()[0], signal.SIGKILL)
    wait_until(
        lambda: "lost: ended by SIGKILL" in Path("runs/small/.sweep/events.jsonl").read_text()
    )
    let_go()
    _, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    assert f"again       0/3  {RUNS[0]}: lost: ended by SIGKILL\n" in err
    assert finished() == [0, 1, 2]
    alone = start("--out", "alone", holding=True)
    _, err = alone.communicate(timeout=120)
    assert alone.returncode == 0, err
    assert contents(Path("runs/small")) == contents(Path("alone/small"))


@pytest.mark.slow
def test_ctrl_c_stops_all_and_the_same_command_goes_on(sweep: Path) -> None:
    process = start("--workers", "2", holding=True)
    wait_until(lambda: len(held()) == 2)
    workers = [psutil.Process(pid) for pid in held().values()]

    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=60)

    assert process.returncode == 130
    assert err.splitlines()[-2:] == [
        "stopped: 0 of 3 runs are finished",
        "give the same command again to go on",
    ]
    psutil.wait_procs(workers, timeout=5)
    assert not any(worker.is_running() for worker in workers)
    let_go()
    again = start("--workers", "2", holding=True)
    _, err = again.communicate(timeout=120)
    assert again.returncode == 0, err
    assert finished() == [0, 1, 2]


@pytest.mark.slow
def test_a_killed_sweep_leaves_runs_that_the_next_one_finishes(sweep: Path) -> None:
    process = start("--workers", "2", holding=True)
    wait_until(lambda: len(held()) == 2)

    process.kill()
    process.communicate()
    let_go()
    again = start("--workers", "2", holding=True)
    _, err = again.communicate(timeout=120)

    assert again.returncode == 0, err
    assert finished() == [0, 1, 2]


SBATCH = """\
#!/bin/bash
for number in 0 1 2; do
    SLURM_ARRAY_TASK_ID=$number SLURM_ARRAY_JOB_ID=9 SLURM_CPUS_PER_TASK=1 bash "$1" || exit
done
"""


@pytest.mark.slow
def test_the_tasks_of_a_slurm_array_make_the_same_sweep(
    sweep: Path, cli: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = ("--device", "cpu", "--no-tensorboard")
    assert cli("sweep", sweep, *options, "--out", "alone").code == 0
    Path("job.sh").write_text(cli("sweep", sweep, *options, "--slurm-script").out)
    Path("sbatch").write_text(SBATCH)
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")

    subprocess.run(["bash", "sbatch", "job.sh"], check=True, timeout=180)

    assert contents(Path("runs/small")) == contents(Path("alone/small"))
    assert Path("runs/small/results.csv").read_bytes() == (
        Path("alone/small/results.csv").read_bytes()
    )
    done = cli("sweep", sweep, "--slurm-script")
    assert done.err == "error: --slurm-script: all runs of sweep.yaml are finished\n"


BASE = """\
stream: {kind: class_incremental, dataset: digits, base_classes: 4, increment: 6}
backbone: small
strategies: [nmc, {name: nmc, as: far, metric: euclidean}]
base_training: {epochs: 2}
"""


@pytest.mark.slow
def test_runs_that_share_a_base_train_it_once_between_them(
    sweep: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    Path("digits.yaml").write_text(BASE)
    sweep.write_text("scenarios: [digits.yaml]\n")

    process = start("--workers", "2")
    _, err = process.communicate(timeout=120)

    assert process.returncode == 0, err
    logs = [path.read_text() for path in Path("runs/sweep/.sweep/logs").glob("*.log")]
    assert sum("base training: stored for reuse" in log for log in logs) == 1
    assert sum("base training: reused from digits--" in log for log in logs) == 1

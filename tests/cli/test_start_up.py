"""Which modules a command imports: what is not imported costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from cilsim.bench.start_up import SCENARIO

HEAVY = ("torch", "torchvision", "avalanche", "sklearn", "scipy", "pandas", "wandb")

PROBE = """
import json, sys
from cilsim.cli.main import main
code = main(sys.argv[2:])
wanted = sys.argv[1].split(",")
print("\\n" + json.dumps([code, [name for name in wanted if name in sys.modules]]))
"""


def probe(names: tuple[str, ...], arguments: tuple[str, ...], folder: Path) -> list[object]:
    """Return the exit code of a command and which of `names` it imported."""
    done = subprocess.run(
        [sys.executable, "-c", PROBE, ",".join(names), *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    answer: list[object] = json.loads(done.stdout.splitlines()[-1])
    return answer


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("run", "--help"),
        ("check", "tiny.yaml"),
        ("plan", "tiny.yaml"),
        ("plan", "tiny.yaml", "--resolved"),
        ("list", "strategies"),
        ("list", "scenarios"),
        ("list", "strategies", "--for", "tiny.yaml"),
        ("info", "strategy", "teen"),
        ("info", "dataset", "digits"),
        ("plugin", "list"),
        ("data", "list"),
        ("data", "fetch", "--help"),
        ("data", "stats", "tiny.npz"),
        ("schema",),
        ("completion", "zsh"),
        ("doctor", "--help"),
        ("runs", "--help"),
        ("sweep", "--help"),
        ("reproduce", "--list"),
        ("reproduce", "quickstart", "--show"),
    ],
    ids=" ".join,
)
def test_a_command_that_trains_nothing_imports_nothing_heavy(
    arguments: tuple[str, ...], tiny: Path
) -> None:
    assert probe((*HEAVY, "matplotlib"), arguments, tiny.parent) == [0, []]


def test_a_sweep_is_listed_without_anything_heavy(tiny: Path) -> None:
    Path("sweep.yaml").write_text("scenarios: [tiny.yaml]\n")

    assert probe(HEAVY, ("sweep", "sweep.yaml", "--dry-run"), tiny.parent) == [0, []]


def test_finding_runs_imports_nothing_heavy(finished: tuple[Path, Any]) -> None:
    folder, _ = finished

    assert probe((*HEAVY, "matplotlib"), ("runs", "--where", "A_all>0.5"), folder) == [0, []]


def test_help_imports_no_models_and_no_tables(tiny: Path) -> None:
    names = ("pydantic", "numpy", "yaml", "rich", "pluggy", "cilsim.plugins")

    assert probe(names, ("--help",), tiny.parent) == [0, []]


def test_a_report_is_made_without_torch(finished: tuple[Path, Any]) -> None:
    folder, _ = finished
    # its figures need matplotlib, its intervals scipy
    names = tuple(name for name in HEAVY if name != "scipy")

    assert probe(names, ("report", "runs/tiny"), folder) == [0, []]


@pytest.mark.parametrize(
    "arguments", [("compare", "runs/tiny"), ("diff", "runs/tiny", "runs/tiny")], ids=" ".join
)
def test_stored_runs_are_compared_without_torch(
    finished: tuple[Path, Any], arguments: tuple[str, ...]
) -> None:
    folder, _ = finished
    names = (*(name for name in HEAVY if name != "scipy"), "matplotlib")

    assert probe(names, arguments, folder) == [0, []]


def test_resuming_a_finished_run_needs_no_torch(finished: tuple[Path, Any]) -> None:
    folder, _ = finished

    assert probe(HEAVY, ("resume", "runs/tiny"), folder) == [0, []]


STOP = """
import json, os, sys
import cilsim

cilsim_api = 1

@cilsim.hookimpl(tryfirst=True)
def cilsim_training_loss(run, strategy, batch):
    names = ("torchvision", "avalanche", "sklearn", "pandas", "wandb")
    with open("imported.json", "w") as file:
        json.dump([name for name in names if name in sys.modules], file)
    os._exit(0)
"""


def test_a_run_reaches_its_first_step_without_what_it_does_not_use(tmp_path: Path) -> None:
    (tmp_path / "start_up.yaml").write_text(SCENARIO)
    (tmp_path / "stop.py").write_text(STOP)
    words = ("run", "start_up.yaml", "--no-cache", "--device", "cpu", "--plugin", "stop.py")

    subprocess.run([sys.executable, "-m", "cilsim", *words], cwd=tmp_path, timeout=120, check=True)

    assert json.loads((tmp_path / "imported.json").read_text()) == []

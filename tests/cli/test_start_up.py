"""Which modules a command imports: what is not imported costs nothing."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

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
        ("schema",),
        ("completion", "zsh"),
        ("doctor", "--help"),
        ("reproduce", "--list"),
        ("reproduce", "quickstart", "--show"),
    ],
    ids=" ".join,
)
def test_a_command_that_trains_nothing_imports_nothing_heavy(
    arguments: tuple[str, ...], tiny: Path
) -> None:
    assert probe((*HEAVY, "matplotlib"), arguments, tiny.parent) == [0, []]


def test_help_imports_no_models_and_no_tables(tiny: Path) -> None:
    names = ("pydantic", "numpy", "yaml", "rich", "pluggy", "cilsim.plugins")

    assert probe(names, ("--help",), tiny.parent) == [0, []]


def test_a_report_is_made_without_torch(finished: tuple[Path, Any]) -> None:
    folder, _ = finished
    # its figures need matplotlib, its intervals scipy
    names = tuple(name for name in HEAVY if name != "scipy")

    assert probe(names, ("report", "runs/tiny"), folder) == [0, []]


def test_resuming_a_finished_run_needs_no_torch(finished: tuple[Path, Any]) -> None:
    folder, _ = finished

    assert probe(HEAVY, ("resume", "runs/tiny"), folder) == [0, []]

"""Every scenario of the repository passes the check and begins with the command that runs it."""

from __future__ import annotations

from pathlib import Path

import pytest

from cilsim.plugins import discover
from cilsim.scenario.load import load_scenario

ROOT = Path(__file__).parents[2]
SCENARIOS = sorted((ROOT / "scenarios").glob("*.yaml"))
each = pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)


@each
def test_it_passes_the_check(path: Path) -> None:
    loaded = load_scenario(path, discover().registries, with_data=False)
    assert loaded.description


@each
def test_its_header_has_the_command(path: Path) -> None:
    header = [line for line in path.read_text().splitlines() if line.startswith("#")]
    assert any(f"cilsim run scenarios/{path.name}" in line for line in header)


def test_no_two_share_a_run_folder() -> None:
    registries = discover().registries
    names = [load_scenario(path, registries, with_data=False).name for path in SCENARIOS]
    assert len(names) == len(set(names))

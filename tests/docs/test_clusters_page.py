"""The sweep of docs/clusters.md is what the page says it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cilsim.plugins import discover
from cilsim.sweep.load import load_sweep

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "clusters.md"


def test_the_sweep_of_the_page_can_be_run(code_blocks: Any, tmp_path: Path) -> None:
    (example,) = code_blocks(PAGE.read_text(), "yaml")
    (tmp_path / "scenarios").symlink_to(ROOT / "scenarios")
    (tmp_path / "shots.yaml").write_text(example)

    sweep = load_sweep(tmp_path / "shots.yaml", discover().registries)

    assert (sweep.name, sweep.retries, sweep.timeout) == ("shots", 2, 12 * 3600)
    assert len(sweep.cells) == 2 * 3 * 2 * 2
    named = "glyphs100-fscil--stream.shot-5--base-training.lr-0.1--teen--seed-0"
    assert named in {cell.name for cell in sweep.cells}
    assert f"`{named}`" in PAGE.read_text()

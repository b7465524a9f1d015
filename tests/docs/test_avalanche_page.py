"""The Python examples of the page on Avalanche run as they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.filterwarnings("ignore")


def _scenario(folder: Path) -> None:
    stream = {"kind": "class_incremental", "dataset": "digits", "experiences": 5}
    (folder / "digits.yaml").write_text(json.dumps({"stream": stream, "strategy": "nmc"}))


def test_the_examples_run(
    docs: Path,
    code_blocks: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    _scenario(tmp_path)
    for block in code_blocks((docs / "avalanche.md").read_text(), "python"):
        exec(compile(block, "avalanche.md", "exec", dont_inherit=True), {})
    shown = capsys.readouterr().out.splitlines()
    assert shown[0].startswith("[0, 1] ")
    assert len(shown) == 6  # five experiences, one accuracy
    assert float(shown[-1]) > 0.5

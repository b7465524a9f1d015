"""The largest scenario files: refused within a second and 200 MB, in a process of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

FEW = ["brackets", "bomb", "tags", "10 MB", "long word", "exponent"]
MOST_SECONDS = 1.0
MOST_BYTES = 200 * 1024 * 1024


def measure(folder: Path, root: Path, names: list[str]) -> dict[str, Any]:
    script = root / "tests" / "fuzz" / "hostile_sizes.py"
    done = subprocess.run(
        [sys.executable, str(script), str(folder), *names],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def assert_bounded(found: dict[str, Any], accepted: list[str]) -> None:
    slowest = max(found["seconds"], key=found["seconds"].__getitem__)
    assert found["seconds"][slowest] < MOST_SECONDS, slowest
    assert found["peak_bytes"] < MOST_BYTES
    assert found["accepted"] == accepted


def test_large_files_are_refused_within_a_second_and_little_memory(tmp_path, root):
    found = measure(tmp_path, root, FEW)
    assert sorted(found["seconds"]) == sorted(FEW)
    assert_bounded(found, [])


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_all_kinds_of_large_files_are_read_within_a_second_and_little_memory(tmp_path, root):
    found = measure(tmp_path, root, [])
    assert len(found["seconds"]) > 55
    assert_bounded(found, ["few labels"])

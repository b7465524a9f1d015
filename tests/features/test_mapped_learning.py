from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).with_name("mapped_learning.py")
MOST_BYTES = 450_000_000
"""Slices of solvers, each of 128 MiB at most, samples, and what a first run imports."""
COPIES = {"fetril": 1}
"""FeTrIL centres the features of an experience for its SVM."""
NOTHING_KEPT = {"MALLOC_MMAP_THRESHOLD_": "1048576", "MALLOC_TRIM_THRESHOLD_": "1048576"}
"""Has glibc give back what is freed: how much it keeps hangs on the order of threads."""


@pytest.mark.slow
def test_strategies_learn_from_mapped_features_without_holding_them() -> None:
    """655 MB of features, in a file; pages of it that are in memory are the system's."""
    command = [sys.executable, str(SCRIPT)]
    path = {"PYTHONPATH": str(SCRIPT.parents[2])}  # benchmarks is not installed
    environment = {**os.environ, **NOTHING_KEPT, **path}
    ended = subprocess.run(
        command, capture_output=True, text=True, timeout=280, check=True, env=environment
    )
    found = json.loads(ended.stdout)
    held = {name: taken["own_bytes"] for name, taken in found["strategies"].items()}
    assert list(held) == ["nmc", "slda", "fecam", "ranpac", "fetril", "kmeans_discovery"]
    assert found["feature_bytes"] == 655_360_000
    beyond = {name: size - COPIES.get(name, 0) * 655_360_000 for name, size in held.items()}
    assert {name: size for name, size in beyond.items() if size > MOST_BYTES} == {}
    assert min(taken["accuracy"] for taken in found["strategies"].values()) > 0.25  # chance: 0.125

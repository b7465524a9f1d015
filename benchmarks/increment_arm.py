"""What an incremental experience costs beyond its forward pass: 10 new classes on top of 90.

Features of 512 values are given, so that what is timed is the rest: learning, and predicting 500
test samples over 100 classes. The goal is absolute, 50 ms on one CPU thread, so no contestant is
better than another; `nmc` is the baseline because there has to be one.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import numpy as np
import torch

from cilsim.bench.prepared_runs import PreparedRuns
from cilsim.bench.rounds import Arm, Contestants

CLASSES, SIZE, TEST_PER_CLASS = 100, 512, 5
STRATEGIES = ("nmc", "teen", "slda")


def features(folder: Path, samples_per_class: int) -> Path:
    """Write features as an `arrays` data set and return the file."""
    generator = np.random.default_rng(0)
    arrays: dict[str, np.ndarray] = {}
    centres = generator.normal(size=(CLASSES, SIZE))
    for part, each in (("train", samples_per_class), ("test", TEST_PER_CLASS)):
        y = np.repeat(np.arange(CLASSES), each)
        noise = generator.normal(size=(len(y), SIZE))
        arrays[f"x_{part}"] = np.abs(centres[y] + noise).astype(np.float32)
        arrays[f"y_{part}"] = y.astype(np.int64)
    path = folder / "features.npz"
    np.savez(path, allow_pickle=False, **arrays)
    return path


def arm(samples_per_class: int) -> Arm:
    """Return the comparison for a number of samples per class."""

    def build(device: torch.device) -> Contestants:
        folder = Path(tempfile.mkdtemp(prefix="cilsim-bench-"))
        dataset = {"name": "arrays", "path": str(features(folder, samples_per_class))}
        stream = {"kind": "class_incremental", "base_classes": 90, "increment": 10}
        scenario = {
            "stream": {**stream, "dataset": dataset},
            "backbone": "identity",
            "strategies": list(STRATEGIES),
        }
        path = folder / "increment.yaml"
        path.write_text(json.dumps(scenario))
        runs = PreparedRuns(path, device)
        return {label: runs.contestant(label, files=False) for label in STRATEGIES}

    summary = f"10 new classes of {samples_per_class} samples on top of 90, 512 features"
    return Arm(summary, "nmc", build, 1, "increment")


INCREMENT_5 = arm(5)
INCREMENT_50 = arm(50)
INCREMENT_500 = arm(500)

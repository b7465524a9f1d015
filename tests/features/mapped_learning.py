"""Learns from features that are mapped from a file, and says how much memory that takes.

Each strategy learns in a process of its own, forked from one that has imported everything. Output:
JSON, the bytes of the features and by strategy the most memory that was held besides.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.scaling.probe import PeakMemory
from torch import Tensor

from cilsim.backbones.backbone import Backbone
from cilsim.hookspecs import hookimpl
from cilsim.runner.from_python import run

CLASSES, EACH, NARROW, WIDE = 8, 40_000, 8, 512
FEATURE_BYTES = 4 * CLASSES * EACH * WIDE
STRATEGIES: dict[str, dict[str, Any]] = {
    "nmc": {"metric": "euclidean_normalised"},
    "slda": {},
    "fecam": {},
    "ranpac": {"random_features": 100},
    "fetril": {"svm_tolerance": 0.1},
    "kmeans_discovery": {"inits": 1, "iterations": 2},
}


class Wide(Backbone):
    """Repeats each sample of few numbers with growing powers: wide, never negative, no weights."""

    feature_size = WIDE

    def forward(self, x: Tensor) -> Tensor:
        """Return (B, D) features."""
        powers = torch.linspace(0.5, 1.5, WIDE // NARROW)
        return (x.abs().unsqueeze(2) ** powers).flatten(1)


class Registered:
    """Registers the backbone `wide`."""

    cilsim_api = 1

    @hookimpl
    def cilsim_register_backbones(self, register: Any) -> None:
        """Register it."""
        register("wide", lambda options, shape, generator: Wide(), accepts="features")


def made_arrays() -> dict[str, Any]:
    """Return samples of overlapping classes, 2 % as many to test on."""
    draws, arrays = np.random.default_rng(0), {}
    centres = draws.normal(size=(CLASSES, NARROW))
    for part, each in (("train", EACH), ("test", EACH // 50)):
        labels = np.repeat(np.arange(CLASSES), each)
        noise = draws.standard_normal((len(labels), NARROW), dtype=np.float32)
        arrays[f"x_{part}"], arrays[f"y_{part}"] = (
            centres[labels].astype(np.float32) + noise,
            labels,
        )
    return arrays


def scenario(strategy: str) -> dict[str, Any]:
    """Return what a scenario file would hold: all classes at once, but for discovery."""
    stream: dict[str, Any] = {"kind": "class_incremental", "experiences": 1}
    if strategy == "kmeans_discovery":
        stream = {"kind": "novel_class_discovery", "labelled_classes": 1, "stages": 1}
    return {
        "schema": 1,
        "name": "mapped",
        "stream": {**stream, "dataset": "python_arrays"},
        "backbone": "wide",
        "strategies": [{"name": strategy, **STRATEGIES[strategy]}],
        "threads": 1,
    }


def learn(strategy: str, arrays: dict[str, Any], answers: Any) -> None:
    """Put the most memory held while one strategy runs, and its accuracy."""
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as folder, PeakMemory() as memory:
        outcome = run(
            scenario(strategy), arrays=arrays, plugins=[("wide", Registered())],
            out=Path(folder), device="cpu", cache=False,
        )  # fmt: skip
    for failure in outcome.failures:
        raise RuntimeError(failure.message)
    accuracy = outcome.results[0].evaluations[-1].values["A_all"]
    answers.put({"own_bytes": memory.own_bytes, "accuracy": accuracy})


def main() -> None:
    """Print what each strategy took."""
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    forked, arrays, found = multiprocessing.get_context("fork"), made_arrays(), {}
    for strategy in STRATEGIES:
        answers = forked.SimpleQueue()
        process = forked.Process(target=learn, args=(strategy, arrays, answers))
        process.start()
        process.join()
        if process.exitcode:
            raise SystemExit(f"{strategy} ended with {process.exitcode}")
        found[strategy] = answers.get()
    sys.stdout.write(json.dumps({"feature_bytes": FEATURE_BYTES, "strategies": found}))


if __name__ == "__main__":
    main()

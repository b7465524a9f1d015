"""What a second strategy costs on the base of the first: training and extraction are behind it.

`first` runs NMC on a few-shot stream, base training and all; `second` runs TEEN on the same stream
with that base and the features of its images at hand, as the second strategy of a file has them.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path

import torch

from cilsim.bench.prepared_runs import PreparedRuns
from cilsim.bench.rounds import Arm, Contestants, Goal, Prepared, Work
from cilsim.features.cache import FeatureCache
from cilsim.strategy.base_training import MemoryStore

EPOCHS = 3
"""Of the base training: a real one has tens, and the second strategy costs no more for it."""


def scenario_file() -> Path:
    """Write the scenario and return the file."""
    recipe = {"epochs": EPOCHS, "augmentation": {"crop_padding": 4, "flip": True}}
    scenario = {
        "stream": {
            "kind": "few_shot_class_incremental",
            "dataset": {"name": "glyphs100"},
            "base_classes": 60,
            "way": 5,
            "shot": 5,
        },
        "backbone": "small",
        "strategies": ["nmc", "teen"],
        "base_training": recipe,
    }
    path = Path(tempfile.mkdtemp(prefix="cilsim-bench-")) / "second.yaml"
    path.write_text(json.dumps(scenario))
    return path


def _run(runs: PreparedRuns, label: str, features: FeatureCache, bases: MemoryStore) -> None:
    runs.start(label, features, bases).execute()


def _build(device: torch.device) -> Contestants:
    runs = PreparedRuns(scenario_file(), device)
    features, bases = FeatureCache(1 << 30), MemoryStore()
    _run(runs, "nmc", features, bases)

    def first() -> Work:
        return lambda: _run(runs, "nmc", FeatureCache(1 << 30), MemoryStore())

    def second() -> Work:
        return lambda: _run(runs, "teen", features, bases)

    return {"first": Prepared(first), "second": Prepared(second)}


SECOND_STRATEGY = Arm(
    f"TEEN on the base of NMC, {EPOCHS} epochs of base training, against NMC itself",
    "first", _build, 1, "run", (Goal("second", 20.0, 20.0),),
)  # fmt: skip

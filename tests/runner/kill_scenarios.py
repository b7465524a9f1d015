"""A small scenario for every strategy, on a stream that it serves."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

FAST = {"epochs": 8, "batch_size": 32, "lr": 0.02, "schedule": "constant"}
RING = {
    "dataset": {"name": "arrays", "path": "DATA/ring.npz"},
    "kind": "class_incremental",
    "sizes": [4, 3, 3],
}
CALM = {"epochs": 8, "batch_size": 32, "optimizer": "adam", "lr": 0.003, "schedule": "constant"}
IMAGES = {
    "base_training": CALM,
    "training": CALM,
    "stream": {**RING, "dataset": {"name": "arrays", "path": "DATA/patterns.npz"}},
    "backbone": {"name": "small", "widths": [8, 16, 32]},
}
SMALL = {"hidden": 16, "bottleneck": 8}


def discovering(kind: str) -> dict[str, Any]:
    from cilsim.testing.discovery_contract import RING_STREAMS

    return {"stream": {"dataset": RING["dataset"], "kind": kind, **RING_STREAMS[kind]}}


def scenarios() -> dict[str, dict[str, Any]]:
    """Return sections by strategy: options, and what its scenario changes."""
    novel, continual = "novel_class_discovery", "continual_category_discovery"
    return {
        "avalanche": {"options": {"strategy": "Replay", "options": {"mem_size": 40}}},
        "fecam": {},
        "fetril": {"options": {"classifier": "linear"}},
        "finetune": {},
        "frost": {"options": {}, **discovering(novel)},
        "gcd": {"options": {**SMALL, "outputs": 16, "inits": 3}, **discovering(novel)},
        "happy": {"options": SMALL, **discovering(continual)},
        "icarl": {"options": {"per_class": 5}},
        "joint": {},
        "kmeans_discovery": discovering(novel),
        "napa_vq": {"options": {"codebook_lr_base": 0.5}, **IMAGES},
        "nmc": {},
        "pass": IMAGES,
        "protogcd": {
            "options": {**SMALL, "ramp_epochs": 3},
            **discovering("generalized_category_discovery"),
        },
        "ranpac": {"options": {"random_features": 64}},
        "simgcd": {"options": SMALL, **discovering(continual)},
        "slda": {},
        "ssre": IMAGES,
        "teen": {"options": {"calibration_weight": 0.1}},
    }


def scenario_text(strategy: str, sections: Mapping[str, Any]) -> str:
    changes = {name: value for name, value in sections.items() if name != "options"}
    content = {
        "schema": 1,
        "name": "killed",
        "stream": RING,
        "backbone": {"name": "mlp", "hidden": [32, 32]},
        "strategy": {"name": strategy, **sections.get("options", {})},
        "base_training": FAST,
        "training": FAST,
        "threads": 1,
        "checkpoints": {"every": "0.03s"},
        **changes,
    }
    return json.dumps(content)

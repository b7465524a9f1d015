"""Whatever strategy trains, no step waits for the device."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cilsim.plugins import discover
from cilsim.testing import Project, write_patterns
from cilsim.testing.discovery_contract import RING_STREAMS
from cilsim.testing.host_reads import HostReads
from cilsim.training.loop import _Training

SHORT = {"epochs": 1, "batch_size": 16, "lr": 0.003, "optimizer": "adam", "schedule": "constant"}
LABELLED = {"kind": "class_incremental", "sizes": [6, 2, 2]}
SMALL = {"hidden": 16, "bottleneck": 8}

CONTINUAL = {
    "kind": "continual_category_discovery",
    "old_classes": 4,
    "stages": 2,
    "new_samples": 8,
    "seen_samples": 4,
}
GENERALISED = {
    "kind": "generalized_category_discovery",
    **RING_STREAMS["generalized_category_discovery"],
}

TRAININGS: dict[str, tuple[Any, dict[str, Any]]] = {
    "finetune": ("finetune", LABELLED),
    "joint": ("joint", LABELLED),
    "nmc": ("nmc", LABELLED),
    "teen": ("teen", LABELLED),
    "slda": ("slda", LABELLED),
    "fecam": ("fecam", LABELLED),
    "ranpac": ({"name": "ranpac", "random_features": 64}, LABELLED),
    "fetril": ("fetril", LABELLED),
    "fetril-linear": ({"name": "fetril", "classifier": "linear"}, LABELLED),
    "icarl": ({"name": "icarl", "per_class": 4}, LABELLED),
    "icarl-kd": ({"name": "icarl", "per_class": 4, "loss": "kd"}, LABELLED),
    "pass": ("pass", LABELLED),
    "napa_vq": ("napa_vq", LABELLED),
    "ssre": ("ssre", LABELLED),
    "ssre-hard": ({"name": "ssre", "selection": "hard"}, LABELLED),
    "kmeans_discovery": ("kmeans_discovery", GENERALISED),
    "gcd": ({"name": "gcd", **SMALL, "outputs": 32, "inits": 2}, GENERALISED),
    "simgcd": ({"name": "simgcd", **SMALL}, GENERALISED),
    "protogcd": ({"name": "protogcd", **SMALL, "ramp_epochs": 1}, GENERALISED),
    "happy": ({"name": "happy", **SMALL}, CONTINUAL),
    "frost": ({"name": "frost", "self_training_weight": 1.0, "replay_samples": 4}, CONTINUAL),
}  # fmt: skip
"""Strategies and streams on which they train, with the options that change their losses."""


def test_every_built_in_strategy_is_here() -> None:
    entries = discover().registries.strategies
    built_in = {entry.name for entry in entries if entry.owner.distribution == "cilsim"}
    # `avalanche` trains in Avalanche's loop, which is what it is
    assert built_in - {"avalanche"} == {name.partition("-")[0] for name in TRAININGS}


@pytest.mark.parametrize("name", TRAININGS)
def test_no_step_reads_a_value_from_the_device(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, reads, advance = [], HostReads(), _Training._advance

    def watched(training: _Training, order_N: Any) -> None:
        with reads:
            advance(training, order_N)
        steps.append(training.spec.experience)

    monkeypatch.setattr(_Training, "_advance", watched)
    project = Project.create(tmp_path)
    write_patterns(tmp_path / "ring.npz", train_per_class=12, test_per_class=2)
    strategy, stream = TRAININGS[name]
    scenario = project.ring_scenario(
        strategy,
        stream,
        backbone={"name": "small", "widths": [8, 16, 32]},
        base_training={**SHORT, "augmentation": {"crop_padding": 1, "flip": True}},
        training={**SHORT, "augmentation": {"crop_padding": 1, "brightness": 0.2, "cutout": 2}},
    )
    outcome = project.run(scenario)
    assert not outcome.failures
    assert len(steps) >= 3  # of the base at least
    assert sorted(set(reads.found)) == []

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.testing import Project

Ring = Callable[..., dict[str, Any]]
VARYING = {"status.json", "ledger.json", ".lock", "SHA256SUMS"}
"""Files about when, how long and by whom, and the sums of these."""


def results(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in VARYING and "checkpoints" not in path.parts
    }


def test_the_same_scenario_twice_leaves_equal_files(project: Project, ring: Ring) -> None:
    scenario = ring(project, ["finetune", "nmc", "teen"], seeds=[0, 1], name="same")
    folders = [
        project.run(scenario, "same", out=project.folder / place).folder
        for place in ("here", "there")
    ]
    here, there = map(results, folders)
    assert sorted(here) == sorted(there)
    assert {name for name in here if here[name] != there[name]} == set()
    assert len(here) > 2 * 3 * 7


def test_another_seed_gives_other_weights(project: Project, ring: Ring) -> None:
    project.run(ring(project, ["finetune"], seeds=[0, 1]))
    folders = [project.files("toy", "finetune", seed).folder for seed in (0, 1)]
    last = Path("checkpoints") / "experience-04" / "tensors.safetensors"
    assert (folders[0] / last).read_bytes() != (folders[1] / last).read_bytes()


def test_the_training_seed_does_not_change_the_class_order(project: Project, ring: Ring) -> None:
    scenario = ring(project, ["nmc"], seeds=[0, 1], class_order={"seed": 1993})
    outcome = project.run(scenario)
    first, second = (result.run.stream for result in outcome.results)
    assert first == second
    assert first.class_ids == tuple(np.random.RandomState(1993).permutation(10).tolist())


def test_a_strategy_run_beside_others_ends_as_it_does_alone(project: Project, ring: Ring) -> None:
    project.run(ring(project, ["joint", "teen", "finetune"]), "together")
    project.run(ring(project, ["finetune"]), "alone")
    together, alone = (project.files(name, "finetune") for name in ("together", "alone"))
    assert together.deterministic_bytes() == alone.deterministic_bytes()

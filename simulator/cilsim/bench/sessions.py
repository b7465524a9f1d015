"""Incremental experiences of prototype strategies against one forward pass over their images.

With a frozen backbone an experience cannot cost less than passing its new training and test
images through the network once. The engine's side is what a run does for the eight sessions of
the 60 + 8x5-way 5-shot stream: learning, and evaluation over all classes seen. The contestants
called `+files` also compute metrics and write results and checkpoints, each with fsync. The base,
done before, and reporters are left out.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import torch

from cilsim.bench.prepared_runs import PreparedRuns
from cilsim.bench.rounds import Arm, Contestants, Goal
from cilsim.bench.scratch import scratch_folder
from cilsim.data.normalise import normalise
from cilsim.data.samples import Samples
from cilsim.features.chunks import chunk_for

SCENARIO = {
    "stream": {
        "kind": "few_shot_class_incremental",
        "dataset": {"name": "glyphs100"},
        "base_classes": 60,
        "way": 5,
        "shot": 5,
    },
    "head": {"kind": "cosine"},
    "strategies": ["nmc", "teen"],
    "base_training": {"epochs": 0},
}


def scenario_file(backbone: str, test_per_class: int) -> Path:
    """Write the scenario for a backbone and return the file."""
    dataset = {"name": "glyphs100", "test_per_class": test_per_class}
    stream = {**SCENARIO["stream"], "dataset": dataset}  # type: ignore[dict-item]
    path = scratch_folder() / "session.yaml"
    path.write_text(json.dumps({**SCENARIO, "stream": stream, "backbone": backbone}))
    return path


def forward_pass(runs: PreparedRuns) -> Callable[[], None]:
    """Return a call that passes the images of the sessions through the backbone once."""
    run = runs.after_base("nmc")
    parts: list[Samples] = []
    for info in run.info.stream.experiences[1:]:
        parts += [run.materials.experience(info.index).labelled, run.materials.test(info.index)]
    backbone = run.model.backbone.eval()
    chunk = chunk_for(backbone, parts[0], runs.device)

    def forward() -> None:
        with torch.inference_mode():
            for part in parts:
                for images in torch.split(part.x[:], chunk):
                    backbone(normalise(images, part.mean, part.std, channels_last=True))

    return forward


def arm(backbone: str, test_per_class: int) -> Arm:
    """Return the comparison for a backbone."""

    def build(device: torch.device) -> Contestants:
        sessions = PreparedRuns(scenario_file(backbone, test_per_class), device)
        return {
            "forward": forward_pass(sessions),
            "nmc": sessions.contestant("nmc", files=False),
            "teen": sessions.contestant("teen", files=False),
            "nmc+files": sessions.contestant("nmc", files=True),
            "teen+files": sessions.contestant("teen", files=True),
        }

    images = 40 * (5 + test_per_class)
    summary = f"8 sessions of 5-way 5-shot, {backbone}, against one forward pass over their images"
    goals = (Goal("nmc", 1 / 1.2, 1 / 1.2), Goal("teen", 1 / 1.2, 1 / 1.2))
    return Arm(summary, "forward", build, images, "image", goals)


SESSION_SMALL = arm("small", 50)
SESSION_RESNET20 = arm("resnet20", 50)

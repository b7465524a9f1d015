"""Incremental experiences of prototype strategies against one forward pass over their images.

With a frozen backbone an experience cannot cost less than passing its new training and test
images through the network once. The engine's side is what a run does for the eight sessions of
the 60 + 8x5-way 5-shot stream: learning, and evaluation over all classes seen. The contestants
called `+files` also compute metrics and write results and checkpoints, each with fsync. The base,
done before, and reporters are left out.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path

import torch

from benchmarks.rounds import Arm, Goal
from cilsim.data.normalise import normalise
from cilsim.data.samples import Samples
from cilsim.features.cache import FeatureCache
from cilsim.features.extract import CHUNKS
from cilsim.plugins import Plugins, discover
from cilsim.records import RunInfo
from cilsim.results.seed_folder import SeedFolder
from cilsim.runner.assembly import Shared, assemble
from cilsim.runner.interruption import StopRequest
from cilsim.runner.planning import plan_stream
from cilsim.runner.run import Run
from cilsim.scenario.load import load_scenario
from cilsim.strategy.base_training import MemoryStore

PREPARED = 10
"""Runs made ready; each is used up by one call, so that at most nine rounds can be asked for."""

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


class Sessions:
    """Runs that stand after their base experience, ready for the sessions to be timed."""

    def __init__(self, backbone: str, test_per_class: int, device: torch.device) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cilsim-bench-"))
        self.plugins: Plugins = discover()
        dataset = {"name": "glyphs100", "test_per_class": test_per_class}
        stream = {**SCENARIO["stream"], "dataset": dataset}  # type: ignore[dict-item]
        path = self.folder / "session.yaml"
        path.write_text(json.dumps({**SCENARIO, "stream": stream, "backbone": backbone}))
        self.scenario = load_scenario(path, self.plugins.registries)
        choice = self.scenario.stream.dataset
        self.dataset = self.plugins.registries.datasets[choice.name].load()(choice.options)
        self.device = device
        self.made = 0

    def contestant(self, label: str, *, files: bool) -> Callable[[], None]:
        """Return a call that runs the sessions of one strategy."""
        ready = [self._after_base(label) for _ in range(PREPARED)]

        def sessions() -> None:
            run = ready.pop()
            for info in run.info.stream.experiences[1:]:
                if files:
                    run.live_through(info)
                else:
                    run.learn_and_predict(info)

        return sessions

    def bound(self) -> Callable[[], None]:
        """Return a call that passes the images of the sessions through the backbone once."""
        run = self._after_base("nmc")
        parts: list[Samples] = []
        for info in run.info.stream.experiences[1:]:
            parts += [run.materials.experience(info.index).labelled, run.materials.test(info.index)]
        backbone = run.model.backbone.eval()
        chunk = CHUNKS[self.device.type]

        def forward() -> None:
            with torch.inference_mode():
                for part in parts:
                    for images in torch.split(part.x, chunk):
                        backbone(normalise(images, part.mean, part.std, channels_last=True))

        return forward

    def _after_base(self, label: str) -> Run:
        shared = Shared(
            self.scenario, self.plugins, self.dataset, self.device, FeatureCache(1 << 30),
            MemoryStore(), StopRequest(),
        )  # fmt: skip
        plan, stream = plan_stream(self.scenario, self.plugins, 0)
        self.made += 1
        path = self.folder / f"run-{self.made}"
        info = RunInfo("session", label, 0, stream, str(self.device), path)
        choice = next(c for c in self.scenario.strategies if c.label == label)
        run, _ = assemble(shared, plan, info, choice, SeedFolder(path, label, 0))
        run.live_through(stream.experiences[0])
        return run


def arm(backbone: str, test_per_class: int) -> Arm:
    """Return the comparison for a backbone."""

    def build(device: torch.device) -> Mapping[str, Callable[[], None]]:
        sessions = Sessions(backbone, test_per_class, device)
        return {
            "forward": sessions.bound(),
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

"""Runs that stand after their base experience, ready for the later ones to be timed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from cilsim.features.cache import FeatureCache
from cilsim.plugins import discover
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


class PreparedRuns:
    """Makes runs of the strategies of a scenario file, seed 0, that have learnt their base."""

    def __init__(self, path: Path, device: torch.device) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="cilsim-bench-"))
        self.plugins = discover()
        self.scenario = load_scenario(path, self.plugins.registries)
        choice = self.scenario.stream.dataset
        self.dataset = self.plugins.registries.datasets[choice.name].load()(choice.options)
        self.device = device
        self.made = 0

    def contestant(self, label: str, *, files: bool) -> Callable[[], None]:
        """Return a call that runs the later experiences of one strategy.

        Args:
            label: of the strategy.
            files: whether metrics are computed and results and checkpoints written too.
        """
        ready = [self.after_base(label) for _ in range(PREPARED)]

        def experiences() -> None:
            run = ready.pop()
            for info in run.info.stream.experiences[1:]:
                if files:
                    run.live_through(info)
                else:
                    run.learn_and_predict(info)

        return experiences

    def after_base(self, label: str) -> Run:
        """Return a run of one strategy that has learnt its base."""
        shared = Shared(
            self.scenario, self.plugins, self.dataset, self.device, FeatureCache(1 << 30),
            MemoryStore(), StopRequest(),
        )  # fmt: skip
        plan, stream = plan_stream(self.scenario, self.plugins, 0)
        self.made += 1
        path = self.folder / f"run-{self.made}"
        info = RunInfo("benchmark", label, 0, stream, str(self.device), path)
        choice = next(c for c in self.scenario.strategies if c.label == label)
        run, _ = assemble(shared, plan, info, choice, SeedFolder(path, label, 0))
        run.live_through(stream.experiences[0])
        return run

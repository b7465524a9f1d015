"""Runs that stand after their base experience, for the later ones to be timed."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch

from cilsim.bench.rounds import Decisions, Prepared, Work
from cilsim.bench.scratch import scratch_folder
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


class PreparedRuns:
    """Makes runs of the strategies of a scenario file, seed 0, that have learnt their base.

    The base is trained once for all of them. Features are not shared: every run passes each image
    of its later experiences through the backbone itself.
    """

    def __init__(self, path: Path, device: torch.device) -> None:
        self.folder = scratch_folder()
        self.plugins = discover()
        self.scenario = load_scenario(path, self.plugins.registries)
        choice = self.scenario.stream.dataset
        self.dataset = self.plugins.registries.datasets[choice.name].load()(choice.options)
        self.device = device
        self.bases = MemoryStore()
        self.made = 0

    def contestant(self, label: str, *, files: bool) -> Prepared:
        """Return a contestant that runs the later experiences of one strategy.

        Args:
            label: of the strategy.
            files: whether metrics are computed and results and checkpoints written too.
        """

        def prepare() -> Work:
            run = self.after_base(label)
            return (lambda: _stored(run)) if files else (lambda: _predicted(run))

        return Prepared(prepare)

    def after_base(self, label: str) -> Run:
        """Return a run of one strategy that has learnt its base."""
        run = self.start(label, FeatureCache(1 << 30), self.bases)
        run.live_through(run.info.stream.experiences[0])
        return run

    def start(self, label: str, features: FeatureCache, bases: MemoryStore) -> Run:
        """Return a run of one strategy that has learnt nothing, with what it may reuse."""
        shared = Shared(
            self.scenario, self.plugins, self.dataset, self.device, features, bases, StopRequest()
        )
        plan, stream = plan_stream(self.scenario, self.plugins, 0)
        self.made += 1
        path = self.folder / f"run-{self.made}"
        info = RunInfo("benchmark", label, 0, stream, str(self.device), path)
        choice = next(c for c in self.scenario.strategies if c.label == label)
        run, _ = assemble(shared, plan, info, choice, SeedFolder(path, label, 0))
        return run


def _predicted(run: Run) -> Decisions:
    """Return the predictions after each later experience, learnt and evaluated now."""
    later = run.info.stream.experiences[1:]
    learnt = [run.learn_and_predict(info)[0] for info in later]
    return np.concatenate([predicted.test.predicted for predicted in learnt])


def _stored(run: Run) -> Decisions:
    """The same, with metrics, result files and checkpoints."""
    for info in run.info.stream.experiences[1:]:
        run.live_through(info)
    return np.concatenate([past.predictions.predicted for past in run.evaluations[1:]])

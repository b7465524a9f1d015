"""Running scenarios in a temporary folder and looking at what they leave there."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from cilsim.errors import Interrupted
from cilsim.plugins import Plugins, discover
from cilsim.runner.interruption import StopRequest
from cilsim.runner.request import RunRequest, ScenarioOutcome
from cilsim.runner.scenario_run import run_scenario
from cilsim.scenario.load import load_scenario
from cilsim.testing.ring import write_ring

FIVE_PAIRS: Mapping[str, Any] = {"kind": "class_incremental", "experiences": 5}
"""Options of the ring's usual stream: five experiences of two classes."""


@dataclass(frozen=True)
class RunFiles:
    """The files of one strategy and seed."""

    folder: Path

    def metrics(self) -> dict[tuple[int, str], float]:
        """Return every metric by (experience, name)."""
        lines = (self.folder / "metrics.jsonl").read_text().splitlines()
        records = [json.loads(line) for line in lines]
        return {(r["experience"], r["name"]): r["value"] for r in records}

    def accuracy_matrix(self) -> NDArray[np.float64]:
        """Return R, NaN where nothing was measured."""
        rows = (self.folder / "accuracy_matrix.csv").read_text().splitlines()[1:]
        cells = [row.split(",")[1:] for row in rows]
        return np.array([[float(cell) if cell else np.nan for cell in row] for row in cells])

    def predictions(self) -> list[dict[str, NDArray[np.int64]]]:
        """Return the stored arrays after each experience, by name."""
        return _arrays(self.folder / "predictions")

    def unlabelled_predictions(self) -> list[dict[str, NDArray[np.int64]]]:
        """Return the same for the unlabelled samples of each experience; empty ones for none."""
        return _arrays(self.folder / "predictions" / "unlabelled")

    def deterministic_bytes(self) -> dict[str, bytes]:
        """Return the files that must be equal between equal runs."""
        names = ["metrics.jsonl", "accuracy_matrix.csv"]
        paths = [self.folder / name for name in names]
        paths += sorted((self.folder / "predictions").rglob("*.npz"))
        return {path.relative_to(self.folder).as_posix(): path.read_bytes() for path in paths}

    @property
    def experiences(self) -> int:
        """How many experiences were evaluated."""
        return len(list((self.folder / "predictions").glob("*.npz")))


def _arrays(folder: Path) -> list[dict[str, NDArray[np.int64]]]:
    arrays = []
    for path in sorted(folder.glob("*.npz")):
        with np.load(path, allow_pickle=False) as stored:
            arrays.append(dict(stored))
    return arrays


@dataclass(frozen=True)
class Project:
    """A folder with scenarios, data and runs.

    Attributes:
        folder: where everything lies.
        plugins: what is installed.
    """

    folder: Path
    plugins: Plugins

    @classmethod
    def create(cls, folder: Path, extra: Sequence[tuple[str, Any]] = ()) -> Project:
        """Return a project in `folder` with the ring as data and `extra` plugins."""
        write_ring(folder / "ring.npz")
        return cls(folder, discover(extra))

    def ring_scenario(
        self, strategy: Any, stream: Mapping[str, Any] = FIVE_PAIRS, **changes: Any
    ) -> dict[str, Any]:
        """Return the ring scenario: a small network, by default five experiences of two classes.

        Args:
            strategy: its name, or a mapping with `name` and options.
            stream: the stream section, without the data set.
            changes: sections to replace.
        """
        recipe = {"epochs": 10, "batch_size": 16, "lr": 0.05, "schedule": "constant"}
        return {
            "stream": {"dataset": {"name": "arrays", "path": "ring.npz"}, **stream},
            "backbone": {"name": "mlp", "hidden": [32, 32]},
            "strategy": strategy,
            "base_training": recipe,
            "training": recipe,
            **changes,
        }

    def run(
        self, scenario: Mapping[str, Any], name: str = "toy", **request: Any
    ) -> ScenarioOutcome:
        """Run a scenario given as data; nothing is cached beyond the call."""
        path = self.folder / f"{name}.yaml"
        path.write_text(json.dumps(dict(scenario)))  # JSON is YAML, without anchors
        loaded = load_scenario(path, self.plugins.registries)
        settings = {"out": self.folder / "runs", "device": "cpu", "cache": False, **request}
        return run_scenario(loaded, self.plugins, RunRequest(**settings))

    def run_in_parts(
        self,
        scenario: Mapping[str, Any],
        name: str,
        stopper: Callable[[StopRequest], object],
        *,
        at_most: int = 20,
    ) -> int:
        """Run a scenario, going on after every interruption, and return how many there were.

        Args:
            scenario: as for `run`.
            name: as for `run`.
            stopper: makes the plugin that asks each part to stop, such as `StopAfterEpoch`.
            at_most: interruptions after which to give up.
        """
        for interruptions in range(at_most):
            stop = StopRequest()
            reporters = [stopper(stop)]
            try:
                self.run(scenario, name, stop=stop, reporters=lambda start, r=reporters: r)
            except Interrupted:
                continue
            return interruptions
        return at_most

    def files(self, name: str, strategy: str, seed: int = 0) -> RunFiles:
        """Return the files of one run."""
        return RunFiles(self.folder / "runs" / name / strategy / f"seed-{seed}")

    def status(self, name: str) -> dict[str, Any]:
        """Return what `status.json` of a run folder says."""
        text = (self.folder / "runs" / name / "status.json").read_text()
        status: dict[str, Any] = json.loads(text)
        return status

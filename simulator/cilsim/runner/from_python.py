"""Running a scenario from Python, on arrays in memory if you like."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from cilsim.data.arrays import arrays_dataset
from cilsim.data.dataset import DataFacts, DataSet
from cilsim.hookspecs import hookimpl
from cilsim.options import Options
from cilsim.plugins import discover
from cilsim.registry import Register
from cilsim.runner.request import RunRequest, ScenarioOutcome
from cilsim.runner.scenario_run import run_scenario
from cilsim.scenario.load import load_scenario, load_text

DATASET = "python_arrays"
"""How a scenario names the arrays that were handed to `run`."""


def run(
    scenario: Mapping[str, Any] | Path | str,
    *,
    arrays: Mapping[str, Any] | None = None,
    plugins: Sequence[tuple[str, Any]] = (),
    out: Path | str = "runs",
    device: str = "auto",
    cache: bool = True,
) -> ScenarioOutcome:
    """Run a scenario and return its results.

    Args:
        scenario: a scenario file, or what it would hold as nested dicts and lists.
        arrays: `x_train`, `y_train`, `x_test`, `y_test`: uint8 images or float features (N, D)
            and integer class ids; the scenario names them `dataset: python_arrays`.
        plugins: plugins that are not installed, as (name, module or object).
        out: folder that holds the run folders.
        device: `auto`, `cpu`, `cuda`, `cuda:<n>` or `mps`.
        cache: whether base training is reused across calls.

    Raises:
        ScenarioError: the scenario cannot be used; every complaint at once.
        CilsimError: data, device or run folder cannot be used.
    """
    extra = list(plugins)
    if arrays is not None:
        dataset = arrays_dataset(**arrays, name=DATASET)
        extra.append((DATASET, InMemory(dataset, "arrays handed over in Python")))
    found = discover(extra)
    if isinstance(scenario, Mapping):
        loaded = load_text(json.dumps(dict(scenario)), "scenario", found.registries)
    else:
        loaded = load_scenario(Path(scenario), found.registries)
    return run_scenario(loaded, found, RunRequest(Path(out), device, cache))


class InMemory:
    """A plugin that registers one data set which is already in memory.

    Args:
        dataset: its name is what a scenario calls it.
        summary: a few words for lists.
    """

    cilsim_api = 1

    def __init__(self, dataset: DataSet, summary: str) -> None:
        self._dataset = dataset
        self._summary = summary

    @hookimpl
    def cilsim_register_datasets(self, register: Register) -> None:
        """Register the data set."""
        register(self._dataset.name, self._load, facts=self._facts, summary=self._summary)

    def _load(self, options: Options) -> DataSet:
        return self._dataset

    def _facts(self, options: Options) -> DataFacts:
        return self._dataset.facts

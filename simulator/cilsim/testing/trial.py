"""Trying one strategy, or one calibrator, on the small streams of `trial_streams`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from cilsim.options import Options
from cilsim.plugins import Plugins
from cilsim.registration import Plugin
from cilsim.registry import Entry
from cilsim.runner.failures import TRACEBACK
from cilsim.runner.request import ScenarioOutcome
from cilsim.scenario.strategy_section import serves
from cilsim.seeding import derive_seed
from cilsim.testing.check_spies import CountedStop, ShapeSpy, StateSpy
from cilsim.testing.failure_place import place_of
from cilsim.testing.patterns import patterns
from cilsim.testing.project import Project, RunFiles
from cilsim.testing.spies import KeptSpy, LabelSpy, SampleSpy
from cilsim.testing.trial_streams import PER_CLASS, RECIPE, STREAMS, Sections


@dataclass(frozen=True)
class Subject:
    """What is checked: a strategy, or a calibrator or hooks over a strategy that carries them.

    Attributes:
        entry: of the strategy or calibrator, or one that stands for a plugin's hooks.
        choice: how a scenario names it, with the options of its plugin's `check_options`.
        strategy: the name of the strategy that runs.
        kinds: stream kinds that it serves and that can be tried, the main one first.
    """

    entry: Entry
    choice: Sections
    strategy: str
    kinds: tuple[str, ...]

    @classmethod
    def of_strategy(cls, entry: Entry, plugins: Plugins) -> Subject:
        """Return a strategy with its own options for a check."""
        choice = {"name": entry.name, **entry.facts.get("check_options", {})}
        return cls(entry, choice, entry.name, kinds_served(entry, plugins))

    @classmethod
    def of_calibrator(cls, entry: Entry, carrier: Entry, plugins: Plugins) -> Subject:
        """Return a calibrator over the strategy `carrier`."""
        calibrator = {"name": entry.name, **entry.facts.get("check_options", {})}
        choice = {"name": carrier.name, "calibrators": [calibrator]}
        return cls(entry, choice, carrier.name, kinds_served(carrier, plugins))

    @classmethod
    def of_hooks(cls, plugin: Plugin, carrier: Entry, plugins: Plugins) -> Subject:
        """Return the hooks of a plugin, which every run calls, while `carrier` runs."""
        entry = Entry("hooks", plugin.name, plugin.implementation, Options, "", plugin.owner)
        return cls(entry, {"name": carrier.name}, carrier.name, kinds_served(carrier, plugins))


def kinds_served(entry: Entry, plugins: Plugins) -> tuple[str, ...]:
    """Return the stream kinds of `STREAMS` that a strategy serves, in that order."""
    streams = plugins.registries.streams
    return tuple(kind for kind in STREAMS if kind in streams and serves(entry, streams[kind]))


@dataclass(frozen=True)
class MainRun:
    """A run of the main stream that was watched; several promises are judged by it.

    Attributes:
        files: what it left, or None if it failed.
        shapes: what it returned.
        kept: what it stored, and declared.
        states: what it had learnt after each experience.
        samples: what it was given, before and after.
        labels: labels that it should not have.
        stop: how often it looked whether to stop.
    """

    files: RunFiles | None
    shapes: ShapeSpy
    kept: KeptSpy
    states: StateSpy
    samples: SampleSpy
    labels: LabelSpy
    stop: CountedStop


@dataclass
class Trial:
    """Runs of one subject in a folder.

    Attributes:
        subject: what is tried.
        project: where.
        failure: why the last run failed, or nothing.
    """

    subject: Subject
    project: Project
    failure: str = ""
    _runs: int = field(default=0)

    @classmethod
    def create(cls, folder: Path, subject: Subject, plugins: Plugins) -> Trial:
        """Return a trial in `folder`, with its data."""
        write_trial_data(folder / "trial.npz")
        return cls(subject, Project(folder, plugins))

    @property
    def main_kind(self) -> str:
        """The stream kind on which most promises are tried."""
        return self.subject.kinds[0]

    @cached_property
    def main(self) -> MainRun:
        """The watched run of the main stream."""
        spies = ShapeSpy(), KeptSpy(), StateSpy(), SampleSpy(), LabelSpy()
        stop = CountedStop()
        files = self.run(self.main_scenario(), *spies, stop=stop)
        return MainRun(files, *spies, stop)

    def scenario(self, stream: Sections, data: str = "trial.npz", **changes: Any) -> dict[str, Any]:
        """Return the scenario of a run on `stream`, which has a `kind` and its options."""
        return {
            "stream": {"dataset": {"name": "arrays", "path": data}, **stream},
            "class_order": "natural",
            "backbone": {"name": "small", "widths": [8, 16, 32]},
            "strategy": dict(self.subject.choice),
            "base_training": dict(RECIPE),
            "training": dict(RECIPE),
            **changes,
        }

    def main_scenario(self, **changes: Any) -> dict[str, Any]:
        """Return the scenario on the main stream."""
        return self.scenario({"kind": self.main_kind, **STREAMS[self.main_kind]}, **changes)

    def run(self, scenario: Sections, *spies: object, **request: Any) -> RunFiles | None:
        """Return the files of a run, or None if it failed; `failure` says why."""
        name = self.new_name()
        outcome = self.project.run(scenario, name, reporters=lambda start: spies, **request)
        self.failure = self.told(outcome, name)
        return None if self.failure else self.files(name)

    def told(self, outcome: ScenarioOutcome, name: str) -> str:
        """Return why the runs of a folder failed and where in the plugin's code, or nothing."""
        message = "; ".join(failure.message for failure in outcome.failures)
        stored = self.files(name).folder / TRACEBACK
        text = stored.read_text() if stored.is_file() else ""
        place = place_of(text, self.subject.entry.load()) if message else ""
        return f"{message} ({place})" if place else message

    def new_name(self) -> str:
        """Return a name for a run folder that is not taken."""
        self._runs += 1
        return f"run-{self._runs}"

    def files(self, name: str) -> RunFiles:
        """Return the files of a run by the name of its folder."""
        return self.project.files(name, self.subject.strategy)


def write_trial_data(
    path: Path, *, other_tests: bool = False, swapped: Mapping[int, int] | None = None
) -> None:
    """Write the patterns, with three domains, as a file for the data set `arrays`.

    Args:
        path: the file.
        other_tests: whether test images are noise instead.
        swapped: training labels to replace by others.
    """
    arrays: dict[str, Any] = {**patterns(train_per_class=PER_CLASS, test_per_class=6)}
    for part in ("train", "test"):
        arrays[f"domain_{part}"] = np.arange(len(arrays[f"y_{part}"])) % 3
    if other_tests:
        noise = np.random.default_rng(derive_seed(0, "trial", "other tests"))
        arrays["x_test"] = noise.integers(0, 256, arrays["x_test"].shape, dtype=np.uint8)
    if swapped:
        y = arrays["y_train"]
        arrays["y_train"] = np.array([swapped.get(int(label), int(label)) for label in y])
    np.savez(path, **arrays)

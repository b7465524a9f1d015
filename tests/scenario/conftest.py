"""Small registries made by hand, and a scenario that uses much of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pytest
from pydantic import Field, model_validator

from cilsim.data.dataset import DataFacts
from cilsim.errors import DataError, ScenarioError
from cilsim.options import Options
from cilsim.registry import Entry, Owner, Registries
from cilsim.scenario.discovery_options import NovelClassDiscoveryOptions
from cilsim.scenario.load import load_text
from cilsim.scenario.schema import Scenario
from cilsim.scenario.stream_options import (
    ClassIncrementalOptions,
    FewShotOptions,
)

OWNER = Owner("tests", "cilsim-tests", "1.0")


class TeenOptions(Options):
    calibration_weight: Annotated[float, Field(ge=0.0, le=1.0)] = 0.5
    """Share of the base prototypes in a new one."""
    similarity_scale: Annotated[float, Field(gt=0.0)] = 16.0
    """Factor on similarities before the softmax."""


class ReplayOptions(Options):
    memory: int
    """Exemplars kept in all. The more the better."""
    per_class: Literal["fixed", "shared"] | int = "shared"
    """How the memory is divided."""
    weights: tuple[float, ...] = ()
    """Weights of the losses."""


class FolderOptions(Options):
    root: Path
    """Folder with one folder per class."""
    lists: tuple[Path, ...] = ()
    """Lists of files."""


class SmallOptions(Options):
    width: Annotated[int, Field(ge=1)] = 32
    """Channels of the first layer."""


class NormOptions(Options):
    low: float = 0.0
    high: float = 1.0

    @model_validator(mode="after")
    def _ordered(self) -> NormOptions:
        if self.low > self.high:
            raise ValueError("'low' must not be above 'high'")
        return self


def glyph_facts(options: Options, train: int = 120) -> DataFacts:
    ids = tuple(range(100))
    y_train = np.repeat(np.arange(100), train)
    # class 99 is the smallest
    y_train = y_train[: len(y_train) - train // 2]
    names = tuple(f"glyph {class_id}" for class_id in ids)
    return DataFacts(ids, names, y_train, np.repeat(np.arange(100), 10), (1, 32, 32))


def folder_facts(options: FolderOptions) -> DataFacts:
    if not options.root.is_dir():
        raise DataError(f"no such folder: {options.root.name}")
    return glyph_facts(options, train=4)


def broken_facts(options: Options) -> DataFacts:
    raise KeyError("labels")


def make_registries() -> Registries:
    registries = Registries()
    feasibility = "cilsim.scenario.feasibility"
    streams = {
        "class_incremental": (ClassIncrementalOptions, ("cil",), True),
        "few_shot_class_incremental": (FewShotOptions, ("fscil",), True),
        "novel_class_discovery": (NovelClassDiscoveryOptions, ("ncd",), False),
    }
    for name, (options, aliases, labelled) in streams.items():
        facts = {"check": f"{feasibility}:{name}", "labelled": labelled}
        entry = Entry("stream", name, None, options, "a stream", OWNER, aliases, facts=facts)
        registries.streams.add(entry)
    datasets = {
        "glyphs100": (Options, glyph_facts),
        "image_folder": (FolderOptions, folder_facts),
        "broken": (Options, broken_facts),
        "silent": (Options, None),
    }
    for name, (options, facts_of) in datasets.items():
        entry = Entry("dataset", name, None, options, "data", OWNER, facts={"facts": facts_of})
        registries.datasets.add(entry)
    for name in ("small", "resnet20"):
        registries.backbones.add(Entry("backbone", name, None, SmallOptions, "a network", OWNER))
    strategies = {
        "nmc": (Options, ("ncm",), ()),
        "teen": (TeenOptions, (), ("few_shot_class_incremental", "class_incremental")),
        "replay": (ReplayOptions, (), ()),
        "gcd": (Options, (), ("novel_class_discovery",)),
    }
    for name, (options, aliases, serves) in strategies.items():
        entry = Entry("strategy", name, None, options, f"{name} in short", OWNER, aliases, serves)
        registries.strategies.add(entry)
    registries.calibrators.add(Entry("calibrator", "teen", None, TeenOptions, "TEEN", OWNER))
    registries.calibrators.add(Entry("calibrator", "norm", None, NormOptions, "norms", OWNER))
    return registries


FULL = """\
# a comment
schema: 1
name: glyphs100-fscil
description: few shots
stream: {kind: fscil, dataset: glyphs100, base_classes: 60, way: 5, shot: 5}
backbone: resnet20
strategies:
  - ncm
  - {name: teen, calibration_weight: 0.1, similarity_scale: 16}
  - name: replay
    as: replay-200
    memory: 200
    per_class: fixed
    weights: [1, 1e-3]
    calibrators: [{name: norm, high: 2}]
calibrators: [teen]
seeds: [0, 1, 2]
base_training:
  epochs: 20
  schedule: step
  milestones: [10, 15]
  augmentation: {crop_padding: 4, flip: true}
threads: 2
"""

SHORT = """\
stream: {kind: class_incremental, dataset: glyphs100, experiences: 5}
strategy: nmc
"""


@pytest.fixture(scope="session")
def registries() -> Registries:
    return make_registries()


@pytest.fixture(scope="session")
def full() -> str:
    return FULL


@pytest.fixture(scope="session")
def short() -> str:
    return SHORT


@pytest.fixture
def load(registries: Registries) -> Callable[..., Scenario]:
    """Load a text as `scen.yaml`, with overrides."""

    def load_it(text: str, *overrides: str, **settings: object) -> Scenario:
        return load_text(text, "scen.yaml", registries, overrides, **settings)

    return load_it


@pytest.fixture
def problems(load: Callable[..., Scenario]) -> Callable[..., list[str]]:
    """Return every problem of a text without its excerpt: `where: path: message`."""

    def problems_of(text: str, *overrides: str, **settings: object) -> list[str]:
        with pytest.raises(ScenarioError) as refused:
            load(text, *overrides, **settings)
        return [str(problem).partition("\n")[0] for problem in refused.value.problems]

    return problems_of

"""The settings of a scenario that belong to the core, and the records of a scenario once checked.

What a scenario file may say is in `cilsim.scenario.file_model`; options of stream kinds, data sets,
backbones, strategies and calibrators are models that their plugins register.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, WithJsonSchema, model_validator

from cilsim.options import Options
from cilsim.scenario.checkpoint_interval import PATTERN as INTERVAL_PATTERN
from cilsim.scenario.checkpoint_interval import interval_text
from cilsim.scenario.published import Published
from cilsim.scenario.recipe import Recipe

SCHEMA = 1
"""The only version of the scenario file so far."""

NAME_PATTERN = r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}"

LargeInt = Annotated[int, Field(ge=0, lt=2**63)]


def folder_name(text: str) -> str:
    """Return `text` if it is safe as the name of a folder on any system, or raise ValueError."""
    if re.fullmatch(NAME_PATTERN, text) is None:
        raise ValueError(
            f"a name of at most 100 letters, digits, '.', '_' or '-' that begins with a letter or "
            f"digit is expected, found '{text[:40]}'"
        )
    return text


def _no_repeat(numbers: tuple[int, ...]) -> tuple[int, ...]:
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise ValueError(f"{number} is given twice")
        seen.add(number)
    return numbers


Name = Annotated[
    str,
    AfterValidator(folder_name),
    WithJsonSchema({"type": "string", "pattern": f"^{NAME_PATTERN}$"}),
]
Interval = Annotated[
    str,
    AfterValidator(interval_text),
    WithJsonSchema({"type": "string", "pattern": f"^({INTERVAL_PATTERN})$"}),
]
DistinctSeeds = Annotated[tuple[LargeInt, ...], Field(min_length=1), AfterValidator(_no_repeat)]
DistinctIds = Annotated[tuple[int, ...], Field(min_length=1), AfterValidator(_no_repeat)]


class ClassOrder(Options):
    """The order in which classes enter the stream; nothing set means ascending class ids."""

    seed: Annotated[int, Field(ge=0, lt=2**32)] | None = None
    """Shuffle by this seed; 1993 gives the order of iCaRL and most tables after it."""
    ids: DistinctIds | None = Field(default=None, alias="list")
    """All class ids in stream order."""
    file: Path | None = None
    """A text file with all class ids in stream order, `#` begins a comment."""

    @model_validator(mode="after")
    def _one_way(self) -> ClassOrder:
        if [self.seed, self.ids, self.file].count(None) != 2:
            raise ValueError("give the class order as 'natural' or by one of seed, list, file")
        return self

    @property
    def is_natural(self) -> bool:
        """Whether classes enter by ascending class id."""
        return self.seed is None and self.ids is None and self.file is None


NATURAL = ClassOrder.model_construct()
"""Ascending class ids."""


class Head(Options):
    """The classifier over the features."""

    kind: Literal["linear", "cosine"] = "linear"
    """Inner product with bias, or cosine similarity. Without it: cosine for few-shot streams,
    linear otherwise."""
    temperature: Annotated[float, Field(gt=0.0)] = 16.0
    """Factor on cosine similarities before the softmax."""


class Evaluate(Options):
    """How and when a strategy is evaluated."""

    selection: Literal["last_epoch", "best_test_epoch"] = "last_epoch"
    """Which epoch counts. best_test_epoch selects on test data, exists only to match old papers
    and is stamped on the report."""
    batch_size: Annotated[int, Field(ge=1, le=1_000_000)] = 1024
    """Samples per evaluation batch."""
    representation: bool = False
    """Compare the features of old test samples before and after each experience: the metric
    `representation_similarity`, which tells whether the network has forgotten or the classifier."""


class Checkpoints(Options):
    """What is kept for resuming; changes no result."""

    keep: Annotated[int, Field(ge=1)] = 2
    """How many of the newest checkpoints are kept."""
    every: Interval = "1m"
    """Least time between two checkpoints within a training, such as 90s, 10m or 1h, or every how
    many epochs there is one, such as 5epochs."""


class IncrementalRecipe(Recipe):
    """The recipe of experiences after the base: as `Recipe`, with fewer epochs."""

    epochs: Annotated[int, Field(ge=0, le=100_000)] = 30
    """Passes over the training samples."""


@dataclass(frozen=True)
class NamedChoice:
    """A registered thing by its canonical name, with validated options."""

    name: str
    options: Options


@dataclass(frozen=True)
class StreamChoice:
    """The stream: its kind, the options of that kind, and the data set."""

    kind: str
    options: Options
    dataset: NamedChoice


@dataclass(frozen=True)
class StrategyChoice:
    """A strategy, the label that names its folder, and the calibrators applied to it in order."""

    name: str
    label: str
    options: Options
    calibrators: tuple[NamedChoice, ...] = ()


@dataclass(frozen=True)
class SourceFile:
    """The scenario as given: its file (None if it was text) and its text."""

    path: Path | None
    text: str


@dataclass(frozen=True)
class Scenario:
    """A checked scenario: every name resolved, every option validated, every default filled in.

    Two scenarios are equal if they mean the same, whatever file they came from.
    """

    name: str
    description: str
    stream: StreamChoice
    class_order: ClassOrder
    backbone: NamedChoice
    head: Head
    strategies: tuple[StrategyChoice, ...]
    seeds: tuple[int, ...]
    base_training: Recipe
    training: Recipe
    evaluate: Evaluate
    deterministic: bool
    data_on_device: Literal["auto"] | bool
    threads: int | None
    checkpoints: Checkpoints
    published: tuple[Published, ...]
    source: SourceFile = field(compare=False)

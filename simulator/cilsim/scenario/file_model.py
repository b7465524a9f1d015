"""What a scenario file may say, as far as the core knows: the first stage of the check.

Sections that name something registered are only checked for their shape here; the second stage
(`cilsim.scenario.lookup`) asks the options model of what they name.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, WithJsonSchema

from cilsim.options import Options
from cilsim.scenario.published import Published
from cilsim.scenario.recipe import Recipe
from cilsim.scenario.schema import (
    SCHEMA,
    Checkpoints,
    ClassOrder,
    DistinctSeeds,
    Evaluate,
    Head,
    IncrementalRecipe,
    LargeInt,
    Name,
)

NameOrMapping = str | dict[str, Any]

DEFAULT_BACKBONE = "small"


def _readable(version: int) -> int:
    if version != SCHEMA:
        raise ValueError(f"this cilsim reads schema {SCHEMA}, found {version}")
    return version


class ScenarioFile(Options):
    """One experiment of the continual-learning simulator cilsim."""

    schema_version: Annotated[
        int, AfterValidator(_readable), WithJsonSchema({"const": SCHEMA, "default": SCHEMA})
    ] = Field(default=SCHEMA, alias="schema")
    """Version of this file format."""
    name: Name | None = None
    """Name of the run folder; without it, the name of the file."""
    description: str = ""
    """Free text for the report."""
    stream: dict[str, Any]
    """The stream kind, the data set, and the options of that kind."""
    class_order: Literal["natural"] | ClassOrder = "natural"
    """The order in which classes enter the stream, separate from the training seeds."""
    backbone: NameOrMapping = DEFAULT_BACKBONE
    """The network from images to features."""
    head: Head = Head()
    """The classifier over the features."""
    strategy: NameOrMapping | None = None
    """The continual-learning strategy; for several, `strategies`."""
    strategies: Annotated[tuple[NameOrMapping, ...], Field(min_length=1)] | None = None
    """Several strategies, each run on the same stream and seeds."""
    calibrators: tuple[NameOrMapping, ...] = ()
    """Calibrators applied in this order to every strategy that does not list its own."""
    seeds: LargeInt | DistinctSeeds = (0,)
    """Training seeds; every strategy runs once with each."""
    base_training: Recipe = Recipe()
    """How the network is trained on the base experience."""
    training: IncrementalRecipe = IncrementalRecipe()
    """How the network is trained on later experiences, if the strategy trains it."""
    evaluate: Evaluate = Evaluate()
    """How and when a strategy is evaluated."""
    deterministic: bool = True
    """Whether only algorithms with bit-identical results are used."""
    data_on_device: Literal["auto"] | bool = "auto"
    """Whether all samples of a part go to the device at once; `auto` decides by their size. If
    not, each batch is read when it is needed; the results are the same."""
    threads: Annotated[int, Field(ge=1, le=1024)] | None = None
    """Threads of the CPU; null lets torch decide. Results depend on it."""
    checkpoints: Checkpoints = Checkpoints()
    """What is kept for resuming."""
    published: tuple[Published, ...] = ()
    """Numbers that `cilsim reproduce` compares the results with; they change no result."""

"""Options of mixed streams: stages of one's own making."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from cilsim.options import Options
from cilsim.scenario.class_count import ClassCount
from cilsim.scenario.draw import DrawSeed
from cilsim.scenario.stream_options import Count, DoesNotFit, StreamOptions

Share = Annotated[float, Field(ge=0.0, le=1.0)]


class StageOptions(Options):
    """One stage of a mixed stream."""

    classes: Count
    """Classes that appear in this stage."""
    labelled: Share = 1.0
    """Part of their samples that comes with labels, class by class: 1 is a class-incremental
    experience, 0 one of discovery."""
    samples: Count | None = None
    """Samples of each of them; without it, all."""
    seen_samples: Annotated[int, Field(ge=0, le=1_000_000)] = 0
    """Unlabelled samples of each class seen before, mixed in."""


class MixedOptions(StreamOptions):
    """Stages of one's own making, such as labelled classes, then classes without labels."""

    stages: Annotated[tuple[StageOptions, ...], Field(min_length=1)]
    """The stages in order; the first needs labels."""
    draw: Literal["per_seed"] | DrawSeed = DrawSeed(seed=0)
    """Which samples: {seed: 0}, the same for every training seed, or per_seed."""
    number_of_classes: ClassCount = "given"
    """Whether the number of novel classes is told to the strategy: given, estimate, or
    {over: 1.5} to tell it too many."""

    def experience_count(self) -> int:
        """Return how many experiences the stream has."""
        return len(self.stages)

    def notation(self) -> str:
        """Return the new classes of each stage, such as `50+10+10`."""
        return "+".join(str(stage.classes) for stage in self.stages)

    @model_validator(mode="after")
    def _begins_with_labels(self) -> MixedOptions:
        if self.stages[0].labelled == 0.0:
            raise ValueError("the first stage needs labels: 'labelled' is 0")
        return self

    def sizes_for(self, classes: int) -> tuple[int, ...]:
        """Return the number of new classes of each stage.

        Args:
            classes: how many classes the data set has.

        Raises:
            DoesNotFit: the classes are too few.
        """
        sizes = tuple(stage.classes for stage in self.stages)
        if sum(sizes) > classes:
            raise DoesNotFit(
                "stages", f"{sum(sizes)} classes are asked for, {{dataset}} has {classes}"
            )
        return sizes

"""Options of the stream kinds in which some classes come without labels."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from cilsim.scenario.class_count import ClassCount
from cilsim.scenario.draw import Draw
from cilsim.scenario.stream_options import Count, DoesNotFit, StreamOptions


class NovelClassDiscoveryOptions(StreamOptions):
    """Labelled classes first, then stages of novel classes without labels."""

    labelled_classes: Count
    """Number of classes with labels, the base experience."""
    novel_classes: Count | None = None
    """Number of classes to discover; without it, all others."""
    stages: Count = 1
    """Experiences over which the novel classes are spread evenly."""
    keep_labelled: bool = False
    """Whether the labelled samples come again with each stage, as in novel class discovery proper;
    without it they are gone, as in class-incremental novel class discovery."""
    number_of_classes: ClassCount = "given"
    """Whether the number of novel classes is told to the strategy: given, estimate, or
    {over: 1.5} to tell it too many."""

    def experience_count(self) -> int:
        """Return how many experiences the stream has."""
        return 1 + self.stages

    def notation(self) -> str:
        """Return the protocol, such as `80 labelled + 1 stage`."""
        return f"{self.labelled_classes} labelled + {_stages(self.stages)}"

    def novel_for(self, classes: int) -> int:
        """Return the number of novel classes.

        Args:
            classes: how many classes the data set has.

        Raises:
            DoesNotFit: the classes are too few or cannot be spread evenly over the stages.
        """
        novel = _novel("labelled", self.labelled_classes, self.novel_classes, classes)
        return _evenly(novel, self.stages)


class GeneralizedDiscoveryOptions(StreamOptions):
    """One experience: a part of the old classes' samples is labelled; their other samples and all
    samples of the novel classes are mixed without labels (Vaze et al. 2022)."""

    old_classes: Count
    """Number of classes with labelled samples."""
    novel_classes: Count | None = None
    """Number of classes to discover; without it, all others."""
    labelled_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.5
    """Part of the old classes' samples that is labelled, drawn over all of them together."""
    draw: Draw = "published"
    """Which of them: published (the released code's draw), per_seed, or {seed: 7}."""
    number_of_classes: ClassCount = "given"
    """Whether the number of novel classes is told to the strategy: given, estimate, or
    {over: 1.5} to tell it too many."""

    def experience_count(self) -> int:
        """Return how many experiences the stream has."""
        return 1

    def notation(self) -> str:
        """Return the protocol, such as `80 old, 0.5 labelled`."""
        return f"{self.old_classes} old, {self.labelled_share:g} labelled"

    def novel_for(self, classes: int) -> int:
        """Return the number of novel classes.

        Args:
            classes: how many classes the data set has.

        Raises:
            DoesNotFit: the classes are too few.
        """
        return _novel("old", self.old_classes, self.novel_classes, classes)


class ContinualDiscoveryOptions(StreamOptions):
    """Labelled old classes, then stages without labels in which images of new, earlier novel and
    old classes are mixed; no sample is kept (Ma et al. 2024, Happy)."""

    old_classes: Count
    """Number of labelled classes, stage 0."""
    novel_classes: Count | None = None
    """Number of classes to discover over all stages; without it, all others."""
    stages: Count = 5
    """Stages after stage 0, over which the novel classes are spread evenly."""
    labelled_share: Annotated[float, Field(gt=0.0, le=1.0)] = 0.8
    """Part of each old class's samples that is labelled and used in stage 0."""
    new_samples: Count
    """Samples of each class that is new in a stage (400 on CIFAR-100)."""
    seen_samples: Annotated[int, Field(ge=0, le=1_000_000)]
    """Samples of each class seen before, in every stage (25 on CIFAR-100)."""
    shuffle_novel: bool = True
    """Whether the novel classes enter in a drawn order, as published."""
    draw: Draw = "published"
    """Which samples and which order: published (the released code's draw), per_seed, or
    {seed: 7}."""
    number_of_classes: ClassCount = "given"
    """Whether the number of novel classes is told to the strategy: given, estimate, or
    {over: 1.5} to tell it too many."""

    def experience_count(self) -> int:
        """Return how many experiences the stream has."""
        return 1 + self.stages

    def notation(self) -> str:
        """Return the protocol, such as `50 old + 5 stages`."""
        return f"{self.old_classes} old + {_stages(self.stages)}"

    def novel_for(self, classes: int) -> int:
        """Return the number of novel classes.

        Args:
            classes: how many classes the data set has.

        Raises:
            DoesNotFit: the classes are too few or cannot be spread evenly over the stages.
        """
        novel = _novel("old", self.old_classes, self.novel_classes, classes)
        return _evenly(novel, self.stages)


def _novel(first: str, old: int, novel: int | None, classes: int) -> int:
    """Return the number of novel classes; `first` is what the options call the others."""
    left = classes - old
    if left <= 0:
        raise DoesNotFit(
            f"{first}_classes",
            f"{old} {first} classes leave none to discover, {{dataset}} has {classes}",
        )
    if novel is not None and novel > left:
        raise DoesNotFit(
            "novel_classes",
            f"{old} + {novel} = {old + novel} classes are asked for, {{dataset}} has {classes}; "
            f"at most {left} can be novel",
        )
    return left if novel is None else novel


def _evenly(novel: int, stages: int) -> int:
    if novel % stages:
        raise DoesNotFit(
            "stages", f"{novel} novel classes cannot be spread evenly over {stages} stages"
        )
    return novel


def _stages(count: int) -> str:
    return "1 stage" if count == 1 else f"{count} stages"

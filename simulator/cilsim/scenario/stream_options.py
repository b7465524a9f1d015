"""Options of the built-in stream kinds, and the sizes that follow from them.

Each model checks what it can without a data set; what needs the number of classes is asked for
with that number (`sizes_for`, `sessions_for`, `novel_for`) and answered with a ValueError whose
text may be shown to the user. In these texts `{dataset}` stands for the name of the data set.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, model_validator

from cilsim.options import Options
from cilsim.scenario.draw import Draw, free_draw_seed

Count = Annotated[int, Field(ge=1, le=1_000_000)]


class DoesNotFit(ValueError):
    """The classes of the data set do not allow what the options ask for.

    Attributes:
        option: the option to blame, such as `sessions`.
    """

    def __init__(self, option: str, message: str) -> None:
        self.option = option
        super().__init__(message)


class StreamOptions(Options):
    """Options of a built-in stream kind, and what follows from them without the data set."""

    def experience_count(self) -> int | None:
        """Return how many experiences the stream has, or None if that depends on the data set."""
        return None

    def notation(self) -> str:
        """Return the protocol in the field's notation, or nothing."""
        return ""


class ClassIncrementalOptions(StreamOptions):
    """Sizes of the experiences, said in exactly one of three ways.

    `base_classes` and `increment`, or `sizes`, or `experiences`.
    """

    base_classes: Annotated[int, Field(ge=0, le=1_000_000)] | None = None
    """Classes of the base experience; 0 (as in B0-Inc10) makes it as large as an increment."""
    increment: Count | None = None
    """New classes of each later experience."""
    uneven: bool = False
    """Whether the last increment may be smaller when the classes do not divide."""
    sizes: Annotated[tuple[Count, ...], Field(min_length=1)] | None = None
    """New classes of each experience, such as [50, 10, 7]; classes beyond the sum are left out."""
    experiences: Count | None = None
    """Number of experiences of equal size."""

    def experience_count(self) -> int | None:
        """Return how many experiences the stream has, or None if that depends on the data set."""
        return self.experiences if self.sizes is None else len(self.sizes)

    def notation(self) -> str:
        """Return the protocol, such as `B50-Inc10`."""
        if self.sizes is not None:
            return "+".join(map(str, self.sizes))
        if self.experiences is not None:
            return f"{self.experiences} experiences"
        return f"B{self.base_classes or 0}-Inc{self.increment}"

    @model_validator(mode="after")
    def _one_way(self) -> ClassIncrementalOptions:
        by_increment = self.base_classes is not None or self.increment is not None
        if [by_increment, self.sizes is not None, self.experiences is not None].count(True) != 1:
            raise ValueError(
                "give the sizes of the experiences in one way: 'increment' with 'base_classes', "
                "or 'sizes', or 'experiences'"
            )
        if by_increment and self.increment is None:
            raise ValueError("'base_classes' needs 'increment', the new classes of each experience")
        if self.uneven and not by_increment:
            raise ValueError("'uneven' belongs to 'increment'; 'sizes' can say any sizes")
        return self

    def sizes_for(self, classes: int) -> tuple[int, ...]:
        """Return the number of new classes of each experience.

        Args:
            classes: how many classes the data set has.

        Raises:
            DoesNotFit: the classes are too few or do not divide.
        """
        if self.sizes is not None:
            return self._given_sizes(self.sizes, classes)
        if self.experiences is not None:
            return self._equal_sizes(self.experiences, classes)
        return self._increments(self.increment or 1, classes)

    def _given_sizes(self, sizes: tuple[int, ...], classes: int) -> tuple[int, ...]:
        if sum(sizes) > classes:
            raise DoesNotFit(
                "sizes", f"{sum(sizes)} classes are asked for, {{dataset}} has {classes}"
            )
        return sizes

    def _equal_sizes(self, experiences: int, classes: int) -> tuple[int, ...]:
        if classes % experiences:
            raise DoesNotFit(
                "experiences",
                f"{classes} classes of {{dataset}} cannot be split evenly into {experiences}; "
                f"'sizes' can say uneven ones",
            )
        return (classes // experiences,) * experiences

    def _increments(self, increment: int, classes: int) -> tuple[int, ...]:
        base = self.base_classes or 0
        if base > classes:
            raise DoesNotFit(
                "base_classes", f"{base} classes are asked for, {{dataset}} has {classes}"
            )
        steps, rest = divmod(classes - base, increment)
        if rest and not self.uneven:
            raise DoesNotFit(
                "increment",
                f"{classes - base} classes of {{dataset}} are left after the base, which "
                f"{increment} does not divide; 'uneven: true' makes the last experience {rest}",
            )
        later = (increment,) * steps + ((rest,) if rest else ())
        return (base, *later) if base else later


class FewShotOptions(StreamOptions):
    """Many samples of the base classes, then sessions of `way` classes with `shot` samples each."""

    base_classes: Count
    """Number of classes of the base experience."""
    way: Count = 5
    """New classes of each later session."""
    shot: Count = 5
    """Training samples of each new class."""
    sessions: Count | None = None
    """Sessions after the base; without it, as many as use up all classes."""
    shots: Draw = "published"
    """Which samples are the shots: the published lists, a draw by a fixed seed ({seed: 7}), or
    another draw for every training seed."""

    def experience_count(self) -> int | None:
        """Return how many experiences the stream has, or None if that depends on the data set."""
        return None if self.sessions is None else 1 + self.sessions

    def notation(self) -> str:
        """Return the protocol, such as `60 + 5-way 5-shot`."""
        return f"{self.base_classes} + {self.way}-way {self.shot}-shot"

    def shot_seed(self, training_seed: int) -> int | None:
        """Return the seed of the draw, or None for the published rule."""
        return free_draw_seed(self.shots, training_seed)

    def sessions_for(self, classes: int) -> int:
        """Return the number of sessions after the base.

        Args:
            classes: how many classes the data set has.

        Raises:
            DoesNotFit: the classes are too few, or some would be left over unsaid.
        """
        left = classes - self.base_classes
        if left < self.way:
            raise DoesNotFit(
                "base_classes" if left <= 0 else "way",
                f"{self.base_classes} + {self.way} classes are the least for one session, "
                f"{{dataset}} has {classes}",
            )
        fitting, rest = divmod(left, self.way)
        if self.sessions is None and rest:
            raise DoesNotFit(
                "way",
                f"{left} classes of {{dataset}} are left after the base, which {self.way} does "
                f"not divide; 'sessions: {fitting}' leaves {rest} out",
            )
        if self.sessions is not None and self.sessions > fitting:
            wanted = self.base_classes + self.sessions * self.way
            raise DoesNotFit(
                "sessions",
                f"{self.base_classes} + {self.sessions} x {self.way} = {wanted} classes are asked "
                f"for, {{dataset}} has {classes}; at most {fitting} sessions fit",
            )
        return fitting if self.sessions is None else self.sessions

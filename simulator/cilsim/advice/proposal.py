"""Which stream suits some data: few-shot where classes are rare, class-incremental otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from cilsim.advice.survey import Survey

Kind = Literal["few_shot_class_incremental", "class_incremental"]

FEW = 20
"""A class with fewer training samples is rare; few-shot papers give 1 to 10."""
MOST_LATER = 5
"""Experiences after the base, and classes of a few-shot session, at most."""
SHOTS = 5
"""Shots of a class where a few-shot stream is asked for although no class is rare."""


@dataclass(frozen=True)
class Proposal:
    """A stream.

    Attributes:
        kind: of the stream.
        options: of that kind.
        class_order: class ids in the order in which they come.
        reason: why, in one line.
    """

    kind: Kind
    options: dict[str, int | list[int]]
    class_order: tuple[int, ...]
    reason: str

    @property
    def base_classes(self) -> int:
        """How many classes the base has."""
        size: Any = self.options.get("base_classes") or self.options["sizes"]
        return int(size if isinstance(size, int) else size[0])

    @property
    def metric(self) -> str:
        """What strategies are ranked by: few-shot streams weigh base and novel classes alike."""
        return "A_hm" if self.kind == "few_shot_class_incremental" else "A_all"


def propose(found: Survey, kind: Kind | None = None) -> Proposal:
    """Return a stream for the data.

    Args:
        found: the data.
        kind: of the stream; default: few-shot if some classes are rare and at least two are not.
    """
    rare = sum(count < FEW for count in found.train)
    common = len(found.train) - rare
    if kind == "class_incremental" or (kind is None and not (rare and common >= 2)):
        return _class_incremental(found)
    return _few_shot(found, common if rare and common >= 2 else (len(found.train) + 1) // 2)


def _class_incremental(found: Survey) -> Proposal:
    classes = len(found.class_ids)
    base = (classes + 1) // 2
    later = min(MOST_LATER, classes - base)
    sizes = [base, *(len(part) for part in np.array_split(np.arange(classes - base), later))]
    first, rest = _count(base, "class", "classes"), _count(later, "experience", "experiences")
    reason = f"class-incremental: {first} first, the others in {rest}"
    return Proposal("class_incremental", {"sizes": sizes}, found.class_ids, reason)


def _few_shot(found: Survey, base: int) -> Proposal:
    """Return a stream that begins with the classes that have most samples."""
    order = sorted(range(len(found.train)), key=lambda place: -found.train[place])
    later = [found.train[place] for place in order[base:]]
    way = max(way for way in range(1, MOST_LATER + 1) if len(later) % way == 0)
    shot = min(later) if max(later) < FEW else min(SHOTS, min(later))
    reason = (
        f"few-shot: {_count(base, 'class', 'classes')} with {found.train[order[base - 1]]} samples "
        f"or more first, {len(later)} with {min(later)} to {max(later)} in sessions of {way}, "
        f"{_count(shot, 'shot', 'shots')} each"
    )
    options: dict[str, int | list[int]] = {"base_classes": base, "way": way, "shot": shot}
    class_order = tuple(found.class_ids[place] for place in order)
    return Proposal("few_shot_class_incremental", options, class_order, reason)


def _count(number: int, one: str, several: str) -> str:
    return f"{number} {one if number == 1 else several}"

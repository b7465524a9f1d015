"""What is wrong with the facts that a plugin's data set tells, before anything relies on them.

Facts are known here by their attributes alone: `cilsim.data.dataset.DataFacts` describes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def facts_complaint(facts: Any) -> str:
    """Return what is wrong with the facts about a data set, or nothing."""
    return next(_complaints(facts), "")


def array_complaint(name: str, found: Any, length: int | None = None) -> str:
    """Return what is wrong with an array of whole numbers, or nothing.

    Args:
        name: how the message calls it.
        found: what a plugin gave.
        length: how many numbers there must be, if that is known.
    """
    import numpy as np  # checking a scenario without such a data set needs none

    expected = f"expected a NumPy array of whole numbers{'' if length is None else f', {length}'}"
    if not isinstance(found, np.ndarray):
        return f"{name} is a value of type '{type(found).__name__}', {expected}"
    if found.ndim != 1 or found.dtype.kind not in "iu":
        return f"{name} is an array of {found.dtype} of shape {found.shape}, {expected}"
    if length is not None and len(found) != length:
        return f"{name} has {len(found)} numbers, expected {length}"
    return ""


def _complaints(facts: Any) -> Iterator[str]:
    yield from _of_classes(facts.class_ids, facts.class_names)
    for part in ("train", "test"):
        yield from _of_part(facts, part)
    shape = facts.sample_shape
    if not _whole(shape) or len(shape) not in (1, 3) or min(shape) < 1:
        yield f"sample_shape is {shape!r}, expected (C, H, W) for images or (D,) for features"


def _of_classes(class_ids: Any, names: Any) -> Iterator[str]:
    if not _whole(class_ids) or not class_ids or list(class_ids) != sorted(set(class_ids)):
        yield f"class_ids is {_short(class_ids)}, expected a tuple of ascending whole numbers"
    if not isinstance(names, tuple) or not all(isinstance(name, str) for name in names):
        yield f"class_names is {_short(names)}, expected a tuple of text"
    if len(names) != len(class_ids):
        yield f"there are {len(names)} class_names, expected {len(class_ids)}, one of each class id"


def _of_part(facts: Any, part: str) -> Iterator[str]:
    import numpy as np

    y = getattr(facts, f"y_{part}")
    yield from filter(None, [array_complaint(f"y_{part}", y)])
    unknown = y[~np.isin(y, facts.class_ids)]
    if len(unknown):
        yield f"y_{part} has the class id {unknown[0]}, expected only those of class_ids"
    domains = getattr(facts, f"domain_{part}", None)
    if domains is not None:
        yield from filter(None, [array_complaint(f"domain_{part}", domains, len(y))])


def _whole(found: Any) -> bool:
    return isinstance(found, tuple) and all(type(one) is int for one in found)


def _short(found: Any) -> str:
    text = repr(found)
    return text if len(text) <= 60 else f"{text[:60]}..."

"""A first look at the cheap strategies before any network is trained.

It costs one pass of the samples through a network, so that even the shortest budget ends with a
ranking.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from cilsim.advice.ladder import ON_FEATURES, Rung
from cilsim.advice.survey import Survey

NAME = "first-look"
VECTORS = "identity"
"""The backbone that gives vectors as they are."""


def first_look(tried: Sequence[Rung]) -> Rung | None:
    """Return those strategies that work on features, None if none of them is to be tried."""
    cheap = [one for rung in tried for one in rung.strategies if one in ON_FEATURES]
    return Rung(NAME, tuple(cheap)) if cheap else None


def untrained(given: dict[str, Any], found: Survey) -> dict[str, Any]:
    """Return a scenario for the first seed alone, in which nothing is trained.

    Args:
        given: a scenario as plain data, its backbone without weights.
        found: the data; vectors are taken as they are, images pass through a network as drawn.
    """
    backbone = VECTORS if found.features else {"name": given["backbone"], "frozen": True}
    return {**given, "backbone": backbone, "seeds": given["seeds"][:1]}


def looked_at(found: Survey) -> str:
    """Return in words what the strategies get at a first look."""
    return "vectors as they are" if found.features else "a network that is not trained"

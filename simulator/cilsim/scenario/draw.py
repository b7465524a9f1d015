"""Which samples a stream draws: the published ones, or others."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from cilsim.options import Options


class DrawSeed(Options):
    """A free draw, the same for every training seed."""

    seed: Annotated[int, Field(ge=0, lt=2**32)]
    """Seed of the draw."""


Draw = Literal["published", "per_seed"] | DrawSeed
"""Which samples are drawn: those that were published, a draw by a fixed seed ({seed: 7}), or
another draw for every training seed."""


def free_draw_seed(draw: Draw, training_seed: int) -> int | None:
    """Return the seed of a draw, or None for what was published."""
    if isinstance(draw, DrawSeed):
        return draw.seed
    return training_seed if draw == "per_seed" else None


def draw_seed(draw: Draw, training_seed: int) -> int:
    """Return the seed of a draw where the published code draws too; it seeds with 0."""
    return free_draw_seed(draw, training_seed) or 0

"""Options of `resnet12`; nothing here imports torch."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any

from pydantic import Field

from cilsim.backbones.pretrained import FileOptions, check

Width = Annotated[int, Field(ge=1, le=65_536)]

LEAST_SIDE = 16
"""Pixels that are left of one after four halvings."""


class ResNet12Options(FileOptions):
    """Options of `resnet12`."""

    widths: tuple[Width, Width, Width, Width] = (64, 160, 320, 640)
    """Channels of the four stages; the last is the feature size. Published too: 64, 128, 256 and
    512, with 8.0 million parameters."""


def check_resnet12(options: ResNet12Options, facts: Any) -> Iterator[tuple[str, str]]:
    """Yield the option and the complaint if images are too small or weights cannot be used."""
    sides = facts.sample_shape[1:]
    if sides and min(sides) < LEAST_SIDE:
        found = " x ".join(map(str, sides))
        yield (
            "name",
            f"images of {found} pixels vanish in its four halvings - expected at least "
            f"{LEAST_SIDE} x {LEAST_SIDE}; use 'small' or 'resnet20'",
        )
    yield from check(options, facts)

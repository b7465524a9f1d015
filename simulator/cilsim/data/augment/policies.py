"""AutoAugment's learnt policies (Cubuk et al., CVPR 2019) and what their magnitudes stand for.

The tables are those of torchvision's `AutoAugmentPolicy`. FACT and TEEN train with them, but with
24 instead of 25 sub-policies of `imagenet`, and with the operations of `autoaugment.py`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

BINS = 10
"""Magnitudes run from bin 0 to bin 9."""


@dataclass(frozen=True)
class Step:
    """One operation of a sub-policy.

    Attributes:
        operation: its name.
        probability: of being applied.
        bin: of its magnitude; 0 where the operation has none.
    """

    operation: str
    probability: float
    bin: int = 0


SubPolicy = tuple[Step, Step]


def _even(low: float, high: float) -> tuple[float, ...]:
    return tuple(low + (high - low) * bin / (BINS - 1) for bin in range(BINS))


MAGNITUDES: Mapping[str, tuple[float, ...]] = {
    "shear_x": _even(0.0, 0.3),
    "shear_y": _even(0.0, 0.3),
    "translate_x": _even(0.0, 150 / 331),
    "translate_y": _even(0.0, 150 / 331),
    "rotate": _even(0.0, 30.0),
    "colour": _even(0.0, 0.9),
    "contrast": _even(0.0, 0.9),
    "brightness": _even(0.0, 0.9),
    "sharpness": _even(0.0, 0.9),
    "posterize": (8, 8, 7, 7, 6, 6, 5, 5, 4, 4),
    "solarize": _even(256.0, 0.0),
    "autocontrast": (0.0,) * BINS,
    "equalize": (0.0,) * BINS,
    "invert": (0.0,) * BINS,
}
"""Magnitude of each bin. Shear: pixels per pixel. Translate: fraction of the image. Rotate:
degrees. Colour, contrast, brightness, sharpness: what the factor 1 gains or loses. Posterize: bits
that stay. Solarize: the level from which pixels are inverted."""

SIGNED = frozenset(
    {"shear_x", "shear_y", "translate_x", "translate_y"}
    | {"colour", "contrast", "brightness", "sharpness"}
)
"""Operations whose magnitude is negative half of the time; rotation is always counter-clockwise."""


def _policies(table: str) -> tuple[SubPolicy, ...]:
    """Return the sub-policies of a table with two steps `operation probability bin` in a line."""
    pairs = (line.split(",") for line in table.strip().splitlines())
    return tuple((_step(first), _step(second)) for first, second in pairs)


def _step(text: str) -> Step:
    operation, probability, *magnitude = text.split()
    return Step(operation, float(probability), *map(int, magnitude))


POLICIES: Mapping[str, tuple[SubPolicy, ...]] = {
    "cifar10": _policies("""
        invert 0.1,         contrast 0.2 6
        rotate 0.7 2,       translate_x 0.3 9
        sharpness 0.8 1,    sharpness 0.9 3
        shear_y 0.5 8,      translate_y 0.7 9
        autocontrast 0.5,   equalize 0.9
        shear_y 0.2 7,      posterize 0.3 7
        colour 0.4 3,       brightness 0.6 7
        sharpness 0.3 9,    brightness 0.7 9
        equalize 0.6,       equalize 0.5
        contrast 0.6 7,     sharpness 0.6 5
        colour 0.7 7,       translate_x 0.5 8
        equalize 0.3,       autocontrast 0.4
        translate_y 0.4 3,  sharpness 0.2 6
        brightness 0.9 6,   colour 0.2 8
        solarize 0.5 2,     invert 0.0
        equalize 0.2,       autocontrast 0.6
        equalize 0.2,       equalize 0.6
        colour 0.9 9,       equalize 0.6
        autocontrast 0.8,   solarize 0.2 8
        brightness 0.1 3,   colour 0.7 0
        solarize 0.4 5,     autocontrast 0.9
        translate_y 0.9 9,  translate_y 0.7 9
        autocontrast 0.9,   solarize 0.8 3
        equalize 0.8,       invert 0.1
        translate_y 0.7 9,  autocontrast 0.9
    """),
    "imagenet": _policies("""
        posterize 0.4 8,    rotate 0.6 9
        solarize 0.6 5,     autocontrast 0.6
        equalize 0.8,       equalize 0.6
        posterize 0.6 7,    posterize 0.6 6
        equalize 0.4,       solarize 0.2 4
        equalize 0.4,       rotate 0.8 8
        solarize 0.6 3,     equalize 0.6
        posterize 0.8 5,    equalize 1.0
        rotate 0.2 3,       solarize 0.6 8
        equalize 0.6,       posterize 0.4 6
        rotate 0.8 8,       colour 0.4 0
        rotate 0.4 9,       equalize 0.6
        equalize 0.0,       equalize 0.8
        invert 0.6,         equalize 1.0
        colour 0.6 4,       contrast 1.0 8
        rotate 0.8 8,       colour 1.0 2
        colour 0.8 8,       solarize 0.8 7
        sharpness 0.4 7,    invert 0.6
        shear_x 0.6 5,      equalize 1.0
        colour 0.4 0,       equalize 0.6
        equalize 0.4,       solarize 0.2 4
        solarize 0.6 5,     autocontrast 0.6
        invert 0.6,         equalize 1.0
        colour 0.6 4,       contrast 1.0 8
    """),
}
"""Sub-policies by name; one of them is drawn for each image."""

"""`glyphs100` and `glyphs200`: images of letters drawn from fonts, made on this machine.

A class is a code point; an image shows it in one of twelve DejaVu faces under an affine map, with
thinner or bolder strokes, two contrasting colours, a background of gradient and smooth patches, a
fragment of some symbol at the border, and noise. 32 x 32 pixels, three channels, nothing to fetch.
The face is the domain of an image, drawn evenly.
"""

from __future__ import annotations

from typing import Annotated

import numpy as np
from pydantic import Field

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.glyphs.choices import DOMAIN_NAMES, faces_of
from cilsim.data.glyphs.code_points import CLASSES, class_name
from cilsim.options import Options


class GlyphOptions(Options):
    """Options of the glyph data sets."""

    train_per_class: Annotated[int, Field(ge=1, le=1000)] = 100
    """Training images per class; fewer are a prefix of more."""
    test_per_class: Annotated[int, Field(ge=1, le=500)] = 50
    """Test images per class; fewer are a prefix of more."""
    seed: Annotated[int, Field(ge=0)] = 0
    """The data's own seed; the seeds of a scenario's runs do not touch it."""


def facts_glyphs100(options: GlyphOptions) -> DataFacts:
    """Return the facts of `glyphs100` without drawing anything."""
    return _facts(100, options)


def facts_glyphs200(options: GlyphOptions) -> DataFacts:
    """Return the facts of `glyphs200` without drawing anything."""
    return _facts(200, options)


def load_glyphs100(options: GlyphOptions) -> DataSet:
    """Return 100 classes of glyphs, made at first use and then read from the cache."""
    return _load("glyphs100", facts_glyphs100(options), options)


def load_glyphs200(options: GlyphOptions) -> DataSet:
    """Return 200 classes of glyphs, of which the first 100 are `glyphs100`."""
    return _load("glyphs200", facts_glyphs200(options), options)


def _facts(classes: int, options: GlyphOptions) -> DataFacts:
    class_ids, code_points = np.arange(classes, dtype=np.int64), CLASSES[:classes]
    return DataFacts(
        class_ids=tuple(range(classes)),
        class_names=tuple(class_name(code_point) for code_point in code_points),
        y_train=class_ids.repeat(options.train_per_class),
        y_test=class_ids.repeat(options.test_per_class),
        sample_shape=(3, 32, 32),
        domain_train=faces_of(code_points, "train", options.train_per_class, options.seed),
        domain_test=faces_of(code_points, "test", options.test_per_class, options.seed),
        domain_names=DOMAIN_NAMES,
    )


def _load(name: str, facts: DataFacts, options: GlyphOptions) -> DataSet:
    from cilsim.data.glyphs.making import load_images

    return load_images(name, facts, options.train_per_class, options.test_per_class, options.seed)

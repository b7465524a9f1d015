"""What is wrong with a data set that a plugin loaded, before anything is learnt from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import numpy as np

from cilsim.data.dataset import DataFacts, DataSet
from cilsim.data.row_encoder import RowEncoder
from cilsim.scenario.facts_complaint import facts_complaint

DIGEST = "expected the 64 digits of cilsim.data.digest.dataset_digest(x_train, y_train, ...)"


def dataset_complaint(dataset: DataSet, told: DataFacts) -> str:
    """Return what is wrong with a loaded data set, or nothing.

    Args:
        dataset: what `load` returned.
        told: what `facts` had said before, which the scenario was checked with.
    """
    return next(_complaints(dataset, told), "")


def _complaints(dataset: DataSet, told: DataFacts) -> Iterator[str]:
    facts = dataset.facts
    if not isinstance(facts, DataFacts):
        yield f"its facts are a value of type '{type(facts).__name__}', expected DataFacts"
    yield from filter(None, [facts_complaint(facts)])
    for name in ("class_ids", "y_train", "y_test", "sample_shape", "stored_shape"):
        if not np.array_equal(_plain(getattr(facts, name)), _plain(getattr(told, name))):
            yield f"its facts differ from those of 'facts' in {name}, expected the same"
    for part in ("train", "test"):
        yield from _of_samples(dataset, part)
    channels = 0 if facts.features else facts.sample_shape[0]
    for name in ("mean", "std"):
        values = getattr(dataset, name)
        if not isinstance(values, tuple) or len(values) != channels:
            yield f"{name} is {values!r}, expected a tuple with one number per channel ({channels})"
    if not all(value > 0.0 for value in dataset.std):
        yield f"std is {dataset.std!r}, expected numbers above 0"
    if not isinstance(dataset.digest, str) or not re.fullmatch("[0-9a-f]{64}", dataset.digest):
        yield f"digest is {dataset.digest!r}, {DIGEST}"
    if dataset.row_encoder is not None:
        yield from _of_encoder(dataset.row_encoder, facts)


def _of_encoder(encoder: Any, facts: DataFacts) -> Iterator[str]:
    if not isinstance(encoder, RowEncoder):
        yield f"row_encoder is a value of type '{type(encoder).__name__}', expected RowEncoder"
    if (len(encoder.features),) != facts.sample_shape:
        yield (
            f"row_encoder makes {len(encoder.features)} features of a row, expected samples of "
            f"shape {facts.sample_shape}"
        )


def _of_samples(dataset: DataSet, part: str) -> Iterator[str]:
    x, facts = getattr(dataset, f"x_{part}"), dataset.facts
    stored = facts.stored_shape or facts.sample_shape
    if facts.stored_shape is None and dataset.crop is not None:  # DataSet has looked at these
        stored = getattr(x, "shape", stored)[1:]
    shape = (len(getattr(facts, f"y_{part}")), *stored)
    dtype = np.dtype(np.float32 if facts.features else np.uint8)
    expected = f"expected a NumPy array of {dtype} of shape {shape}"
    if not isinstance(x, np.ndarray):
        yield f"x_{part} is a value of type '{type(x).__name__}', {expected}"
    if x.dtype != dtype or x.shape != shape:
        yield f"x_{part} is an array of {x.dtype} of shape {x.shape}, {expected}"


def _plain(value: Any) -> Any:
    return () if value is None else value

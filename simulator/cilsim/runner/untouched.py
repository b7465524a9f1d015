"""Noticing that a strategy wrote into the samples that it was given, which others share."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from torch import Tensor

from cilsim.registry import Entry
from cilsim.runner.guard import Guard
from cilsim.runner.guarded_strategy import method_of
from cilsim.strategy import Experience


@contextmanager
def samples_unchanged(experience: Experience, entry: Entry, guard: Guard) -> Iterator[None]:
    """Refuse, at the end of the block, samples that were changed in place.

    torch counts the changes of every tensor, so this costs nothing. Changes through NumPy are
    not seen.

    Raises:
        PluginFailed: the strategy changed some.
    """
    tensors = _tensors(experience)
    before = [tensor._version for tensor in tensors.values()]
    yield
    for (name, tensor), version in zip(tensors.items(), before, strict=True):
        if tensor._version != version:
            complaint = f"it changed 'experience.{name}' in place, expected changes to a copy"
            raise guard.failure(entry.owner, method_of("learn", entry), complaint)


def _tensors(experience: Experience) -> dict[str, Tensor]:
    """Return what the device holds of an experience, by name."""
    found = {}
    for part in ("train", "unlabelled"):
        samples = getattr(experience, part)
        for name in ("x", "labels", "index"):
            tensor = getattr(samples, name, None)
            if isinstance(tensor, Tensor) and not tensor.is_inference():
                found[f"{part}.{name}"] = tensor
    return found

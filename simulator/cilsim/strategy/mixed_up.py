"""Telling of the commonest slip in calls of a context: an experience for samples, or reversed."""

from __future__ import annotations

from typing import Any

from cilsim.data.samples import Samples
from cilsim.strategy.experience import Experience


def refuse_experience(call: str, given: Any) -> None:
    """Raise a `TypeError` if what was given as samples is an experience.

    Args:
        call: how the message calls it, such as `fit()`.
        given: by the strategy.
    """
    if isinstance(given, Experience):
        raise TypeError(
            f"{call} got an Experience, expected Samples such as experience.labelled or "
            "experience.unlabelled"
        )


def refuse_samples(call: str, given: Any) -> None:
    """Raise a `TypeError` if what was given as an experience is samples."""
    if isinstance(given, Samples):
        raise TypeError(f"{call} got Samples, expected the Experience that learn() was given")

"""How often the state inside a training is stored: after a time, or after a number of epochs."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

_TIME = re.compile(r"(\d{1,9}(?:\.\d{1,6})?) ?([smh])", re.ASCII)
_EPOCHS = re.compile(r"([1-9]\d{0,8}) ?epochs?", re.ASCII)
_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}

PATTERN = f"{_TIME.pattern}|{_EPOCHS.pattern}"
"""What an interval looks like, as a regular expression."""


@dataclass(frozen=True)
class CheckpointInterval:
    """How often a training is stored.

    Attributes:
        seconds: least time between two states; infinite where epochs count.
        epochs: a state before each epoch whose index is a multiple of this; 0 where time counts.
    """

    seconds: float = math.inf
    epochs: int = 0


def parse_interval(text: str) -> CheckpointInterval:
    """Return what `10m` or `5epochs` means.

    Raises:
        ValueError: the text is neither a time nor a number of epochs.
    """
    time, epochs = _TIME.fullmatch(text), _EPOCHS.fullmatch(text)
    if time is not None:
        return CheckpointInterval(seconds=float(time[1]) * _SECONDS[time[2]])
    if epochs is not None:
        return CheckpointInterval(epochs=int(epochs[1]))
    raise ValueError(
        f"found '{text[:40]}', expected a time such as '90s', '10m' or '1h', or epochs such as "
        "'5epochs'"
    )


def interval_text(text: str) -> str:
    """Return `text` if it is an interval, or raise ValueError."""
    parse_interval(text)
    return text

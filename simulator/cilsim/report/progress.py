"""How far a training is and how long it will take, from the scalars of its epochs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from cilsim.report.formatting import duration

PROGRESS_NAMES = frozenset({"train/epoch", "train/epochs"})
"""Scalars for people who watch: epochs done (from 1) and epochs in all. They are not plotted."""


def training_name(name: str) -> str:
    """Return the name under which a training scalar is known: a bare one belongs to `train/`."""
    return name if "/" in name else f"train/{name}"


@dataclass
class TrainingProgress:
    """Progress of one experience's training.

    Attributes:
        started: the clock when training began, in seconds.
    """

    started: float
    _epoch: int = 0
    _anchor: tuple[int, float] | None = None

    def describe(self, values: Mapping[str, float], now: float) -> str:
        """Take over the scalars of one more epoch and return one line about them."""
        named = {training_name(name): value for name, value in values.items()}
        left = self._advance(named, now)
        parts = [self._epochs(named)]
        if "train/loss" in named:
            parts.append(f"loss {named['train/loss']:.3f}")
        if "train/lr" in named:
            parts.append(f"lr {named['train/lr']:.3g}")
        if "train/images_per_s" in named:
            parts.append(f"{named['train/images_per_s']:.0f} images/s")
        if left is not None:
            parts.append(f"{duration(left)} left")
        return "  ".join(parts)

    def _epochs(self, named: Mapping[str, float]) -> str:
        total = named.get("train/epochs")
        return f"epoch {self._epoch}" if total is None else f"epoch {self._epoch}/{total:.0f}"

    def _advance(self, named: Mapping[str, float], now: float) -> float | None:
        """Count the epoch and return the seconds left, None while they are unknown.

        The pace is measured from an anchor: the start, or the first epoch that was seen if the
        training was resumed in the middle or a second training began.
        """
        epoch = int(named.get("train/epoch", self._epoch + 1))
        if self._anchor is None:
            self._anchor = (0, self.started) if epoch == 1 else (epoch, now)
        elif epoch <= self._epoch:
            self._anchor = (epoch, now)
        self._epoch = epoch
        first, since = self._anchor
        total = named.get("train/epochs")
        if total is None or epoch == first:
            return None
        return (now - since) / (epoch - first) * (total - epoch)

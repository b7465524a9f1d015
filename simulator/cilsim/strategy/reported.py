"""What a training reports: scalars after each epoch, and values that the strategy logs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor

from cilsim.records import Scalars
from cilsim.training.spec import EpochReport

Logged = dict[str, Tensor | float]
"""Values by name that a strategy logged."""


@dataclass
class Reported:
    """What a run has reported of late.

    Attributes:
        scalars: all in this experience, for sharing a base training.
        logged: values that the strategy logged since they were last taken; while a training is
            under way, those logged within it.
    """

    scalars: list[Scalars] = field(default_factory=list)
    logged: Logged = field(default_factory=dict)

    def state_dict(self) -> dict[str, Any]:
        """Return it as data."""
        return {"scalars": scalar_data(self.scalars), "logged": dict(self.logged)}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict` returned."""
        self.scalars = [Scalars(one["values"], one["step"]) for one in state["scalars"]]
        self.logged = dict(state["logged"])


def scalar_data(scalars: Sequence[Scalars]) -> list[dict[str, Any]]:
    """Return scalars as data."""
    return [{"step": one.step, "values": dict(one.values)} for one in scalars]


def epoch_scalars(report: EpochReport, before: int) -> Scalars:
    """Return what is told about an epoch.

    Args:
        report: the epoch.
        before: optimiser steps of the run before this training.
    """
    values = {
        "train/loss": report.loss,
        "train/lr": report.lr,
        "train/images_per_s": report.images_per_s,
        "train/epoch": report.epoch + 1,
        "train/epochs": report.epochs,
    }
    if report.accuracy is not None:
        values["train/accuracy"] = report.accuracy
    values.update({f"train/loss_{name}": value for name, value in report.parts.items()})
    return Scalars(values, before + report.step)

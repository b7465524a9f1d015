"""The strategy and the calibrators of a run, each method of theirs guarded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from cilsim.registry import Entry
from cilsim.runner import returned
from cilsim.runner.expectations import Expectations
from cilsim.runner.guard import Check, Guard
from cilsim.strategy import Calibrator, Strategy

_LEARNING = frozenset({"learn", "after_calibration"})
"""Methods that may take hours; whoever waits sees the progress of trainings."""

_METHODS = (
    *("setup", "learn", "after_calibration", "loss", "transform_batch", "parameter_groups"),
    *("after_backward", "scores", "plain_classifier", "assign"),
    *("state_dict", "load_state_dict", "kept"),
)


def guard_strategy(strategy: Strategy, entry: Entry, guard: Guard, device: torch.device) -> None:
    """Let every call of a strategy's methods, whoever makes it, go through the guard.

    Raises:
        PluginFailed: something else stands where a method should be.
    """
    checks: Mapping[str, Check] = {
        "loss": returned.loss_on(device),
        "transform_batch": returned.batch,
        "parameter_groups": returned.parameter_groups,
        "state_dict": returned.state,
        "kept": returned.bytes_by_kind,
    }
    _guard_methods(strategy, _METHODS, entry, guard, checks)


def guard_calibrator(
    calibrator: Calibrator, entry: Entry, guard: Guard, expectations: Expectations
) -> None:
    """Let every call of a calibrator's methods go through the guard."""
    checks = {"adjust_scores": expectations.scores}
    _guard_methods(calibrator, ("calibrate", "adjust_scores"), entry, guard, checks)


def method_of(name: str, entry: Entry) -> str:
    """Return how messages call a method, such as `learn() of strategy 'teen'`."""
    return f"{name}() of {entry.kind} '{entry.name}'"


def _guard_methods(
    thing: Any, names: tuple[str, ...], entry: Entry, guard: Guard, checks: Mapping[str, Check]
) -> None:
    for name in names:
        method = getattr(thing, name)
        if not callable(method):
            complaint = f"it is {method!r}, expected a method"
            raise guard.failure(entry.owner, method_of(name, entry), complaint)
        guarded = guard.wrap(
            method,
            entry.owner,
            method_of(name, entry),
            checks.get(name),
            may_take_long=name in _LEARNING,
        )
        setattr(thing, name, guarded)  # on the object: the class stays what its author wrote

"""What plugins return, as far as the engine can use it; all else is told in one line.

Nothing here waits for the device unless it is asked to look at values.

Axis letters: N samples, K classes told apart.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.runner.guard import Check
from cilsim.training.batch import Batch, TrainingLoss


def tensor_complaint(found: Any, shape: tuple[int, ...], device: torch.device) -> str:
    """Return what is wrong with a tensor as its shape and place go, or nothing."""
    if not isinstance(found, Tensor):
        return f"it returned {_a(found)}, expected a tensor of shape {shape}"
    if tuple(found.shape) != shape:
        return f"it returned shape {tuple(found.shape)}, expected {shape}"
    if not same_device(found.device, device):
        return f"it returned a tensor on {found.device}, expected {device}"
    return ""


def scores_complaint(found: Any, shape: tuple[int, ...], device: torch.device) -> str:
    """Return what is wrong with (N, K) scores, or nothing; NaN is looked for elsewhere."""
    wrong = tensor_complaint(found, shape, device)
    if wrong or found.is_floating_point() or found.dtype in _WHOLE:
        return wrong
    return f"it returned {found.dtype}, expected real numbers"


def ids_complaint(found: Any, shape: tuple[int, ...], device: torch.device) -> str:
    """Return what is wrong with (N,) cluster ids, or nothing."""
    wrong = tensor_complaint(found, shape, device)
    if wrong or found.dtype in _WHOLE:
        return wrong
    return f"it returned {found.dtype}, expected whole numbers such as torch.int64"


def loss_on(device: torch.device) -> Check:
    """Return the check of a loss whose parameters are on `device`."""

    def check(found: Any, _: tuple[Any, ...]) -> str:
        if not isinstance(found, TrainingLoss):
            return f"it returned {_a(found)}, expected a TrainingLoss"
        total: Any = found.total
        if not isinstance(total, Tensor):
            return f"its loss has the total {_a(total)}, expected a tensor"
        if total.ndim or not total.is_floating_point() or not same_device(total.device, device):
            return (
                f"its loss has a total of shape {tuple(total.shape)}, {total.dtype} on "
                f"{total.device}, expected a floating-point scalar on {device}"
            )
        if torch.is_grad_enabled() and not total.requires_grad:
            return "its loss has no gradient, expected one that depends on the parameters"
        return ""

    return check


def batch(found: Any, _: tuple[Any, ...]) -> str:
    """Return what is wrong with a transformed batch, or nothing."""
    return "" if isinstance(found, Batch) else f"it returned {_a(found)}, expected a Batch"


def parameter_groups(found: Any, _: tuple[Any, ...]) -> str:
    """Return what is wrong with an optimiser's parameter groups, or nothing."""
    expected = "expected None or a list of dictionaries with 'params'"
    if found is None:
        return ""
    if not isinstance(found, list):
        return f"it returned {_a(found)}, {expected}"
    for group in found:
        if not isinstance(group, dict) or "params" not in group:
            return f"it returned a list with {_a(group)}, {expected}"
    return ""


def state(found: Any, _: tuple[Any, ...]) -> str:
    """Return what is wrong with a state, or nothing; its leaves are checked when it is stored."""
    if isinstance(found, Mapping):
        return ""
    return f"it returned {_a(found)}, expected a dictionary of tensors and plain data"


def bytes_by_kind(found: Any, _: tuple[Any, ...]) -> str:
    """Return what is wrong with the sizes of what a strategy keeps, or nothing."""
    expected = "expected a dictionary of bytes by kind"
    if not isinstance(found, Mapping):
        return f"it returned {_a(found)}, {expected}"
    for kind, size in found.items():
        if not isinstance(kind, str) or not isinstance(size, int) or size < 0:
            shown = repr(size) if isinstance(size, int | float) else _a(size)
            return f"it returned {{{kind!r}: {shown}}}, {expected}"
    return ""


def backbone(found: Any) -> str:
    """Return what is wrong with a backbone as it was built, or nothing."""
    if not isinstance(found, nn.Module):
        return f"it returned {_a(found)}, expected a torch.nn.Module"
    size: Any = getattr(found, "feature_size", None)
    if not isinstance(size, int) or size < 1:
        return f"its module has the feature_size {size!r}, expected a number of features"
    return ""


def prototypes(found: Any, known: int, device: torch.device) -> str:
    """Return what is wrong with (K, D) prototypes of `known` classes, or nothing."""
    if not isinstance(found, Tensor):
        return f"prototypes are {_a(found)}, expected a tensor"
    if found.ndim != 2 or len(found) != known:
        return f"prototypes have shape {tuple(found.shape)}, expected ({known}, D)"
    if not found.is_floating_point() or not same_device(found.device, device):
        return (
            f"prototypes are {found.dtype} on {found.device}, "
            f"expected floating-point numbers on {device}"
        )
    if not bool(torch.isfinite(found).all()):
        return "prototypes hold NaN or infinity"
    return ""


def same_device(found: torch.device, expected: torch.device) -> bool:
    """Return whether a tensor lies where it should; `cuda` without a number is any GPU."""
    return found.type == expected.type and expected.index in (None, found.index)


def _a(thing: Any) -> str:
    return "None" if thing is None else f"a value of type '{type(thing).__name__}'"


_WHOLE = frozenset({torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64})

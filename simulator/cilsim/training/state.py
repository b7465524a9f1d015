"""The state of a training between two optimiser steps, as tensors by name and plain numbers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.errors import CheckpointError


@dataclass(frozen=True)
class TrainingState:
    """Everything from which a training goes on bit for bit; random numbers need no state.

    Attributes:
        epoch: epoch of the next step.
        step: next step within the epoch.
        steps_per_epoch: how many there are.
        tensors: `modules/<module>/<name>`, `optimiser/<number>.<name>`, `meter/<name>`.
        numbers: JSON-ready values, such as the loss scale.
    """

    epoch: int
    step: int
    steps_per_epoch: int
    tensors: Mapping[str, Tensor]
    numbers: Mapping[str, float] = field(default_factory=dict)

    def group(self, name: str) -> dict[str, Tensor]:
        """Return the tensors below `name/`, without that prefix."""
        prefix = f"{name}/"
        return {
            key.removeprefix(prefix): tensor
            for key, tensor in self.tensors.items()
            if key.startswith(prefix)
        }


def prefixed(name: str, tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return `tensors` with `name/` before each key."""
    return {f"{name}/{key}": tensor for key, tensor in tensors.items()}


def module_tensors(modules: Mapping[str, nn.Module]) -> dict[str, Tensor]:
    """Return contiguous copies of all parameters and buffers, as `modules/<module>/<name>`."""
    return {
        f"modules/{module_name}/{name}": tensor.detach().clone(
            memory_format=torch.contiguous_format
        )
        for module_name, module in modules.items()
        for name, tensor in module.state_dict().items()
    }


def load_modules(modules: Mapping[str, nn.Module], state: TrainingState) -> None:
    """Copy the saved parameters and buffers into `modules`.

    Raises:
        CheckpointError: a tensor is missing or has another shape.
    """
    for module_name, module in modules.items():
        saved = state.group(f"modules/{module_name}")
        for name, tensor in module.state_dict().items():
            _check(f"{module_name}/{name}", saved.get(name), tensor)
        module.load_state_dict(saved)


def _check(name: str, saved: Tensor | None, tensor: Tensor) -> None:
    if saved is None:
        raise CheckpointError(f"the saved training has no tensor '{name}'")
    if saved.shape != tensor.shape:
        raise CheckpointError(
            f"the saved training has '{name}' of shape {tuple(saved.shape)}, "
            f"expected {tuple(tensor.shape)}"
        )


def on_device(value: Any, device: torch.device) -> Any:
    """Return nested data whose tensors are on `device`."""
    if isinstance(value, Tensor):
        return value.to(device)
    if isinstance(value, Mapping):
        return {key: on_device(inner, device) for key, inner in value.items()}
    if isinstance(value, list):
        return [on_device(inner, device) for inner in value]
    return value

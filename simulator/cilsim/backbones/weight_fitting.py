"""Putting the weights of a file into a backbone, or saying in one line why they do not fit."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn

from cilsim.backbones.backbone import Backbone
from cilsim.backbones.weight_names import renamed
from cilsim.errors import CheckpointError

SHOWN = 3
"""Most names that a message lists."""

COUNTER = ".num_batches_tracked"
"""What batch norms count; files from before torch 0.4.1 lack it and nothing here needs it."""


def load_weights(backbone: Backbone, tensors: Mapping[str, Tensor], where: str) -> None:
    """Fill every tensor of `backbone`, in the type that it has.

    Args:
        backbone: on the CPU.
        tensors: of a file, by the names there; classifiers are left out.
        where: what a message calls the file.

    Raises:
        CheckpointError: a tensor is missing, has another shape, or belongs to another network.
    """
    put(backbone, renamed(tensors, where), where)


def put(module: nn.Module, state: Mapping[str, Tensor], where: str) -> None:
    """Fill every tensor of `module`; as `load_weights`, with the names of the module itself."""
    wanted = module.state_dict()
    problems = list(_problems(module, wanted, state))
    if problems:
        raise CheckpointError(f"{where} do not fit: {'; '.join(problems)}")
    with torch.no_grad():
        for name, tensor in wanted.items():
            tensor.copy_(state[name]) if name in state else tensor.zero_()


def _problems(
    module: nn.Module, wanted: Mapping[str, Tensor], state: Mapping[str, Tensor]
) -> Iterable[str]:
    if isinstance(module, Backbone):
        given = _feature_size(state, module.feature_tensor)
        if given not in (None, module.feature_size):
            yield f"they give {given} features, the backbone {module.feature_size}"
    missing = [name for name in wanted if name not in state and not name.endswith(COUNTER)]
    if missing:
        yield f"missing: {_listed(missing)}"
    other = [
        f"{name} {_shape(state[name])} instead of {_shape(tensor)}"
        for name, tensor in wanted.items()
        if name in state and state[name].shape != tensor.shape
    ]
    if other:
        yield f"of another shape: {_listed(other)}"
    kinds = [
        f"{name} {_kind(state[name])} instead of {_kind(tensor)}"
        for name, tensor in wanted.items()
        if name in state and not _same_kind(state[name], tensor)
    ]
    if kinds:
        yield f"of another type: {_listed(kinds)}"
    foreign = [name for name in state if name not in wanted]
    if foreign:
        yield f"unknown: {_listed(foreign)}"


def _same_kind(given: Tensor, wanted: Tensor) -> bool:
    """Return whether one tensor can be copied into another without losing what it means."""
    plain = given.layout == torch.strided and not given.is_quantized and not given.is_complex()
    return plain and (given.is_floating_point() or not wanted.is_floating_point())


def _kind(tensor: Tensor) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    layout = str(tensor.layout).removeprefix("torch.")
    return name if tensor.layout == torch.strided else f"{name} {layout}"


def _feature_size(state: Mapping[str, Tensor], pattern: str) -> int | None:
    """Return the length of the tensor with the largest numbers in its name, or None."""
    found = [re.fullmatch(pattern, name) for name in state]
    numbered = {tuple(map(int, match.groups())): match[0] for match in found if match}
    return len(state[numbered[max(numbered)]]) if numbered else None


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _shape(tensor: Tensor) -> str:
    return "x".join(map(str, tensor.shape)) or "scalar"

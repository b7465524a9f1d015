"""Nested states taken apart into named tensors and plain JSON, and put together again.

In the plain part text, numbers, booleans, None and lists stand for themselves; what JSON lacks is
an object with one telling key: `{"tuple": [...]}`, `{"dict": [[key, value], ...]}`,
`{"float": "nan"}`, `{"tensor": "3:['model']['weight']"}`, `{"array": ...}`.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim.errors import CheckpointError
from cilsim.results.stored_tensor import from_array, restored, stored_form

DEEPEST = 64
"""Levels of nesting; a state that contains itself ends here."""


def pack_state(state: Any, *, copy: bool = False) -> tuple[dict[str, Tensor], Any]:
    """Return the tensors of a state by name, ready to be stored, and the rest as JSON.

    A state is made of dictionaries (keys: text or integers, order kept), lists, tuples, tensors,
    NumPy arrays, text, numbers of any value, booleans and None, nested up to 64 levels. Tensors
    come back without gradient and no longer sharing memory, with the same strides if they are
    dense; NumPy scalars come back as Python numbers.

    Args:
        state: what to take apart.
        copy: whether the tensors share no memory with the state, which may go on changing then.

    Raises:
        CheckpointError: something else is inside; the message says where.
    """
    packer = _Packer(copy)
    return packer.tensors, packer.pack(state, "state", 0)


def unpack_state(
    tensors: Mapping[str, Tensor], plain: Any, device: torch.device | str = "cpu"
) -> Any:
    """Return the state that `pack_state` took apart, its tensors on `device`.

    Raises:
        CheckpointError: a tensor is missing or a form is unknown.
    """
    if isinstance(plain, list):
        return [unpack_state(tensors, item, device) for item in plain]
    if not isinstance(plain, dict):
        return plain
    [(form, content)] = plain.items()
    if form == "tuple":
        return tuple(unpack_state(tensors, item, device) for item in content)
    if form == "dict":
        return {key: unpack_state(tensors, value, device) for key, value in content}
    if form == "float":
        return float(content)
    if form in {"tensor", "array"}:
        tensor = restored(tensors, **content)
        return tensor.numpy() if form == "array" else tensor.to(device)
    raise CheckpointError(f"state: form '{form}' is unknown; a newer cilsim wrote it")


class _Packer:
    """Collects tensors while it walks through a state."""

    def __init__(self, copy: bool) -> None:
        self.tensors: dict[str, Tensor] = {}
        self._copy = copy
        self._storages: set[int] = set()

    def pack(self, value: Any, where: str, depth: int) -> Any:
        """Return the plain form of `value`, found at `where`."""
        if depth > DEEPEST:
            raise CheckpointError(f"{where[:80]}...: is nested deeper than {DEEPEST} levels")
        if isinstance(value, np.generic):
            value = value.item()
        if value is None or type(value) in (bool, int, str):
            return value
        if type(value) is float:
            return value if math.isfinite(value) else {"float": repr(value)}
        if type(value) in (list, tuple):
            items = [self.pack(item, f"{where}[{i}]", depth + 1) for i, item in enumerate(value)]
            return items if type(value) is list else {"tuple": items}
        if isinstance(value, Mapping):
            return {"dict": [self._pair(item, where, depth) for item in value.items()]}
        if isinstance(value, np.ndarray):
            return {"array": self._add(from_array(value, where), where)}
        if isinstance(value, Tensor):
            return {"tensor": self._add(value, where)}
        raise CheckpointError(
            f"{where}: {_type_name(value)} cannot be stored; tensors, arrays, numbers, text, "
            f"booleans, None, lists, tuples and dictionaries can"
        )

    def _pair(self, item: tuple[Any, Any], where: str, depth: int) -> list[Any]:
        key, value = item
        if type(key) not in (str, int):
            raise CheckpointError(
                f"{where}: key {key!r} is of type {_type_name(key)}; keys are text or integers"
            )
        return [key, self.pack(value, f"{where}[{key!r}]", depth + 1)]

    def _add(self, tensor: Tensor, where: str) -> dict[str, Any]:
        """Keep a tensor and return how to restore it."""
        # safetensors writes the name as UTF-8, which a lone surrogate has not
        name = f"{len(self.tensors)}:{ascii(where.removeprefix('state'))[1:-1]}"
        stored, about = stored_form(tensor, where, copy=self._copy)
        self.tensors[name] = self._unshared(stored)
        return {"name": name, **about}

    def _unshared(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage().data_ptr()
        if storage in self._storages:
            return tensor.clone()
        self._storages.add(storage)
        return tensor


def _type_name(value: object) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"

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

DEEPEST = 64
"""Levels of nesting; a state that contains itself ends here."""

# What every version of safetensors stores; other types travel as their bytes.
_STORED_AS_THEY_ARE = frozenset(
    {
        *(torch.bool, torch.uint8, torch.int8, torch.int16, torch.int32, torch.int64),
        *(torch.float16, torch.bfloat16, torch.float32, torch.float64),
    }
)
_STORED_AS_BYTES = {
    str(dtype).removeprefix("torch."): dtype
    for dtype in (
        *(torch.uint16, torch.uint32, torch.uint64, torch.complex64, torch.complex128),
        *(torch.float8_e4m3fn, torch.float8_e4m3fnuz, torch.float8_e5m2, torch.float8_e5m2fnuz),
    )
}


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
        tensor = _restored(tensors, **content)
        return tensor.numpy() if form == "array" else tensor.to(device)
    raise CheckpointError(f"state: form '{form}' is unknown; a newer cilsim wrote it")


def _restored(
    tensors: Mapping[str, Tensor],
    name: str,
    dtype: str | None = None,
    shape: list[int] | None = None,
    axes: list[int] | None = None,
) -> Tensor:
    if name not in tensors:
        raise CheckpointError(f"state: tensor '{name}' is missing")
    tensor = tensors[name]
    if dtype is not None and shape is not None:
        tensor = tensor.view(_STORED_AS_BYTES[dtype]).reshape(shape)
    if axes is not None:
        tensor = tensor.permute([axes.index(axis) for axis in range(len(axes))])
    return tensor


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
            return {"array": self._add(_from_array(value, where), where)}
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
        """Keep a tensor and return how to restore it: its name, axes and type."""
        if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
            raise CheckpointError(f"{where}: only dense tensors with values can be stored")
        # safetensors writes the name as UTF-8, which a lone surrogate has not.
        name = f"{len(self.tensors)}:{ascii(where.removeprefix('state'))[1:-1]}"
        stored: dict[str, Any] = {"name": name}
        tensor = tensor.detach().to("cpu", copy=self._copy).resolve_conj().resolve_neg()
        axes = _axes_in_memory(tensor)
        if axes is not None:
            stored["axes"] = axes
            tensor = tensor.permute(axes)
        tensor = tensor.contiguous()
        if tensor.dtype not in _STORED_AS_THEY_ARE:
            stored |= {"dtype": _bytes_dtype(tensor, where), "shape": list(tensor.shape)}
            tensor = tensor.reshape(-1).view(torch.uint8)
        self.tensors[name] = self._unshared(tensor)
        return stored

    def _unshared(self, tensor: Tensor) -> Tensor:
        storage = tensor.untyped_storage().data_ptr()
        if storage in self._storages:
            return tensor.clone()
        self._storages.add(storage)
        return tensor


def _axes_in_memory(tensor: Tensor) -> list[int] | None:
    """Return the order of axes in which a transposed dense tensor is contiguous, if there is one.

    Kernels choose their order of summation by the strides, so that a resumed run is bit-identical
    only if channels-last weights and transposed matrices come back as such.
    """
    if tensor.is_contiguous():
        return None
    strides = tensor.stride()
    axes = sorted(range(tensor.ndim), key=lambda axis: -strides[axis])
    return axes if tensor.permute(axes).is_contiguous() else None


def _bytes_dtype(tensor: Tensor, where: str) -> str:
    name = str(tensor.dtype).removeprefix("torch.")
    if name not in _STORED_AS_BYTES:
        raise CheckpointError(f"{where}: tensors of type {name} cannot be stored")
    return name


def _from_array(array: Any, where: str) -> Tensor:
    if array.dtype.kind in "biufc" and array.dtype.itemsize <= 16:
        native = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        try:
            return torch.from_numpy(native)
        except TypeError as error:
            raise CheckpointError(_array_complaint(array, where)) from error
    raise CheckpointError(_array_complaint(array, where))


def _array_complaint(array: Any, where: str) -> str:
    return f"{where}: an array of type {array.dtype} cannot be stored; arrays of numbers can"


def _type_name(value: object) -> str:
    kind = type(value)
    module = "" if kind.__module__ == "builtins" else f"{kind.__module__}."
    return f"{module}{kind.__qualname__}"

"""The form in which one tensor or array is stored: dense, contiguous, of a type that all can read.

What that loses, its axes in memory and its type, is said beside it as JSON.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cilsim.errors import CheckpointError

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


def stored_form(tensor: Tensor, where: str, *, copy: bool) -> tuple[Tensor, dict[str, Any]]:
    """Return a contiguous tensor on the CPU and, as JSON, what `restored` needs to undo it.

    Args:
        tensor: any dense tensor.
        where: what messages call it.
        copy: whether the result shares no memory with it.

    Raises:
        CheckpointError: it has no values, or none of a type that can be stored.
    """
    if tensor.layout != torch.strided or tensor.is_quantized or tensor.is_meta:
        raise CheckpointError(f"{where}: only dense tensors with values can be stored")
    about: dict[str, Any] = {}
    tensor = tensor.detach().to("cpu", copy=copy).resolve_conj().resolve_neg()
    axes = _axes_in_memory(tensor)
    if axes is not None:
        about["axes"] = axes
        tensor = tensor.permute(axes)
    tensor = tensor.contiguous()
    if tensor.dtype not in _STORED_AS_THEY_ARE:
        about |= {"dtype": _bytes_dtype(tensor, where), "shape": list(tensor.shape)}
        tensor = tensor.reshape(-1).view(torch.uint8)
    return tensor, about


def restored(
    tensors: Mapping[str, Tensor],
    name: str,
    dtype: str | None = None,
    shape: list[int] | None = None,
    axes: list[int] | None = None,
) -> Tensor:
    """Return a tensor with the type, shape and axes that it had.

    Args:
        tensors: those that were stored, by name.
        name: of this one.
        dtype: its type, where its bytes were stored.
        shape: likewise.
        axes: the order of axes in which it was contiguous, where that was another one.

    Raises:
        CheckpointError: it is missing.
    """
    if name not in tensors:
        raise CheckpointError(f"state: tensor '{name}' is missing")
    tensor = tensors[name]
    if dtype is not None and shape is not None:
        tensor = tensor.view(_STORED_AS_BYTES[dtype]).reshape(shape)
    if axes is not None:
        tensor = tensor.permute([axes.index(axis) for axis in range(len(axes))])
    return tensor


def from_array(array: Any, where: str) -> Tensor:
    """Return a NumPy array as a tensor, its numbers in the byte order of this machine.

    Raises:
        CheckpointError: it does not hold numbers, or such as torch has no type for.
    """
    if array.dtype.kind in "biufc" and array.dtype.itemsize <= 16:
        native = np.array(array, dtype=array.dtype.newbyteorder("="), order="C")
        try:
            return torch.from_numpy(native)
        except TypeError as error:
            raise CheckpointError(_array_complaint(array, where)) from error
    raise CheckpointError(_array_complaint(array, where))


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


def _array_complaint(array: Any, where: str) -> str:
    return f"{where}: an array of type {array.dtype} cannot be stored; arrays of numbers can"

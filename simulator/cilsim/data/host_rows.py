"""Samples that stay in host memory, or on disk, until a batch needs them.

Axis letters: A rows of the array, N samples of the part, B batch.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from cilsim.records import IntArray


class HostRows:
    """Some rows of an array in an order, read when they are asked for.

    It stands where a part that lives on the device has a tensor: length, shape, type, and indexing
    of the first axis are those of the tensor.

    Attributes:
        array_A: where the rows are, perhaps memory-mapped.
        position_N: (N,) which rows, in which order.
        device: where the batches go, and labels are.
    """

    def __init__(self, array_A: NDArray[Any], position_N: IntArray, device: torch.device) -> None:
        self.array_A = array_A
        self.position_N = position_N
        self.device = device
        self.dtype = torch.from_numpy(np.empty(0, dtype=array_A.dtype)).dtype

    def __len__(self) -> int:
        return len(self.position_N)

    def __getitem__(self, rows: int | slice | Tensor) -> Tensor:
        """Return the sample at a place, or those of a slice or of (B,) places, on the device."""
        if isinstance(rows, int):
            return self[torch.tensor([range(len(self))[rows]])][0]
        if isinstance(rows, slice):
            rows = torch.arange(*rows.indices(len(self)))
        return self.read(rows).to(self.device)

    def index_select(self, dim: int, place_B: Tensor) -> Tensor:
        """Return the samples at (B,) places, on the device; `dim` has to be 0."""
        if dim != 0:
            raise ValueError(f"samples are read along axis 0, not {dim}")
        return self[place_B]

    @property
    def shape(self) -> torch.Size:
        """Shape of the tensor that this stands for."""
        return torch.Size((len(self), *self.array_A.shape[1:]))

    @property
    def ndim(self) -> int:
        """Number of its axes."""
        return self.array_A.ndim

    @property
    def nbytes(self) -> int:
        """Bytes that it would take on the device."""
        return len(self) * (self.array_A[:1].nbytes if len(self.array_A) else 0)

    def read(self, place_B: Tensor, *, pinned: bool = False) -> Tensor:
        """Return the samples at (B,) places, on the CPU.

        Args:
            place_B: each from 0 to N - 1.
            pinned: whether to read into page-locked memory, from which a copy to a CUDA device
                does not hold up the host.
        """
        row_B = self.position_N[place_B.cpu().numpy()]
        shape = (len(row_B), *self.array_A.shape[1:])
        found_B = torch.empty(shape, dtype=self.dtype, pin_memory=pinned)
        if self.array_A.flags.c_contiguous and len(row_B):
            # "clip", as with "raise" NumPy would read into a buffer of its own first
            np.take(self.array_A, row_B, axis=0, out=found_B.numpy(), mode="clip")
        else:  # of which take() would make a contiguous copy, all of it
            found_B.numpy()[...] = self.array_A[row_B]
        return found_B


Rows = Tensor | HostRows
"""Samples of a part: on the device, or read from the host batch by batch."""


def concatenated(parts: Sequence[Rows]) -> Rows:
    """Return the samples of several parts one after the other.

    Rows of one array on the host stay there. Rows of different arrays come to the device.
    """
    hosts = [part for part in parts if isinstance(part, HostRows)]
    if len(hosts) == len(parts) and all(host.array_A is hosts[0].array_A for host in hosts):
        position_N = np.concatenate([host.position_N for host in hosts])
        return HostRows(hosts[0].array_A, position_N, hosts[0].device)
    return torch.cat([part[:] for part in parts])

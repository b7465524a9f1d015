"""The weights of the first process in all of them.

On CPUs they are equal anyway. GPUs may differ in the last bits of what each of them did whole.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn

from cilsim.distributed.processes import Processes


def take_weights_of_first(modules: Iterable[nn.Module], processes: Processes) -> None:
    """Give the modules of every process the parameters and buffers of the first one."""
    if processes.count == 1:
        return
    tensors = [tensor.detach() for module in modules for tensor in module.state_dict().values()]
    for dtype in dict.fromkeys(tensor.dtype for tensor in tensors):
        same = [tensor for tensor in tensors if tensor.dtype == dtype]
        flat = torch.cat([tensor.reshape(-1) for tensor in same])
        processes.spread(flat)
        _put(flat, same)


@torch.no_grad()
def _put(flat: Tensor, tensors: list[Tensor]) -> None:
    pieces = torch.split(flat, [tensor.numel() for tensor in tensors])
    for tensor, piece in zip(tensors, pieces, strict=True):
        tensor.copy_(piece.view(tensor.shape))

"""Gradients of all processes added up, with what else a step tells, in one message per type."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from cilsim.distributed.processes import Processes


class GradientSum:
    """Adds up the gradients of the same parameters over processes.

    A parameter that has no gradient in any process keeps none: an optimiser leaves it alone then,
    where a gradient of zeros would let weight decay act.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], processes: Processes) -> None:
        self._parameters = parameters
        self._processes = processes
        self._flags: dict[tuple[bool, ...], Tensor] = {}

    def add_up(self, beside: Sequence[Tensor]) -> list[Tensor]:
        """Put the sums into the parameters' `grad`, and return the float32 sums of `beside`.

        Waits for a GPU only if this process has no gradient where another may have one.
        """
        missing = tuple(parameter.grad is None for parameter in self._parameters)
        grads = [_gradient(parameter) for parameter in self._parameters]
        has_P, *sums = self._sums(grads, [self._present(missing), *beside])
        if any(missing):
            for parameter, count in zip(self._parameters, has_P.tolist(), strict=True):
                if not count:
                    parameter.grad = None
        return sums

    def _present(self, missing: tuple[bool, ...]) -> Tensor:
        """Return (parameters,) 1 where there is a gradient, 0 where not."""
        if missing not in self._flags:
            device = self._parameters[0].device
            self._flags[missing] = torch.tensor([float(not gone) for gone in missing]).to(device)
        return self._flags[missing]

    def _sums(self, grads: Sequence[Tensor], beside: Sequence[Tensor]) -> list[Tensor]:
        """Replace `grads` by their sums, and return those of `beside`."""
        sums = [tensor.detach().float().clone() for tensor in beside]
        for dtype in dict.fromkeys(tensor.dtype for tensor in [*sums, *grads]):
            same = [tensor for tensor in [*sums, *grads] if tensor.dtype == dtype]
            flat = torch.cat([tensor.reshape(-1) for tensor in same])
            self._processes.add_up(flat)
            pieces = torch.split(flat, [tensor.numel() for tensor in same])
            shaped = [piece.view(tensor.shape) for piece, tensor in zip(pieces, same, strict=True)]
            torch._foreach_copy_(same, shaped)
        return sums


def _gradient(parameter: nn.Parameter) -> Tensor:
    """Return the gradient of a parameter, zeros where it has none."""
    if parameter.grad is None:
        parameter.grad = torch.zeros_like(parameter)
    return parameter.grad

"""Batch norm whose statistics are those of the whole batch, of which each process has a share.

Torch's own SyncBatchNorm is for GPUs alone. Means and variances of the shares are merged by Chan,
Golub and LeVeque 1983, "Algorithms for computing the sample variance", equation 1.3; the gradient
is that of Ioffe and Szegedy 2015, section 3, with its two sums taken over all processes.

Axis letters: B batch, C channels, P processes; x is (B, C, ...).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from cilsim.distributed.processes import Processes


class SharedBatchNorms:
    """The batch norms of some modules; `over_all` lets them look at the shares of all processes."""

    def __init__(self, modules: Iterable[nn.Module], processes: Processes) -> None:
        self._on = False
        self._norms = [
            _SharedNorm(part, processes, self)
            for module in modules
            for part in module.modules()
            if isinstance(part, _BatchNorm)
        ]

    def __len__(self) -> int:
        return len(self._norms)

    @property
    def on(self) -> bool:
        """Whether a batch is shared just now."""
        return self._on

    @contextmanager
    def over_all(self) -> Iterator[None]:
        """Take statistics over all processes in the block; each calls every norm as often."""
        self._on = True
        try:
            yield
        finally:
            self._on = False

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Let the modules use these norms in the block."""
        for shared in self._norms:
            vars(shared.norm)["forward"] = shared
        try:
            yield
        finally:
            for shared in self._norms:
                del vars(shared.norm)["forward"]


class _SharedNorm:
    """The forward pass of one batch norm."""

    def __init__(self, norm: _BatchNorm, processes: Processes, all_norms: SharedBatchNorms) -> None:
        self.norm = norm
        self._processes = processes
        self._all = all_norms

    def __call__(self, x: Tensor) -> Tensor:
        norm = self.norm
        if not (norm.training and self._all.on):
            return type(norm).forward(norm, x)
        with torch.no_grad():
            mean_C, var_C, count = merged_statistics(x, self._processes)
            _note(norm, mean_C, var_C, count)
        weight_C = torch.ones_like(mean_C) if norm.weight is None else norm.weight
        bias_C = torch.zeros_like(mean_C) if norm.bias is None else norm.bias
        normalised: Tensor = _Normalise.apply(
            x, weight_C, bias_C, mean_C, var_C, count, norm.eps, self._processes
        )
        return normalised


def merged_statistics(x: Tensor, processes: Processes) -> tuple[Tensor, Tensor, Tensor]:
    """Return mean (C,), biased variance (C,) and count () over the shares of all processes."""
    mean_C, var_C = torch.batch_norm_update_stats(x.float(), None, None, 0.0)
    count = mean_C.new_full((1,), x.numel() // x.shape[1])
    found_P = processes.gather(torch.cat([mean_C, var_C, count]))
    means_PC, vars_PC = found_P[:, :-1].chunk(2, 1)
    share_P1 = found_P[:, -1:] / found_P[:, -1].sum()
    mean_C = (share_P1 * means_PC).sum(0)
    var_C = (share_P1 * (vars_PC + (means_PC - mean_C).square())).sum(0)
    return mean_C, var_C, found_P[:, -1].sum()


def _note(norm: _BatchNorm, mean_C: Tensor, var_C: Tensor, count: Tensor) -> None:
    """Let the running statistics follow, as torch does: the variance is the unbiased one."""
    if norm.running_mean is None or norm.running_var is None:
        return
    assert norm.num_batches_tracked is not None  # made together with them
    norm.num_batches_tracked.add_(1)
    weight: Any = norm.momentum
    if weight is None:
        weight = 1.0 / norm.num_batches_tracked.to(mean_C.dtype)
    norm.running_mean.lerp_(mean_C, weight)
    norm.running_var.lerp_(var_C * (count / (count - 1)), weight)


class _Normalise(torch.autograd.Function):
    """Normalises by given statistics, and differentiates as if they were taken here."""

    @staticmethod
    def forward(
        ctx: Any,
        x: Tensor,
        weight_C: Tensor,
        bias_C: Tensor,
        mean_C: Tensor,
        var_C: Tensor,
        count: Tensor,
        eps: float,
        processes: Processes,
    ) -> Tensor:
        ctx.save_for_backward(x, weight_C, mean_C, var_C, count)
        ctx.eps, ctx.processes = eps, processes
        y, _, _ = torch.native_batch_norm(x, weight_C, bias_C, mean_C, var_C, False, 0.0, eps)
        return y

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> tuple[Tensor | None, ...]:
        x, weight_C, mean_C, var_C, count = ctx.saved_tensors
        grad_x, grad_weight_C, grad_bias_C = torch.ops.aten.native_batch_norm_backward(
            grads[0], x, weight_C, mean_C, var_C, None, None, False, ctx.eps, [True] * 3
        )
        sums = torch.stack([grad_weight_C, grad_bias_C])
        ctx.processes.add_up(sums)
        by_weight_C, by_bias_C = sums / count
        scale_C = torch.rsqrt(var_C + ctx.eps)
        slope_C = weight_C * scale_C.square() * by_weight_C
        offset_C = weight_C * scale_C * by_bias_C - slope_C * mean_C
        shape = (-1,) + (1,) * (x.ndim - 2)
        grad_x.addcmul_(x, slope_C.view(shape), value=-1).sub_(offset_C.view(shape))
        return (grad_x, grad_weight_C, grad_bias_C, *[None] * 5)

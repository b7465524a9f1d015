"""Batch norm over the shares of several processes is batch norm over the whole batch."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from cilsim.distributed.batch_norm import SharedBatchNorms, merged_statistics

SHAPES = {nn.BatchNorm1d: (10, 3), nn.BatchNorm2d: (10, 3, 4, 5), nn.BatchNorm3d: (10, 3, 2, 2, 3)}


def norm_of(kind: type[Any], **options: Any) -> Any:
    norm = kind(3, **options)
    if norm.affine:
        with torch.no_grad():
            norm.weight.copy_(torch.tensor([1.0, 0.5, -2.0]))
            norm.bias.copy_(torch.tensor([0.0, 1.0, 2.0]))
    return norm


def passed(norm: Any, x: Tensor, target: Tensor) -> tuple[Tensor, Tensor]:
    """Return the result and the gradient at the input, of the mean squared distance."""
    x = x.clone().requires_grad_()
    y = norm(x)
    (y - target).square().sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


@pytest.mark.parametrize("kind", SHAPES)
@pytest.mark.parametrize(
    "options",
    [{}, {"affine": False}, {"track_running_stats": False}, {"momentum": None}],
    ids=["usual", "without weights", "without running statistics", "cumulative"],
)
def test_shares_are_normalised_as_the_whole_batch_is(
    together: Any, kind: type[Any], options: dict[str, Any]
):
    generator = torch.Generator().manual_seed(0)
    x = 5.0 + 2.0 * torch.randn(SHAPES[kind], generator=generator)
    target = torch.randn(SHAPES[kind], generator=generator)
    whole = norm_of(kind, **options)
    y, grad = passed(whole, x, target)

    def act(processes: Any) -> tuple[Any, ...]:
        rows = slice(0, 7) if processes.is_first else slice(7, None)
        norm = norm_of(kind, **options)
        norms = SharedBatchNorms([norm], processes)
        with norms.in_place(), norms.over_all():
            found = passed(norm, x[rows], target[rows])
        return (*found, norm)

    (y_1, grad_1, norm_1), (y_2, grad_2, norm_2) = together(2, act)
    close = {"atol": 1e-4, "rtol": 1e-4}
    torch.testing.assert_close(torch.cat([y_1, y_2]), y, **close)
    torch.testing.assert_close(torch.cat([grad_1, grad_2]), grad, **close)
    if whole.affine:
        torch.testing.assert_close(
            norm_1.weight.grad + norm_2.weight.grad, whole.weight.grad, **close
        )
        torch.testing.assert_close(norm_1.bias.grad + norm_2.bias.grad, whole.bias.grad, **close)
    for one, other in zip(norm_1.state_dict().values(), norm_2.state_dict().values(), strict=True):
        assert torch.equal(one, other)
    torch.testing.assert_close(dict(norm_1.state_dict()), dict(whole.state_dict()))


def test_statistics_of_unequal_shares_far_from_zero_are_merged_exactly(together: Any):
    x = 1e3 + torch.arange(12.0).reshape(6, 2)

    def act(processes: Any) -> tuple[Tensor, Tensor, Tensor]:
        return merged_statistics(x[:5] if processes.is_first else x[5:], processes)

    for mean_C, var_C, count in together(2, act):
        torch.testing.assert_close(mean_C, torch.tensor([1005.0, 1006.0]))
        torch.testing.assert_close(var_C, torch.full((2,), 35 / 3), atol=1e-3, rtol=0)
        assert count == 6


def test_bf16_samples_keep_statistics_in_float32(together: Any):
    x = torch.randn(8, 3, 4, 4, generator=torch.Generator().manual_seed(0)).bfloat16()

    def act(processes: Any) -> tuple[Any, ...]:
        norm = nn.BatchNorm2d(3)
        norms = SharedBatchNorms([norm], processes)
        own = x.chunk(2)[processes.rank].clone().requires_grad_()
        with norms.in_place(), norms.over_all():
            y = norm(own)
        y.float().sum().backward()
        return y, own.grad, norm.running_mean

    for y, grad, running_mean in together(2, act):
        assert (y.dtype, grad.dtype, running_mean.dtype) == (
            torch.bfloat16,
            torch.bfloat16,
            torch.float32,
        )
        torch.testing.assert_close(running_mean, 0.1 * x.float().mean((0, 2, 3)))


def test_a_norm_in_eval_mode_and_one_outside_of_a_shared_step_ask_nobody(together: Any):
    x = torch.randn(4, 3, generator=torch.Generator().manual_seed(0))

    def act(processes: Any) -> int:
        norm = nn.BatchNorm1d(3)
        norms = SharedBatchNorms([norm], processes)
        with norms.in_place():
            assert torch.equal(norm(x), nn.BatchNorm1d(3)(x))
            norm.eval()
            with norms.over_all():
                norm(x)
        return processes.messages

    assert together(2, act) == [0, 0]


def test_norms_are_as_before_when_a_training_is_over():
    from cilsim.distributed.processes import ALONE

    norm = nn.BatchNorm1d(3)
    with SharedBatchNorms([norm], ALONE).in_place():
        assert "forward" in vars(norm)
    assert "forward" not in vars(norm)


@pytest.mark.gpu
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_shares_on_a_gpu_are_normalised_as_the_whole_batch_is(together: Any, dtype: torch.dtype):
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(10, 3, 4, 5, generator=generator).cuda().to(dtype)
    x = x.to(memory_format=torch.channels_last)
    target = torch.randn(10, 3, 4, 5, generator=generator).cuda()
    y, grad = passed(norm_of(nn.BatchNorm2d).cuda(), x, target)

    def act(processes: Any) -> tuple[Tensor, Tensor]:
        rows = slice(0, 7) if processes.is_first else slice(7, None)
        norm = norm_of(nn.BatchNorm2d).cuda()
        norms = SharedBatchNorms([norm], processes)
        with norms.in_place(), norms.over_all():
            return passed(norm, x[rows], target[rows])

    (y_1, grad_1), (y_2, grad_2) = together(2, act)
    close = {"atol": 1e-4, "rtol": 1e-4} if dtype == torch.float32 else {"atol": 0.05, "rtol": 0.05}
    torch.testing.assert_close(torch.cat([y_1, y_2]), y, **close)
    torch.testing.assert_close(torch.cat([grad_1, grad_2]), grad, **close)

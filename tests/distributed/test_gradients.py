"""Gradients and numbers added up over processes."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn

from cilsim.distributed.gradients import GradientSum


def parameters(*shapes: tuple[int, ...], dtype: torch.dtype = torch.float32) -> list[nn.Parameter]:
    return [nn.Parameter(torch.zeros(shape, dtype=dtype)) for shape in shapes]


def test_gradients_of_all_types_and_numbers_beside_them_are_added_up(together: Any):
    def act(processes: Any) -> tuple[list[Any], list[Any], int]:
        own = [*parameters((2,), (1, 2)), *parameters((3,), dtype=torch.bfloat16)]
        for parameter in own:
            parameter.grad = torch.full_like(parameter, processes.rank + 1)
        sums = GradientSum(own, processes).add_up([torch.tensor(0.5), torch.ones(2)])
        grads = [parameter.grad.tolist() for parameter in own if parameter.grad is not None]
        return grads, [one.tolist() for one in sums], processes.messages

    assert together(2, act) == [([[3.0] * 2, [[3.0] * 2], [3.0] * 3], [1.0, [2.0, 2.0]], 2)] * 2


def test_channels_last_gradients_are_added_up_in_place_and_keep_their_layout(together: Any):
    def act(processes: Any) -> Tensor:
        (weight,) = parameters((4, 3, 2, 2))
        weight.grad = torch.arange(48.0).reshape(4, 3, 2, 2) * (processes.rank + 1)
        weight.grad = weight.grad.to(memory_format=torch.channels_last)
        GradientSum([weight], processes).add_up([])
        assert weight.grad is not None
        return weight.grad

    for grad in together(2, act):
        assert torch.equal(grad, 3 * torch.arange(48.0).reshape(4, 3, 2, 2))
        assert grad.is_contiguous(memory_format=torch.channels_last)


def test_a_gradient_that_one_process_has_reaches_all_and_one_that_none_has_stays_away(
    together: Any,
):
    def act(processes: Any) -> list[Any]:
        own = parameters((2,), (2,), (2,))
        own[0].grad = torch.ones(2)
        if processes.is_first:
            own[1].grad = torch.ones(2)
        GradientSum(own, processes).add_up([])
        return [None if one.grad is None else one.grad.tolist() for one in own]

    assert together(2, act) == [[[2.0, 2.0], [1.0, 1.0], None]] * 2


def test_an_infinite_gradient_of_one_process_is_infinite_in_all(together: Any):
    """So that loss scaling skips the step, and lowers the scale, in every process."""

    def act(processes: Any) -> float:
        (weight,) = parameters((1,))
        weight.grad = torch.tensor([math.inf if processes.rank else 1.0])
        GradientSum([weight], processes).add_up([])
        assert weight.grad is not None
        return float(weight.grad)

    assert together(2, act) == [math.inf, math.inf]

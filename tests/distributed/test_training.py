"""A training that processes share gives the weights of one process, but for rounding."""

from __future__ import annotations

import logging
from dataclasses import replace
from types import ModuleType
from typing import Any

import pytest
import torch
from torch import nn

from cilsim.distributed import lockstep
from cilsim.distributed.processes import ALONE
from cilsim.distributed.weights import take_weights_of_first
from cilsim.errors import Interrupted
from cilsim.training.loop import fit
from cilsim.training.shares import bounds
from cilsim.training.spec import FitSpec
from cilsim.training.step import OptimiserStep

PLAIN_TOLERANCE = 1e-6
NORMED_TOLERANCE = 2e-5
"""Nine steps; measured 3e-8 and 7e-6."""


def furthest(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> float:
    assert one.keys() == other.keys()
    return max(float((one[name].double() - other[name].double()).abs().max()) for name in one)


def assert_equal(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one["told"] == other["told"]
    assert furthest(one["weights"], other["weights"]) == 0.0


@pytest.mark.parametrize("count", [2, 3])
@pytest.mark.parametrize(
    ("kind", "tolerance"),
    [
        ("plain", PLAIN_TOLERANCE),
        ("sometimes_unused", PLAIN_TOLERANCE),
        ("normed", NORMED_TOLERANCE),
        ("two_views", NORMED_TOLERANCE),
    ],
)
def test_shared_steps_give_weights_and_reports_of_one_process(
    toy: ModuleType, together: Any, kind: str, tolerance: float, count: int
):
    alone = toy.trained(toy.KINDS[kind], ALONE)
    first, *others = together(count, lambda processes: toy.trained(toy.KINDS[kind], processes))
    for other in others:
        assert_equal(first, other)
    assert furthest(first["weights"], alone["weights"]) < tolerance
    for (loss, accuracy, parts), (loss_alone, accuracy_alone, parts_alone) in zip(
        first["told"], alone["told"], strict=True
    ):
        assert loss == pytest.approx(loss_alone, abs=1e-5)
        assert accuracy == accuracy_alone
        assert parts == pytest.approx(parts_alone, abs=1e-5)


def test_running_statistics_are_those_of_whole_batches(toy: ModuleType, together: Any):
    alone = toy.trained(toy.normed, ALONE)["weights"]
    shared = together(2, lambda processes: toy.trained(toy.normed, processes))[0]["weights"]
    names = [name for name in alone if "running" in name or "num_batches" in name]
    assert len(names) == 3 * len([name for name in names if name.endswith("running_var")]) > 0
    for name in names:
        torch.testing.assert_close(shared[name], alone[name], atol=1e-6, rtol=1e-5)


def test_a_loss_that_is_no_mean_is_computed_whole_by_each(
    toy: ModuleType, together: Any, caplog: pytest.LogCaptureFixture
):
    caplog.set_level(logging.INFO, "cilsim")
    alone = toy.trained(toy.whole, ALONE)
    for shared in together(2, lambda processes: toy.trained(toy.whole, processes)):
        assert_equal(shared, alone)
    told = (
        "strategy 'toy': each of the 2 processes does the whole training: the loss is not known to "
        "be a mean over samples"
    )
    assert caplog.messages == [told, told]


def test_batches_of_less_than_two_samples_each_are_done_whole(toy: ModuleType, together: Any):
    def act(processes: Any) -> int:
        spec = replace(toy.plain(), processes=processes)
        recipe = spec.recipe.model_copy(update={"batch_size": 3, "epochs": 1})
        fit(replace(spec, recipe=recipe, should_stop=None))
        return processes.messages

    seldom = together(2, act)
    assert seldom[0] == seldom[1]
    assert seldom[0] <= 15  # agreements on stopping, at most one per step; no gradients


@pytest.fixture
def agreed_at_each_step(monkeypatch: pytest.MonkeyPatch):
    """Steps of a toy are so short that processes would agree once in a training."""
    monkeypatch.setattr(lockstep, "SECONDS_BETWEEN", 0.0)


def stopped(spec: FitSpec, processes: Any, after: int, asked: int | None = None) -> Any:
    """Return the state of a training that is asked to stop.

    Args:
        after: steps before.
        asked: rank of the only process that is asked; None for all.
    """
    saved: list[Any] = []
    steps = iter(range(1000))
    concerned = asked in (None, processes.rank)
    stopping = replace(
        spec,
        processes=processes,
        save=saved.append,
        should_stop=lambda: concerned and next(steps) >= after,
    )
    with pytest.raises(Interrupted) as caught:
        fit(stopping)
    assert str(caught.value).startswith("experience 0: training was stopped in epoch ")
    (state,) = saved
    return state


@pytest.mark.usefixtures("agreed_at_each_step")
def test_a_stop_ends_all_processes_at_the_same_step(toy: ModuleType, together: Any):
    def act(processes: Any) -> tuple[int, int]:
        state = stopped(toy.plain(), processes, after=4, asked=1)
        return state.epoch, state.step

    assert together(2, act) == [(1, 1), (1, 1)]


@pytest.mark.usefixtures("agreed_at_each_step")
def test_a_training_goes_on_with_another_number_of_processes(toy: ModuleType, together: Any):
    alone = toy.trained(toy.normed, ALONE)["weights"]
    state = together(2, lambda processes: stopped(toy.normed(), processes, after=4))[0]
    spec = replace(toy.normed(), resume_from=state)
    fit(spec)
    weights = {
        f"{name}.{key}": tensor
        for name, module in spec.modules.items()
        for key, tensor in module.state_dict().items()
    }
    assert furthest(weights, alone) < NORMED_TOLERANCE


def test_weights_of_the_first_process_replace_others(together: Any):
    def act(processes: Any) -> dict[str, torch.Tensor]:
        module = nn.BatchNorm1d(3)
        with torch.no_grad():
            module.weight.fill_(processes.rank)
            module.num_batches_tracked.fill_(7 + processes.rank)
        take_weights_of_first([module], processes)
        return dict(module.state_dict())

    for state in together(3, act):
        assert state["weight"].tolist() == [0.0, 0.0, 0.0]
        assert int(state["num_batches_tracked"]) == 7


def test_a_batch_without_memory_is_not_halved_where_processes_share_it(
    toy: ModuleType, together: Any
):
    def act(processes: Any) -> str:
        return OptimiserStep(replace(toy.plain(), processes=processes)).why_whole()

    assert together(2, act) == ["2 processes share it"] * 2


def test_shared_batch_norms_are_not_compiled(
    toy: ModuleType, together: Any, caplog: pytest.LogCaptureFixture
):
    def act(processes: Any) -> None:
        spec = toy.normed()
        recipe = spec.recipe.model_copy(update={"compile": True, "epochs": 1})
        fit(replace(spec, recipe=recipe, processes=processes))

    together(2, act)
    assert (
        caplog.messages
        == [
            "compile: batch norms look at the batch of all processes, which is not compiled; "
            "training runs uncompiled"
        ]
        * 2
    )


@pytest.mark.parametrize(
    ("count", "parts", "sizes"), [(8, 2, [4, 4]), (9, 2, [5, 4]), (11, 4, [3, 3, 3, 2])]
)
def test_rows_are_dealt_out_in_order_and_evenly(count: int, parts: int, sizes: list[int]):
    rows = bounds(count, parts)
    assert [piece.stop - piece.start for piece in rows] == sizes
    assert [row for piece in rows for row in range(count)[piece]] == list(range(count))

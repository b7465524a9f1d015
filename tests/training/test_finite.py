import math

import pytest
import torch

from cilsim.training.finite import STEPS_BETWEEN_LOOKS, LossWatch, all_finite

NAN, INF = float("nan"), float("inf")


def noted(watch, losses):
    """Notes losses until one is known to be bad; returns how many were noted, and what is known."""
    for count, loss in enumerate(losses, start=1):
        found = watch.note(torch.tensor(loss))
        if found is not None:
            return count, found
    return None


def on_a_device_that_is_read_seldom():
    return LossWatch(torch.device("mps"))  # tensors on the CPU do for it


@pytest.mark.parametrize("bad", [NAN, INF, -INF], ids=["nan", "inf", "minus-inf"])
def test_on_the_cpu_a_bad_loss_is_known_at_once(bad):
    count, (number, loss) = noted(LossWatch(torch.device("cpu")), [1.0, 0.5, bad, 1.0])
    assert (count, number) == (3, 2)
    assert loss == bad or (math.isnan(loss) and math.isnan(bad))


def test_steps_are_counted_from_where_a_resumed_training_stands():
    assert noted(LossWatch(torch.device("cpu"), first=70), [1.0, INF]) == (2, (71, INF))


@pytest.mark.parametrize("place", range(2 * STEPS_BETWEEN_LOOKS))
def test_elsewhere_the_first_bad_step_is_named_at_most_two_looks_later(place):
    losses = [1.0] * place + [INF] + [NAN] * 100
    count, found = noted(on_a_device_that_is_read_seldom(), losses)
    assert found == (place, INF)
    assert count - place <= 2 * STEPS_BETWEEN_LOOKS


def test_nothing_is_read_before_a_look_is_due(monkeypatch):
    read = []
    monkeypatch.setattr(torch.Tensor, "item", lambda self: read.append("item"))
    monkeypatch.setattr(torch.Tensor, "tolist", lambda self: read.append("tolist") or [])
    watch = on_a_device_that_is_read_seldom()
    for _ in range(2 * STEPS_BETWEEN_LOOKS - 1):
        watch.note(torch.tensor(NAN))
    assert read == []
    watch.note(torch.tensor(NAN))
    assert read == ["tolist"]


@pytest.mark.parametrize("place", [0, 3, STEPS_BETWEEN_LOOKS, STEPS_BETWEEN_LOOKS + 1])
def test_settling_waits_for_everything_noted(place):
    watch = on_a_device_that_is_read_seldom()
    for loss in [1.0] * place + [INF, 1.0]:
        assert watch.note(torch.tensor(loss)) is None
    assert watch.settle() == (place, INF)


def test_a_settled_watch_goes_on_counting():
    watch = on_a_device_that_is_read_seldom()
    for _ in range(5):
        watch.note(torch.tensor(1.0))
    assert watch.settle() is None
    assert watch.settle() is None
    watch.note(torch.tensor(INF))
    assert watch.settle() == (5, INF)


def test_tensors_are_finite_unless_one_number_is_not():
    one, other = torch.ones(3, 2), torch.zeros(4)
    assert all_finite([one, other])
    for bad in (NAN, INF):
        other[2] = bad
        assert not all_finite([one, other])


@pytest.mark.gpu
def test_on_a_gpu_noting_never_waits_for_the_device():
    watch = LossWatch(torch.device("cuda"))
    losses = [torch.tensor(value, device="cuda") for value in [1.0] * 40 + [INF] * 40]
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        found = [watch.note(loss) for loss in losses]
    finally:
        torch.cuda.set_sync_debug_mode("default")
    first = next(count for count, number in enumerate(found, start=1) if number is not None)
    assert found[first - 1] == (40, INF)
    assert first - 40 <= 2 * STEPS_BETWEEN_LOOKS

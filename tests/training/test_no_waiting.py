"""Steps of a training do not wait for the device."""

from dataclasses import replace

import pytest
import torch

from cilsim.testing.host_reads import HostReads
from cilsim.training.loop import _Training, fit


@pytest.fixture
def reads(monkeypatch):
    """Notes what steps read."""
    reads, advance = HostReads(), _Training._advance

    def watched(training, order_N):
        with reads:
            advance(training, order_N)

    monkeypatch.setattr(_Training, "_advance", watched)
    return reads


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"optimizer": "adam", "clip_gradient_norm": 1.0, "precision": "bf16"},
        {"optimizer": "adamw", "schedule": "one_cycle", "schedule_interval": "step"},
    ],
    ids=["sgd", "adam-clipped-bf16", "adamw-by-step"],
)
def test_no_value_is_read_from_the_device_in_a_step(toy, reads, changes):
    spec = toy.spec()
    fit(replace(spec, recipe=spec.recipe.model_copy(update=changes)))
    assert reads.found == []


def test_what_a_loss_reads_is_found_with_its_line(toy, reads):
    modules = toy.image_modules()

    def loss(batch):
        result = toy.loss(modules)(batch)
        assert result.total.item() >= 0
        return result

    fit(toy.spec(modules, loss=loss))
    assert len(reads.found) == 9
    assert {line.split(":")[0] for line in reads.found} == {"test_no_waiting.py"}
    assert {line.split()[1] for line in reads.found} == {"item"}


@pytest.mark.gpu
@pytest.mark.parametrize("precision", ["float32", "bf16", "fp16"])
def test_a_gpu_is_never_waited_for_in_a_step(toy, monkeypatch, precision):
    spec, advance = toy.spec(), _Training._advance
    device = torch.device("cuda")
    modules = {name: module.to(device) for name, module in spec.modules.items()}
    samples = replace(
        spec.samples, x=spec.samples.x.to(device), labels=spec.samples.labels.to(device)
    )

    def watched(training, order_N):
        mode = "error" if training._done else "default"  # libraries wait when first used
        torch.cuda.set_sync_debug_mode(mode)
        try:
            advance(training, order_N)
        finally:
            torch.cuda.set_sync_debug_mode("default")

    monkeypatch.setattr(_Training, "_advance", watched)
    recipe = spec.recipe.model_copy(update={"precision": precision, "clip_gradient_norm": 1.0})
    summary = fit(
        replace(spec, modules=modules, samples=samples, recipe=recipe, loss=toy.loss(modules))
    )
    assert summary.steps == 9

"""Batches for which there is no memory: a network that refuses more than so many samples."""

import gc
import logging
import weakref
from dataclasses import replace

import pytest
import torch
from torch import nn

from cilsim.errors import RunFailed
from cilsim.training.batch import TrainingLoss
from cilsim.training.loop import fit
from cilsim.training.sampling import Sampling


class Scarce(nn.Module):
    """Fails above so many samples: in its forward pass, or in the backward pass through it."""

    def __init__(self, inner: nn.Module, most: int, *, backward: bool = False) -> None:
        super().__init__()
        self.inner, self.most, self.backward = inner, most, backward
        self.sizes: list[int] = []

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(x))
        if len(x) > self.most and not self.backward:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")
        features = self.inner(x)
        if len(x) > self.most:
            features.register_hook(self.fail)
        return features

    @staticmethod
    def fail(gradient: torch.Tensor) -> None:
        raise RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9")


def scarce(modules, most, **changes):
    return {**modules, "backbone": Scarce(modules["backbone"], most, **changes)}


def spec_of(toy, modules, **changes):
    """Batches of 8, 8 and 6."""
    return toy.spec(modules, samples=toy.features(), mean_loss=True, **changes)


def weights(modules):
    return {
        name.replace("inner.", ""): value
        for module in modules.values()
        for name, value in module.state_dict().items()
    }


@pytest.mark.parametrize("backward", [False, True], ids=["forward", "backward"])
def test_halves_of_each_batch_give_the_weights_of_whole_ones(toy, backward):
    plain, tight = toy.feature_modules(), scarce(toy.feature_modules(), 4, backward=backward)
    reports = {"plain": [], "tight": []}
    fit(spec_of(toy, plain, on_epoch=reports["plain"].append))
    fit(spec_of(toy, tight, on_epoch=reports["tight"].append))
    assert tight["backbone"].sizes == [8, *([4, 4, 4, 4, 3, 3] * 3)]
    for name, value in weights(tight).items():
        torch.testing.assert_close(value, weights(plain)[name], rtol=1e-5, atol=1e-6)
    for one, other in zip(reports["plain"], reports["tight"], strict=True):
        assert other.loss == pytest.approx(one.loss, rel=1e-6)
        assert other.accuracy == one.accuracy


def test_gradients_are_edited_and_clipped_once_for_the_whole_batch(toy):
    edited = {}
    for name, modules in (
        ("whole", toy.feature_modules()),
        ("halves", scarce(toy.feature_modules(), 4)),
    ):
        gradients = edited[name] = []
        spec = spec_of(
            toy, modules,
            after_backward=lambda batch, to=gradients, head=modules["head"]: to.append(
                (len(batch), head.weight.grad.clone())
            ),
        )  # fmt: skip
        fit(replace(spec, recipe=spec.recipe.model_copy(update={"epochs": 1})))
    assert [size for size, _ in edited["halves"]] == [8, 8, 6]
    for (_, whole), (_, halves) in zip(edited["whole"], edited["halves"], strict=True):
        torch.testing.assert_close(halves, whole, rtol=1e-5, atol=1e-7)


def test_parts_of_the_loss_are_those_of_the_whole_batch(toy):
    found = {}
    for name, modules in (
        ("whole", toy.feature_modules()),
        ("halves", scarce(toy.feature_modules(), 4)),
    ):

        def loss(batch, modules=modules):
            result = toy.loss(modules)(batch)
            return TrainingLoss(result.total, result.logits, {"twice": 2 * result.total.detach()})

        found[name] = fit(spec_of(toy, modules, loss=loss)).last.parts["twice"]
    assert found["halves"] == pytest.approx(found["whole"], rel=1e-6)


def test_views_of_a_sample_stay_together(toy):
    modules = toy.feature_modules()
    modules["backbone"] = Scarce(modules["backbone"], 8)
    samples, seen = toy.features(), []

    def loss(batch):
        features = modules["backbone"](batch.x)
        seen.append(bool(torch.equal(*batch.x.chunk(2))) and len(batch.position) * 2 == len(batch))
        assert torch.equal(batch.x[: len(batch.position)], samples.x[batch.position])
        return TrainingLoss(features.square().mean())

    fit(toy.spec(modules, samples=samples, loss=loss, mean_loss=True, sampling=Sampling(views=2)))
    assert modules["backbone"].sizes[:5] == [16, 8, 8, 8, 8]
    assert all(seen)
    assert len(seen) == 18


def test_halving_is_told_once(toy, caplog):
    with caplog.at_level(logging.WARNING):
        fit(spec_of(toy, scarce(toy.feature_modules(), 4), experience=2, strategy="finetune"))
    assert caplog.messages == [
        "strategy 'finetune': experience 2, epoch 1 of 3, step 1: no memory for a batch of 8; from "
        "here on the halves of each batch are done one after the other, which changes results by "
        "no more than rounding"
    ]


PLACE = "experience 0, epoch 1 of 3, step 1: "
ADVICE = "; a smaller 'batch_size' or 'precision: bf16' may help"


def refusal(spec):
    with pytest.raises(RunFailed) as caught:
        fit(spec)
    return str(caught.value)


def test_halves_for_which_there_is_no_memory_either_end_the_run(toy):
    modules = scarce(toy.feature_modules(), 3)
    assert refusal(spec_of(toy, modules)) == (
        f"{PLACE}no memory for a batch of 8 or for one of its halves{ADVICE}"
    )
    assert modules["backbone"].sizes == [8, 4]


def test_a_loss_that_is_no_known_mean_is_not_halved(toy):
    spec = replace(spec_of(toy, scarce(toy.feature_modules(), 4)), mean_loss=False)
    assert refusal(spec) == (
        f"{PLACE}no memory for a batch of 8, and it is not done in halves: the loss is not known "
        f"to be a mean over samples{ADVICE}"
    )


def test_batches_that_a_strategy_changes_are_not_halved(toy):
    spec = spec_of(toy, scarce(toy.feature_modules(), 4), transform_batch=lambda batch: batch)
    assert "it is not done in halves: the loss is not known to be a mean" in refusal(spec)


def test_batch_norm_is_not_given_halves(toy):
    modules = scarce(toy.image_modules(), 4)
    assert refusal(toy.spec(modules, mean_loss=True)) == (
        f"{PLACE}no memory for a batch of 8, and it is not done in halves: batch norm takes its "
        f"statistics from the whole batch{ADVICE}"
    )


def test_batch_norm_with_fixed_statistics_is_given_halves(toy):
    modules = scarce(toy.image_modules(), 4)
    modules["backbone"].requires_grad_(False)
    fit(toy.spec(modules, mean_loss=True))
    assert modules["backbone"].sizes[:3] == [8, 4, 4]


def test_dropout_is_not_given_halves(toy):
    modules = toy.feature_modules()
    modules["backbone"] = nn.Sequential(Scarce(modules["backbone"], 4), nn.Dropout(0.5))
    assert refusal(spec_of(toy, modules)) == (
        f"{PLACE}no memory for a batch of 8, and it is not done in halves: the forward pass would "
        f"draw other random numbers{ADVICE}"
    )


def test_a_batch_of_one_has_no_halves(toy):
    spec = spec_of(toy, scarce(toy.feature_modules(), 0))
    recipe = spec.recipe.model_copy(update={"batch_size": 1, "precision": "bf16"})
    assert refusal(replace(spec, recipe=recipe)) == (
        f"{PLACE}no memory for a batch of 1; a smaller 'batch_size' may help"
    )


def test_no_memory_for_the_update_ends_the_run(toy, monkeypatch):
    def fail(*arguments, **keywords):
        raise MemoryError

    monkeypatch.setattr("cilsim.training.optimiser_set.OptimiserSet.step", fail)
    modules = scarce(toy.feature_modules(), 8)
    assert refusal(spec_of(toy, modules)) == f"{PLACE}no memory for a batch of 8{ADVICE}"
    assert modules["backbone"].sizes == [8]


def test_no_memory_for_the_augmented_images_ends_the_run(toy, monkeypatch):
    def fail(*arguments, **keywords):
        raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("cilsim.training.batching.augment", fail)
    spec = toy.spec()
    assert refusal(spec).startswith(f"{PLACE}no memory for a batch of 8")


def test_another_error_of_the_network_passes_as_it_is(toy):
    modules = toy.feature_modules()
    modules["head"] = nn.Linear(3, 5)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        fit(spec_of(toy, modules))


def test_a_failed_attempt_leaves_no_memory_behind(toy):
    modules = scarce(toy.feature_modules(), 4, backward=True)
    whole, alive = [], []

    def loss(batch):
        if whole:
            alive.append(whole[0]() is not None)
        result = toy.loss(modules)(batch)
        if not whole:
            whole.append(weakref.ref(result.logits))
        return result

    gc.disable()  # what only the collector frees is in the way of the halves
    try:
        fit(spec_of(toy, modules, loss=loss))
    finally:
        gc.enable()
    assert alive[0] is False

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cilsim.errors import Interrupted, RunFailed
from cilsim.training.batch import Batch, TrainingLoss
from cilsim.training.finite import LossWatch
from cilsim.training.loop import fit
from cilsim.training.modes import freeze

MPS = torch.device("mps")
"""Stands for any device whose values are not read at every step."""


def with_recipe(spec, **changes):
    return replace(spec, recipe=spec.recipe.model_copy(update=changes))


def test_a_small_net_learns_its_images(toy):
    reports = []
    fit(with_recipe(toy.spec(on_epoch=reports.append), epochs=20, lr=0.1))
    assert len(reports) == 20
    assert reports[-1].loss < 0.5 * reports[0].loss
    assert reports[-1].accuracy > 0.8 > reports[0].accuracy


def test_features_are_learnt_by_an_mlp(toy):
    modules = toy.feature_modules()
    reports = []
    spec = toy.spec(modules, samples=toy.features(), on_epoch=reports.append)
    fit(with_recipe(spec, epochs=12, lr=0.1))
    assert reports[-1].accuracy == 1.0


def test_weights_are_those_of_a_plain_loop(toy):
    ours, plain = toy.feature_modules(), toy.feature_modules()
    samples, batches = toy.features(), []
    spec = toy.spec(ours, samples=samples, after_backward=batches.append)
    fit(spec)

    parameters = [*plain["backbone"].parameters(), *plain["head"].parameters()]
    optimiser = torch.optim.SGD(
        parameters, lr=0.05, momentum=0.9, nesterov=True, weight_decay=5e-4, fused=True
    )
    for batch in batches:
        optimiser.param_groups[0]["lr"] = 0.025 * (1 + math.cos(math.pi * batch.epoch / 3))
        x, y = samples.x[batch.position], samples.labels[batch.position]
        optimiser.zero_grad()
        F.cross_entropy(plain["head"](plain["backbone"](x)), y).backward()
        optimiser.step()
    toy.assert_equal(ours, plain)


def test_two_trainings_with_one_seed_end_in_equal_weights(toy):
    one, other = toy.image_modules(), toy.image_modules()
    torch.manual_seed(1)
    fit(toy.spec(one))
    torch.manual_seed(2)
    fit(toy.spec(other))
    toy.assert_equal(one, other)


def test_another_seed_ends_in_other_weights(toy):
    one, other = toy.image_modules(), toy.image_modules()
    fit(toy.spec(one))
    fit(toy.spec(other, seed_path=(1, 0, "test")))
    assert not torch.equal(one["head"].weight, other["head"].weight)


def test_the_layout_that_weights_came_in_does_not_matter(toy):
    one, other = toy.image_modules(), toy.image_modules()
    other["backbone"].to(memory_format=torch.channels_last)
    for modules in (one, other):
        fit(with_recipe(toy.spec(modules), channels_last=False))
    toy.assert_equal(one, other)


def test_every_epoch_visits_every_sample_once_with_its_label(toy):
    batches = []
    spec = toy.spec(after_backward=batches.append)
    fit(spec)
    assert [(b.epoch, b.step, len(b)) for b in batches] == [
        (epoch, step, size) for epoch in range(3) for step, size in enumerate((8, 8, 6))
    ]
    assert [b.progress for b in batches] == pytest.approx([i / 9 for i in range(9)])
    for epoch in range(3):
        positions = torch.cat([b.position for b in batches if b.epoch == epoch])
        assert sorted(positions.tolist()) == list(range(22))
    for batch in batches:
        assert torch.equal(batch.labels, spec.samples.labels[batch.position])
        assert batch.x.is_contiguous(memory_format=torch.channels_last)


def test_reports_of_an_epoch_are_means_over_its_samples(toy):
    modules = toy.feature_modules()
    noted, reports = [], []

    def loss(batch: Batch) -> TrainingLoss:
        result = toy.loss(modules)(batch)
        correct = (result.logits.argmax(1) == batch.labels).sum()
        noted.append((result.total.item(), int(correct), len(batch)))
        return TrainingLoss(result.total, result.logits, {"twice": 2 * result.total.detach()})

    summary = fit(
        toy.spec(modules, samples=toy.features(), loss=loss, on_epoch=reports.append, experience=4)
    )
    last = noted[-3:]
    mean = sum(value * size for value, _, size in last) / 22
    report = reports[-1]
    assert report.loss == pytest.approx(mean, rel=1e-12)
    assert report.parts == {"twice": pytest.approx(2 * mean, rel=1e-7)}
    assert report.accuracy == sum(correct for _, correct, _ in last) / 22
    assert (report.experience, report.epoch, report.epochs, report.step) == (4, 2, 3, 9)
    assert report.lr == pytest.approx(0.025 * (1 + math.cos(math.pi * 2 / 3)))
    assert report.images_per_s > 0
    assert (summary.steps, summary.images, summary.last) == (9, 66, report)


def test_without_logits_no_accuracy_is_reported(toy):
    modules = toy.feature_modules()
    loss = toy.loss(modules)
    summary = fit(
        toy.spec(modules, samples=toy.features(), loss=lambda b: TrainingLoss(loss(b).total))
    )
    assert summary.last.accuracy is None


def test_an_unlabelled_part_gives_batches_without_labels(toy):
    modules = toy.image_modules()
    spec = toy.spec(
        modules,
        samples=replace(toy.images(), labels=None),
        loss=lambda b: TrainingLoss(modules["backbone"](b.x).square().mean()),
        after_backward=lambda batch: labels.append(batch.labels),
    )
    labels: list[object] = []
    fit(spec)
    assert labels == [None] * 9


def test_the_batch_can_be_transformed_before_the_loss(toy):
    modules = toy.image_modules()
    sizes = []

    def rotated(batch: Batch) -> Batch:
        x = torch.cat([batch.x, batch.x.rot90(1, (2, 3))])
        return replace(batch, x=x, labels=batch.labels.repeat(2))

    spec = toy.spec(modules, transform_batch=rotated, after_backward=lambda b: sizes.append(len(b)))
    summary = fit(spec)
    assert sizes == [16, 16, 12] * 3
    assert summary.images == 66


def test_training_leaves_the_global_generator_alone(toy):
    before = torch.get_rng_state()
    fit(toy.spec())
    assert torch.equal(torch.get_rng_state(), before)


def with_dropout(toy):
    modules = toy.feature_modules()
    modules["backbone"] = Dropping(modules["backbone"])
    return modules


class Dropping(nn.Module):
    def __init__(self, inner: nn.Module) -> None:
        super().__init__()
        self.inner = inner
        self.dropout = nn.Dropout(0.5)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.dropout(self.inner(x))


def test_dropout_depends_on_the_position_alone(toy):
    one, other = with_dropout(toy), with_dropout(toy)
    torch.manual_seed(1)
    fit(toy.spec(one, samples=toy.features()))
    torch.manual_seed(2)
    before = torch.get_rng_state()
    fit(toy.spec(other, samples=toy.features()))
    toy.assert_equal(one, other)
    assert torch.equal(torch.get_rng_state(), before)


def test_a_loss_that_draws_is_seeded_on_request(toy):
    drawn: dict[int, list[float]] = {1: [], 2: []}
    for seed, numbers in drawn.items():
        modules = toy.feature_modules()

        def loss(batch: Batch, modules=modules, numbers=numbers) -> TrainingLoss:
            numbers.append(torch.rand(()).item())
            return toy.loss(modules)(batch)

        torch.manual_seed(seed)
        fit(toy.spec(modules, samples=toy.features(), loss=loss, random_forward=True))
    assert drawn[1] == drawn[2]
    assert len(set(drawn[1])) == 9


def test_modules_end_in_eval_mode(toy):
    modules = toy.image_modules()
    fit(toy.spec(modules))
    assert not any(part.training for module in modules.values() for part in module.modules())


def test_a_frozen_backbone_keeps_every_bit_and_its_batch_statistics(toy):
    modules = toy.image_modules()
    freeze(modules["backbone"])
    before = toy.weights(modules)
    fit(toy.spec(modules))
    after = toy.weights(modules)
    changed = [name for name in before if not torch.equal(before[name], after[name])]
    assert changed == ["head.weight", "head.bias"]


def test_parameter_groups_say_what_is_trained(toy):
    modules = toy.feature_modules()
    before = toy.weights(modules)
    groups = [{"params": modules["head"].parameters(), "weight_decay": 0.0}]
    fit(toy.spec(modules, samples=toy.features(), parameter_groups=groups))
    after = toy.weights(modules)
    assert torch.equal(after["backbone.layers.0.weight"], before["backbone.layers.0.weight"])
    assert not torch.equal(after["head.weight"], before["head.weight"])


def test_gradients_are_clipped_to_the_norm(toy):
    modules = toy.feature_modules()
    weight = modules["head"].weight
    recipe = {"epochs": 1, "momentum": 0.0, "weight_decay": 0.0, "schedule": "constant"}
    recipe |= {"lr": 1.0, "batch_size": 32, "clip_gradient_norm": 1e-3}
    before = weight.detach().clone()
    groups = [{"params": [weight]}]
    spec = toy.spec(modules, samples=toy.features(), parameter_groups=groups)
    fit(with_recipe(spec, **recipe))
    assert (weight - before).norm().item() == pytest.approx(1e-3, rel=1e-3)


def test_bf16_trains_float32_weights(toy):
    modules = toy.image_modules()
    dtypes = []
    modules["backbone"].conv1.register_forward_hook(lambda m, i, out: dtypes.append(out.dtype))
    summary = fit(with_recipe(toy.spec(modules), precision="bf16"))
    assert set(dtypes) == {torch.bfloat16}
    assert modules["backbone"].conv1.weight.dtype == torch.float32
    assert math.isfinite(summary.last.loss)


@pytest.mark.parametrize(
    ("count", "steps"),
    [
        pytest.param(17, [8, 9], id="a-last-single-image-joins-the-batch-before"),
        pytest.param(3, [3], id="fewer-than-a-batch"),
        pytest.param(1, [1], id="one-image"),
    ],
)
def test_few_images_train_a_net_whose_last_map_is_one_pixel(toy, count, steps):
    modules = toy.image_modules()
    sizes = []
    spec = toy.spec(
        modules, samples=toy.images(count), after_backward=lambda b: sizes.append(len(b))
    )
    summary = fit(with_recipe(spec, epochs=1))
    assert sizes == steps
    assert math.isfinite(summary.last.loss)


def test_no_epochs_change_nothing(toy):
    modules = toy.image_modules()
    before = toy.weights(modules)
    summary = fit(with_recipe(toy.spec(modules), epochs=0))
    after = toy.weights(modules)
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert (summary.steps, summary.images, summary.last) == (0, 0, None)


def test_progress_is_reported_between_steps(toy, monkeypatch):
    monkeypatch.setattr("cilsim.training.loop.SECONDS_BETWEEN_STEP_REPORTS", 0.0)
    reports = []
    fit(toy.spec(on_step=reports.append))
    assert [(r.epoch, r.step, r.steps) for r in reports] == [(i // 3, i, 9) for i in range(9)]
    assert {r.epochs for r in reports} == {3}


def test_progress_is_not_reported_more_often_than_every_fifth_of_a_second(toy):
    reports = []
    summary = fit(toy.spec(on_step=reports.append))
    assert len(reports) <= summary.seconds / 0.2


def spoilt(toy, modules, value: str, epoch: int, step: int, seen: list[tuple[int, int]]):
    """Returns a loss that is `value` in one step, and notes the steps."""

    def loss(batch: Batch) -> TrainingLoss:
        seen.append((batch.epoch, batch.step))
        factor = float(value) if (batch.epoch, batch.step) == (epoch, step) else 1.0
        result = toy.loss(modules)(batch)
        return TrainingLoss(result.total * factor, result.logits)

    return loss


@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_not_finite_ends_the_run_at_its_step(toy, value):
    modules, seen = toy.feature_modules(), []
    loss = spoilt(toy, modules, value, 1, 1, seen)
    spec = toy.spec(modules, samples=toy.features(), loss=loss, experience=3, strategy="finetune")
    with pytest.raises(RunFailed) as caught:
        fit(spec)
    assert seen == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]
    assert str(caught.value) == (
        f"strategy 'finetune': experience 3, epoch 2 of 3, step 2: the training loss is {value}; "
        "a smaller 'lr' or 'clip_gradient_norm' may help"
    )


@pytest.mark.parametrize("looks", [2, 5, 100])
def test_a_device_that_is_read_seldom_ends_the_run_with_the_same_words(toy, monkeypatch, looks):
    monkeypatch.setattr("cilsim.training.finite.STEPS_BETWEEN_LOOKS", looks)
    monkeypatch.setattr(
        "cilsim.training.soundness.LossWatch", lambda device, first: LossWatch(MPS, first)
    )
    modules, seen = toy.feature_modules(), []
    loss = spoilt(toy, modules, "nan", 1, 1, seen)
    with pytest.raises(RunFailed) as caught:
        fit(toy.spec(modules, samples=toy.features(), loss=loss))
    assert str(caught.value) == (
        "experience 0, epoch 2 of 3, step 2: the training loss is nan; "
        "a smaller 'lr' or 'clip_gradient_norm' may help"
    )
    assert len(seen) == 6  # at the end of the epoch at the latest


def test_a_spoilt_state_is_never_saved(toy):
    modules, saved = toy.feature_modules(), []
    spec = toy.spec(
        modules,
        samples=toy.features(),
        loss=spoilt(toy, modules, "nan", 1, 1, []),
        save=lambda state: saved.append((state.epoch, state.step)),
        save_every_seconds=0.0,
    )
    with pytest.raises(RunFailed, match="epoch 2 of 3, step 2: the training loss is nan"):
        fit(spec)
    assert saved == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]


def infinite_gradient(toy, modules, epoch: int, step: int):
    """Returns a loss that stays finite while the gradient of one step is not."""

    def loss(batch: Batch) -> TrainingLoss:
        result = toy.loss(modules)(batch)
        total = result.total
        if (batch.epoch, batch.step) == (epoch, step):
            total = total + (modules["head"].weight * 0.0).sum().sqrt()
        return TrainingLoss(total, result.logits)

    return loss


def test_weights_that_the_last_step_spoilt_end_the_run(toy):
    modules = toy.feature_modules()
    loss = infinite_gradient(toy, modules, 2, 2)
    with pytest.raises(RunFailed) as caught:
        fit(toy.spec(modules, samples=toy.features(), loss=loss, strategy="finetune"))
    assert str(caught.value) == (
        "strategy 'finetune': experience 0, epoch 3 of 3, step 3: weights are NaN or infinite "
        "after this step; a smaller 'lr' or 'clip_gradient_norm' may help"
    )


def test_weights_that_are_not_finite_are_never_saved(toy):
    modules, saved = toy.feature_modules(), []
    spec = toy.spec(
        modules,
        samples=toy.features(),
        loss=infinite_gradient(toy, modules, 0, 1),
        save=lambda state: saved.append(state),
        save_every_seconds=0.0,
    )
    with pytest.raises(RunFailed, match="epoch 1 of 3, step 2: weights are NaN or infinite"):
        fit(spec)
    assert [(state.epoch, state.step) for state in saved] == [(0, 0), (0, 1)]
    assert all(bool(t.isfinite().all()) for state in saved for t in state.tensors.values())


def test_being_stopped_says_where(toy):
    with pytest.raises(Interrupted) as caught:
        fit(toy.spec(should_stop=lambda: True, experience=2))
    assert str(caught.value) == "experience 2: training was stopped in epoch 1 of 3"


def test_nothing_to_train_is_refused(toy):
    modules = toy.feature_modules()
    for module in modules.values():
        freeze(module)
    with pytest.raises(RunFailed) as caught:
        fit(toy.spec(modules, samples=toy.features()))
    assert str(caught.value) == ("experience 0: nothing to train, no parameter requires a gradient")


def test_no_samples_are_refused(toy):
    with pytest.raises(RunFailed) as caught:
        fit(toy.spec(samples=toy.images(0)))
    assert str(caught.value) == "experience 0: there are no samples to train on"


def test_a_loss_of_the_wrong_type_is_refused(toy):
    modules = toy.feature_modules()
    loss = toy.loss(modules)
    with pytest.raises(RunFailed) as caught:
        fit(toy.spec(modules, samples=toy.features(), loss=lambda b: loss(b).total))
    assert str(caught.value) == (
        "experience 0: the loss is of type 'Tensor', expected a TrainingLoss"
    )


def test_a_loss_that_is_not_a_scalar_is_refused(toy):
    modules = toy.feature_modules()
    loss = toy.loss(modules)
    with pytest.raises(RunFailed) as caught:
        fit(toy.spec(modules, samples=toy.features(), loss=lambda b: TrainingLoss(loss(b).logits)))
    assert str(caught.value) == ("experience 0: the loss has shape (8, 5), expected a scalar")

import math
from dataclasses import replace

import pytest
import torch
from torch import nn

from cilsim.errors import CheckpointError, Interrupted
from cilsim.scenario.recipe import Recipe
from cilsim.training.loop import fit
from cilsim.training.state import TrainingState, on_device

RECIPES = {
    "sgd": {},
    "sgd-contiguous": {"channels_last": False},
    "adamw": {"optimizer": "adamw", "lr": 0.01},
    "one-cycle-by-step": {"schedule": "one_cycle", "schedule_interval": "step"},
    "bf16": {"precision": "bf16"},
}


class StopAt:
    """Asks to stop before the given step."""

    def __init__(self, step: int) -> None:
        self.left = step

    def __call__(self) -> bool:
        self.left -= 1
        return self.left < 0


def stopped_at(toy, step: int, recipe: Recipe, make) -> TrainingState:
    saved: list[TrainingState] = []
    with pytest.raises(Interrupted):
        fit(toy.spec(make(), recipe=recipe, should_stop=StopAt(step), save=saved.append))
    (state,) = saved
    return state


@pytest.mark.parametrize("changes", RECIPES.values(), ids=RECIPES)
@pytest.mark.parametrize("step", [0, 1, 3, 5, 8])
def test_a_training_cut_anywhere_ends_in_the_same_weights(toy, changes, step):
    recipe = toy.recipe.model_copy(update=changes)
    whole, resumed = toy.image_modules(), toy.image_modules(seed=99)
    fit(toy.spec(whole, recipe=recipe))
    state = stopped_at(toy, step, recipe, toy.image_modules)
    assert (state.epoch, state.step) == divmod(step, 3)
    fit(toy.spec(resumed, recipe=recipe, resume_from=state))
    toy.assert_equal(whole, resumed)


def test_reports_after_a_cut_equal_those_of_the_whole(toy):
    def values(report):
        return (report.epoch, report.step, report.loss, report.accuracy, report.lr)

    whole, rest = [], []
    fit(toy.spec(on_epoch=lambda r: whole.append(values(r))))
    state = stopped_at(toy, 4, toy.recipe, toy.image_modules)
    fit(toy.spec(resume_from=state, on_epoch=lambda r: rest.append(values(r))))
    assert rest == whole[1:]


def test_dropout_goes_on_where_it_was(toy):
    def modules() -> dict[str, nn.Module]:
        made = toy.image_modules()
        made["backbone"].layer3.append(nn.Dropout(0.5))
        return made

    whole, resumed = modules(), modules()
    fit(toy.spec(whole))
    fit(toy.spec(resumed, resume_from=stopped_at(toy, 4, toy.recipe, modules)))
    toy.assert_equal(whole, resumed)


def test_parts_of_the_loss_go_on_where_they_were(toy):
    def spec(**changes):
        modules = toy.image_modules()
        plain = toy.loss(modules)

        def loss(batch):
            result = plain(batch)
            return replace(result, parts={"half": 0.5 * result.total.detach()})

        return toy.spec(modules, loss=loss, **changes)

    saved, whole, rest = [], [], []
    fit(spec(on_epoch=lambda report: whole.append(report.parts)))
    with pytest.raises(Interrupted):
        fit(spec(should_stop=StopAt(2), save=saved.append))
    fit(spec(resume_from=saved[0], on_epoch=lambda report: rest.append(report.parts)))
    assert rest == whole


def test_saving_on_the_way_changes_nothing(toy):
    whole, saving = toy.image_modules(), toy.image_modules()
    states: list[TrainingState] = []
    fit(toy.spec(whole))
    fit(toy.spec(saving, save=states.append, save_every_seconds=0.0))
    toy.assert_equal(whole, saving)
    assert [(state.epoch, state.step) for state in states] == [divmod(i, 3) for i in range(9)]
    resumed = toy.image_modules(seed=99)
    fit(toy.spec(resumed, resume_from=states[5]))
    toy.assert_equal(whole, resumed)


def test_epochs_between_states_are_counted_from_the_first(toy):
    states: list[TrainingState] = []
    recipe = toy.recipe.model_copy(update={"epochs": 5})
    timing = {"save_every_epochs": 2, "save_every_seconds": math.inf}
    fit(toy.spec(recipe=recipe, save=states.append, **timing))
    assert [(state.epoch, state.step) for state in states] == [(2, 0), (4, 0)]


def test_a_short_training_is_not_saved(toy):
    states: list[TrainingState] = []
    fit(toy.spec(save=states.append))
    assert states == []


def test_a_state_holds_tensors_and_numbers_by_name(toy):
    state = stopped_at(toy, 4, toy.recipe, toy.image_modules)
    assert state.steps_per_epoch == 3
    assert state.numbers == {}
    assert {name.split("/")[0] for name in state.tensors} == {"modules", "optimiser", "meter"}
    assert all(tensor.is_contiguous() for tensor in state.tensors.values())
    assert {
        "modules/backbone/conv1.weight",
        "modules/backbone/bn1.running_mean",
        "modules/head/opened",
        "optimiser/0.momentum_buffer",
        "meter/loss.values",
    } <= set(state.tensors)


def test_a_state_of_another_number_of_steps_is_refused(toy):
    state = stopped_at(toy, 4, toy.recipe, toy.image_modules)
    with pytest.raises(CheckpointError) as caught:
        fit(toy.spec(samples=toy.images(40), resume_from=state, experience=1))
    assert str(caught.value) == (
        "experience 1: the saved training stands in epoch 2 of 3 steps each, "
        "this one has 3 epochs of 5 steps"
    )


def test_a_state_without_a_tensor_is_refused(toy):
    state = stopped_at(toy, 4, toy.recipe, toy.image_modules)
    tensors = {name: t for name, t in state.tensors.items() if "conv1" not in name}
    with pytest.raises(CheckpointError) as caught:
        fit(toy.spec(resume_from=replace(state, tensors=tensors)))
    assert str(caught.value) == "the saved training has no tensor 'backbone/conv1.weight'"


def test_a_state_of_another_shape_is_refused(toy):
    state = stopped_at(toy, 4, toy.recipe, toy.image_modules)
    tensors = {**state.tensors, "modules/head/weight": torch.zeros(2, 8)}
    with pytest.raises(CheckpointError) as caught:
        fit(toy.spec(resume_from=replace(state, tensors=tensors)))
    assert str(caught.value) == (
        "the saved training has 'head/weight' of shape (2, 8), expected (7, 8)"
    )


def test_nested_states_move_to_a_device_as_a_whole():
    state = {"a": torch.ones(2), "b": [{"c": torch.zeros(1)}, 3], "d": None}
    moved = on_device(state, torch.device("meta"))
    assert moved["a"].device.type == moved["b"][0]["c"].device.type == "meta"
    assert (moved["b"][1], moved["d"]) == (3, None)
    assert state["a"].device.type == "cpu"

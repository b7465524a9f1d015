"""One more class is what the engine's own next experience would have made of it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from cilsim.deploy.exportable import classifier_of
from cilsim.deploy.extension import extended
from cilsim.deploy.from_run import model_of_run
from cilsim.deploy.image_files import read_images
from cilsim.deploy.prediction import scores_of
from cilsim.deploy.revival import revived
from cilsim.errors import CilsimError, DataError
from cilsim.plugins import discover

GROWING = (
    *("nmc", "janson", "teen", "slda", "fetril", "ranpac", "fecam", "fecam-common"),
    "teen-over-nmc",
)


@pytest.mark.parametrize("strategy", GROWING)
def test_a_class_learnt_later_gives_the_bits_of_the_next_experience(
    strategy: str, digits: Any
) -> None:
    plugins, run = discover(), digits.run_of(strategy)
    whole = model_of_run(run, plugins)
    with revived(whole, plugins) as back:
        expected = classifier_of(whole, back)
    part = model_of_run(run, plugins, after=1)
    x = read_images(digits.training_images("digit 5"), part.input).x
    with extended(part, plugins, "digit 5", x) as (longer, back):
        found = classifier_of(longer, back)
    assert longer.stream.class_names == whole.stream.class_names
    assert found.settings == expected.settings
    assert found.tensors.keys() == expected.tensors.keys()
    for name, tensor in expected.tensors.items():
        assert torch.equal(found.tensors[name], tensor), name


@pytest.mark.parametrize("strategy", ["nmc", "slda", "fecam", "ranpac"])
def test_an_extended_model_predicts_the_new_class(strategy: str, digits: Any) -> None:
    plugins = discover()
    part = model_of_run(digits.run_of(strategy), plugins, after=1)
    images = read_images(digits.training_images("digit 5"), part.input).x
    with extended(part, plugins, "five", images[:12]) as (longer, back):
        predicted_N = scores_of(back.run, images[12:], part.input).argmax(1)
    assert longer.stream.class_names[-1] == "five"
    assert np.mean(predicted_N.numpy() == 5) > 2 / 6  # twice what chance gives


def test_scores_of_old_classes_stay_bit_for_bit(digits: Any) -> None:
    plugins = discover()
    part = model_of_run(digits.run_of("nmc"), plugins, after=1)
    old = read_images(digits.training_images("digit 1"), part.input).x
    new = read_images(digits.training_images("digit 5"), part.input).x
    with revived(part, plugins) as back:
        before_NK = scores_of(back.run, old, part.input)
    with extended(part, plugins, "five", new) as (_, back):
        after_NK = scores_of(back.run, old, part.input)
    assert torch.equal(after_NK[:, :5], before_NK)


def test_strategies_that_train_are_refused(digits: Any) -> None:
    plugins, run = discover(), digits.run_of("joint")
    model = model_of_run(run, plugins)
    x = read_images(digits.training_images("digit 5"), model.input).x
    with pytest.raises(CilsimError) as caught, extended(model, plugins, "six", x):
        pass
    assert str(caught.value) == (
        f"{run}: strategy 'joint' trains its network for every class - expected one that can do "
        "without, such as nmc or teen; or run a scenario with the class in its data"
    )


@pytest.mark.parametrize(
    ("name", "count", "message"),
    [
        ("digit 0", 3, "--class 'digit 0': the model knows this class - expected a new name"),
        (" ", 3, "--class ' ': expected a name that can be printed"),
        ("six", 0, "--class 'six': none of the files is an image - expected at least one"),
    ],
    ids=["known", "blank", "no image"],
)
def test_classes_that_cannot_be_added_are_refused(
    name: str, count: int, message: str, digits: Any
) -> None:
    plugins = discover()
    model = model_of_run(digits.run_of("nmc"), plugins)
    x = np.zeros((count, *model.input.shape), dtype=np.uint8)
    with pytest.raises(DataError) as caught, extended(model, plugins, name, x):
        pass
    assert str(caught.value) == message

"""What is tried, in which order, and how."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cilsim.advice.ladder import Wishes, base_recipe, rungs, scenario
from cilsim.advice.proposal import propose
from cilsim.advice.survey import Survey
from cilsim.plugins import discover
from cilsim.scenario.load import load_text

INSTALLED = ["icarl", "nmc", "teen", "pass", "slda", "fecam", "ranpac", "fetril", "finetune"]
DIGITS: dict[str, Any] = {"name": "digits"}


def counted(*train: int, features: bool = False) -> Survey:
    names = tuple(map(str, range(len(train))))
    side = 0 if features else 16
    return Survey(tuple(range(len(train))), names, train, train, features, side)


def names(*arguments: Any) -> list[tuple[str, ...]]:
    return [rung.strategies for rung in rungs(*arguments)]


def test_cheap_strategies_come_first_and_missing_ones_are_left_out() -> None:
    assert names(counted(50, 50), INSTALLED, None) == [
        ("nmc", "teen", "slda", "fecam", "ranpac", "fetril"),
        ("icarl", "pass"),
    ]


def test_strategies_that_turn_images_get_no_vectors() -> None:
    assert names(counted(50, 50, features=True), INSTALLED, None)[1] == ("icarl",)


def test_the_user_chooses_and_may_name_others() -> None:
    wanted = ["finetune", "teen"]
    assert names(counted(50, 50), INSTALLED, wanted) == [("teen",), ("finetune",)]


@pytest.mark.parametrize(
    ("samples", "epochs", "batch"), [(100, 60, 32), (1600, 24, 32), (20_000, 10, 128)]
)
def test_a_base_training_takes_about_as_many_steps(samples: int, epochs: int, batch: int) -> None:
    recipe = base_recipe(samples, counted(50, 50))
    assert (recipe["epochs"], recipe["batch_size"]) == (epochs, batch)
    assert recipe["augmentation"] == {"crop_padding": 1}


def test_vectors_are_not_augmented() -> None:
    assert "augmentation" not in base_recipe(100, counted(50, 50, features=True))


@pytest.mark.parametrize("counts", [[100] * 10, [100] * 6 + [6] * 4], ids=["many", "few"])
def test_scenarios_pass_the_check(counts: list[int]) -> None:
    found, plugins = counted(*counts), discover()
    proposal = propose(found)
    for rung in rungs(found, plugins.registries.strategies.names(), None):
        given = scenario(found, proposal, Wishes("mine", DIGITS, (0, 1)), "mine", rung.strategies)
        loaded = load_text(json.dumps(given), "mine", plugins.registries)
        assert tuple(choice.name for choice in loaded.strategies) == rung.strategies
        assert (loaded.seeds, loaded.stream.kind) == ((0, 1), proposal.kind)
        assert loaded.class_order.ids == proposal.class_order


def test_few_shots_share_one_covariance() -> None:
    found = counted(*[100] * 6, *[6] * 4)
    given = scenario(found, propose(found), Wishes("m", DIGITS, (0,)), "m", ["nmc", "fecam"])
    assert given["strategies"] == ["nmc", {"name": "fecam", "covariance": "common"}]


def test_a_class_with_one_sample_has_no_covariance_of_its_own() -> None:
    found = counted(9, 1)
    given = scenario(found, propose(found), Wishes("m", DIGITS, (0,)), "m", ["fecam"])
    assert given["stream"]["kind"] == "class_incremental"
    assert given["strategies"] == [{"name": "fecam", "covariance": "common"}]


def test_given_weights_stay_as_they_are(tmp_path: Path) -> None:
    found, weights = counted(50, 50), tmp_path / "weights.safetensors"
    wishes = Wishes("m", DIGITS, (0,), "resnet18", weights)
    assert scenario(found, propose(found), wishes, "m", ["nmc"])["backbone"] == {
        "name": "resnet18",
        "weights": str(weights),
        "normalisation": "imagenet",
        "frozen": True,
    }

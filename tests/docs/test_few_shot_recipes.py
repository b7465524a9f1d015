"""The published few-shot recipes: TEEN's base training, and tables that agree with themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cilsim.plugins import discover
from cilsim.scenario.load import load_scenario
from cilsim.scenario.schema import Scenario

FOLDER = Path(__file__).parents[2] / "scenarios"
RECIPES: dict[str, dict[str, Any]] = {
    "fscil_cifar100": {
        "backbone": "resnet20", "temperature": 16.0, "weight": 0.1, "classes": 100,
        "recipe": {
            "epochs": 600, "batch_size": 256, "lr": 0.1, "schedule": "cosine",
            "augmentation": {
                "crop_padding": 4, "flip": True, "autoaugment": "cifar10", "cutout": 16,
            },
        },
    },
    "fscil_mini_imagenet": {
        "backbone": "resnet18", "temperature": 32.0, "weight": 0.5, "classes": 100,
        "recipe": {
            "epochs": 1000, "batch_size": 128, "lr": 0.1, "schedule": "cosine",
            "augmentation": {"random_resized_crop": True, "flip": True, "autoaugment": "imagenet"},
        },
    },
    "fscil_cub200": {
        "backbone": "resnet18", "temperature": 32.0, "weight": 0.5, "classes": 200,
        "recipe": {
            "epochs": 400, "batch_size": 128, "lr": 0.004, "schedule": "step", "gamma": 0.25,
            "milestones": [50, 100, 150, 200, 250, 300],
            "augmentation": {"random_resized_crop": True, "flip": True},
        },
    },
}  # fmt: skip
each = pytest.mark.parametrize("name", RECIPES)


def loaded(name: str) -> Scenario:
    path = FOLDER / f"{name}.yaml"
    return load_scenario(path, discover().registries, with_data=False)


@each
def test_the_base_is_trained_as_published(name: str) -> None:
    scenario, expected = loaded(name), RECIPES[name]
    defaults = {"momentum": 0.9, "nesterov": True, "weight_decay": 5e-4, "optimizer": "sgd"}
    recipe = scenario.base_training.model_dump(mode="json", exclude_defaults=True)
    common = scenario.base_training.model_dump(include=set(defaults))
    assert common == defaults
    given = {**expected["recipe"]}
    full = scenario.base_training.model_dump(mode="json")
    augmentation = {k: v for k, v in recipe["augmentation"].items() if v not in (None, False)}
    assert {key: full[key] for key in given if key != "augmentation"} == {
        key: value for key, value in given.items() if key != "augmentation"
    }
    assert augmentation == given["augmentation"]


@each
def test_network_and_weights_are_those_published(name: str) -> None:
    scenario, expected = loaded(name), RECIPES[name]
    assert scenario.backbone.name == expected["backbone"]
    assert (scenario.head.kind, scenario.head.temperature) == ("cosine", expected["temperature"])
    teen = next(choice for choice in scenario.strategies if choice.label == "teen")
    assert teen.options.calibration_weight == expected["weight"]
    assert teen.options.similarity_scale == 16.0
    assert scenario.class_order.is_natural


def test_only_cub200_starts_from_imagenet() -> None:
    weights = {name: getattr(loaded(name).backbone.options, "weights", "none") for name in RECIPES}
    assert weights["fscil_cub200"] == "imagenet1k_v1"
    assert weights["fscil_mini_imagenet"] == "none"


@each
def test_published_tables_agree_with_themselves(name: str) -> None:
    scenario = loaded(name)
    stream: Any = scenario.stream.options
    sessions = 1 + (RECIPES[name]["classes"] - stream.base_classes) // stream.way
    table = {(entry.strategy, entry.metric): entry for entry in scenario.published}
    assert set(table) == {
        ("teen", "A_all"), ("teen", "A_avg_inc"), ("teen", "A_hm"), ("nmc", "A_all"),
    }  # fmt: skip
    values = table["teen", "A_all"].values
    assert values is not None
    mean = sum(value for value in values if value is not None) / len(values)
    assert table["teen", "A_avg_inc"].value == pytest.approx(mean, abs=0.011)
    counts = {len(entry.values) for entry in scenario.published if entry.values is not None}
    assert counts == {sessions}

"""The published discovery recipes: class orders, protocols, trainings, and tables that add up."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.plugins import discover
from cilsim.scenario.class_order import class_ids_in_file
from cilsim.scenario.load import load_scenario
from cilsim.scenario.schema import Scenario

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "scenarios"
ORDERS = FOLDER / "class_orders"
LISTS: dict[str, tuple[str, str]] = {
    "cub200_ssb": ("cub_old", "cub_new_hard_medium_easy"),
    "stanford_cars_ssb": ("scars_old", "scars_new_hard_medium_easy"),
    "fgvc_aircraft_ssb": ("aircraft_old", "aircraft_new_hard_medium_easy"),
    "herbarium19_gcd": ("herbarium19_old", "herbarium19_new"),
}
GCD = sorted(path.stem for path in FOLDER.glob("*_gcd[0-9]*_*.yaml"))
HAPPY = sorted(path.stem for path in FOLDER.glob("*_cgcd[0-9]*_happy.yaml"))
FROST = sorted(path.stem for path in FOLDER.glob("*_incd[0-9]*_frost.yaml"))
LAST_BLOCK = {"trainable_blocks": 1, "train_final_norm": False, "normalisation": "imagenet"}


def loaded(name: str) -> Scenario:
    return load_scenario(FOLDER / f"{name}.yaml", discover().registries, with_data=False)


def published(scenario: Scenario, metric: str) -> Any:
    (entry,) = [
        entry
        for entry in scenario.published
        if entry.metric == metric and entry.when.get("stream.stages", 5) == 5
    ]
    return entry


@pytest.fixture(scope="module")
def lists() -> dict[str, list[int]]:
    with np.load(ROOT / "tests" / "golden" / "gcd_splits.npz", allow_pickle=False) as file:
        return {name: file[name].tolist() for name in file.files}


def test_all_recipes_are_here() -> None:
    sizes = {"cifar100": 80, "cub200": 100, "imagenet100": 50}
    methods = ("gcd", "protogcd", "simgcd")
    assert [f"{data}_gcd{old}_{name}" for data, old in sizes.items() for name in methods] == GCD
    assert HAPPY == [
        "cifar100_cgcd50_happy",
        "cub200_cgcd100_happy",
        "imagenet100_cgcd50_happy",
        "tiny_imagenet_cgcd100_happy",
    ]
    assert FROST == ["cifar100_incd80_frost", "tiny_imagenet_incd180_frost"]


@pytest.mark.parametrize("name", LISTS)
def test_a_class_order_is_the_published_list(name: str, lists: dict[str, list[int]]) -> None:
    old, new = (lists[key] for key in LISTS[name])
    assert list(class_ids_in_file(ORDERS / f"{name}.txt")) == [*old, *new]


def test_happy_takes_new_birds_in_ascending_order(lists: dict[str, list[int]]) -> None:
    new = sorted(lists["cub_new_hard_medium_easy"])
    order = class_ids_in_file(ORDERS / "cub200_ssb_happy.txt")
    assert list(order) == [*lists["cub_old"], *new]


def test_seed_0_makes_of_it_the_published_order_of_novel_birds() -> None:
    novel = list(class_ids_in_file(ORDERS / "cub200_ssb_happy.txt")[100:])
    np.random.RandomState(0).shuffle(novel)
    # logs/cub_continual_dataset_dict.txt of the repository of Happy
    assert novel[:10] == [52, 170, 3, 109, 148, 185, 32, 142, 108, 188]
    assert novel[-10:] == [173, 68, 41, 164, 16, 191, 128, 122, 100, 90]


@pytest.mark.parametrize("name", [name for name in GCD + HAPPY if name.startswith("cub200")])
def test_the_class_order_of_a_recipe_is_found_from_anywhere(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    file = loaded(name).class_order.file
    assert file is not None
    assert len(class_ids_in_file(file)) == 200


@pytest.mark.parametrize("name", GCD)
def test_gcd_recipes_train_the_last_block_as_published(name: str) -> None:
    scenario = loaded(name)
    (choice,) = scenario.strategies
    assert (choice.name, choice.options.start) == (name.rpartition("_")[2], "as_given")
    assert scenario.backbone.options.model_dump(include=set(LAST_BLOCK)) == LAST_BLOCK
    assert scenario.stream.options.draw == "published"
    recipe = scenario.training
    assert (recipe.epochs, recipe.batch_size, recipe.lr) == (200, 128, 0.1)
    assert (recipe.weight_decay, recipe.final_lr, recipe.nesterov) == (5e-5, 1e-3, False)


@pytest.mark.parametrize("name", HAPPY)
def test_happy_recipes_train_as_published(name: str) -> None:
    scenario = loaded(name)
    assert scenario.backbone.options.model_dump(include=set(LAST_BLOCK)) == LAST_BLOCK
    assert scenario.stream.options.shuffle_novel
    first, later = scenario.base_training, scenario.training
    assert (first.epochs, first.lr, first.final_lr) == (100, 0.1, 1e-3)
    assert (later.epochs, later.lr, later.final_lr) == (20 if "cub" in name else 30, 0.01, 1e-3)


@pytest.mark.parametrize("name", HAPPY)
def test_happys_tables_add_up(name: str) -> None:
    """All is the mean of Old and New by classes, which have equally many test images."""
    scenario = loaded(name)
    stream: Any = scenario.stream.options
    per_stage = {"cifar100": 10, "imagenet100": 10, "tiny_imagenet": 20, "cub200": 20}
    new = per_stage[name.rpartition("_cgcd")[0]]
    rows = [published(scenario, metric).values for metric in ("A_all", "A_old", "A_new")]
    for stage, (overall, on_old, on_new) in enumerate(zip(*rows, strict=True)):
        if stage:
            old = stream.old_classes + (stage - 1) * new
            mean = (old * on_old + new * on_new) / (old + new)
            # birds have between 11 and 30 test images
            assert overall == pytest.approx(mean, abs=0.8 if "cub" in name else 0.06)


@pytest.mark.parametrize("name", FROST)
def test_frosts_tables_add_up(name: str) -> None:
    scenario = loaded(name)
    stream: Any = scenario.stream.options
    values = {
        entry.metric: entry.value
        for entry in scenario.published
        if entry.when == {"stream.stages": 1}
    }
    on_old, on_new = values["class-incd/old"], values["class-incd/new"]
    assert on_old is not None
    assert on_new is not None
    assert values["class-incd/hm"] == pytest.approx(
        2 * on_old * on_new / (on_old + on_new), abs=0.06
    )
    labelled = stream.labelled_classes
    # on CIFAR-100 All goes with the 62.5 that another figure has, the harmonic mean with 64.6
    fitting = 62.5 if "cifar100" in name else on_old
    mean = (labelled * fitting + 20 * on_new) / (labelled + 20)
    assert values["class-incd/all"] == pytest.approx(mean, abs=0.13)

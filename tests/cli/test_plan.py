"""`cilsim plan`: what a scenario would run, told from facts alone."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.plugins import discover
from cilsim.scenario.load import load_text

Command = Callable[..., Any]


def test_the_plan_on_a_terminal(cli: Command, tiny: Path) -> None:
    outcome = cli("plan", tiny)

    assert (outcome.code, outcome.err) == (0, "")
    first, *lines = outcome.out.splitlines()
    assert first == ("tiny: class_incremental on arrays, B0-Inc2, 3 experiences (1 base + 2)")
    assert [line for line in lines if not line.startswith(("class order", "split"))] == [
        "strategies   nmc, far",
        "seeds        0, 1",
        "runs         2 x 2 = 4",
        "epochs       100 for the base, 30 for later ones",
        "data         5.8 kB on the device",
        "",
        "experience     classes  seen  labelled  unlabelled  test",
        "0 base               2     2        40           0    20",
        "1 increment 1        2     4        40           0    20",
        "2 increment 2        2     6        40           0    20",
    ]


def test_the_json_of_a_plan(cli: Command, tiny: Path) -> None:
    document = cli("plan", tiny, "--json").document()

    order = "c55e1b25cc32b0fbf5eb3b2d4c0c0fb0a5a0a3bc2eaf6c2fd6b0cd3c4cfa14a1"
    assert set(document.pop("split_digests")) == {"0", "1"}
    assert len(document.pop("class_order_digest")) == len(order)
    assert document.pop("experiences")[1] == {
        "index": 1,
        "name": "increment 1",
        "classes": 2,
        "seen": 4,
        "labelled": 40,
        "unlabelled": 0,
        "test": 20,
    }
    assert document == {
        "name": "tiny",
        "stream": "class_incremental",
        "dataset": "arrays",
        "protocol": "B0-Inc2",
        "class_order": [0, 1, 2, 3, 4, 5],
        "strategies": ["nmc", "far"],
        "seeds": [0, 1],
        "runs": 4,
        "base_epochs": 100,
        "epochs": 30,
        "bytes_on_device": 180 * 8 * 4,
    }


def test_the_digest_of_the_class_order_is_that_of_its_ids(cli: Command, tiny: Path) -> None:
    natural = cli("plan", tiny, "--json").document()["class_order_digest"]
    listed = cli(
        "plan", tiny, "--json", "--set", "class_order={list: [0, 1, 2, 3, 4, 5]}"
    ).document()["class_order_digest"]
    other = cli("plan", tiny, "--json", "--set", "class_order={seed: 1993}").document()

    assert listed == natural
    assert other["class_order_digest"] != natural


def test_splits_that_differ_between_seeds_are_all_shown(cli: Command, tiny: Path) -> None:
    stream = (
        "stream={kind: fscil, dataset: {name: arrays, path: tiny.npz}, "
        "base_classes: 2, way: 2, shot: 1, shots: per_seed}"
    )
    outcome = cli("plan", tiny, "--set", stream)

    assert outcome.code == 0
    [split] = [line for line in outcome.out.splitlines() if line.startswith("split")]
    assert [word for word in split.split() if "seed" in word] == ["(seed", "(seed"]


def test_the_resolved_scenario_loads_to_the_same_scenario(cli: Command, tiny: Path) -> None:
    outcome = cli("plan", tiny, "--resolved", "--set", "training.epochs=3")

    registries = discover().registries
    again = load_text(outcome.out, "resolved", registries)
    assert again == load_text(
        tiny.read_text(), "tiny", registries, ["training.epochs=3"], folder=Path.cwd()
    )


@pytest.mark.parametrize("options", [(), ("--json",), ("--resolved",)], ids=str)
def test_a_scenario_with_problems_has_no_plan(
    cli: Command, tiny: Path, options: tuple[str, ...]
) -> None:
    outcome = cli("plan", tiny, "--set", "seeds=[]", *options)

    assert (outcome.code, outcome.out) == (2, "")
    assert outcome.err.startswith("error: --set seeds=[]: seeds: ")


def test_an_estimate_tells_time_memory_and_disk(
    cli: Command, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CILSIM_CACHE", str(tmp_path / "cache"))
    arguments = ("plan", tiny, "--estimate", "--device", "cpu")
    outcome = cli(*arguments)
    estimate = cli(*arguments, "--json").document()["estimate"]

    lines = {line.partition(" ")[0]: line for line in outcome.out.splitlines()}
    assert "(nmc 0." in lines["time"]
    assert ", far 0." in lines["time"]
    assert outcome.err == ""
    assert ", first use " in lines["time"]
    assert lines["disk"].endswith(" in the cache")
    assert lines["memory"].endswith(" at most")
    assert lines["measured"] == (
        "measured     on cpu with 100.0 % of the training samples; "
        "time may be off by a factor of two"
    )
    assert set(estimate) == {
        "seconds", "first_use_seconds", "memory_bytes", "results_bytes", "cache_bytes", "device",
        "share",
    }  # fmt: skip
    assert set(estimate["seconds"]) == {"nmc", "far"}
    assert not (tmp_path / "runs").exists()

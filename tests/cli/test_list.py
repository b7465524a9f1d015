"""`cilsim list`: names, aliases, owners, summaries."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cilsim.cli.catalogue import PLURALS

Command = Callable[..., Any]


def test_strategies_are_listed_with_alias_and_owner(cli: Command) -> None:
    lines = cli("list", "strategies").out.splitlines()

    assert lines[0].split() == ["name", "also", "from", "summary"]
    [nmc] = [line for line in lines if line.startswith("nmc ")]
    assert nmc.split(maxsplit=4) == [
        "nmc", "ncm", "cilsim", "0.1.0", "nearest class mean on a frozen backbone",
    ]  # fmt: skip


def test_the_json_of_a_strategy(cli: Command) -> None:
    rows = cli("list", "strategies", "--json").document()

    assert [row for row in rows if row["name"] == "nmc"] == [
        {
            "name": "nmc",
            "summary": "nearest class mean on a frozen backbone",
            "owner": "cilsim 0.1.0",
            "aliases": ["ncm"],
        }
    ]


@pytest.mark.parametrize(("singular", "plural"), PLURALS.items())
def test_singular_and_plural_list_the_same(
    cli: Command, tiny: Path, singular: str, plural: str
) -> None:
    outcome = cli("list", singular)

    assert outcome.code == 0
    assert outcome == cli("list", plural)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        (
            "streams",
            {"class_incremental", "few_shot_class_incremental", "novel_class_discovery"},
        ),
        ("datasets", {"arrays", "cifar100", "digits", "glyphs100", "image_folder"}),
        ("backbones", {"identity", "mlp", "resnet20", "small"}),
        ("metrics", {"A_all", "A_hm", "forgetting"}),
        ("calibrators", {"teen"}),
    ],
)
def test_what_the_core_brings_is_listed(cli: Command, kind: str, names: set[str]) -> None:
    assert names <= {row["name"] for row in cli("list", kind, "--json").document()}


def test_an_unknown_kind_names_the_nearest(cli: Command) -> None:
    outcome = cli("list", "stratgies")

    assert (outcome.code, outcome.err) == (
        2,
        "error: 'stratgies' is no kind of thing; did you mean 'strategies'?\n",
    )


def _strategies_for(cli: Command, scenario: Path) -> set[str]:
    rows = cli("list", "strategies", "--for", scenario, "--json").document()
    return {row["name"] for row in rows}


def test_for_lists_only_strategies_that_serve_the_stream(cli: Command, tiny: Path) -> None:
    discovery = "stream: {kind: ncd, dataset: digits, labelled_classes: 6}\nstrategy: nmc\n"
    Path("ncd.yaml").write_text(discovery.replace("nmc", "kmeans_discovery"))

    labelled = {
        row["name"] for row in cli("list", "strategies", "--for", tiny, "--json").document()
    }
    hidden = cli("list", "strategies", "--for", "ncd.yaml", "--json").document()

    assert {"nmc", "teen", "finetune"} <= labelled
    assert "kmeans_discovery" not in labelled
    assert "kmeans_discovery" in [row["name"] for row in hidden]
    assert "nmc" not in [row["name"] for row in hidden]


def test_for_belongs_to_strategies(cli: Command, tiny: Path) -> None:
    outcome = cli("list", "metrics", "--for", tiny)

    assert (outcome.code, outcome.err) == (
        2,
        "error: --for belongs to 'cilsim list strategies'\n",
    )


def test_scenarios_are_the_files_of_the_folder(cli: Command, tiny: Path) -> None:
    folder = Path("scenarios", "more")
    folder.mkdir(parents=True)
    tiny.rename(folder / "tiny.yaml")
    (folder / "list.yaml").write_text("- 1\n")
    (folder / "torn.yaml").write_text("a: [1\n")

    rows = cli("list", "scenarios", "--json").document()

    assert {row["name"]: row["summary"] for row in rows} == {
        "scenarios/more/list.yaml": "no scenario",
        "scenarios/more/tiny.yaml": "class_incremental on arrays: nmc, nmc",
        "scenarios/more/torn.yaml": "cannot be read: not valid YAML: this bracket is not closed",
    }


def test_no_scenarios_is_said_on_stderr(cli: Command, tiny: Path) -> None:
    outcome = cli("list", "scenarios")

    assert (outcome.code, outcome.out, outcome.err) == (
        0,
        "",
        "no scenarios found in ./scenarios\n",
    )

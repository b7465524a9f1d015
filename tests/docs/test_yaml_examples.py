"""Every YAML example is a scenario, or a part of one, that passes the check."""

from __future__ import annotations

import re
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from cilsim.plugins import Plugins, discover
from cilsim.scenario.load import load_scenario

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/*.md")])
STREAMS = {
    "class_incremental": {"kind": "class_incremental", "dataset": "digits", "experiences": 5},
    "novel_class_discovery": {
        "kind": "novel_class_discovery",
        "dataset": "digits",
        "labelled_classes": 5,
    },
    "generalized_category_discovery": {
        "kind": "generalized_category_discovery",
        "dataset": "digits",
        "old_classes": 5,
    },
    "continual_category_discovery": {
        "kind": "continual_category_discovery",
        "dataset": "digits",
        "old_classes": 5,
        "new_samples": 50,
        "seen_samples": 5,
    },
}


@pytest.fixture(scope="module")
def plugins(code_blocks: Any) -> Plugins:
    """The installed plugins and those of docs/writing-plugins.md."""
    extra = []
    for block in code_blocks((ROOT / "docs" / "writing-plugins.md").read_text(), "python"):
        if "cilsim_api" in block:
            module = ModuleType(block.partition(".py")[0].removeprefix("# "))
            exec(compile(block, "example", "exec", dont_inherit=True), vars(module))
            extra.append((module.__name__, module))
    return discover(extra)


def examples(blocks: list[str]) -> list[str]:
    """Return the examples of all blocks; several lines with one key are an example each."""
    found = []
    for block in blocks:
        keys = re.findall(r"^(\w+):", block, flags=re.MULTILINE)
        found += [block] if len(set(keys)) == len(keys) else block.splitlines()
    return found


def completed(part: dict[str, Any], plugins: Plugins) -> dict[str, Any]:
    """Return a scenario that holds the part of an example."""
    if "stream" in part:
        return part
    if not {"strategy", "strategies"} & set(part):
        return {**part, "stream": STREAMS["class_incremental"], "strategy": "nmc"}
    first = part["strategy"] if "strategy" in part else part["strategies"][0]
    name = first if isinstance(first, str) else first["name"]
    serves = plugins.registries.strategies[name].serves
    return {**part, "stream": STREAMS[(*serves, "class_incremental")[0]]}


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_examples_pass_the_check(
    path: Path, plugins: Plugins, code_blocks: Any, tmp_path: Path
) -> None:
    for number, block in enumerate(examples(code_blocks(path.read_text(), "yaml"))):
        scenario = tmp_path / f"example-{number}.yaml"
        part = yaml.safe_load(block)
        if "scenarios" in part:  # a sweep; test_clusters_page.py loads it
            continue
        scenario.write_text(block if "stream" in part else yaml.safe_dump(completed(part, plugins)))
        loaded = load_scenario(scenario, plugins.registries, with_data=False)
        assert loaded.strategies != ()


def test_lines_with_the_same_key_are_an_example_each() -> None:
    assert examples(["strategy: a\nstrategy: b\n", "x: 1\ny: 2\n"]) == [
        *("strategy: a", "strategy: b"),
        "x: 1\ny: 2\n",
    ]

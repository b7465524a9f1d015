"""Tables that come from the code are what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml

from cilsim.plugins import discover
from cilsim.scenario.file_model import ScenarioFile
from cilsim.scenario.load import load_scenario

ROOT = Path(__file__).parents[2]
DOCUMENTS = sorted([*ROOT.glob("docs/*.md"), *ROOT.glob("plugins/*/*.md")])


@pytest.fixture(scope="module")
def generated(docs: Path) -> ModuleType:
    """The script that writes the tables."""
    spec = importlib.util.spec_from_file_location("generated", docs / "generated.py")
    assert spec is not None
    assert spec.loader is not None
    script = importlib.util.module_from_spec(spec)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(docs)  # where a script finds what lies beside it
        spec.loader.exec_module(script)
    return script


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_tables_are_up_to_date(generated: Any, path: Path) -> None:
    text = path.read_text()
    assert generated.regenerated(text) == text, "run: python docs/generated.py"


def test_every_key_of_a_scenario_has_a_row(docs: Path) -> None:
    page = (docs / "scenarios.md").read_text()
    keys = [field.alias or name for name, field in ScenarioFile.model_fields.items()]
    assert [key for key in keys if f"\n| `{key}` |" not in page] == []


@pytest.mark.parametrize("kind", ["streams", "datasets", "backbones"])
def test_the_options_of_every_built_in_are_in_the_page(docs: Path, kind: str) -> None:
    page = (docs / "scenarios.md").read_text()
    missing = [
        entry.option_model().__name__
        for entry in getattr(discover().registries, kind)
        if entry.owner.distribution == "cilsim"
        and entry.option_model().model_fields
        and f"{entry.option_model().__module__}:{entry.option_model().__name__} -->" not in page
    ]
    assert missing == []


def test_every_metric_is_defined_on_its_page(docs: Path) -> None:
    assert "<!-- generated: metrics -->" in (docs / "metrics.md").read_text()


def test_a_bar_within_a_cell_is_escaped(generated: Any) -> None:
    assert generated.table(("a",), [("x|y",)]) == "| a |\n| --- |\n| x\\|y |\n"


def test_the_yaml_examples_are_scenarios(docs: Path, code_blocks: Any, tmp_path: Path) -> None:
    registries = discover().registries
    for number, example in enumerate(code_blocks((docs / "scenarios.md").read_text(), "yaml")):
        path = tmp_path / f"{number}.yaml"
        path.write_text(example)
        assert load_scenario(path, registries).name == yaml.safe_load(example)["name"]

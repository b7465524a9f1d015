"""Every package under plugins/ has a README with the same sections, true to the code."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cilsim.plugins import discover
from cilsim.registry import Entry

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))
SECTIONS = [
    "Method",
    "What is trained and kept",
    "Options",
    "Deviations",
    "Pitfalls",
    "Reported values",
    "Run",
    "Results",
]


def readme(package: str) -> str:
    return (ROOT / "plugins" / package / "README.md").read_text()


def entries(package: str) -> list[Entry]:
    registries = discover().registries
    name = package.removeprefix("cilsim_")
    return [
        entry
        for registry in vars(registries).values()
        for entry in registry
        if entry.owner.plugin == name
    ]


@pytest.mark.parametrize("package", PACKAGES)
def test_all_have_the_same_sections_in_the_same_order(package: str) -> None:
    assert re.findall(r"^## (.*)$", readme(package), flags=re.MULTILINE) == SECTIONS


@pytest.mark.parametrize("package", PACKAGES)
def test_options_and_streams_come_from_the_code(package: str) -> None:
    """What is between the marks is compared with the code in test_generated_tables.py."""
    marks = set(re.findall(r"^<!-- generated: (.*) -->$", readme(package), flags=re.MULTILINE))
    registered = entries(package)
    models = {entry.option_model() for entry in registered}
    options = {model for model in models if model.model_fields}
    strategy = f"strategy {package.removeprefix('cilsim_')}"
    expected = {strategy} | {f"options {one.__module__}:{one.__name__}" for one in options}
    assert expected - marks == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_what_was_measured_is_beside_the_command(package: str) -> None:
    text = readme(package)
    run, results = (text.partition(f"## {name}\n")[2] for name in ("Run", "Results"))
    assert "cilsim run scenarios/" in run.partition("## Results")[0]
    assert "### Measured" in results
    assert "<!-- table: " in results or package == "cilsim_avalanche"  # its own table


@pytest.mark.parametrize("package", PACKAGES)
def test_it_registers_something(package: str) -> None:
    assert entries(package) != []

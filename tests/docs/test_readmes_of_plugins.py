"""Every package under plugins/ has a README with the same sections, and all its options in it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cilsim.plugins import discover
from cilsim.registry import Entry

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in (ROOT / "plugins").glob("*/__init__.py"))
SECTIONS = {
    "Method",
    "Options",
    "Reported values",
    "What is kept",
    "Deviations",
    "Results",
}


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
def test_no_section_is_missing(package: str) -> None:
    headings = re.findall(r"^## (.*)$", readme(package), flags=re.MULTILINE)
    assert SECTIONS - set(headings) == set()
    assert headings[-1] == "Results"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_option_is_documented(package: str) -> None:
    text = readme(package).partition("## Options")[2]
    options = {name for entry in entries(package) for name in entry.options.model_fields}
    assert {name for name in options if f"`{name}`" not in text} == set()


@pytest.mark.parametrize("package", PACKAGES)
def test_it_registers_something(package: str) -> None:
    assert entries(package) != []

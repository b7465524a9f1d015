"""CONTRIBUTING.md and CHANGELOG.md keep up with the repository."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cilsim.plugins import discover

ROOT = Path(__file__).parents[2]
PACKAGES = sorted(path.parent.name for path in (ROOT / "simulator/cilsim").glob("*/__init__.py"))


@pytest.mark.parametrize("package", PACKAGES)
def test_every_folder_of_the_engine_has_a_line(package: str) -> None:
    assert f"| `simulator/cilsim/{package}/` |" in (ROOT / "CONTRIBUTING.md").read_text()


def test_the_files_to_read_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text().partition("## Read these")[2]
    files = re.findall(r"^\d\. `(.*?)`", text.partition("\n## ")[0], flags=re.MULTILINE)
    assert len(files) == 7
    assert [name for name in files if not (ROOT / name).is_file()] == []


@pytest.mark.parametrize("kind", ["strategies", "calibrators", "streams", "datasets"])
def test_every_built_in_has_a_word_in_the_changelog(kind: str) -> None:
    text = (ROOT / "CHANGELOG.md").read_text()
    own = [
        entry.name
        for entry in getattr(discover().registries, kind)
        if entry.owner.distribution == "cilsim"
    ]
    words = {"class_incremental": "class-incremental", "few_shot_class_incremental": "few-shot"}
    words |= {"novel_class_discovery": "novel class discovery"}
    assert [name for name in own if words.get(name, f"`{name}`") not in text] == []

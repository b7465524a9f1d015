"""What the wheel holds, and that it is what the repository says."""

from __future__ import annotations

import subprocess
import sys
import tomllib
import zipfile
from configparser import ConfigParser
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def project(root: Path) -> dict[str, object]:
    return tomllib.loads((root / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def names(root: Path, tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Build the wheel, without a network, and return the names of its files."""
    return wheel(root, tmp_path_factory.mktemp("dist")).namelist()


def wheel(root: Path, folder: Path) -> zipfile.ZipFile:
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, check=True, cwd=root, capture_output=True)
    (path,) = folder.glob("*.whl")
    return zipfile.ZipFile(path)


def packages(root: Path) -> set[str]:
    return {path.parent.name for path in (root / "plugins").glob("*/__init__.py")}


def test_every_top_level_name_begins_with_cilsim(names: list[str]) -> None:
    assert {name.partition("/")[0].startswith("cilsim") for name in names} == {True}


def test_all_packages_are_in_the_wheel(names: list[str], root: Path) -> None:
    top = {name.partition("/")[0] for name in names if name.endswith(".py")}
    assert top == {"cilsim", *packages(root)}


def test_every_module_of_the_repository_is_in_the_wheel(names: list[str], root: Path) -> None:
    sources = {
        str(path.relative_to(folder))
        for folder in (root / "simulator", root / "plugins")
        for path in folder.rglob("*.py")
    }
    assert sources - set(names) == set()


def test_types_and_templates_are_included(names: list[str]) -> None:
    assert {
        "cilsim/py.typed",
        "cilsim/report/page/report.html.j2",
        "cilsim/report/page/report.css",
        "cilsim/report/page/drawing.js",
        "cilsim/plugin_template/strategy/code.j2",
    } <= set(names)


def test_recipes_are_included(names: list[str], root: Path) -> None:
    folder = root / "scenarios"
    shipped = [*folder.glob("*.yaml"), *folder.glob("class_orders/*.txt")]
    recipes = {f"cilsim/recipes/{path.relative_to(folder)}" for path in shipped}
    assert {name for name in names if name.startswith("cilsim/recipes/")} == recipes


def test_no_test_comes_along(names: list[str]) -> None:
    assert [name for name in names if "/test_" in name or "conftest" in name] == []


def test_the_license_is_included(names: list[str]) -> None:
    assert [name for name in names if name.endswith("licenses/LICENSE")] != []


def test_folders_under_plugins_equal_the_entry_points(
    project: dict[str, dict[str, dict[str, dict[str, str]]]], root: Path
) -> None:
    points = project["project"]["entry-points"]["cilsim"]
    assert points == {package.removeprefix("cilsim_"): package for package in packages(root)}


def test_the_wheel_declares_the_entry_points(
    root: Path, tmp_path: Path, project: dict[str, dict[str, dict[str, dict[str, str]]]]
) -> None:
    with wheel(root, tmp_path) as built:
        (name,) = [name for name in built.namelist() if name.endswith("entry_points.txt")]
        declared = ConfigParser()
        declared.read_string(built.read(name).decode())
    assert dict(declared["cilsim"]) == project["project"]["entry-points"]["cilsim"]
    assert dict(declared["console_scripts"]) == {"cilsim": "cilsim.cli.main:main"}


def test_import_contracts_know_every_plugin(
    project: dict[str, dict[str, dict[str, list[str]]]], root: Path
) -> None:
    known = project["tool"]["importlinter"]["root_packages"]
    assert set(known) == {"cilsim", *packages(root)}

"""What `cilsim plugin new` writes is a real distribution: installed, listed, run, checked."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from scratch_environment import ScratchEnvironment

from cilsim.cli.main import main
from cilsim.cli.plugin_template import KINDS, Kind, parse_name, rendered
from cilsim.plugins import Plugins, discover
from cilsim.scenario.load import load_scenario
from cilsim.testing.conformance import PROMISES, Checkup, subjects

Install = Callable[[str], tuple[ScratchEnvironment, Path]]


def write(folder: Path, kind: str) -> Path:
    """Return the folder of a new plugin."""
    assert main(["plugin", "new", f"my-{kind}", "--kind", kind, "--dir", str(folder), "-q"]) == 0
    return folder / f"cilsim-my-{kind}"


@pytest.fixture
def loaded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Plugins]:
    """Return a function that writes a plugin of a kind and loads it from its folder."""

    def load(kind: str) -> Plugins:
        monkeypatch.syspath_prepend(write(tmp_path, kind) / "src")
        package = f"cilsim_my_{kind}"
        for name in [name for name in sys.modules if name.startswith(package)]:
            monkeypatch.delitem(sys.modules, name)
        return discover([(f"my_{kind}", import_module(package))])

    return load


@pytest.mark.parametrize("kind", KINDS)
def test_it_works_and_its_options_are_documented(
    loaded: Callable[[str], Plugins], tmp_path: Path, kind: Kind
) -> None:
    plugins = loaded(kind)
    assert plugins.explain_broken() == ()
    (subject,) = subjects(f"my_{kind}", plugins)
    (folder := tmp_path / "check").mkdir()
    checkup = Checkup(subject, plugins, folder)
    found = [checkup.judge(promise) for promise in (PROMISES[0], PROMISES[-1])]
    assert [(verdict.promise, verdict.state) for verdict in found] == [
        ("runs", "PASS"),
        ("options documented", "PASS"),
    ]


@pytest.mark.parametrize("kind", KINDS)
def test_its_scenario_is_valid(
    loaded: Callable[[str], Plugins], tmp_path: Path, kind: Kind
) -> None:
    plugins = loaded(kind)
    file = tmp_path / f"cilsim-my-{kind}" / "scenario.yaml"
    scenario = load_scenario(file, plugins.registries)
    assert scenario.name == f"my-{kind}-digits"
    assert len(scenario.strategies) == 2


def test_the_published_example_has_the_same_files(root: Path) -> None:
    example = root / "tests" / "external" / "cilsim-nearest-medoid"
    texts = rendered(parse_name("nearest-medoid"), "strategy")
    for place in texts:
        assert (example / place).is_file(), f"'cilsim plugin new' writes {place} too"
    for place in (".gitignore", ".github/workflows/tests.yml"):
        assert (example / place).read_text() == texts[place]
    project = texts["pyproject.toml"].replace('"0.1.0"', '"0.3.0"')
    project = project.replace("Nearest medoid, a", "Nearest class medoid, a")
    assert (example / "pyproject.toml").read_text() == project


@pytest.fixture
def installed(tmp_path: Path) -> Install:
    """Return a function that installs a new plugin of a kind, as its author would."""

    def install(kind: str) -> tuple[ScratchEnvironment, Path]:
        environment = ScratchEnvironment.create(tmp_path / "environment")
        folder = write(tmp_path, kind)
        done = environment.run("pip", "install", "-e", ".[test]", cwd=folder)
        assert done.returncode == 0, done.stderr
        return environment, folder

    return install


def test_it_is_installed_and_listed(installed: Install) -> None:
    environment, folder = installed("strategy")
    done = environment.run("cilsim", "plugin", "list", "--json", cwd=folder)
    assert done.returncode == 0, done.stderr
    (found,) = [one for one in json.loads(done.stdout) if one["name"] == "my_strategy"]
    assert found == {
        "name": "my_strategy",
        "distribution": "cilsim-my-strategy",
        "version": "0.1.0",
        "module": "cilsim_my_strategy",
        "hooks": ["cilsim_register_strategies"],
        "error": "",
    }


@pytest.mark.slow
@pytest.mark.timeout(900)  # seven processes, most of which import torch
@pytest.mark.parametrize("kind", KINDS)
def test_it_runs_and_passes_its_own_checks(installed: Install, kind: Kind) -> None:
    environment, folder = installed(kind)
    commands: list[list[str]] = [
        ["cilsim", "run", "scenario.yaml"],
        ["pytest", "-q", "-n", "0"],
        ["mypy"],
        ["cilsim", "plugin", "check", f"my_{kind}"],
        ["pytest", "-q", "--cilsim-strategy", f"my_{kind}", "-k", "calibrator or strategy"],
    ]
    for command in commands:
        done = environment.run(*command, cwd=folder)
        assert done.returncode == 0, f"{command}: {done.stdout}{done.stderr}"
    summary: dict[str, Any] = json.loads(
        (folder / "runs" / f"my-{kind}-digits" / "summary.json").read_text()
    )
    assert len(summary["strategies"]) == 2

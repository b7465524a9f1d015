"""A real third-party distribution: built, installed, listed, run, and its own tests passed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

NAME = "cilsim-nearest-medoid"
Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def source(root: Path) -> Path:
    return root / "tests" / "external" / NAME


@pytest.fixture(scope="module")
def site(source: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the distribution, without a network, into a folder of its own."""
    target = tmp_path_factory.mktemp("site")
    offline = ["--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", "--quiet", *offline]
    subprocess.run([*command, "--target", str(target), str(source)], check=True)
    return target


@pytest.fixture
def python(site: Path, tmp_path: Path) -> Run:
    """Return a function that runs Python with the distribution installed."""

    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
        return subprocess.run(
            [sys.executable, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            cwd=tmp_path,
            text=True,
            capture_output=True,
            check=False,
        )

    return run


@pytest.fixture
def cilsim(python: Run) -> Run:
    """Return a function that runs the command line with the distribution installed."""
    start = "import sys; from cilsim.cli.main import main; sys.exit(main())"
    return lambda *arguments: python("-c", start, *arguments)


def test_it_is_listed_among_the_plugins(cilsim: Run) -> None:
    done = cilsim("plugin", "list", "--json")
    assert done.returncode == 0, done.stderr
    (found,) = [one for one in json.loads(done.stdout) if one["name"] == "nearest_medoid"]
    assert found == {
        "name": "nearest_medoid",
        "distribution": NAME,
        "version": "0.3.0",
        "module": "cilsim_nearest_medoid",
        "hooks": ["cilsim_register_strategies"],
        "error": "",
    }


def test_its_scenario_runs(cilsim: Run, source: Path, tmp_path: Path) -> None:
    done = cilsim("run", str(source / "scenario.yaml"), "--out", "runs", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    folder = tmp_path / "runs" / "medoid-digits"
    summary: dict[str, Any] = json.loads((folder / "summary.json").read_text())
    assert sorted(summary["strategies"]) == ["nearest_medoid", "nmc"]


def test_its_options_are_checked_like_the_own_ones(
    cilsim: Run, source: Path, tmp_path: Path
) -> None:
    text = (source / "scenario.yaml").read_text().replace("distance:", "distence:")
    (tmp_path / "wrong.yaml").write_text(text)
    done = cilsim("check", "wrong.yaml")
    assert done.returncode == 2
    assert done.stderr.splitlines()[0] == (
        "error: wrong.yaml:15:28: strategies.1.distence: unknown key; did you mean 'distance'?"
    )


def test_it_can_be_switched_off(cilsim: Run, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CILSIM_PLUGINS", "nmc")
    done = cilsim("check", str(source / "scenario.yaml"))
    assert done.returncode == 2
    assert "no strategy is named 'nearest_medoid'" in done.stderr


def test_its_own_tests_pass(python: Run, source: Path, tmp_path: Path) -> None:
    shutil.copytree(source / "tests", tmp_path / "tests")
    done = python("-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "error", "tests")
    assert done.returncode == 0, done.stdout
    assert " passed" in done.stdout

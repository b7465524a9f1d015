"""Runs the command line in this process or in one of its own, on a tiny data set."""

from __future__ import annotations

import io
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import chdir, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.cli.main import main

TINY = """\
schema: 1
name: tiny
stream: {kind: class_incremental, dataset: {name: arrays, path: tiny.npz}, increment: 2}
backbone: identity
strategies: [nmc, {name: nmc, as: far, metric: euclidean}]
seeds: [0, 1]
"""


@dataclass(frozen=True)
class Outcome:
    """What a command left: exit code, stdout, stderr."""

    code: int
    out: str
    err: str

    def document(self) -> Any:
        return json.loads(self.out)


Command = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Command:
    """Runs a command in this process."""

    def run(*arguments: str | Path) -> Outcome:
        capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


def run_process(*arguments: str | Path, cwd: Path | None = None, **environment: str) -> Outcome:
    """Runs a command in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "cilsim.cli.main", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)


@pytest.fixture
def fresh() -> Command:
    """Runs a command in a process of its own; keyword arguments are `cwd` and its environment."""
    return run_process


def write_tiny(folder: Path) -> Path:
    """Six classes of 8-dimensional features in three experiences; nmc learns them in a second."""
    generator = np.random.default_rng(0)
    means_KD = generator.normal(size=(6, 8)) * 3
    arrays = {}
    for part, count in (("train", 20), ("test", 10)):
        labels_N = np.repeat(np.arange(6), count)
        noise_ND = generator.normal(size=(len(labels_N), 8))
        arrays[f"x_{part}"] = (means_KD[labels_N] + noise_ND).astype(np.float32)
        arrays[f"y_{part}"] = labels_N
    np.savez(folder / "tiny.npz", **arrays)
    scenario = folder / "tiny.yaml"
    scenario.write_text(TINY, encoding="utf-8")
    return scenario


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A scenario in the current folder, named as a user would: `tiny.yaml`."""
    write_tiny(tmp_path)
    monkeypatch.chdir(tmp_path)
    return Path("tiny.yaml")


@pytest.fixture(scope="session")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Outcome]:
    """A folder in which `cilsim run tiny.yaml` was run, and its outcome."""
    folder = tmp_path_factory.mktemp("finished")
    write_tiny(folder)
    out, err = io.StringIO(), io.StringIO()
    with chdir(folder), redirect_stdout(out), redirect_stderr(err):
        code = main(["run", "tiny.yaml", "--device", "cpu"])
    return folder, Outcome(code, out.getvalue(), err.getvalue())


@pytest.fixture
def copy(finished: tuple[Path, Outcome], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the finished run folder, by the name that a user in its parent would give."""
    shutil.copytree(finished[0] / "runs" / "tiny", tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    return Path("tiny")


@pytest.fixture
def broken_plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installed distribution whose plugin cannot be imported; returns its folder."""
    site = tmp_path / "site"
    metadata = site / "cilsim_fancy-1.2.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cilsim-fancy\nVersion: 1.2\n")
    (metadata / "entry_points.txt").write_text("[cilsim]\nfancy = cilsim_fancy\n")
    (site / "cilsim_fancy.py").write_text("raise RuntimeError('no licence')\n")
    monkeypatch.syspath_prepend(site)
    return site

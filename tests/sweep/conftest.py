"""Small scenario and sweep files, checked against the registries of what is installed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from cilsim.plugins import discover
from cilsim.registry import Registries
from cilsim.sweep.load import Sweep, load_sweep

SCENARIO = """\
name: {name}
stream: {{kind: class_incremental, dataset: digits, base_classes: 4, increment: 2}}
backbone: small
strategies: [nmc, {{name: nmc, as: far, metric: euclidean}}]
seeds: [0, 1]
"""


@pytest.fixture(scope="session")
def registries() -> Registries:
    return discover().registries


@pytest.fixture
def scenario(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`digits.yaml` in the current folder."""
    monkeypatch.chdir(tmp_path)
    path = Path("digits.yaml")
    path.write_text(SCENARIO.format(name="digits"))
    return path


Load = Callable[[str], Sweep]


@pytest.fixture
def load(scenario: Path, registries: Registries) -> Load:
    """Loads a text as the sweep file `sweep.yaml` beside `digits.yaml`."""

    def load(text: str) -> Sweep:
        Path("sweep.yaml").write_text(text)
        return load_sweep(Path("sweep.yaml"), registries)

    return load

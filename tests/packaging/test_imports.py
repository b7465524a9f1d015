"""What importing costs: heavy packages wait until something needs them."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = ("torch", "torchvision", "avalanche", "sklearn", "matplotlib", "scipy", "tensorboard")


def heavy_after(code: str, folder: Path) -> list[str]:
    """Return the heavy packages that are loaded after `code` in a fresh interpreter."""
    report = f"import sys; print(*[name for name in {HEAVY!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", f"{code}\n{report}"],
        check=True,
        cwd=folder,
        text=True,
        capture_output=True,
    )
    return done.stdout.split()


@pytest.mark.parametrize(
    "code",
    [
        "import cilsim",
        "from cilsim import Options, hookimpl",
        "import cilsim.hookspecs",
        "from cilsim.plugins import discover; discover()",
        "import cilsim.scenario.load",
        "import cilsim.runner.planning",
        "import cilsim.cli.main",
    ],
)
def test_nothing_heavy_is_imported(code: str, tmp_path: Path) -> None:
    assert heavy_after(code, tmp_path) == []


def test_torch_is_imported_when_a_strategy_is_written(tmp_path: Path) -> None:
    assert "torch" in heavy_after("from cilsim import Strategy", tmp_path)


def test_every_installed_plugin_is_light(tmp_path: Path, root: Path) -> None:
    plugins = sorted(path.parent.name for path in (root / "plugins").glob("*/__init__.py"))
    code = "\n".join(f"import {name}" for name in plugins)
    assert heavy_after(code, tmp_path) == []

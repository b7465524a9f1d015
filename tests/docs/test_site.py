"""The site builds without a warning, shows every page, and loads nothing from elsewhere."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

LOADING = re.compile(r"<(?:script|img|iframe)[^>]+src=[^>]+>|<link[^>]+stylesheet[^>]+>")
"""Tags that make a browser fetch something."""

pytest.importorskip("material", reason="needs the extra cilsim[docs]")


@pytest.fixture(scope="module")
def site(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    target = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet"]
    done = subprocess.run(
        [*command, "--site-dir", str(target)], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return target


def test_every_page_and_every_strategy_is_shown(site: Path, root: Path) -> None:
    pages = {str(path.parent.relative_to(site)) for path in site.rglob("index.html")}
    named = {path.stem for path in (root / "docs").glob("*.md")} - {"index"}
    strategies = {
        f"strategies/{path.parent.name.removeprefix('cilsim_')}"
        for path in root.glob("plugins/*/README.md")
    }
    assert named | strategies | {"quick-start", "benchmarks", "changelog", "security"} <= pages


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    found = {tag for page in site.rglob("*.html") for tag in LOADING.findall(page.read_text())}
    assert [tag for tag in found if "http" in tag] == []
    assert found


def test_links_between_pages_stay_within_the_site(site: Path) -> None:
    home = (site / "index.html").read_text()
    assert 'href="strategies/teen/"' in home
    assert "plugins/cilsim_teen/README.md" not in home


def test_words_can_be_searched(site: Path) -> None:
    assert "harmonic mean" in (site / "search" / "search_index.json").read_text()

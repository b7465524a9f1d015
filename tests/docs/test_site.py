"""The site builds without a warning, shows every page, and loads nothing from elsewhere."""

from __future__ import annotations

import functools
import importlib
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
SEARCH = """
const field = document.querySelector('.md-search__input');
document.querySelector('[data-md-toggle=search]').click();
field.focus();
field.value = 'harmonic mean';
field.dispatchEvent(new Event('keyup', {bubbles: true}));
"""
FOUND = "document.querySelectorAll('.md-search-result__item h1')"

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


def test_the_quick_start_comes_first(site: Path) -> None:
    home = re.sub(r"<[^>]+>", "", (site / "index.html").read_text().partition("<h1")[2])
    assert home.index("cilsim run scenarios/quickstart.yaml") < home.index("Tutorial")


def test_words_can_be_searched(site: Path) -> None:
    assert "harmonic mean" in (site / "search" / "search_index.json").read_text()


class Quiet(SimpleHTTPRequestHandler):
    """Serves files without a line for each."""

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@pytest.fixture
def address(site: Path) -> Iterator[str]:
    """Where the site is served."""
    handler = functools.partial(Quiet, directory=str(site))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.slow
@pytest.mark.skipif(PROGRAM is None, reason="no Chromium is installed")
def test_a_browser_shows_and_searches_the_site(
    address: str, docs: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(docs)
    with importlib.import_module("browser").Browser(PROGRAM) as browser:
        browser.before_every_page("window.wrong = []; onerror = text => { wrong.push(text) }")
        browser.open(f"{address}/strategies/teen/", 1300, 900)
        browser.wait_for("document.readyState === 'complete'")
        assert browser.evaluate("document.querySelector('h1').firstChild.data") == "TEEN"
        browser.evaluate(SEARCH)
        browser.wait_for(f"{FOUND}.length > 0", 30)
        titles = browser.evaluate(f"[...{FOUND}].map(one => one.textContent).join()")
        assert "Metrics" in titles
        assert browser.evaluate("wrong.join()") == ""

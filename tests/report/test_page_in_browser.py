"""The HTML report, looked at with a real browser."""

from __future__ import annotations

import importlib.util
import json
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from cilsim.records import RunResult
from cilsim.report.html import report_html

PROGRAM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)
DOCS = Path(__file__).parents[2] / "docs"
LongResults = Callable[[int, int], list[RunResult]]
CURVES = "document.querySelector('[data-chart=curves] svg[tabindex]')"

COLLECT_COMPLAINTS = """
window.complaints = [];
addEventListener('error', event => complaints.push(event.message));
addEventListener('securitypolicyviolation', event => complaints.push(event.violatedDirective));
console.error = console.warn = (...said) => complaints.push(said.join(' '));
"""


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    """A headless browser with a page."""
    if PROGRAM is None:
        pytest.skip("no Chromium is installed")
    found = importlib.util.spec_from_file_location("docs_browser", DOCS / "browser.py")
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules["docs_browser"] = module
    found.loader.exec_module(module)
    with module.Browser(PROGRAM) as opened:
        opened.before_every_page(COLLECT_COMPLAINTS)
        yield opened


class Page:
    """A report in the browser."""

    def __init__(self, browser: Any, path: Path, results: list[RunResult]) -> None:
        path.write_text(report_html(results, "long"))
        self.browser = browser
        self.address = path.as_uri()
        self.open()

    def open(self) -> None:
        self.browser.open(self.address, 1200, 4000)
        self.browser.wait_for("document.documentElement.dataset.ready === 'yes'", 30)

    def js(self, expression: str) -> Any:
        return json.loads(self.browser.evaluate(f"JSON.stringify({expression})"))

    def texts(self, selector: str) -> list[str]:
        return self.js(
            f"[...document.querySelectorAll({json.dumps(selector)})].map(e => e.innerText)"
        )

    def middle(self, element: str, x: float = 0.5, y: float = 0.5) -> tuple[float, float]:
        box = self.js(
            f"(b => [b.left, b.top, b.width, b.height])({element}.getBoundingClientRect())"
        )
        return box[0] + x * box[2], box[1] + y * box[3]

    def tip(self, chart: str) -> list[str]:
        return self.texts(f"section:not([hidden]) [data-chart={chart}] .tip:not([hidden]) > *") or (
            self.texts(f"[data-chart={chart}] .tip:not([hidden]) > *")
        )


@pytest.fixture(scope="module")
def stored_page(
    browser: Any, long_results: LongResults, tmp_path_factory: pytest.TempPathFactory
) -> Page:
    """Three strategies over five experiences."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    return Page(browser, path, long_results(3, 5))


@pytest.fixture
def page(stored_page: Page) -> Page:
    """The page of three strategies, opened again if another test has left it."""
    if stored_page.browser.evaluate("location.href") != stored_page.address:
        stored_page.open()
    return stored_page


@pytest.mark.parametrize(("strategies", "experiences"), [(1, 1), (1, 5), (12, 5), (12, 200)])
def test_the_page_loads_without_a_complaint(
    browser: Any,
    long_results: LongResults,
    tmp_path: Path,
    strategies: int,
    experiences: int,
) -> None:
    page = Page(browser, tmp_path / "report.html", long_results(strategies, experiences))
    assert page.js("complaints") == []
    assert page.js("document.querySelectorAll('[data-chart=curves] path.series[d^=M]').length") >= (
        strategies
    )
    wide = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert page.js(wide) is True


def test_pointing_at_the_curves_shows_the_values_of_all_strategies(page: Page) -> None:
    page.browser.move_pointer(*page.middle(CURVES, 0.99, 0.5))
    # e^(-k / 70 * distance) over distances 0 to 4, mean of two seeds
    expected = [
        100
        * 0.9
        * np.mean([np.exp(-(k + 1) / 70 * (1 + 0.1 * s) * d) for s in (0, 1) for d in range(5)])
        for k in range(3)
    ]
    head, *rows = page.tip("curves")
    assert head == "after experience 4, session 4"
    found = [row.split("\n") for row in rows]
    assert [one[0] for one in found] == ["strategy-0", "strategy-1", "strategy-2"]
    assert [one[1].split(" ± ")[0] for one in found] == [f"{mean:.1f}" for mean in expected]


def test_a_click_hides_a_strategy_and_another_one_brings_it_back(page: Page) -> None:
    button = "document.querySelectorAll('[data-chart=curves] .legend button')[1]"
    lines = "document.querySelectorAll('[data-chart=curves] .plot path.series')"
    drawn = f"[...{lines}].map(path => path.dataset.label)"
    all_three = ["strategy-0", "strategy-1", "strategy-2"]
    assert page.js(drawn) == all_three
    page.browser.click(*page.middle(button))
    assert page.js(drawn) == ["strategy-0", "strategy-2"]
    assert page.js(f"{button}.getAttribute('aria-pressed')") == "false"
    page.browser.click(*page.middle(button))
    assert page.js(drawn) == all_three


def test_bands_can_be_switched_off(page: Page) -> None:
    box = "document.querySelector('[data-chart=curves] input')"
    bands = "document.querySelectorAll('[data-chart=curves] .band').length"
    assert page.js(bands) == 3
    page.browser.click(*page.middle(box))
    assert page.js(bands) == 0
    page.browser.click(*page.middle(box))
    assert page.js(bands) == 3


def test_bands_of_many_strategies_are_drawn_on_request(
    browser: Any, long_results: LongResults, tmp_path: Path
) -> None:
    page = Page(browser, tmp_path / "report.html", long_results(12, 5))
    bands = "document.querySelectorAll('[data-chart=curves] .band').length"
    assert page.js(bands) == 0
    browser.click(*page.middle("document.querySelector('[data-chart=curves] input')"))
    assert page.js(bands) == 12


def test_another_metric_is_drawn_when_it_is_chosen(page: Page) -> None:
    titles = (
        "[...document.querySelectorAll('[data-chart=curves] .plot text')].map(t => t.textContent)"
    )

    def choose(metric: str) -> None:
        select = "document.querySelector('[data-chart=curves] select')"
        page.js(f"({select}.value = {metric!r}, {select}.dispatchEvent(new Event('change')))")

    choose("forgetting")
    assert "forgetting, in percent" in page.js(titles)
    choose("A_all")
    assert "accuracy, all, in percent" in page.js(titles)


def test_arrow_keys_read_the_curves_aloud(page: Page) -> None:
    page.js(f"({CURVES}.focus(), 0)")
    page.browser.press("Home")
    page.browser.press("ArrowRight")
    (said,) = page.texts("[data-chart=curves] [aria-live]")
    assert said.startswith("after experience 1, session 1: strategy-0 ")
    page.browser.press("Escape")
    assert page.tip("curves") == []


def test_pointing_at_the_matrix_shows_its_cell(page: Page) -> None:
    canvas = "document.querySelector('section:not([hidden]) [data-chart=matrix] canvas')"
    x, y = page.middle(canvas, 0, 0)
    side = page.js(f"({canvas}.clientWidth - 48) / 5")
    page.browser.move_pointer(x + 46 + 0.5 * side, y + 6 + 4.5 * side)
    mean = 90 * np.mean([np.exp(-4 / 70 * (1 + 0.1 * seed)) for seed in (0, 1)])
    assert page.texts("section:not([hidden]) [data-chart=matrix] .tip")[0].split("\n") == [
        f"{mean:.1f} %", "after experience 4, session 4, on the test part of experience 0, base"
    ]  # fmt: skip


def test_pointing_at_the_confusion_shows_its_cell(page: Page) -> None:
    canvas = "document.querySelector('section:not([hidden]) [data-chart=confusion] canvas')"
    x, y = page.middle(canvas, 0, 0)
    side = page.js(f"({canvas}.clientWidth - 48) / 5")
    page.browser.move_pointer(x + 46 + 4.5 * side, y + 6 + 1.5 * side)
    assert page.texts("section:not([hidden]) [data-chart=confusion] .tip")[0].split("\n") == [
        "2 of 10, 20.0 %", "class 1, predicted as class 4"
    ]  # fmt: skip


@pytest.fixture(scope="module")
def page_of_many_experiences(
    browser: Any, long_results: LongResults, tmp_path_factory: pytest.TempPathFactory
) -> Page:
    """One class in each of 450 experiences, so that two classes share a cell of the confusion."""
    path = tmp_path_factory.mktemp("many") / "report.html"
    return Page(browser, path, long_results(1, 450))


def test_more_classes_than_pixels_share_cells_that_name_them(
    page_of_many_experiences: Page,
) -> None:
    page = page_of_many_experiences
    canvas = "document.querySelector('[data-chart=confusion] canvas')"
    x, y = page.middle(canvas, 0, 0)
    side = page.js(f"({canvas}.clientWidth - 48) / 225")
    page.browser.move_pointer(x + 46 + 224.5 * side, y + 6 + 100.5 * side)
    assert page.texts("[data-chart=confusion] .tip")[0].split("\n") == [
        "4 of 20, 20.0 %", "labels 200 to 201, predicted as labels 448 to 449"
    ]  # fmt: skip
    (caption,) = page.texts("[data-chart=confusion] figcaption")
    assert caption == (
        "Confusion after the last experience, seed 0. There are too many classes to draw: "
        "2 consecutive ones share a cell."
    )


def test_a_hundred_thousand_values_are_drawn(page_of_many_experiences: Page) -> None:
    page = page_of_many_experiences
    assert page.js("complaints") == []
    drawn = "document.querySelectorAll('[data-chart=forgetting] path.series[d^=M]').length"
    assert page.js(drawn) == 450


def test_pointing_at_forgetting_curves_names_the_experience(page: Page) -> None:
    plot = "document.querySelector('section:not([hidden]) [data-chart=forgetting] svg[tabindex]')"
    page.browser.move_pointer(*page.middle(plot, 0.03, 0.1))
    head, row = page.tip("forgetting")
    assert (head, row.split("\n")) == ("after experience 0, base", ["experience 0, base", "90.0 %"])


def test_tabs_show_one_strategy_at_a_time(page: Page) -> None:
    shown = "[...document.querySelectorAll('.strategy')].map(s => !s.hidden)"
    assert page.js(shown) == [True, False, False]
    page.js("(document.querySelector('[role=tab][aria-selected=true]').focus(), 0)")
    page.browser.press("ArrowRight")
    assert page.js(shown) == [False, True, False]
    assert page.texts("[role=tab][aria-selected=true]") == ["strategy-1"]
    page.browser.press("ArrowLeft")
    assert page.js(shown) == [True, False, False]


def test_the_page_follows_the_readers_colours_and_its_own_button(page: Page) -> None:
    paper = "getComputedStyle(document.body).backgroundColor"
    page.browser.prefer("dark")
    assert page.js(paper) == "rgb(20, 23, 26)"
    page.browser.click(*page.middle("document.getElementById('theme')"))
    assert page.js(paper) == "rgb(255, 255, 255)"
    page.js("(delete document.documentElement.dataset.theme, 0)")
    page.browser.prefer("light")
    assert page.js(paper) == "rgb(255, 255, 255)"

import re
from html.parser import HTMLParser

import numpy as np
import pytest

from cilsim.report.html import mean_matrix, report_html


class Outline(HTMLParser):
    """Collects tags, texts by tag, and attributes that could load something."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.texts: dict[str, list[str]] = {}
        self.links: list[str] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.open.append(tag)
        self.links += [value for name, value in attrs
                       if name in ("src", "href", "xlink:href", "action") and value]  # fmt: skip

    def handle_endtag(self, tag):
        while self.open and self.open.pop() != tag:
            pass

    def handle_data(self, data):
        if self.open and data.strip():
            self.texts.setdefault(self.open[-1], []).append(data.strip())


def outline(text: str) -> Outline:
    parser = Outline()
    parser.feed(text)
    return parser


def test_a_report_has_a_section_per_strategy_with_tables_and_drawings(make_result):
    found = outline(report_html([make_result("teen"), make_result("nmc")], "rings"))
    assert found.texts["h1"] == ["rings"]
    assert found.texts["h2"] == ["After the last experience", "teen", "nmc", "Definitions"]
    assert (found.tags.count("table"), found.tags.count("svg")) == (4, 5)


def test_tables_have_the_numbers_of_the_other_reports(make_result):
    found = outline(report_html([make_result()], "rings", {"selection": "last_epoch"}))
    assert "last_epoch" in found.texts["td"]
    assert found.texts["td"][-8:] == ["4", "56.0", "50.0", "62.5", "55.5", "25.0", "2.0 kB",
                                      "21.5 s"]  # fmt: skip


def test_nothing_outside_the_file_is_needed(make_result):
    text = report_html([make_result()], "rings")
    outside = [link for link in outline(text).links if not link.startswith(("#", "data:"))]
    assert outside == []
    assert "@import" not in text
    assert re.findall(r"url\((?!#)[^)]*\)", text) == []
    assert {"script", "link", "iframe"} & set(outline(text).tags) == set()


def test_light_and_dark_are_both_styled(make_result):
    text = report_html([make_result()], "rings")
    assert '<meta name="color-scheme" content="light dark">' in text
    assert "@media (prefers-color-scheme: dark)" in text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "</svg><b>", "$x"])
def test_hostile_names_are_text(name, make_result):
    plain = outline(report_html([make_result("teen")], "rings"))
    found = outline(report_html([make_result(name)], name, {name: name}))
    assert found.tags.count("tr") == plain.tags.count("tr") + 1  # the stamp
    assert set(found.tags) == set(plain.tags)
    assert (found.texts["h1"], found.texts["h2"][1]) == ([name], name)


def test_drawings_say_in_words_what_they_show(make_result):
    text = report_html([make_result(seed=0), make_result(seed=1)], "rings")
    assert re.findall(r'<figure role="img" aria-label="([^"]*)">', text) == [
        "Accuracy on all classes (A_all) and on novel ones (A_novel) after each experience; "
        "bands are 95 % intervals over seeds.",
        "Forgetting curves: accuracy on the test part of each experience, mean over 2 seeds.",
        "Accuracy matrix, mean over 2 seeds.",
    ]


def test_a_report_without_a_finished_run_says_so():
    assert outline(report_html([], "rings")).texts["p"] == ["No finished run."]


def test_curves_are_means_over_seeds(make_result):
    mean = mean_matrix([make_result(seed=0), make_result(seed=1, shift=0.1)])
    nan = np.nan
    expected = [[0.95, nan, nan], [0.85, 0.75, nan], [0.55, 0.65, 0.7]]
    np.testing.assert_allclose(mean, expected)

import base64
import json
import re
from hashlib import sha256
from html.parser import HTMLParser

import pytest

from cilsim.report.html import report_html


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


def test_a_report_has_a_section_per_strategy_with_tables_and_charts(make_result):
    text = report_html([make_result("teen"), make_result("nmc")], "rings")
    found = outline(text)
    assert found.texts["h1"] == ["rings"]
    assert found.texts["h2"] == [
        "After the last experience", "Over the experiences", "Compared", "teen", "nmc", "Protocol",
        "Definitions",
    ]  # fmt: skip
    assert re.findall(r'data-chart="(\w+)"', text) == [
        "curves", *["forgetting", "matrix", "confusion"] * 2
    ]  # fmt: skip


def test_a_single_strategy_is_compared_with_nobody(make_result):
    found = outline(report_html([make_result("teen")], "rings"))
    assert "Compared" not in found.texts["h2"]


def test_only_what_is_significantly_the_best_is_bold(make_result):
    noise = (0.0, 0.001, 0.002)
    clear = [make_result("teen", seed, change) for seed, change in enumerate(noise)]
    clear += [make_result("nmc", seed, -0.2 + 3 * change) for seed, change in enumerate(noise)]
    close = [*clear[:3], *(make_result("nmc", seed, 0.001) for seed in range(3))]
    assert outline(report_html(clear, "rings")).texts["strong"] == ["56.1 ± 0.2", "5.3 ± 0.7"]
    assert "strong" not in outline(report_html(close, "rings")).texts


def test_tables_have_the_numbers_of_the_other_reports(make_result):
    found = outline(report_html([make_result()], "rings", {"selection": "last_epoch"}))
    assert "last_epoch" in found.texts["td"]
    at = found.texts["td"].index("4", 8)
    assert found.texts["td"][at : at + 8] == ["4", "56.0", "50.0", "62.5", "55.5", "25.0", "2.0 kB",
                                      "21.5 s"]  # fmt: skip


def test_nothing_outside_the_file_is_needed(make_result):
    text = report_html([make_result()], "rings")
    outside = [link for link in outline(text).links if not link.startswith(("#", "data:"))]
    assert outside == []
    assert re.findall(r"@import|https?://(?!www\.w3\.org/2000/svg)|url\((?!data:)", text) == []
    assert {"link", "iframe"} & set(outline(text).tags) == set()


def test_the_page_may_run_its_own_script_and_nothing_else(make_result):
    text = report_html([make_result()], "rings")
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(sha256(script.encode()).digest()).decode()
    assert (
        "content=\"default-src 'none'; style-src 'unsafe-inline'; img-src data:; "
        f"script-src 'sha256-{digest}'\""
    ) in text


def test_the_data_of_the_charts_are_json_without_markup(make_result):
    text = report_html([make_result("</script><b>")], "rings")
    (data,) = re.findall(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data)["strategies"][0]["label"] == "</script><b>"


def test_light_and_dark_are_both_styled(make_result):
    text = report_html([make_result()], "rings")
    assert '<meta name="color-scheme" content="light dark">' in text
    assert "--paper: light-dark(#ffffff, #14171a)" in text


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"><img src=x>', "</svg><b>", "$x"])
def test_hostile_names_are_text(name, make_result):
    plain = outline(report_html([make_result("teen")], "rings"))
    found = outline(report_html([make_result(name)], name, {name: name}))
    assert found.tags.count("tr") == plain.tags.count("tr") + 1  # the stamp
    assert set(found.tags) == set(plain.tags)
    assert (found.texts["h1"], found.texts["h2"][2]) == ([name], name)


def test_charts_say_in_words_what_they_show(make_result):
    found = outline(report_html([make_result(seed=0), make_result(seed=1)], "rings"))
    assert found.texts["figcaption"] == [
        "A metric after each experience, by strategy. Bands are 95 % intervals over seeds. Point "
        "at the chart, or focus it and use the arrow keys, to read values.",
        "Forgetting curves: accuracy on the test part of each experience, mean over 2 seeds.",
        "Accuracy matrix, mean over 2 seeds.",
        "Confusion after the last experience, seed 0.",
    ]


def test_options_and_versions_are_told(make_result):
    text = report_html([make_result()], "rings", versions={"torch": "2.15.0"})
    rows = re.findall(r'<th scope="row">(\w+)</th><td>(.*?)</td>', text)
    assert [row for row in rows if row[0] in ("scale", "nested", "cosine", "torch")] == [
        ("scale", "16.0"), ("nested", "{&#34;shift&#34;: null}"), ("cosine", "true"),
        ("torch", "2.15.0"),
    ]  # fmt: skip


def test_a_report_without_a_finished_run_says_so():
    assert outline(report_html([], "rings")).texts["p"] == ["No finished run."]

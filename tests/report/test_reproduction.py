"""The text of a comparison, whole."""

from __future__ import annotations

import pytest

from cilsim.metrics.statistics import Interval
from cilsim.report.reproduction import (
    describe_comparison,
    published_text,
    reproduction_text,
    source_lines,
)
from cilsim.report.verdicts import Comparison
from cilsim.scenario.published import Published

RULE = (
    "PASS: within what is allowed, the tolerance or half the 95 % interval if that is more, or "
    "better (marked above or below); NEAR: within twice that; MISS: beyond"
)
LAST_EPOCH = "selection: last epoch; papers that watch the test samples may report their best epoch"


def published(**more: object) -> Published:
    given = {"strategy": "nmc", "metric": "A_all", "value": 60.0, "source": "a paper", **more}
    return Published(**given)  # type: ignore[arg-type]


@pytest.fixture
def comparisons() -> list[Comparison]:
    return [
        Comparison(published(), 2, 60.0, Interval(60.5, 58.5, 62.5, 3)),
        Comparison(published(strategy="teen", note="one run"), 2, 64.25, Interval(70, 70, 70, 3)),
        Comparison(published(metric="A_hm"), 2, 55.0, None),
    ]


def test_the_table_says_what_is_published_measured_and_allowed(comparisons):
    assert reproduction_text(comparisons, "last_epoch").splitlines() == [
        "strategy  metric  after  published    measured  n  difference  allowed       verdict",
        "nmc        A_all      2         60  60.5 ± 2.0  3        +0.5      2.0          PASS",
        "teen       A_all      2      64.25  70.0 ± 0.0  3        +5.8      1.0   PASS, above",
        "nmc         A_hm      2         55           -  0           -      1.0  MISS, absent",
        "",
        "2 PASS, 0 NEAR, 1 MISS; numbers in percent",
        RULE,
        LAST_EPOCH,
        "source: a paper (nmc, teen)",
        "note: one run (teen)",
    ]


@pytest.mark.parametrize(
    ("n", "line"),
    [
        (1, "n < 3 seeds: there is no interval, so the tolerance alone decides"),
        (2, "n < 3 seeds: the interval says little, so the tolerance alone decides"),
    ],
)
def test_few_seeds_are_said(n, line):
    half = float("nan") if n == 1 else 2.0
    few = Comparison(published(), 2, 60.0, Interval(60.5, 60.5 - half, 60.5 + half, n))
    assert line in reproduction_text([few], "last_epoch").splitlines()


def test_selection_on_test_samples_is_said(comparisons):
    text = reproduction_text(comparisons, "best_test_epoch")
    assert "selection: best epoch on the test samples, as in some papers" in text.splitlines()


def test_ascii_terminals_get_ascii(comparisons):
    assert "60.5 +/- 2.0" in reproduction_text(comparisons, "last_epoch", "ascii")


def test_what_is_published_can_be_shown_alone():
    entries = [
        published(when={"stream.increment": 5, "stream.uneven": False}),
        published(strategy="teen", value=None, values=(70.0, None, 61.5), tolerance=0.5),
    ]
    assert published_text(entries).splitlines() == [
        "strategy  metric                                     when  published  tolerance",
        "nmc        A_all  stream.increment=5, stream.uneven=false         60          1",
        "teen       A_all                                           70 - 61.5        0.5",
        "",
        "source: a paper (nmc, teen)",
    ]


def test_sources_are_told_once_with_all_that_they_are_about():
    entries = [published(), published(strategy="teen", source="another"), published(metric="A_hm")]
    assert source_lines(entries) == ["source: a paper (nmc)", "source: another (teen)"]


def test_a_comparison_is_described_as_plain_data(comparisons):
    assert describe_comparison(comparisons[1]) == {
        "strategy": "teen",
        "metric": "A_all",
        "experience": 2,
        "published": 64.25,
        "measured": 70,
        "lower": 70,
        "upper": 70,
        "n": 3,
        "difference": 5.75,
        "allowed": 1.0,
        "verdict": "PASS",
        "mark": "above",
        "source": "a paper",
        "note": "one run",
    }

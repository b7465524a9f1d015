from __future__ import annotations

from dataclasses import replace

import pytest

from cilsim.metrics.statistics import mean_interval
from cilsim.records import ExperienceInfo, StreamInfo
from cilsim.report.event_files import run_layout
from cilsim.report.formatting import count_interval, count_text
from cilsim.report.summary import columns
from cilsim.report.tables import BOTH_SCORED, INDUCTIVE, definition_rows, notes, protocol_rows


@pytest.fixture
def single(stream: StreamInfo) -> StreamInfo:
    """One experience with two old and two novel classes."""
    experience = ExperienceInfo(0, "discovery", (0, 1, 2, 3), 4, 20, 40, 40, novel_classes=2)
    return replace(
        stream,
        kind="generalized_category_discovery",
        experiences=(experience,),
        groups=("old", "new"),
    )


def test_one_experience_of_discovery_is_summed_up_on_unlabelled_and_on_test_samples(
    single: StreamInfo,
) -> None:
    assert [(column.heading, column.metric) for column in columns(single)] == [
        ("all (unlabelled)", "transductive/A_all"),
        ("old (unlabelled)", "transductive/A_old"),
        ("new (unlabelled)", "transductive/A_new"),
        ("all (test)", "A_all"),
        ("old (test)", "A_old"),
        ("new (test)", "A_new"),
    ]


def test_classes_found_have_a_column_where_nobody_told_their_number(
    single: StreamInfo, discovery_stream: StreamInfo
) -> None:
    for stream in (single, discovery_stream):
        assert "classes_found" not in [column.metric for column in columns(stream)]
        estimated = replace(stream, number_of_classes="estimate (published)")
        last = columns(estimated)[-1]
        assert (last.heading, last.metric, last.percent) == (
            "classes found",
            "classes_found",
            False,
        )


def test_the_protocol_says_how_the_number_of_classes_is_known(single: StreamInfo) -> None:
    rows = dict(protocol_rows(replace(single, number_of_classes="over 1.5"), {}))
    assert rows["number of classes"] == "over 1.5"
    assert rows["protocol"].endswith(", 1 experience")


def test_the_notes_say_which_samples_were_scored(
    single: StreamInfo, discovery_stream: StreamInfo
) -> None:
    assert BOTH_SCORED in notes(single)
    assert INDUCTIVE in notes(discovery_stream)


def test_every_column_has_a_definition(single: StreamInfo) -> None:
    meanings = dict(definition_rows(single))
    assert meanings["old (unlabelled) (transductive/A_old)"] == (
        "the metric after the slash, over the unlabelled samples just learnt, matched once "
        "(Vaze et al. 2022 (GCD))"
    )


def test_discovery_has_charts_of_its_own(stream: StreamInfo, discovery_stream: StreamInfo) -> None:
    assert "discovery" not in run_layout(stream)
    assert run_layout(discovery_stream)["discovery"] == {
        "old classes forgotten, new ones found": ["Multiline", [r"eval/(forgetting|A_new)$"]],
        "on unlabelled samples": ["Multiline", [r"transductive/A_(all|old|new)$"]],
        "number of classes: found, and minus true": [
            "Multiline",
            [r"eval/classes_(found|error)$"],
        ],
    }


def test_counts_are_printed_as_they_are() -> None:
    assert [count_text(value) for value in (97.0, 96.5, None, float("nan"))] == [
        "97",
        "96.5",
        "-",
        "-",
    ]
    assert count_interval(mean_interval([97.0])) == "97"
    assert count_interval(mean_interval([96.0, 98.0])) == "97 ± 12.7"
    assert count_interval(None) == "-"

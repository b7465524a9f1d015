"""Tables and JSON on stdout."""

from __future__ import annotations

import json
import math

import pytest

from cilsim.cli.output import aligned_left, write_json, write_table

ROWS = [["name", "summary"], ["nmc", "nearest class mean on a frozen backbone"], ["a", "b"]]


def test_columns_are_as_wide_as_their_widest_cell() -> None:
    assert aligned_left(ROWS) == [
        "name  summary",
        "nmc   nearest class mean on a frozen backbone",
        "a     b",
    ]


def test_the_last_column_is_wrapped_to_the_width() -> None:
    assert aligned_left(ROWS, 32) == [
        "name  summary",
        "nmc   nearest class mean on a",
        "      frozen backbone",
        "a     b",
    ]


def test_a_column_without_a_value_is_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    write_table(("name", "also", "summary"), [("a", "", "first"), ("b", "", "second")])

    assert capsys.readouterr().out == "name  summary\na     first\nb     second\n"


def test_json_has_null_for_numbers_that_it_cannot_say(capsys: pytest.CaptureFixture[str]) -> None:
    write_json({"a": [math.nan, 1.5], 2: (math.inf,)})

    assert json.loads(capsys.readouterr().out) == {"a": [None, 1.5], "2": [None]}

"""Values of options: seeds and labels."""

from __future__ import annotations

import click
import pytest

from cilsim.cli.parameters import parse_labels, parse_seeds


@pytest.mark.parametrize(
    ("text", "seeds"),
    [("3", (3,)), ("0,2,1", (0, 2, 1)), ("0-4", (0, 1, 2, 3, 4)), ("7, 0-1", (7, 0, 1))],
)
def test_seeds_are_numbers_and_ranges(text: str, seeds: tuple[int, ...]) -> None:
    assert parse_seeds(text) == seeds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "--seeds: found '', expected seeds such as '0,1,2' or '0-4'"),
        ("a", "--seeds: found 'a', expected seeds such as '0,1,2' or '0-4'"),
        ("-1", "--seeds: found '-1', expected seeds such as '0,1,2' or '0-4'"),
        ("4-0", "--seeds: found '4-0', expected seeds such as '0,1,2' or '0-4'"),
        ("0-3,2", "--seeds 0-3,2: 2 is given twice"),
        ("0-99999", "--seeds: '0-99999' are more than 10000 seeds"),
    ],
)
def test_other_texts_are_refused(text: str, message: str) -> None:
    with pytest.raises(click.UsageError) as caught:
        parse_seeds(text)

    assert caught.value.message == message


def test_labels_keep_their_order_and_come_once() -> None:
    assert parse_labels("teen, nmc,teen,") == ("teen", "nmc")

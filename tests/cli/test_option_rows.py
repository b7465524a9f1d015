"""Options in words: type, range, default."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import Field

from cilsim import Options
from cilsim.cli.option_rows import OptionRow, option_rows


class Inner(Options):
    """A nested model."""

    depth: Annotated[int, Field(ge=0, lt=9)] = 2
    """How deep."""


class Outer(Options):
    """One option of every sort."""

    alpha: Annotated[float, Field(gt=0.0, le=1.5)]
    """A weight
    on two lines."""
    kind: Literal["a", "b"] = "a"
    sizes: tuple[int, ...] = (1, 2)
    pair: tuple[int, int] = (3, 4)
    limit: int | None = None
    on: bool = True
    path: Path | None = None
    anything: object = None
    inner: Inner = Inner()


ROWS = {row.name: row for row in option_rows(Outer)}


def test_a_row_says_everything() -> None:
    assert ROWS["alpha"] == OptionRow(
        "alpha", "number above 0 to 1.5", True, None, "A weight on two lines."
    )


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("kind", "'a' or 'b'; default 'a'"),
        ("sizes", "list, each integer; default [1, 2]"),
        ("pair", "list of 2, each integer; default [3, 4]"),
        ("limit", "integer or null; default null"),
        ("on", "true or false; default true"),
        ("path", "path or null; default null"),
        ("anything", "anything; default null"),
        ("inner.depth", "integer from 0 below 9; default 2"),
    ],
)
def test_type_and_default_in_words(name: str, words: str) -> None:
    assert f"{ROWS[name].type}; {ROWS[name].shown_default}" == words


def test_nested_options_follow_their_parent() -> None:
    assert list(ROWS)[-2:] == ["inner", "inner.depth"]

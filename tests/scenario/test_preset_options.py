from __future__ import annotations

from typing import Literal

import pytest
from pydantic import ValidationError

from cilsim.options import PresetOptions, descriptions


class Lengths(PresetOptions):
    """A preset and two lengths."""

    presets = {"short": {"base": 1, "later": 1}, "long": {"base": 100}}

    preset: Literal["short", "long"] | None = None
    """Defaults of the others."""
    base: int = 10
    """Length of the base."""
    later: int = 10
    """Length of later ones."""


@pytest.mark.parametrize(
    ("given", "found"),
    [
        ({}, (10, 10)),
        ({"preset": "short"}, (1, 1)),
        ({"preset": "long"}, (100, 10)),
        ({"preset": "short", "later": 7}, (1, 7)),
    ],
    ids=["no preset", "whole", "in part", "what is set comes first"],
)
def test_a_preset_gives_what_is_not_set(given: dict[str, object], found: tuple[int, int]) -> None:
    options = Lengths.model_validate(given)
    assert (options.base, options.later) == found


def test_the_preset_that_is_the_default_counts_when_none_is_named() -> None:
    class Short(Lengths):
        preset: Literal["short", "long"] | None = "short"

    assert (Short().base, Short(base=3).later) == (1, 1)


@pytest.mark.parametrize("given", [{"preset": "longer"}, {"preset": ["short"]}, ["short"]])
def test_what_is_no_preset_is_refused_and_fills_nothing(given: object) -> None:
    with pytest.raises(ValidationError) as refused:
        Lengths.model_validate(given)
    assert len(refused.value.errors()) == 1


def test_presets_are_no_option() -> None:
    assert list(descriptions(Lengths)) == ["preset", "base", "later"]
    assert "presets" not in Lengths.model_json_schema()["properties"]

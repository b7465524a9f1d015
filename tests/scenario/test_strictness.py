"""A stranger's options model with validators of its own loses neither strictness nor its lists."""

from __future__ import annotations

import enum
import json
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BeforeValidator, Field, ValidationError, WrapValidator, model_validator

from cilsim.options import Options
from cilsim.scenario.explain import validate
from cilsim.scenario.findings import Findings
from cilsim.scenario.origin import Origin
from cilsim.scenario.strictness import fill
from cilsim.scenario.yaml_source import parse


class Colour(enum.Enum):
    RED = "red"


class Part(Options):
    sides: tuple[int, ...] = ()


class Whole(Options):
    preset: str = "none"
    whole: int = 0
    share: Annotated[float, Field(le=1.0)] = 0.0
    claim: bool = False
    sizes: tuple[int, ...] = ()
    names: frozenset[str] = frozenset()
    where: Path = Path("x")
    colour: Colour = Colour.RED
    part: Part = Part()
    parts: tuple[Part, ...] = ()
    table: dict[str, tuple[float, float]] = Field(default={})
    either: Literal["all"] | tuple[int, ...] | Part = "all"

    @model_validator(mode="before")
    @classmethod
    def _presets(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("preset") == "three":
            return {"sizes": [1, 2, 3], **given}
        return given

    @model_validator(mode="after")
    def _few(self) -> Whole:
        if self.whole > 9:
            raise ValueError("'whole' has one digit")
        return self


def one_or_more(given: Any) -> Any:
    return [given] if isinstance(given, int) else given


class ByField(Options):
    sizes: Annotated[tuple[int, ...], BeforeValidator(one_or_more)] = ()
    wrapped: Annotated[tuple[int, ...], WrapValidator(lambda given, inner: inner(given))] = ()
    seed: int = Field(default=0, alias="start")


def told(model: type[Options], text: str) -> list[str]:
    findings = Findings()
    node = parse(Origin("f.yaml", text, Path()), findings)
    assert node is not None
    validate(model, node, findings)
    return [
        f"{finding.mark.where}: {finding.path}: {finding.message}" for finding in findings.found
    ]


@pytest.mark.parametrize(
    ("key", "written", "value"),
    [
        ("sizes", [1, 2], (1, 2)),
        ("names", ["a", "b"], frozenset({"a", "b"})),
        ("where", "folder/file", Path("folder/file")),
        ("colour", "red", Colour.RED),
        ("part", {"sides": [3]}, Part(sides=(3,))),
        ("parts", [{"sides": [3]}, {}], (Part(sides=(3,)), Part())),
        ("table", {"a": [0, 0.5]}, {"a": (0.0, 0.5)}),
        ("either", [4], (4,)),
        ("either", {"sides": [4]}, Part(sides=(4,))),
    ],
    ids=["tuple", "set", "path", "enum", "model", "models", "mapping", "union", "union of models"],
)
def test_what_json_has_no_form_for_is_read_below_a_before_validator(key, written, value):
    filled = fill(Whole, json.dumps({key: written}))
    assert getattr(filled, key) == value
    assert filled == Whole(**{key: value})
    assert filled.model_fields_set == {key}


def test_a_before_validator_may_put_lists_in():
    assert fill(Whole, '{"preset": "three"}').sizes == (1, 2, 3)


def test_validators_of_single_fields_are_no_obstacle():
    filled = fill(ByField, '{"sizes": 5, "wrapped": [6], "start": 7}')
    assert filled == ByField(sizes=(5,), wrapped=(6,), start=7)
    assert fill(ByField, '{"sizes": [5, 6]}').sizes == (5, 6)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("whole: '1'", "f.yaml:1:8: whole: expected an integer, found the text '1'"),
        ("whole: 1.0", "f.yaml:1:8: whole: expected an integer, found 1.0"),
        ("whole: true", "f.yaml:1:8: whole: expected an integer, found true"),
        ("share: '1'", "f.yaml:1:8: share: expected a number, found the text '1'"),
        ("share: 2", "f.yaml:1:8: share: must be at most 1, found 2"),
        ("claim: 1", "f.yaml:1:8: claim: expected true or false, found 1"),
        ("sizes: 12", "f.yaml:1:8: sizes: expected a list, found 12"),
        ("sizes: [1, '2']", "f.yaml:1:12: sizes.1: expected an integer, found the text '2'"),
        ("names: [1]", "f.yaml:1:9: names.0: expected text, found 1; put it in quotes"),
        ("where: 1", "f.yaml:1:8: where: expected a path, found 1"),
        ("colour: blue", "f.yaml:1:9: colour: expected 'red', found 'blue'"),
        ("part: 1", "f.yaml:1:7: part: expected a mapping, found 1"),
        ("part: {sides: [x]}", "f.yaml:1:16: part.sides.0: expected an integer, found 'x'"),
        ("part: {side: [1]}", "f.yaml:1:8: part.side: unknown key; did you mean 'sides'?"),
        ("either: {side: 1}", "f.yaml:1:10: either.side: unknown key; did you mean 'sides'?"),
        (
            "either: some",
            "f.yaml:1:9: either: expected 'all', a list or a mapping, found 'some'",
        ),
        (
            "sice: [1]",
            "f.yaml:1:1: sice: unknown key; did you mean 'sizes'?",
        ),
        ("whole: 10", "f.yaml:1:1: : 'whole' has one digit"),
    ],
)
def test_nothing_is_taken_for_something_else_below_a_before_validator(text, message):
    assert told(Whole, text) == [message]


def test_a_model_without_such_validators_is_asked_itself():
    assert fill(Part, '{"sides": [1]}') == Part(sides=(1,))
    with pytest.raises(ValidationError):
        fill(Part, '{"sides": ["1"]}')

from __future__ import annotations

import enum
from pathlib import Path
from typing import Annotated, Literal

import pytest
from pydantic import AfterValidator, BaseModel, Field, model_validator
from pydantic_core import PydanticCustomError

from cilsim.errors import ScenarioError
from cilsim.options import Options
from cilsim.scenario.explain import validate
from cilsim.scenario.findings import Findings
from cilsim.scenario.origin import Origin
from cilsim.scenario.yaml_source import parse


class Colour(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Inner(Options):
    size: Annotated[int, Field(ge=1, multiple_of=2)] = 2
    rate: float | None = None


class Cat(Options):
    kind: Literal["cat"] = "cat"
    lives: int = 9


class Dog(Options):
    kind: Literal["dog"] = "dog"
    tricks: int = 0


class Everything(Options):
    whole: int = 0
    bounded: Annotated[int, Field(ge=1, le=9)] = 1
    share: Annotated[float, Field(gt=0.0, lt=1.0)] = 0.5
    claim: bool = False
    text: Annotated[str, Field(min_length=2, max_length=3, pattern="^a")] = "aa"
    choice: Literal["sgd", "adam"] = "sgd"
    only: Literal["given"] = "given"
    colour: Colour = Colour.RED
    numbers: Annotated[tuple[int, ...], Field(min_length=1, max_length=2)] = (1,)
    pair: tuple[int, int] = (1, 2)
    names: Annotated[frozenset[str], Field(min_length=2)] = frozenset()
    table: dict[Literal["a", "b"], int] = Field(default={})
    inner: Inner = Inner()
    inners: tuple[Inner, ...] = ()
    either: int | Literal["all"] | Inner = "all"
    where: Path = Path("x")
    pet: Annotated[Cat | Dog, Field(discriminator="kind")] = Cat()


class Needy(Options):
    epochs: int
    """Passes over the training samples. More is slower."""
    lr: float

    @model_validator(mode="after")
    def _consistent(self) -> Needy:
        if self.lr > self.epochs:
            raise ValueError("lr must not be above epochs")
        return self


def complaints(model: type[BaseModel], text: str) -> str:
    findings = Findings()
    node = parse(Origin("f.yaml", text, Path()), findings)
    validate(model, node, findings, reserved=("name",))
    with pytest.raises(ScenarioError) as refused:
        findings.raise_if_any()
    return "\n".join(str(problem).partition("\n")[0] for problem in refused.value.problems)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("whole: five", "f.yaml:1:8: whole: expected an integer, found 'five'"),
        ("whole: '5'", "f.yaml:1:8: whole: expected an integer, found the text '5'"),
        ("whole: 5.0", "f.yaml:1:8: whole: expected an integer, found 5.0"),
        ("whole: true", "f.yaml:1:8: whole: expected an integer, found true"),
        ("whole:", "f.yaml:1:7: whole: expected an integer, found nothing"),
        ("whole: [1]", "f.yaml:1:8: whole: expected an integer, found a list"),
        ("whole: {a: 1}", "f.yaml:1:8: whole: expected an integer, found a mapping"),
        ("bounded: 0", "f.yaml:1:10: bounded: must be at least 1, found 0"),
        ("bounded: 0x10", "f.yaml:1:10: bounded: must be at most 9, found 0x10"),
        ("share: 0", "f.yaml:1:8: share: must be greater than 0, found 0"),
        ("share: 1e0", "f.yaml:1:8: share: must be smaller than 1, found 1e0"),
        ("share: half", "f.yaml:1:8: share: expected a number, found 'half'"),
        ("share: true", "f.yaml:1:8: share: expected a number, found true"),
        ("claim: no", "f.yaml:1:8: claim: expected true or false, found the text 'no'"),
        ("claim: 'true'", "f.yaml:1:8: claim: expected true or false, found the text 'true'"),
        ("claim: 1", "f.yaml:1:8: claim: expected true or false, found 1"),
        ("text: 12", "f.yaml:1:7: text: expected text, found 12; put it in quotes"),
        ("text: [a]", "f.yaml:1:7: text: expected text, found a list"),
        ("text: a", "f.yaml:1:7: text: must be at least 2 characters, found 'a'"),
        ("text: aaaa", "f.yaml:1:7: text: must be at most 3 characters, found 'aaaa'"),
        ("text: bb", "f.yaml:1:7: text: must match the pattern ^a, found 'bb'"),
        (
            "choice: sgdd",
            "f.yaml:1:9: choice: expected one of 'sgd', 'adam', found 'sgdd'; did you mean 'sgd'?",
        ),
        ("choice: 3", "f.yaml:1:9: choice: expected one of 'sgd', 'adam', found 3"),
        ("only: estimate", "f.yaml:1:7: only: expected 'given', found 'estimate'"),
        (
            "colour: rad",
            "f.yaml:1:9: colour: expected one of 'red', 'blue', found 'rad'; did you mean 'red'?",
        ),
        ("numbers: 3", "f.yaml:1:10: numbers: expected a list, found 3"),
        ("numbers: []", "f.yaml:1:10: numbers: expected at least 1 entry, found 0"),
        ("numbers: [1, 2, 3]", "f.yaml:1:10: numbers: expected at most 2 entries, found 3"),
        ("numbers: [1, x]", "f.yaml:1:14: numbers.1: expected an integer, found 'x'"),
        ("pair: [1]", "f.yaml:1:1: pair: entry 1 is missing"),
        ("names: a", "f.yaml:1:8: names: expected a list, found 'a'"),
        ("names: [a, a]", "f.yaml:1:8: names: expected at least 2 entries, found 1"),
        ("numbers: [x]", "f.yaml:1:11: numbers.0: expected an integer, found 'x'"),
        ("table: {c: 1}", "f.yaml:1:9: table.c: expected one of 'a', 'b', found 'c'"),
        ("table: {a: x}", "f.yaml:1:12: table.a: expected an integer, found 'x'"),
        ("inner: 3", "f.yaml:1:8: inner: expected a mapping, found 3"),
        ("inner: {size: 3}", "f.yaml:1:15: inner.size: must be a multiple of 2, found 3"),
        ("inner: {rate: x}", "f.yaml:1:15: inner.rate: expected a number, found 'x'"),
        ("inner: {siz: 3}", "f.yaml:1:9: inner.siz: unknown key; did you mean 'size'?"),
        ("inners: [{}, {q: 3}]", "f.yaml:1:15: inners.1.q: unknown key; known: rate, size"),
        (
            "either: al",
            "f.yaml:1:9: either: expected an integer, 'all' or a mapping, found 'al'; did you mean "
            "'all'?",
        ),
        ("either: {size: 0}", "f.yaml:1:16: either.size: must be at least 1, found 0"),
        ("either: {sise: 2}", "f.yaml:1:10: either.sise: unknown key; did you mean 'size'?"),
        ("where: 3", "f.yaml:1:8: where: expected text, found 3; put it in quotes"),
        ("pet: {kind: cow}", "f.yaml:1:6: pet: 'kind' must be one of 'cat', 'dog', found 'cow'"),
        ("pet: {lives: 3}", "f.yaml:1:6: pet: 'kind' is missing"),
        ("pet: {kind: dog, lives: 3}", "f.yaml:1:18: pet.lives: unknown key; known: kind, tricks"),
        ("nmae: x", "f.yaml:1:1: nmae: unknown key; did you mean 'name'?"),
    ],
)
def test_errors_are_told_in_plain_sentences(text, message):
    assert complaints(Everything, text) == message


def test_missing_keys_are_told_with_their_description_at_the_section():
    assert complaints(Needy, "{}") == (
        "f.yaml:1:1: 'epochs' is missing: Passes over the training samples\n"
        "f.yaml:1:1: 'lr' is missing"
    )


def test_what_does_not_fit_together_is_told_at_the_section():
    assert complaints(Needy, "{epochs: 1, lr: 2}") == "f.yaml:1:1: lr must not be above epochs"


def test_types_without_a_sentence_here_keep_the_words_of_pydantic():
    def refuse(text: str) -> str:
        raise PydanticCustomError("own_type", "The moon is {phase}", {"phase": "new"})

    class Lunar(Options):
        name: Annotated[str, AfterValidator(refuse)]

    assert complaints(Lunar, "name: x") == "f.yaml:1:7: name: the moon is new, found 'x'"


def test_the_path_of_a_strange_key_stays_on_one_line():
    assert complaints(Inner, '"a\\nb\\e[31m": 1') == (
        "f.yaml:1:1: a b?[31m: unknown key; known: name, rate, size"
    )


def test_more_than_a_hundred_problems_are_counted():
    lines = complaints(Everything, f"inners: [{'3,' * 150}]").splitlines()
    assert len(lines) == 101
    assert lines[-1] == "f.yaml: and 50 more problems"

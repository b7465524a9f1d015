from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from cilsim.options import Options
from cilsim.registry import Entry, Owner, Registries
from cilsim.scenario.findings import Findings
from cilsim.scenario.json_schema import json_schema
from cilsim.scenario.load import load_text
from cilsim.scenario.origin import Origin
from cilsim.scenario.resolved import resolved_yaml
from cilsim.scenario.yaml_source import parse


def plain(text: str) -> Any:
    node = parse(Origin("f.yaml", text, Path()), Findings())
    assert node is not None
    return node.plain()


@pytest.fixture(scope="module")
def complaints(registries):
    schema = json_schema(registries)
    jsonschema.Draft202012Validator.check_schema(schema)
    validator = jsonschema.Draft202012Validator(schema)

    def complaints_of(text: str) -> list[tuple[str, str]]:
        errors = validator.iter_errors(plain(text))
        return sorted((".".join(map(str, error.path)), error.message) for error in errors)

    return complaints_of


def test_good_files_have_no_complaints(complaints, full, short, registries):
    assert complaints(full) == []
    assert complaints(short) == []
    assert complaints(resolved_yaml(load_text(full, "f.yaml", registries))) == []


@pytest.mark.parametrize(
    ("line", "path", "message"),
    [
        (
            "strategy: tean",
            "strategy",
            "'tean' is not one of ['gcd', 'ncm', 'nmc', 'replay', 'teen']",
        ),
        (
            "strategy: {name: teen, alpha: 3}",
            "strategy",
            "Additional properties are not allowed ('alpha' was unexpected)",
        ),
        (
            "strategy: {name: ncm, alpha: 3}",
            "strategy",
            "Additional properties are not allowed ('alpha' was unexpected)",
        ),
        (
            "strategy: {name: teen, calibration_weight: 3}",
            "strategy.calibration_weight",
            "3 is greater than the maximum of 1.0",
        ),
        ("strategy: {name: replay}", "strategy", "'memory' is a required property"),
        ("strategy: {as: x}", "strategy", "'name' is a required property"),
        ("strategy: 5", "strategy", "5 is not of type 'string', 'object'"),
        (
            "strategy: {name: nmc, calibrators: [tene]}",
            "strategy.calibrators.0",
            "'tene' is not one of ['norm', 'teen']",
        ),
        (
            "strategy: {name: nmc, as: a/b}",
            "strategy.as",
            "'a/b' does not match '^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$'",
        ),
        ("strategies: []", "strategies", "[] should be non-empty"),
        ("x: 1", "", "'strategy' is a required property"),
    ],
)
def test_a_wrong_strategy_gets_the_line_that_matters(complaints, line, path, message):
    text = f"stream: {{kind: cil, dataset: glyphs100, experiences: 5}}\n{line}\n"
    assert (path, message) in complaints(text)
    assert len(complaints(text)) == (2 if line == "x: 1" else 1)


@pytest.mark.parametrize(
    ("line", "path", "message"),
    [
        ("seed: 1", "", "Additional properties are not allowed ('seed' was unexpected)"),
        ("schema: 2", "schema", "1 was expected"),
        ("backbone: 5", "backbone", "5 is not of type 'string', 'object'"),
        ("backbone: {width: 0}", "backbone.width", "0 is less than the minimum of 1"),
        ("training: {epochs: -1}", "training.epochs", "-1 is less than the minimum of 0"),
        (
            "base_training: {optimizer: sgdd}",
            "base_training.optimizer",
            "'sgdd' is not one of ['sgd', 'adam', 'adamw']",
        ),
        ("deterministic: no", "deterministic", "'no' is not of type 'boolean'"),
    ],
)
def test_a_wrong_setting_gets_the_line_that_matters(complaints, short, line, path, message):
    assert complaints(f"{short}{line}\n") == [(path, message)]


@pytest.mark.parametrize(
    ("stream", "path", "message"),
    [
        (
            "{kind: fscil, dataset: glyphs100}",
            "stream",
            "'base_classes' is a required property",
        ),
        ("{kind: cil, experiences: 5}", "stream", "'dataset' is a required property"),
        (
            "{kind: cil, dataset: glyphs100, way: 5}",
            "stream",
            "Additional properties are not allowed ('way' was unexpected)",
        ),
        (
            "{kind: cil, dataset: {name: image_folder, root: 5}, experiences: 5}",
            "stream.dataset.root",
            "5 is not of type 'string'",
        ),
    ],
)
def test_a_wrong_stream_gets_the_line_that_matters(complaints, stream, path, message):
    assert complaints(f"stream: {stream}\nstrategy: nmc\n") == [(path, message)]


def test_options_carry_their_descriptions(registries):
    definition = json_schema(registries)["$defs"]["strategy.teen"]
    assert definition["description"] == "teen in short"
    assert definition["properties"]["calibration_weight"] == {
        "default": 0.5,
        "description": "Share of the base prototypes in a new one.",
        "maximum": 1.0,
        "minimum": 0.0,
        "title": "Calibration Weight",
        "type": "number",
    }


def test_options_that_cannot_be_had_are_left_open():
    registries = Registries()
    owner = Owner("x", "x", "1")
    registries.backbones.add(Entry("backbone", "lost", None, "cilsim_nowhere:Options", "", owner))
    schema = json_schema(registries)
    backbone = {"$ref": "#/$defs/backbone", "$defs": schema["$defs"]}
    validator = jsonschema.Draft202012Validator(backbone)
    assert validator.is_valid({"name": "lost", "depth": 3})
    assert not validator.is_valid({"name": "found", "depth": 3})


def test_strange_names_and_types_do_not_break_the_schema():
    class Recursive(Options):
        inner: tuple[Recursive, ...] = ()

    class Odd(Options):
        function: object = print
        call: Callable[[], None] | None = None

    Recursive.model_rebuild(_types_namespace={"Recursive": Recursive})
    owner = Owner("x", "x", "1")
    registries = Registries()
    for name, options in {"tv:a/b c": Recursive, "odd~1": Odd}.items():
        registries.backbones.add(Entry("backbone", name, None, options, "", owner))
    schema = json_schema(registries)
    assert sorted(key for key in schema["$defs"] if key.startswith("backbone.")) == [
        "backbone.odd_7e_1",
        "backbone.tv_3a_a_2f_b_20_c",
        "backbone.tv_3a_a_2f_b_20_c.Recursive",
    ]
    backbone = {"$ref": "#/$defs/backbone", "$defs": schema["$defs"]}
    validator = jsonschema.Draft202012Validator(backbone)
    assert validator.is_valid({"name": "tv:a/b c", "inner": [{"inner": []}]})
    assert not validator.is_valid({"name": "tv:a/b c", "inner": [{"iner": []}]})

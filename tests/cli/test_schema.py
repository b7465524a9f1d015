"""`cilsim schema`: what editors complete scenario files from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

Command = Callable[..., Any]


def test_every_shipped_scenario_fits_the_schema(cli: Command, root: Path) -> None:
    validator = Draft202012Validator(cli("schema").document())

    for path in sorted((root / "scenarios").glob("*.yaml")):
        content = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert [error.message for error in validator.iter_errors(content)] == []


@pytest.mark.parametrize("key", ["strategy", "stream"])
def test_the_schema_knows_the_options_of_plugins(cli: Command, key: str) -> None:
    definitions = cli("schema").document()["$defs"]

    expected = {"strategy": ("strategy.teen", "calibration_weight"),
                "stream": ("stream.few_shot_class_incremental", "shot")}  # fmt: skip
    definition, option = expected[key]
    assert option in definitions[definition]["properties"]

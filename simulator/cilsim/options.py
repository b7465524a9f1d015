"""What a scenario can set: typed, ranged, frozen, and unknown keys are refused."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, model_validator


class Options(BaseModel):
    """Options of a plugin: typed fields, each with a docstring below it.

    The docstrings are what `cilsim info`, the JSON Schema and messages say about an option.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class PresetOptions(Options):
    """Options with a field `preset`, the name of values that the other fields have by default.

    Attributes:
        presets: those values by field, by the name of the preset.
    """

    presets: ClassVar[Mapping[str, Mapping[str, Any]]]

    @model_validator(mode="before")
    @classmethod
    def _filled_from_the_preset(cls, given: Any) -> Any:
        if not isinstance(given, Mapping):
            return given
        name = given.get("preset", cls.model_fields["preset"].default)
        known = cls.presets.get(name, {}) if isinstance(name, str) else {}
        return {**known, **given}


@cache
def descriptions(model: type[BaseModel]) -> dict[str, str]:
    """Return what is said about each field: its `description`, or the docstring below it.

    Sources are read here and not when a model is defined, because that takes longer than all
    else that a check does.
    """
    texts: dict[str, str] = {}
    for kind in reversed(model.__mro__):
        if issubclass(kind, Options) and kind is not Options:
            texts |= _docstrings_of(kind)
    given = {name: field.description for name, field in model.model_fields.items()}
    return texts | {name: text for name, text in given.items() if text is not None}


def _docstrings_of(kind: type[Options]) -> dict[str, str]:
    try:
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(kind))).body
    except (OSError, SyntaxError, ValueError, TypeError):  # no source, as in a console
        return {}
    assert isinstance(definition, ast.ClassDef)
    texts = {}
    for line, below in zip(definition.body, definition.body[1:], strict=False):
        if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name):
            match below:
                case ast.Expr(value=ast.Constant(value=str(text))):
                    texts[line.target.id] = inspect.cleandoc(text)
    return texts

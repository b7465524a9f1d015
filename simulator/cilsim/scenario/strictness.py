"""Refuses text in place of a number, whatever validators of its own a plugin's model has.

Pydantic's strict mode on JSON takes a list for a tuple and text for a path, because JSON has
nothing else. Below a validator of mode `before` or `wrap` everything is Python objects to pydantic,
and its strict mode then asks for tuples, paths and instances, which no file can hold.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import SchemaValidator

Model = TypeVar("Model", bound=BaseModel)

INTO_PYTHON = frozenset({"function-before", "function-wrap"})
"""Parts of a schema below which values are Python objects."""

WITHOUT_JSON_FORM = frozenset(
    {
        *("tuple", "set", "frozenset", "enum", "model-fields", "dataclass", "lax-or-strict"),
        *("date", "time", "datetime", "timedelta", "uuid", "url", "decimal"),
    }
)
"""Parts whose own type a file cannot hold: of these its JSON form is taken."""

NO_SCHEMA = frozenset(
    {"cls", "config", "default", "expected", "function", "members", "metadata", "serialization"}
)
"""Keys whose content is no schema."""


def fill(model: type[Model], text: str) -> Model:
    """Return a model filled from JSON in strict mode.

    Raises:
        pydantic.ValidationError: it does not fit.
    """
    model.model_rebuild()
    validator = _validator_below_own_ones(model)
    if validator is None:
        return model.model_validate_json(text, strict=True)
    filled: Model = validator.validate_json(text)
    return filled


@cache
def _validator_below_own_ones(model: type[BaseModel]) -> SchemaValidator | None:
    """Return a validator for a model with `before` or `wrap` validators, None for any other."""
    schema = model.__pydantic_core_schema__
    if not _becomes_python(schema):
        return None
    return SchemaValidator(_strict(schema), _within(schema, "model").get("config"))


def _becomes_python(schema: Any) -> bool:
    if isinstance(schema, list | tuple):
        return any(map(_becomes_python, schema))
    if not isinstance(schema, dict):
        return False
    return schema.get("type") in INTO_PYTHON or any(
        _becomes_python(part) for key, part in schema.items() if key not in NO_SCHEMA
    )


def _strict(schema: Any) -> Any:
    """Return a core schema, or what one consists of, with strictness written into every part."""
    if isinstance(schema, list | tuple):
        return [_strict(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    found = {key: part if key in NO_SCHEMA else _strict(part) for key, part in schema.items()}
    kind = schema.get("type")
    if kind == "model":
        return _by_its_fields(found)
    if kind == "union":
        found["choices"] = list(zip(found["choices"], map(_label, schema["choices"]), strict=True))
    return found if kind is None else {**found, "strict": kind not in WITHOUT_JSON_FORM}


def _by_its_fields(model: dict[str, Any]) -> dict[str, Any]:
    """Return a schema that fills the same model without asking the model's own validator."""
    extra = model.get("config", {}).get("extra_fields_behavior", "ignore")
    fields = _within(model["schema"], "model-fields")
    fields["extra_behavior"] = extra
    function = {"type": "no-info", "function": _maker(model["cls"])}
    named = {"ref": model["ref"]} if "ref" in model else {}
    return {"type": "function-after", "function": function, "schema": model["schema"], **named}


def _maker(model: type[BaseModel]) -> Callable[[Any], BaseModel]:
    def make(filled: tuple[dict[str, Any], dict[str, Any] | None, set[str]]) -> BaseModel:
        fields, extra, given = filled
        return model.model_construct(given, **fields, **(extra or {}))

    return make


def _label(choice: Any) -> str:
    """Return what errors call a choice of a union: the model's name, else the type."""
    if isinstance(choice, list | tuple):
        return str(choice[1])
    model = _within(choice, "model")
    return str(model["cls"].__name__ if "cls" in model else choice["type"])


def _within(schema: Any, kind: str) -> dict[str, Any]:
    """Return the part of a kind that a schema wraps, itself if it is one, empty without any."""
    while schema.get("type") != kind:
        if "schema" not in schema:
            return {}
        schema = schema["schema"]
    found: dict[str, Any] = schema
    return found

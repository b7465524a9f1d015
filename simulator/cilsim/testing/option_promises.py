"""The promise about options: a user finds out what each is without reading code."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import ValidationError

from cilsim.option_schema import DescribedSchema
from cilsim.options import Options
from cilsim.testing.trial import Trial
from cilsim.testing.verdicts import Broken

Schema = Mapping[str, Any]
LIMITS = frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "enum", "const"})


def documents_its_options(trial: Trial) -> str:
    """Return how many options there are, each described, with a default and a range."""
    model = trial.subject.entry.option_model()
    rows = list(option_schemas(model))
    complaints = [f"'{name}' {what}" for name, field in rows for what in _missing(field)]
    complaints += _refused_defaults(model)
    if complaints:
        raise Broken("; ".join(complaints))
    number = "1 option" if len(rows) == 1 else f"{len(rows)} options"
    return f"{number} with description, type and default" if rows else "no options"


def option_schemas(options: type[Options]) -> Iterator[tuple[str, Schema]]:
    """Return name and JSON Schema of each option of a model, without those nested in others."""
    schema = options.model_json_schema(schema_generator=DescribedSchema)
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield name, {**field, "required": name in required}


def _refused_defaults(options: type[Options]) -> Iterator[str]:
    """Say which defaults a scenario could not set, because they break the option's own rules."""
    for name, field in options.model_fields.items():
        if field.is_required():
            continue
        default = field.get_default(call_default_factory=True)
        try:
            options.model_validate({name: default})
        except ValidationError as error:
            if any(one["loc"][:1] == (name,) for one in error.errors()):
                yield f"'{name}' has the default {default!r}, which it refuses"


def _missing(field: Schema) -> Iterator[str]:
    if not str(field.get("description", "")).strip():
        yield "has no description"
    if field["required"]:
        yield "has no default"
    if not any(_says_type(branch) for branch in _branches(field)):
        yield "has no type"
    if any(_is_unbounded(branch) for branch in _branches(field)):
        yield "is a number without a range"


def _branches(field: Schema) -> list[Schema]:
    return list(field.get("anyOf", [field]))


def _says_type(branch: Schema) -> bool:
    return bool({"type", "$ref", "enum", "const", "allOf", "oneOf"} & set(branch))


def _is_unbounded(branch: Schema) -> bool:
    return branch.get("type") in ("integer", "number") and not LIMITS & set(branch)

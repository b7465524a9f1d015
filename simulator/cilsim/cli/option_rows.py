"""What `info` says about options: type, range, default and description of every field."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from cilsim.option_schema import DescribedSchema
from cilsim.options import Options

Schema = Mapping[str, Any]
_TYPES = {
    "integer": "integer", "number": "number", "string": "text", "boolean": "true or false",
    "null": "null", "array": "list", "object": "mapping",
}  # fmt: skip


@dataclass(frozen=True)
class OptionRow:
    """One option.

    Attributes:
        name: dotted path within the options.
        type: type and range in words.
        required: whether it has no default.
        default: as written in a scenario; None if there is none, so see `required`.
        description: what it does.
    """

    name: str
    type: str
    required: bool
    default: Any
    description: str

    @property
    def shown_default(self) -> str:
        """The default as `info` prints it."""
        if self.required:
            return "required"
        text = f"'{self.default}'" if isinstance(self.default, str) else json.dumps(self.default)
        return f"default {text}"


def option_rows(options: type[Options]) -> list[OptionRow]:
    """Return the options of a model in its order, those of nested models after their parent."""
    schema = options.model_json_schema(schema_generator=DescribedSchema)
    return list(_rows(schema, schema.get("$defs", {}), ""))


def _rows(model: Schema, definitions: Schema, prefix: str) -> Iterator[OptionRow]:
    required = model.get("required", ())
    for name, field in model.get("properties", {}).items():
        yield OptionRow(
            name=prefix + name,
            type=in_words(field, definitions),
            required=name in required,
            default=field.get("default"),
            description=" ".join(str(field.get("description", "")).split()),
        )
        for nested in _models_in(field, definitions):
            yield from _rows(nested, definitions, f"{prefix}{name}.")


def in_words(field: Schema, definitions: Schema) -> str:
    """Return the type of a field and its range, such as `number from 0 to 1`."""
    if "$ref" in field:
        return in_words(_resolve(field, definitions), definitions)
    if "anyOf" in field:
        return " or ".join(in_words(branch, definitions) for branch in field["anyOf"])
    if "const" in field:
        return f"'{field['const']}'"
    if "enum" in field:
        return " or ".join(f"'{value}'" for value in field["enum"])
    if "prefixItems" in field:
        inner = in_words(field["prefixItems"][0], definitions)
        return f"list of {len(field['prefixItems'])}, each {inner}"
    if field.get("type") == "array":
        return f"list, each {in_words(field.get('items', {}), definitions)}"
    if field.get("format") == "path":
        return "path"
    word = _TYPES.get(str(field.get("type")), "anything")
    return f"{word}{_range(field)}"


def _range(field: Schema) -> str:
    bounds = [
        ("from", field.get("minimum")),
        ("above", field.get("exclusiveMinimum")),
        ("to", field.get("maximum")),
        ("below", field.get("exclusiveMaximum")),
    ]
    return "".join(
        f" {word} {str(bound).removesuffix('.0')}" for word, bound in bounds if bound is not None
    )


def _models_in(field: Schema, definitions: Schema) -> list[Schema]:
    branches = [field, *field.get("anyOf", ())]
    models = [_resolve(branch, definitions) for branch in branches if "$ref" in branch]
    return [model for model in models if "properties" in model]


def _resolve(field: Schema, definitions: Schema) -> Schema:
    found: Schema = definitions[str(field["$ref"]).rpartition("/")[2]]
    return found

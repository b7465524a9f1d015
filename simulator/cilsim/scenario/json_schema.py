"""The scenario file as a JSON Schema for editors, with the options of all that is installed."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import JsonSchemaValue, JsonSchemaWarningKind

from cilsim.errors import PluginError
from cilsim.option_schema import DescribedSchema
from cilsim.registry import Entry, Registries, Registry
from cilsim.scenario.explain import first_sentence
from cilsim.scenario.file_model import DEFAULT_BACKBONE, ScenarioFile
from cilsim.scenario.schema import NAME_PATTERN

DIALECT = "https://json-schema.org/draft/2020-12/schema"

Schema = dict[str, Any]


def json_schema(registries: Registries) -> Schema:
    """Return the schema (draft 2020-12) of scenario files.

    What is named decides which options a section may have, by `if name = x then $ref`: validators
    then print the one line that matters, which they cannot for alternatives in `oneOf`.
    """
    definitions: Schema = {}
    core = _hoisted(ScenarioFile, "core", definitions)
    sections = _Sections(definitions)
    sections.add("calibrator", registries.calibrators)
    sections.add("dataset", registries.datasets)
    sections.add("backbone", registries.backbones, default=DEFAULT_BACKBONE)
    sections.add("strategy", registries.strategies, _strategy_keys())
    definitions["stream"] = sections.stream(registries.streams)
    _insert_sections(core["properties"])
    return {
        "$schema": DIALECT,
        **core,
        "required": ["stream"],
        "if": {"required": ["strategies"]},
        "then": {"not": {"required": ["strategy"]}},
        "else": {"required": ["strategy"]},
        "$defs": dict(sorted(definitions.items())),
    }


class _Sections:
    """Adds to the definitions one schema per section, and one per thing that it may name."""

    def __init__(self, definitions: Schema) -> None:
        self.definitions = definitions

    def add(
        self, section: str, registry: Registry, keys: Schema | None = None, default: str = ""
    ) -> None:
        """Define a section that is a name, or a mapping with `name` and options."""
        names = list(registry.names())
        name = {"enum": names, "description": f"Name of the {registry.kind}"}
        properties = {"name": name, **(keys or {})}
        mapping: Schema = {
            "properties": properties,
            "allOf": [
                self.option_rule(section, entry, "name", list(properties), default)
                for entry in registry
            ],
        }
        self.definitions[section] = {
            "type": ["string", "object"],
            "if": {"type": "string"},
            "then": {"enum": names},
            "else": mapping if default else {"required": ["name"], **mapping},
        }

    def stream(self, registry: Registry) -> Schema:
        """Return the schema of the section `stream`."""
        kind = {"enum": list(registry.names()), "description": "Kind of the stream"}
        keys = {"kind": kind, "dataset": _reference("dataset")}
        rules = [self.option_rule("stream", entry, "kind", list(keys)) for entry in registry]
        return {
            "type": "object",
            "required": ["kind", "dataset"],
            "properties": keys,
            "allOf": rules,
        }

    def option_rule(
        self, section: str, entry: Entry, key: str, keys: Sequence[str], default: str = ""
    ) -> Schema:
        """Return `if` the section names the entry `then` it has that entry's options.

        Args:
            section: prefix of the definition that holds the options.
            entry: what may be named.
            key: the key that names it.
            keys: keys of the section besides options; the section itself says what they hold.
            default: the name that stands in where there is none.
        """
        definition = f"{section}.{_safe(entry.name)}"
        options = self._options(entry, definition)
        options["description"] = entry.summary or first_sentence(options.get("description"))
        options["properties"] = {**dict.fromkeys(keys, True), **options.get("properties", {})}
        self.definitions[definition] = options
        names = [entry.name, *entry.aliases]
        condition: Schema = {"type": "object", "properties": {key: {"enum": names}}}
        if default not in names:
            condition["required"] = [key]
        return {"if": condition, "then": _reference(definition)}

    def _options(self, entry: Entry, definition: str) -> Schema:
        try:
            model = entry.option_model()
        except PluginError:  # of a stranger: the schema of all others is still wanted
            return {}
        return _hoisted(model, definition, self.definitions)


class _Lenient(DescribedSchema):
    """Leaves open what a plugin declares and JSON Schema cannot say."""

    def emit_warning(self, kind: JsonSchemaWarningKind, detail: str) -> None:
        """Say nothing: the author of the plugin is not the one who asked."""

    def handle_invalid_for_json_schema(self, schema: Any, error_info: str) -> JsonSchemaValue:
        """Accept anything."""
        return {}


def _hoisted(model: type[BaseModel], prefix: str, definitions: Schema) -> Schema:
    """Return the schema of a model, its inner models moved to the definitions."""
    template = f"#/$defs/{prefix}.{{model}}"
    schema = model.model_json_schema(ref_template=template, schema_generator=_Lenient)
    inner = schema.pop("$defs", {})
    definitions.update({f"{prefix}.{name}": definition for name, definition in inner.items()})
    if "$ref" in schema:  # a model that contains itself
        schema = dict(definitions[schema["$ref"].removeprefix("#/$defs/")])
    schema.pop("title", None)
    return schema


def _insert_sections(properties: Schema) -> None:
    """Put the sections into the properties of the whole file, keeping their descriptions."""
    several = {"type": "array", "items": _reference("strategy"), "minItems": 1}
    sections = {
        "stream": _reference("stream"),
        "backbone": {**_reference("backbone"), "default": DEFAULT_BACKBONE},
        "strategy": _reference("strategy"),
        "strategies": several,
        "calibrators": _calibrators(),
    }
    for key, schema in sections.items():
        properties[key] = {"description": properties[key]["description"], **schema}


def _strategy_keys() -> Schema:
    label = {
        "type": "string",
        "pattern": f"^{NAME_PATTERN}$",
        "description": "Label that names the folder of this strategy",
    }
    calibrators = {**_calibrators(), "description": "Calibrators in place of the shared ones"}
    return {"as": label, "calibrators": calibrators}


def _calibrators() -> Schema:
    return {"type": "array", "items": _reference("calibrator")}


def _reference(definition: str) -> Schema:
    return {"$ref": f"#/$defs/{definition}"}


def _safe(name: str) -> str:
    """Return a name that needs no escape in a reference."""
    return re.sub(r"[^A-Za-z0-9_-]", lambda found: f"_{ord(found[0]):x}_", name)

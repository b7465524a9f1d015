"""The JSON Schema of options, with the docstrings of their fields as descriptions."""

from __future__ import annotations

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from cilsim.options import descriptions


class DescribedSchema(GenerateJsonSchema):
    """Pydantic's generator, which by itself knows docstrings only of models that read them."""

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model with a description of each property."""
        found = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        texts = descriptions(model)
        for name, field in model.model_fields.items():
            described = found.get("properties", {}).get(field.alias or name)
            if described is not None and name in texts:
                described.setdefault("description", texts[name])
        return found

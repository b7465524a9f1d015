"""What a scenario can set: typed, ranged, frozen, and unknown keys are refused."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict


class Options(BaseModel):
    """Options of a plugin; declare each as a typed field with `pydantic.Field(description=...)`."""

    model_config = ConfigDict(extra="forbid", frozen=True, use_attribute_docstrings=True)

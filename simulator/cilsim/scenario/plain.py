"""A checked scenario as plain data: what it is written back from, hashed and compared by."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic_core import to_jsonable_python

from cilsim.scenario.explain import key_of
from cilsim.scenario.schema import SCHEMA, ClassOrder, NamedChoice, Scenario, StrategyChoice


def plain_scenario(scenario: Scenario) -> dict[str, Any]:
    """Return every value of a scenario, defaults included, in the order of the documentation."""
    return {
        "schema": SCHEMA,
        "name": scenario.name,
        "description": scenario.description,
        "stream": {
            "kind": scenario.stream.kind,
            "dataset": _named(scenario.stream.dataset),
            **plain(scenario.stream.options),
        },
        "class_order": _class_order(scenario.class_order),
        "backbone": _named(scenario.backbone),
        "head": plain(scenario.head),
        "strategies": [_strategy(strategy) for strategy in scenario.strategies],
        "seeds": list(scenario.seeds),
        "base_training": plain(scenario.base_training),
        "training": plain(scenario.training),
        "evaluate": plain(scenario.evaluate),
        "deterministic": scenario.deterministic,
        "data_on_device": scenario.data_on_device,
        "threads": scenario.threads,
        "checkpoints": plain(scenario.checkpoints),
        "published": plain(scenario.published),
    }


def plain(value: Any) -> Any:
    """Return a value as dict, list and scalars, sets in a fixed order."""
    if isinstance(value, BaseModel):
        fields = type(value).model_fields.items()
        return {key_of(name, field): plain(getattr(value, name)) for name, field in fields}
    if isinstance(value, Mapping):
        return {str(plain(key)): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if isinstance(value, set | frozenset):
        return sorted((plain(one) for one in value), key=repr)
    if isinstance(value, Path):
        return str(value)
    return to_jsonable_python(value)


def _named(choice: NamedChoice) -> dict[str, Any]:
    return {"name": choice.name, **plain(choice.options)}


def _strategy(choice: StrategyChoice) -> dict[str, Any]:
    return {
        "name": choice.name,
        "as": choice.label,
        "calibrators": [_named(calibrator) for calibrator in choice.calibrators],
        **plain(choice.options),
    }


def _class_order(order: ClassOrder) -> Any:
    if order.is_natural:
        return "natural"
    return {key: value for key, value in plain(order).items() if value is not None}

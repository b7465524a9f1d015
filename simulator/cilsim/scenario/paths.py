"""Makes relative paths in options absolute: against the scenario's folder, or where they exist."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel

from cilsim.scenario.explain import key_of
from cilsim.scenario.nodes import Node

Model = TypeVar("Model", bound=BaseModel)


def resolve_paths(options: Model, node: Node) -> Model:
    """Return the options with every path that the user wrote made absolute.

    A path is looked up in the folder of the scenario file, then in the current folder; if it is in
    neither, the first is kept, for the owner of the option to complain about. Paths of an override
    are looked up in the current folder. `~` is the home folder. Defaults stay as they are.
    """
    changed: dict[str, Any] = {}
    for name, field in type(options).model_fields.items():
        child = node.child(key_of(name, field))
        if child is not None:
            value = getattr(options, name)
            resolved = _resolve(value, child)
            if resolved is not value:
                changed[name] = resolved
    return options.model_copy(update=changed) if changed else options


def absolute(path: Path, folder: Path) -> Path:
    """Return where a path leads that was written in a file of `folder`."""
    wanted = os.path.expanduser(path)
    first = os.path.abspath(os.path.join(folder, wanted))
    second = os.path.abspath(wanted)
    return Path(second if not os.path.exists(first) and os.path.exists(second) else first)


def _resolve(value: Any, node: Node) -> Any:
    if isinstance(value, Path):
        return absolute(value, node.mark.origin.folder)
    if isinstance(value, BaseModel):
        return resolve_paths(value, node)
    if isinstance(value, tuple | list) and node.is_list and len(value) == len(node.items):
        resolved = [_resolve(one, item) for one, item in zip(value, node.items, strict=True)]
        unchanged = all(new is old for new, old in zip(resolved, value, strict=True))
        return value if unchanged else type(value)(resolved)
    if isinstance(value, Mapping):
        pairs = {key: (one, node.child(str(key))) for key, one in value.items()}
        resolved_by_key = {
            key: one if child is None else _resolve(one, child)
            for key, (one, child) in pairs.items()
        }
        unchanged = all(resolved_by_key[key] is one for key, (one, _) in pairs.items())
        return value if unchanged else resolved_by_key
    return value

"""The combinations of a sweep's `set:`, and what each is called."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from hashlib import sha256
from itertools import product
from typing import Any

from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import abbreviate

MOST_CHARACTERS = 100
"""Longest name of a run folder."""
_PLAIN = re.compile(r"[A-Za-z0-9.]{1,24}")
_HASH_DIGITS = 8


@dataclass(frozen=True)
class Setting:
    """One value of one key, with the node that it is written as."""

    key: str
    node: Node

    @property
    def value(self) -> Any:
        """The value as plain data."""
        return self.node.plain()

    @property
    def text(self) -> str:
        """The value as JSON, which YAML reads alike."""
        return json.dumps(self.value, sort_keys=True)

    @property
    def override(self) -> str:
        """The text of the override that sets it."""
        return f"{self.key}={self.text}"

    @property
    def place(self) -> str:
        """What complaints about the override call the place that it came from."""
        return f"--set {abbreviate(self.override, 100)}"


Variant = tuple[Setting, ...]
"""One combination, in the order of the file."""


def variants(grid: Node | None) -> list[Variant]:
    """Return every combination of the values in `set:`, the last key varied first."""
    fields = {} if grid is None else grid.fields
    varied = [[Setting(key, node) for node in _values(node)] for key, node in fields.items()]
    return list(product(*varied))


def cell_name(scenario: str, variant: Variant, strategy: str, seed: int) -> str:
    """Return the name of the run folder of one cell, which depends on nothing but the cell.

    Values that make no good part of a name, and long names, are told apart by a hash.
    """
    plain = all(_PLAIN.fullmatch(_shown(setting)) for setting in variant)
    head = "--".join((scenario, *map(_part, variant)))
    tail = f"--{strategy}--seed-{seed}"
    if plain and len(head + tail) <= MOST_CHARACTERS:
        return head + tail
    settings = json.dumps([[setting.key, setting.text] for setting in variant])
    digits = sha256(f"{scenario}\n{settings}\n{strategy}".encode()).hexdigest()[:_HASH_DIGITS]
    tail = f"--{strategy[:24]}--seed-{seed}-{digits}"
    return head[: MOST_CHARACTERS - len(tail)].rstrip("-._") + tail


def combination_in(name: str, strategy: str, seed: int) -> str:
    """Return the part of a cell's name that its scenario and its options make up.

    A hash at the end of a long name stays, as it tells options, and strategies, apart.
    """
    found = re.fullmatch(rf"(.+)--seed-{seed}(-[0-9a-f]{{{_HASH_DIGITS}}})?", name)
    if found is None:
        return name
    return found[1] + found[2] if found[2] else found[1].removesuffix(f"--{strategy}")


def _values(node: Node) -> tuple[Node, ...]:
    return node.items if node.is_list else (node,)


def _part(setting: Setting) -> str:
    """Return a key and its value as part of a name, such as `stream.shot-5`."""
    return re.sub(r"[^A-Za-z0-9.]+", "-", f"{setting.key}-{_shown(setting)}"[:48])


def _shown(setting: Setting) -> str:
    return str(setting.value) if isinstance(setting.value, str) else setting.text

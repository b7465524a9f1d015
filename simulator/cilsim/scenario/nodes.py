"""The tree of values that a scenario is written as, each with its marks and its path."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from cilsim.scenario.origin import Mark, abbreviate
from cilsim.scenario.scalars import Scalar, looks_like_other_than_text


@dataclass(frozen=True)
class Node:
    """One value.

    Attributes:
        value: a scalar, a tuple of nodes, or nodes by key.
        path: keys and indices from the top, as the user wrote them.
        mark: where the value stands.
        key_mark: where its key stands, for values of mappings.
        text: a scalar as written.
    """

    value: Scalar | tuple[Node, ...] | Mapping[str, Node]
    path: tuple[str, ...]
    mark: Mark
    key_mark: Mark | None = field(default=None)
    text: str = ""

    @property
    def dotted(self) -> str:
        """The path as shown to the user."""
        return ".".join(self.path)

    @property
    def section_mark(self) -> Mark:
        """Where to point at when something inside is missing: the key if there is one."""
        return self.key_mark or self.mark

    @property
    def fields(self) -> Mapping[str, Node]:
        """The nodes by key; empty if this is no mapping."""
        return self.value if isinstance(self.value, Mapping) else {}

    @property
    def items(self) -> tuple[Node, ...]:
        """The nodes of a list; empty if this is no list."""
        return self.value if isinstance(self.value, tuple) else ()

    @property
    def is_mapping(self) -> bool:
        """Whether this is a mapping."""
        return isinstance(self.value, Mapping)

    @property
    def is_list(self) -> bool:
        """Whether this is a list."""
        return isinstance(self.value, tuple)

    def child(self, part: str | int) -> Node | None:
        """Return the value of a key or an index, or None."""
        if isinstance(part, str):
            return self.fields.get(part)
        return self.items[part] if 0 <= part < len(self.items) else None

    def with_field(self, key: str, value: Node) -> Node:
        """Return this mapping with one key set."""
        return replace(self, value={**self.fields, key: value})

    def with_item(self, index: int, value: Node) -> Node:
        """Return this list with one entry replaced."""
        return replace(self, value=(*self.items[:index], value, *self.items[index + 1 :]))

    def without(self, keys: Collection[str]) -> Node:
        """Return this mapping without some of its keys."""
        kept = {key: node for key, node in self.fields.items() if key not in keys}
        return replace(self, value=kept)

    def plain(self) -> Any:
        """Return the value as dict, list and scalars."""
        if self.is_mapping:
            return {key: node.plain() for key, node in self.fields.items()}
        if self.is_list:
            return [node.plain() for node in self.items]
        return self.value

    def found(self) -> str:
        """Return how a message names the value: `5`, `'five'`, `the text 'no'`, `a list`."""
        if self.is_mapping or self.is_list:
            return "a mapping" if self.is_mapping else "a list"
        if self.value is None:
            return "nothing"
        if isinstance(self.value, str):
            quoted = f"'{abbreviate(self.value)}'"
            return f"the text {quoted}" if looks_like_other_than_text(self.value) else quoted
        return abbreviate(self.text)

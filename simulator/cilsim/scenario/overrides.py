"""Applies `--set key.path=value` to a scenario whose short forms are written out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.origin import Mark, Origin, abbreviate
from cilsim.scenario.short_forms import write_out
from cilsim.scenario.yaml_source import MOST_LEVELS, parse


@dataclass(frozen=True)
class Override:
    """One override: where it goes and the value, whose marks name the override."""

    path: tuple[str, ...]
    value: Node

    @property
    def mark(self) -> Mark:
        """What complaints about it point at."""
        return Mark(self.value.mark.origin)


class _Refused(Exception):
    """The path of an override leads nowhere."""


def read_overrides(texts: Sequence[str], findings: Findings) -> list[Override]:
    """Return the overrides that can be read; the others are complained about."""
    read = (_read(text, rank, findings) for rank, text in enumerate(texts, 1))
    return [override for override in read if override is not None]


def apply_overrides(root: Node, overrides: Sequence[Override], findings: Findings) -> Node:
    """Return the scenario with every override applied, in order."""
    for override in overrides:
        try:
            changed = _apply(root, override)
        except _Refused as refusal:
            findings.add(override.mark, ".".join(override.path), str(refusal))
            continue
        root = write_out(changed, findings)
    return root


def _read(text: str, rank: int, findings: Findings) -> Override | None:
    key, equals, value = text.partition("=")
    name = f"--set {abbreviate(text, 100)}"
    path = tuple(part.strip() for part in key.split("."))
    if not equals or not all(path) or not key.isprintable() or len(path) > MOST_LEVELS:
        origin = Origin(name, "", Path(), rank)
        findings.add(Mark(origin), "", "expected key.path=value, such as training.lr=0.05")
        return None
    node = parse(Origin(name, value, Path(), rank), findings, path)
    return None if node is None else Override(path, node)


def _apply(root: Node, override: Override) -> Node:
    path = override.path
    if path == ("strategy",):
        return root.without(["strategies"]).with_field("strategy", override.value)
    if path == ("strategies",):
        return root.without(["strategy"]).with_field("strategies", override.value)
    if path[0] == "strategy":
        path = ("strategies", _only_strategy(root, path), *path[1:])
        root = _with_a_strategy(root, override)
    return _set(root, path, override)


def _only_strategy(root: Node, path: tuple[str, ...]) -> str:
    listed = root.child("strategies")
    if listed is not None and len(listed.items) > 1:
        suggestion = ".".join(("strategies", "0", *path[1:]))
        raise _Refused(f"{len(listed.items)} strategies are listed; say which, as {suggestion}")
    return "0"


def _with_a_strategy(root: Node, override: Override) -> Node:
    listed = root.child("strategies")
    if listed is not None and listed.items:
        return root
    empty = Node({}, ("strategy",), override.mark)
    return root.with_field("strategies", replace(empty, value=(empty,)))


def _set(node: Node, rest: tuple[str, ...], override: Override) -> Node:
    """Return `node` with the value put at the path `rest` below it."""
    if not rest:
        return override.value
    part, *later = rest
    if node.is_list:
        index = _index(node, part)
        return node.with_item(index, _set(node.items[index], tuple(later), override))
    if not node.is_mapping and node.value is not None:
        raise _Refused(f"'{node.dotted}' is {node.found()}, which holds nothing named '{part}'")
    depth = len(override.path) - len(later)
    below = node.child(part) or Node(None, override.path[:depth], override.mark)
    base = node if node.is_mapping else Node({}, node.path, override.mark)
    return base.with_field(part, _set(below, tuple(later), override))


def _index(node: Node, part: str) -> int:
    count = len(node.items)
    if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < count:
        return int(part)
    if count == 0:
        raise _Refused(f"'{node.dotted}' is an empty list")
    raise _Refused(f"'{node.dotted}' has entries 0 to {count - 1}, found '{part}'")

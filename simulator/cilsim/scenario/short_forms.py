"""Writes short forms out: `backbone: small` becomes a mapping, `strategy` a list of one.

After this every section that names something registered is a mapping with `name`, so that overrides
and checks meet one form only. Marks and paths stay those of what the user wrote.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from cilsim.scenario.file_model import DEFAULT_BACKBONE
from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node

Change = Callable[[Node], Node]


def write_out(root: Node, findings: Findings) -> Node:
    """Return the scenario with all short forms written out; done twice, it changes nothing."""
    root = _one_list_of_strategies(root, findings)
    if "backbone" not in root.fields:
        root = root.with_field(
            "backbone", replace(root, value=DEFAULT_BACKBONE, path=("backbone",))
        )
    root = _within(root, "backbone", _named_backbone)
    root = _within(root, "stream", lambda stream: _within(stream, "dataset", named))
    root = _within(root, "calibrators", _each(named))
    return _within(root, "strategies", _each(_strategy))


def named(node: Node) -> Node:
    """Return a mapping with `name` if the node is a mere name, else the node."""
    return replace(node, value={"name": node}) if isinstance(node.value, str) else node


def _named_backbone(node: Node) -> Node:
    node = named(node)
    if node.is_mapping and "name" not in node.fields:
        return node.with_field("name", replace(node, value=DEFAULT_BACKBONE))
    return node


def _strategy(node: Node) -> Node:
    return _within(named(node), "calibrators", _each(named))


def _one_list_of_strategies(root: Node, findings: Findings) -> Node:
    single = root.child("strategy")
    if single is None or single.value is None:
        return root
    several = root.child("strategies")
    if several is not None and several.value is not None:
        message = "give either 'strategy' or 'strategies', not both"
        findings.add(single.section_mark, "strategy", message)
        return root.without(["strategy"])
    listed = replace(single, value=(single,))
    return root.without(["strategy"]).with_field("strategies", listed)


def _within(node: Node, key: str, change: Change) -> Node:
    child = node.child(key)
    return node if child is None else node.with_field(key, change(child))


def _each(change: Change) -> Change:
    def change_all(node: Node) -> Node:
        return replace(node, value=tuple(map(change, node.items))) if node.is_list else node

    return change_all

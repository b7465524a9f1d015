"""The resolved form of a scenario: as YAML, as a hash, and what differs between two of them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Set
from hashlib import sha256
from pathlib import Path
from typing import Any

import yaml

from cilsim.scenario.findings import Findings
from cilsim.scenario.origin import Origin
from cilsim.scenario.plain import plain_scenario
from cilsim.scenario.scalars import looks_like_other_than_text
from cilsim.scenario.schema import Scenario
from cilsim.scenario.yaml_source import parse

STRATEGIES = "strategies"
NO_INFLUENCE = ("name", "description", "data_on_device", "checkpoints", "published")
"""Keys that change no result; neither the hash nor the comparison looks at them."""

HASH_LINE = "# hash: "
ABSENT = "(absent)"
UNUSUAL_BREAK = re.compile("[\r\x85\u2028\u2029]")


def resolved_yaml(scenario: Scenario) -> str:
    """Return YAML with every value, defaults included, that loads to the same scenario.

    The first lines are comments; one of them holds the hash, see `hash_in`.
    """
    head = (
        f"# every value of this scenario, defaults included\n{HASH_LINE}{scenario_hash(scenario)}\n"
    )
    return head + yaml.dump(
        plain_scenario(scenario),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        default_flow_style=False,
        width=1000,
    )


def scenario_hash(scenario: Scenario) -> str:
    """Return the SHA-256, as hexadecimal text, over all that influences the results.

    Paths count as text, absolute: the content of files does not count.
    """
    content = plain_scenario(scenario)
    for key in NO_INFLUENCE:
        del content[key]
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def hash_in(resolved_text: str) -> str | None:
    """Return the hash noted in a text of `resolved_yaml`, or None if there is none."""
    for line in resolved_text.splitlines():
        if line.startswith(HASH_LINE):
            return line.removeprefix(HASH_LINE).strip()
    return None


def difference(old_resolved_text: str, new_resolved_text: str) -> list[str]:
    """Return one line per value that influences results and differs: `training.lr: 0.1 -> 0.05`.

    Strategies are told by label; of one that only one text has, no values are listed.

    Raises:
        ScenarioError: a text is not YAML.
    """
    sides = _content(old_resolved_text, "old"), _content(new_resolved_text, "new")
    shared = set.intersection(*(set(_by_label(side.get(STRATEGIES))) for side in sides))
    old, new = (_flat(side, shared) for side in sides)
    return [
        f"{path}: {old.get(path, ABSENT)} -> {new.get(path, ABSENT)}"
        for path in dict.fromkeys((*old, *new))
        if old.get(path, ABSENT) != new.get(path, ABSENT)
    ]


def _content(text: str, name: str) -> dict[str, Any]:
    """Return what a resolved text says, without what changes no result."""
    findings = Findings()
    root = parse(Origin(f"{name} resolved scenario", text, Path()), findings)
    findings.raise_if_any()
    content = root.plain() if root is not None and root.is_mapping else {}
    return {key: value for key, value in content.items() if key not in NO_INFLUENCE}


def _flat(content: Mapping[str, Any], labels: Set[str]) -> dict[str, str]:
    """Return every value, as shown to the user, by dotted path; strategies of these labels."""
    flat: dict[str, str] = {}
    for key, value in content.items():
        sections = _by_label(value) if key == STRATEGIES else {}
        if not sections:
            flat |= {path: _shown(one) for path, one in _leaves(value, key)}
            continue
        flat[key] = ", ".join(sections)
        shared = [(label, one) for label, one in sections.items() if label in labels]
        for label, section in shared:
            leaves = _leaves(section, f"{key}.{label}")
            flat |= {path: _shown(one) for path, one in leaves}
    return flat


def _by_label(strategies: Any) -> dict[str, Any]:
    """Return the strategies of a resolved text by label; nothing if it is another text."""
    if not isinstance(strategies, list) or not all(isinstance(one, dict) for one in strategies):
        return {}
    return {str(one.get("as", one.get("name"))): one for one in strategies}


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    """Yield scalars and lists of scalars with their dotted path."""
    inner: list[tuple[Any, Any]] = []
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list) and any(isinstance(one, dict | list) for one in value):
        inner = list(enumerate(value))
    if not inner:
        yield path, value
    for key, one in inner:
        yield from _leaves(one, f"{path}.{key}" if path else str(key))


def _shown(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


class _Dumper(yaml.SafeDumper):
    """Writes what the scenario reader reads back: no aliases, quotes around doubtful text."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "'" if looks_like_other_than_text(text) else None
    if UNUSUAL_BREAK.search(text):  # PyYAML would write some of them as they are and lose them
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _list(dumper: yaml.SafeDumper, values: list[Any]) -> yaml.SequenceNode:
    scalars = not any(isinstance(value, dict | list) for value in values)
    return dumper.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=scalars)


_Dumper.add_representer(str, _text)
_Dumper.add_representer(list, _list)

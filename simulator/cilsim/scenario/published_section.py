"""Checks the section `published`: labels, counts of values, and the settings that entries name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from cilsim.naming import did_you_mean
from cilsim.options import Options
from cilsim.scenario.findings import Findings
from cilsim.scenario.nodes import Node
from cilsim.scenario.published import Published, has_setting, setting_at
from cilsim.scenario.stream_options import StreamOptions

Complaint = tuple[tuple[str, ...], str]
"""Keys below the entry, and what is wrong there."""


def check_published(
    root: Node,
    entries: Sequence[Published],
    content: Mapping[str, Any],
    options: Options,
    findings: Findings | None,
) -> tuple[Published, ...]:
    """Return the entries that fit the scenario, after complaining about the others.

    Args:
        root: the scenario.
        entries: the section, each entry right in itself.
        content: the resolved scenario as plain data.
        options: those of the stream kind.
        findings: receives the complaints; None where overrides may have taken away what an entry
            is about, which is no mistake in the file.
    """
    listed = root.child("published")
    if listed is None:
        return ()
    fitting = []
    for node, entry in zip(listed.items, entries, strict=True):
        complaints = _complaints(entry, content, known_experiences(options))
        if findings is not None:
            for keys, message in complaints:
                _complain(node, keys, message, findings)
        if not complaints:
            fitting.append(entry)
    return tuple(fitting)


def known_experiences(options: Options) -> int | None:
    """Return how many experiences a stream has if its options say so without the data set."""
    return options.experience_count() if isinstance(options, StreamOptions) else None


def _complaints(
    entry: Published, content: Mapping[str, Any], experiences: int | None
) -> list[Complaint]:
    labels = [strategy["as"] for strategy in content["strategies"]]
    found: list[Complaint] = []
    if entry.strategy not in labels:
        message = (
            f"no strategy is labelled '{entry.strategy}'{did_you_mean(entry.strategy, labels)}"
        )
        found.append((("strategy",), message))
    count = len(entry.values or ())
    meant = entry.holds_for(content)  # an entry for a variant has as many values as that has
    if meant and count and experiences is not None and count != experiences:
        message = f"expected one value for each of the {experiences} experiences, found {count}"
        found.append((("values",), message))
    for key in entry.when:
        if not has_setting(content, key):
            found.append((("when", key), f"the scenario has no '{key}'{_near(content, key)}"))
    return found


def _near(content: Mapping[str, Any], key: str) -> str:
    """Return which key of the same section looks most like a missing one, or what there is."""
    section = key.rpartition(".")[0]
    around = setting_at(content, section) if section else content
    if not isinstance(around, Mapping):
        return ""
    return did_you_mean(key, [f"{section}.{name}" if section else name for name in around])


def _complain(entry: Node, keys: Sequence[str], message: str, findings: Findings) -> None:
    node = entry
    for key in keys:
        node = node.child(key) or node
    findings.add(node.mark, node.dotted, message)

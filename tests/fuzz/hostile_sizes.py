"""Texts as large as a scenario may be, and larger; run as a script it measures loading them.

    python tests/fuzz/hostile_sizes.py FOLDER [NAME...]

prints as JSON the processor seconds of each, whether it was refused with its place, and the largest
memory in use, in bytes. FOLDER takes the files.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

LIMIT = 256 * 1024
HEAD = "stream: {kind: class_incremental, dataset: glyphs100, experiences: 5}\n"
NMC = HEAD + "strategy: nmc\n"


def filled(head: str, unit: str, tail: str = "") -> str:
    """Return `unit` again and again between `head` and `tail`, up to the limit."""
    return head + unit * ((LIMIT - len(head) - len(tail)) // len(unit)) + tail


def numbered(head: str, unit: str, tail: str = "") -> str:
    """Return `unit` with ascending numbers, up to the limit."""
    parts, length, count = [], len(head) + len(tail), 0
    while length + len(part := unit.replace("#", str(count))) <= LIMIT:
        parts.append(part)
        length, count = length + len(part), count + 1
    return head + "".join(parts) + tail


def texts() -> Mapping[str, str]:
    """Return the texts by name."""
    return {
        "brackets": "[" * 100_000,
        "braces": "{" * 100_000,
        "mappings": "{a: " * 50_000,
        "dashes": "- " * 100_000,
        "questions": "? " * 100_000,
        "steps": "".join(f"{' ' * level}a:\n" for level in range(700)),
        "lists": filled("x: [", "[],", "]"),
        "numbers": numbered(NMC + "seeds: [", "#,", "]"),
        "orders": numbered(NMC + "class_order: {list: [", "#,", "]}"),
        "milestones": numbered(NMC + "training: {schedule: step, milestones: [", "#,", "]}"),
        "keys": numbered("", "key#: 1\n"),
        "one key": filled("", "a: 1\n"),
        "wrong keys": filled("", "1: 1\n"),
        "list keys": filled("", "[a]: 1\n"),
        "merge keys": filled("", "<<: {a: 1}\n"),
        "names": filled(HEAD + "strategies: [", "nmx,", "]"),
        "options": filled(HEAD + "strategies:\n", "- {name: nmc, a: 1}\n"),
        "labels": numbered(HEAD + "strategies:\n", "- {name: nmc, as: a#}\n"),
        "few labels": numbered(HEAD + "strategies:\n", "- {name: nmc, as: a#}\n", "#" * 225_000),
        "calibrators": filled(NMC + "calibrators: [", "teen,", "]"),
        "published": filled(
            NMC + "published:\n", "- {strategy: nmx, metric: b, value: 1, source: x}\n"
        )[:120_000],
        "conditions": numbered(
            NMC + "published:\n- {strategy: nmc, metric: b, value: 1, source: x, when: {",
            "k#: 1,",
            "}}",
        )[:60_000]
        + "}}",
        "stages": filled(
            "strategy: nmc\nstream:\n  kind: mixed\n  dataset: glyphs100\n  stages:\n",
            "  - {classes: 1}\n",
        ),
        "domains": numbered(
            "strategy: nmc\nstream: {kind: domain_incremental, dataset: glyphs100, domains: [",
            "d#,",
            "]}",
        )[:50_000]
        + "]}",
        "anchors": filled("[", "&a 1,", "]"),
        "aliases": filled("[", "*a,", "]"),
        "bomb": "".join(f"a{i}: &a{i} [{f'*a{i - 1},' * 9}]\n" for i in range(99)),
        "tags": filled("[", "!!x 1,", "]"),
        "long tag": filled("!", "a"),
        "escaped tag": filled("!<", "%41", ">"),
        "long word": filled("", "a"),
        "long key": filled("", "a", ": 1"),
        "long quote": filled('"', "a", '"'),
        "escapes": filled('"', "\\n", '"'),
        "wrong escapes": filled("[", '"\\0",', "]"),
        "infinities": filled("[", ".inf,", "]"),
        "digits": filled("a: ", "9"),
        "fraction": filled("a: 0.", "9"),
        "exponent": filled("a: 1e", "9"),
        "hexadecimal": filled("a: 0x", "f"),
        "words": filled("a: ", "b "),
        "lines": filled("a: ", "b\n "),
        "literal": filled("a: |\n", " b\n"),
        "folded": filled("a: >\n", " b\n\n"),
        "breaks": filled("", "\n"),
        "returns": filled("", "\r"),
        "separators": filled("", "\u2028"),
        "blanks": filled("", " "),
        "tabs": filled("", "\t"),
        "comments": filled("", "#\n"),
        "quotes": filled("", "'"),
        "colons": filled("", ": "),
        "documents": filled("", "---\n"),
        "directives": numbered("", "%TAG !a#! b\n"),
        "wide": "a: " + "名" * (LIMIT // 3 - 3),
        "surrogates": "a: \udc80",
        "path": filled(
            "strategy: nmc\nstream: {kind: cil, dataset: {name: image_folder, path: ", "a/", "}}"
        ),
        "10 MB": "# a comment\n" * (10 * 1024 * 1024 // 12),
        "10 MB line": "a" * (10 * 1024 * 1024),
        "10 MB quote": '"' + "\\u0041" * (10 * 1024 * 1024 // 6),
    }


def measured(folder: Path, names: list[str]) -> dict[str, Any]:
    """Return processor seconds by name, what was not refused with its place, and peak memory."""
    from hostile_scenarios import NAME, check_refusal

    from cilsim.errors import ScenarioError
    from cilsim.plugins import discover
    from cilsim.scenario.load import load_scenario

    registries = discover().registries
    seconds: dict[str, float] = {}
    accepted = []
    path = folder / NAME
    for name, text in texts().items():
        if names and name not in names:
            continue
        path.write_bytes(text.encode("utf-8", "surrogateescape"))
        del text
        begin = time.process_time()
        try:
            load_scenario(Path(NAME), registries)
            accepted.append(name)
        except ScenarioError as error:
            check_refusal(error)
        seconds[name] = time.process_time() - begin
    return {"seconds": seconds, "accepted": accepted, "peak_bytes": peak_bytes()}


def peak_bytes() -> int:
    """Return the largest memory that this process had in use.

    Linux counts what the process before `exec` had in `ru_maxrss`, so the kernel is asked.
    """
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) * 1024


if __name__ == "__main__":
    os.chdir(sys.argv[1])
    sys.stdout.write(json.dumps(measured(Path(), sys.argv[2:])))

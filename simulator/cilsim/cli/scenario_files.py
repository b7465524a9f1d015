"""The scenario files of a folder, told from their text alone."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cilsim.cli.catalogue import Row
from cilsim.errors import ScenarioError
from cilsim.scenario.findings import Findings
from cilsim.scenario.origin import Origin
from cilsim.scenario.reading import read_text
from cilsim.scenario.yaml_source import parse


def scenarios_in(folder: Path) -> list[Row]:
    """Return one row per YAML file below `folder`; its name is the path, as `run` wants it."""
    files = sorted(path for path in folder.rglob("*.yaml") if path.is_file())
    return [Row(path.as_posix(), _summary(path), "") for path in files]


def _summary(path: Path) -> str:
    findings = Findings()
    try:
        root = parse(Origin(str(path), read_text(path), path.parent), findings)
        findings.raise_if_any()
    except ScenarioError as error:
        return f"cannot be read: {error.problems[0].message}"
    content = None if root is None else root.plain()
    stream = content.get("stream") if isinstance(content, dict) else None
    if not isinstance(content, dict) or not isinstance(stream, dict):
        return "no scenario"
    names = ", ".join(_strategy_names(content))
    return f"{stream.get('kind', '?')} on {_name(stream.get('dataset'))}: {names}"


def _strategy_names(content: dict[str, Any]) -> list[str]:
    several = content.get("strategies")
    listed = several if isinstance(several, list) else [content.get("strategy")]
    return [_name(strategy) for strategy in listed]


def _name(choice: object) -> str:
    """Return the name in `name` or `{name: name, ...}`."""
    return str(choice.get("name", "?") if isinstance(choice, dict) else choice or "?")

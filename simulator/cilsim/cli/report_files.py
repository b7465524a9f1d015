"""Writes `report.md` and `report.html` of a run folder."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError
from cilsim.records import RunResult
from cilsim.report.html import report_html
from cilsim.report.markdown import report_markdown
from cilsim.results.manifest import read_manifest
from cilsim.results.run_folder import RunFolder
from cilsim.results.sealed_folder import SealedFolder

_STAMPED = {"scenario_hash": "scenario", "data_digest": "data", "device": "device"}
_MACHINE = ("python", "platform", "cpu", "threads")


def write_reports(folder: Path, results: Sequence[RunResult]) -> None:
    """Write the reports over finished runs of one scenario.

    Raises:
        RunFolderError: the folder cannot be written.
        CheckpointError: a file that the reports need is missing or damaged.
    """
    stamps, names = stamps_of(folder), strategy_names(folder)
    try:
        page = report_html(results, folder.name, stamps, names, versions_of(folder))
    except CheckpointError as error:
        command = shlex.join(["cilsim", "resume", str(folder)])
        raise CheckpointError(f"{error}; rebuild it with: {command}") from error
    with SealedFolder(folder).changes() as changes:
        changes.write("report.md", report_markdown(results, folder.name, stamps, names).encode())
        changes.write("report.html", page.encode())


def strategy_names(folder: Path) -> dict[str, str]:
    """Return the strategy name of each label, as the folder's scenario says."""
    import yaml

    scenario = yaml.safe_load(RunFolder(folder).resolved_text)
    return {choice.get("as", choice["name"]): choice["name"] for choice in scenario["strategies"]}


def stamps_of(folder: Path) -> dict[str, str]:
    """Return what a reader of a report must know besides the stream, by name."""
    found = read_manifest(folder) or {}
    stamps = {shown: str(found[key]) for key, shown in _STAMPED.items() if found.get(key)}
    packages = found.get("packages", {})
    stamps |= {name: str(packages[name]) for name in ("cilsim", "torch") if name in packages}
    notes = [str(stamp) for stamp in found.get("protocol_stamps", ())]
    return stamps | ({"notes": "; ".join(notes)} if notes else {})


def versions_of(folder: Path) -> dict[str, str]:
    """Return versions of packages and plugins, and the machine, by name."""
    found: dict[str, Any] = read_manifest(folder) or {}
    plugins = {
        f"plugin {plugin['name']}": f"{plugin['distribution']} {plugin['version']}"
        for plugin in found.get("plugins", ())
    }
    machine = {key: str(found[key]) for key in _MACHINE if found.get(key)}
    return {**machine, **found.get("packages", {}), **plugins}

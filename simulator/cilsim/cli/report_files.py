"""Writes `report.md` and `report.html` of a run folder."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from cilsim.records import RunResult
from cilsim.report.html import report_html
from cilsim.report.markdown import report_markdown
from cilsim.results.atomic import write_text
from cilsim.results.manifest import read_manifest

_STAMPED = {"scenario_hash": "scenario", "data_digest": "data", "device": "device"}


def write_reports(folder: Path, results: Sequence[RunResult]) -> None:
    """Write the reports over finished runs of one scenario.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    stamps = stamps_of(folder)
    write_text(folder / "report.md", report_markdown(results, folder.name, stamps))
    write_text(folder / "report.html", report_html(results, folder.name, stamps))


def stamps_of(folder: Path) -> dict[str, str]:
    """Return what a reader of a report must know besides the stream, by name."""
    found = read_manifest(folder) or {}
    stamps = {shown: str(found[key]) for key, shown in _STAMPED.items() if found.get(key)}
    packages = found.get("packages", {})
    stamps |= {name: str(packages[name]) for name in ("cilsim", "torch") if name in packages}
    notes = [str(stamp) for stamp in found.get("protocol_stamps", ())]
    return stamps | ({"notes": "; ".join(notes)} if notes else {})

"""Writes `report.md` and `report.html` into a run folder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from cilsim.records import RunResult
from cilsim.report.html import report_html
from cilsim.report.markdown import report_markdown
from cilsim.results.atomic import write_text

MARKDOWN = "report.md"
HTML = "report.html"


def write_reports(
    folder: Path,
    results: Sequence[RunResult],
    title: str,
    stamps: Mapping[str, str] | None = None,
) -> tuple[Path, Path]:
    """Write both reports and return their paths.

    Args:
        folder: the run folder of the scenario.
        results: its finished runs.
        title: name of the scenario.
        stamps: further facts about the protocol by name, such as versions and hashes.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    paths = folder / MARKDOWN, folder / HTML
    write_text(paths[0], report_markdown(results, title, stamps))
    write_text(paths[1], report_html(results, title, stamps))
    return paths

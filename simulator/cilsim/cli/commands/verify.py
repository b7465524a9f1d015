"""`cilsim verify`: whether every file of a run is what was written."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option
from cilsim.cli.settings import shared_options
from cilsim.errors import RunFailed
from cilsim.results.integrity import STATES, Finding, check_run
from cilsim.results.run_folder import RunFolder

COLOURS = {"damaged": "red", "missing": "red", "unfinished": "yellow"}


@click.command("verify")
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=FILE)
@json_option
@shared_options
def verify(folders: Sequence[Path], as_json: bool) -> int:
    """Say whether stored runs are what was written.

    Every file is compared with its checksum. Files that are damaged, missing or unfinished are
    listed, and files that are not cilsim's. The exit code is 1 if something is damaged or missing.
    """
    opened = [RunFolder.open_existing(folder) for folder in folders]
    found = {folder.path: check_run(folder) for folder in opened}
    if as_json:
        write_json([_document(path, findings) for path, findings in found.items()])
    else:
        for path, findings in found.items():
            _tell(path, findings)
    harmed = any(finding.harm for findings in found.values() for finding in findings)
    return RunFailed.exit_code if harmed else 0


def _document(path: Path, findings: Sequence[Finding]) -> dict[str, Any]:
    return {
        "folder": str(path),
        **_counts(findings),
        "files": [asdict(finding) for finding in findings if finding.state != "intact"],
    }


def _counts(findings: Sequence[Finding]) -> dict[str, int]:
    counted = Counter(finding.state for finding in findings)
    return {state: counted[state] for state in STATES}


def _tell(path: Path, findings: Sequence[Finding]) -> None:
    for finding in findings:
        if finding.state != "intact":
            state = click.style(f"{finding.state:<10}", fg=COLOURS.get(finding.state))
            click.echo(f"{state}  {finding.file}  {finding.detail}".rstrip())
    counts = _counts(findings)
    told = [f"{number} {state}" for state, number in counts.items() if number or state == "intact"]
    helps = any(finding.harm or finding.state == "unfinished" for finding in findings)
    hint = f"; rebuild with: {shlex.join(['cilsim', 'resume', str(path)])}" if helps else ""
    click.echo(f"{path}: {', '.join(told)}{hint}")

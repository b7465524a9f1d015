"""`cilsim doctor`: whether this machine can run scenarios, line by line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from cilsim.cli.examination import Finding, examine
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option
from cilsim.cli.settings import settings_of, shared_options
from cilsim.errors import CilsimError

COLOURS = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command("doctor")
@click.option("--out", default="runs", type=FILE, show_default=True, help="Folder of all runs.")
@json_option
@shared_options
@click.pass_context
def doctor(context: click.Context, out: Path, as_json: bool) -> int:
    """Check that this machine is ready.

    Each line says ok, warn or fail. The exit code is 2 if something prevents running.
    """
    findings = examine(out)
    settings_of(context).warnings.clear()  # broken plugins have a line of their own
    if as_json:
        write_json([asdict(finding) for finding in findings])
    else:
        _write(findings)
    failed = any(finding.state == "fail" for finding in findings)
    return CilsimError.exit_code if failed else 0


def _write(findings: Sequence[Finding]) -> None:
    width = max(len(finding.about) for finding in findings)
    for finding in findings:
        state = click.style(f"{finding.state:<4}", fg=COLOURS[finding.state])
        click.echo(f"{state}  {finding.about:<{width}}  {finding.text}")

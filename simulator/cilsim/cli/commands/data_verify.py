"""`cilsim data verify`: whether the files of data sets are those that were published."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import click

from cilsim.cli.output import write_json
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.publications import find_publications, names_argument, root_option
from cilsim.cli.settings import shared_options
from cilsim.data.holdings import Checked, check_holdings
from cilsim.errors import RunFailed

COLOURS = {"damaged": "red", "missing": "red", "intact": "green"}


@click.command("verify")
@names_argument
@root_option
@plugin_option
@json_option
@shared_options
def verify_sets(
    names: Sequence[str], root: Path | None, plugin_files: Sequence[Path], as_json: bool
) -> int:
    """Compare the files of data sets with their published checksums.

    The exit code is 1 if a file is damaged or missing. Of folders that were unpacked, only those of
    CIFAR have published checksums.
    """
    publications = find_publications(names, root, plugin_files)
    found = {publication.name: check_holdings(publication, root) for publication in publications}
    if as_json:
        write_json(
            [
                {"name": name, "files": [asdict(file) for file in files]}
                for name, files in found.items()
            ]
        )
    else:
        for name, files in found.items():
            for file in files:
                click.echo(_line(name, file))
    harmed = any(file.harm for files in found.values() for file in files)
    return RunFailed.exit_code if harmed else 0


def _line(name: str, file: Checked) -> str:
    verdict = click.style(f"{file.verdict:<8}", fg=COLOURS.get(file.verdict))
    detail = {
        "damaged": f"md5 {file.found}, published is {file.published}; fetch it again with: "
        f"cilsim data fetch {name}",
        "unpacked": "no checksums of what it unpacks to are published",
        "unknown": f"md5 {file.found}, no checksum is published",
    }.get(file.verdict, "")
    return f"{verdict}  {name}: {file.file}  {detail}".rstrip()

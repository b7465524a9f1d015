"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import re
from pathlib import Path

import click

from cilsim.cli.settings import Decorated

MOST_SEEDS = 10_000


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the training seeds in `0,1,2`, `0-4` or `0-2,7`, in the order given."""
    seeds = [seed for part in text.split(",") for seed in _range(part.strip())]
    seen: set[int] = set()
    for seed in seeds:
        if seed in seen:
            raise click.UsageError(f"--seeds {text}: {seed} is given twice")
        seen.add(seed)
    return tuple(seeds)


def parse_labels(text: str) -> tuple[str, ...]:
    """Return names separated by commas, blanks and repetitions left out."""
    names = [name.strip() for name in text.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def _range(text: str) -> range:
    match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if last < first:
        raise click.UsageError(f"--seeds: found '{text}', expected seeds such as '0,1,2' or '0-4'")
    if last - first >= MOST_SEEDS:
        raise click.UsageError(f"--seeds: '{text}' are more than {MOST_SEEDS} seeds")
    return range(first, last + 1)


FILE = click.Path(path_type=Path)  # what is wrong with a file is told in our own words

files_argument = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=FILE)
plugin_option = click.option(
    "--plugin", "plugin_files", metavar="FILE.py", multiple=True, type=FILE,
    help="Use the plugin in this file too; may be repeated.",
)  # fmt: skip
set_option = click.option(
    "--set", "overrides", metavar="KEY=VALUE", multiple=True,
    help="Set a value of the scenario, such as stream.shot=1; may be repeated.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")


def run_options(command: Decorated) -> Decorated:
    """Add the options that say how a run is made, not what is run."""
    for decorate in (
        click.option(
            "--device", metavar="DEVICE",
            help="auto (the default), cpu, cuda, cuda:N or mps.",
        ),
        click.option(
            "--cache/--no-cache", default=True, help="Reuse base training of earlier commands.",
        ),
        click.option(
            "--tensorboard/--no-tensorboard", default=True, help="Write TensorBoard files.",
        ),
    ):  # fmt: skip
        command = decorate(command)
    return command

"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import re
from pathlib import Path

import click

from cilsim.cli.settings import Decorated
from cilsim.scenario.checkpoint_interval import interval_text

MOST_NUMBERS = 10_000


def parse_seeds(text: str) -> tuple[int, ...]:
    """Return the training seeds in `0,1,2`, `0-4` or `0-2,7`, in the order given."""
    return numbers_in(text, "--seeds", "seeds")


def numbers_in(text: str, option: str, noun: str) -> tuple[int, ...]:
    """Return the numbers in `0,1,2`, `0-4` or `0-2,7`, in the order given."""
    parts = (_range(part.strip(), option, noun) for part in text.split(","))
    numbers = [number for part in parts for number in part]
    seen: set[int] = set()
    for number in numbers:
        if number in seen:
            raise click.UsageError(f"{option} {text}: {number} is given twice")
        seen.add(number)
    return tuple(numbers)


def parse_labels(text: str) -> tuple[str, ...]:
    """Return names separated by commas, blanks and repetitions left out."""
    names = [name.strip() for name in text.split(",")]
    return tuple(dict.fromkeys(name for name in names if name))


def _range(text: str, option: str, noun: str) -> range:
    match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text)
    first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
    if last < first:
        raise click.UsageError(
            f"{option}: found '{text}', expected {noun} such as '0,1,2' or '0-4'"
        )
    if last - first >= MOST_NUMBERS:
        raise click.UsageError(f"{option}: '{text}' are more than {MOST_NUMBERS} {noun}")
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
processes_option = click.option(
    "--processes", type=click.IntRange(1, 1024), metavar="N",
    help="Share trainings and extraction among N processes here, a GPU for each.",
)  # fmt: skip
json_option = click.option("--json", "as_json", is_flag=True, help="Write JSON to stdout.")


def parse_interval_option(text: str) -> str:
    """Return `text` if it says how often a training is stored, such as `10m` or `5epochs`."""
    try:
        return interval_text(text)
    except ValueError as error:
        raise click.UsageError(f"--checkpoint-every: {error}") from error


def run_options(command: Decorated) -> Decorated:
    """Add the options that say how a run is made, not what is run."""
    for decorate in (
        click.option(
            "--device", metavar="DEVICE",
            help="auto (the default), cpu, cuda, cuda:N or mps.",
        ),
        click.option(
            "--cache/--no-cache", default=True,
            help="Reuse what earlier commands trained and extracted.",
        ),
        click.option(
            "--checkpoint-every", type=parse_interval_option, metavar="INTERVAL",
            help="Store each training this often, such as 90s, 10m or 5epochs.",
        ),
        click.option(
            "--tensorboard/--no-tensorboard", default=True, help="Write TensorBoard files.",
        ),
    ):  # fmt: skip
        command = decorate(command)
    return command

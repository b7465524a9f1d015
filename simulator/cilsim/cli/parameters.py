"""Options that several commands share, and the types of their values."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import click

MOST_SEEDS = 10_000


class Seeds(click.ParamType):
    """Training seeds as `0,1,2`, `0-4` or `0-2,7`."""

    name = "seeds"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """Return the seeds in the order given."""
        if isinstance(value, tuple):
            return value
        seeds = [seed for part in str(value).split(",") for seed in self._range(part.strip())]
        once: set[int] = set()
        for seed in seeds:
            if seed in once:
                raise click.UsageError(f"--seeds {value}: {seed} is given twice", ctx)
            once.add(seed)
        return tuple(seeds)

    def _range(self, text: str) -> range:
        match = re.fullmatch(r"(\d{1,18})(?:-(\d{1,18}))?", text)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first:
            raise click.UsageError(
                f"--seeds: found '{text}', expected seeds such as '0,1,2' or '0-4'"
            )
        if last - first >= MOST_SEEDS:
            raise click.UsageError(f"--seeds: '{text}' are more than {MOST_SEEDS} seeds")
        return range(first, last + 1)


class Labels(click.ParamType):
    """Names separated by commas."""

    name = "labels"

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """Return the names in the order given, blanks and repetitions left out."""
        if isinstance(value, tuple):
            return value
        names = [name.strip() for name in str(value).split(",")]
        return tuple(dict.fromkeys(name for name in names if name))


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

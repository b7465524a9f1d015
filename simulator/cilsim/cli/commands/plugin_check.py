"""`cilsim plugin check`: whether the strategies of a plugin keep what is promised for them."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import json_option, plugin_option
from cilsim.cli.settings import LOGGER, settings_of, shared_options
from cilsim.cli.streams import stdout_reserved
from cilsim.errors import RunFailed
from cilsim.plugins import Plugins

if TYPE_CHECKING:
    from cilsim.testing.verdicts import Verdict

COLOURS = {"PASS": "green", "FAIL": "red", "SKIP": "yellow"}


@click.command("check")
@click.argument("name", metavar="NAME")
@plugin_option
@json_option
@shared_options
@click.pass_context
def check(context: click.Context, name: str, plugin_files: Sequence[Path], as_json: bool) -> int:
    """Try whether a plugin keeps its promises.

    NAME is a plugin, as in `cilsim plugin list`, or a strategy. Each of its strategies and
    calibrators learns small streams for some seconds; a plugin that has hooks alone is tried
    while `nmc` learns them. The exit code is 1 if a promise is broken.
    """
    plugins = find_plugins(plugin_files)
    with _quiet(keep_lines=settings_of(context).verbose):
        found = []
        for verdict in _verdicts(name, plugins):
            found.append(verdict)
            if not as_json:
                _tell(verdict, first=len(found) == 1 or _subject(found[-2]) != _subject(verdict))
    if as_json:
        write_json([asdict(verdict) for verdict in found])
    return RunFailed.exit_code if any(one.state == "FAIL" for one in found) else 0


def _verdicts(name: str, plugins: Plugins) -> Iterator[Verdict]:
    from cilsim.testing.conformance import subjects, verdicts  # imports torch

    for subject in subjects(name, plugins):
        judged = verdicts(subject, plugins)
        while True:
            with stdout_reserved():
                verdict = next(judged, None)
            if verdict is None:
                break
            yield verdict


def _tell(verdict: Verdict, first: bool) -> None:
    if first:
        click.secho(f"{verdict.kind} {verdict.name}", bold=True)
    state = click.style(verdict.state, fg=COLOURS[verdict.state])
    advice = f"; {verdict.helps}" if verdict.helps else ""
    click.echo(f"{state}  {verdict.promise:<24}  {verdict.found}{advice}")


def _subject(verdict: Verdict) -> tuple[str, str]:
    return verdict.kind, verdict.name


@contextmanager
def _quiet(keep_lines: bool) -> Iterator[None]:
    """Keep the lines of the engine about single runs off stderr; a verdict says what matters."""
    before = LOGGER.level
    if not keep_lines:
        LOGGER.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        LOGGER.setLevel(before)

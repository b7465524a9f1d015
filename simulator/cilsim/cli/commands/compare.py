"""`cilsim compare`: strategies of one run folder or several, with statistics, without torch."""

from __future__ import annotations

import csv
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from cilsim.cli.chosen_runs import ChosenRuns, chosen_runs, finished_group, merged, unfinished_in
from cilsim.cli.discovery import find_plugins
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, plugin_option
from cilsim.cli.settings import LOGGER, settings_of, shared_options
from cilsim.plugins import Plugins
from cilsim.report.comparison import Comparison, compare
from cilsim.report.comparison_data import CSV_HEAD, comparison_document, comparison_rows
from cilsim.report.comparison_tables import comparison_table, comparison_text
from cilsim.report.entrants import Group, entrants
from cilsim.report.latex import latex_table
from cilsim.report.markdown import comparison_markdown

DEFAULT_METRIC = "A_all"
FORMATS = ("text", "markdown", "latex", "csv", "json")


@click.command("compare")
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=FILE)
@click.option(
    "--metric", "metrics", metavar="NAME", multiple=True, default=(DEFAULT_METRIC,),
    show_default=True, help="Compare by this metric after the last experience; may be repeated.",
)  # fmt: skip
@click.option(
    "--baseline", metavar="STRATEGY",
    help="Test the others against this strategy; default the best one.",
)  # fmt: skip
@click.option(
    "--format", "form", type=click.Choice(FORMATS), default="text", show_default=True,
    help="What is written to stdout.",
)  # fmt: skip
@plugin_option
@json_option
@shared_options
@click.pass_context
def compare_(
    context: click.Context,
    folders: Sequence[Path],
    metrics: Sequence[str],
    baseline: str | None,
    form: str,
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Compare strategies, with statistics.

    All runs must be on the same stream. A RUN is a run folder, or the folder of a strategy or of a
    seed in it. Strategies are paired by seed; p is corrected for many comparisons (Holm), and a
    strategy is emphasised only if it is significantly better than every other. With finetune and
    joint among them, the share of the gap that each strategy closes is given.
    """
    chosen = [chosen_runs(folder) for folder in folders]
    groups = _groups(chosen, find_plugins(plugin_files))
    settings_of(context).show_warnings()
    found = entrants(merged(groups))
    _write([compare(found, metric, baseline) for metric in metrics], "json" if as_json else form)


def _groups(chosen: Sequence[ChosenRuns], plugins: Plugins) -> list[Group]:
    groups = [finished_group(one, plugins) for one in chosen]
    for group, one in zip(groups, chosen, strict=True):
        left_out = unfinished_in(group, one)
        if left_out:
            LOGGER.warning("%s: not finished, so left out: %s", group.where, ", ".join(left_out))
    return groups


def _write(comparisons: Sequence[Comparison], form: str) -> None:
    if form == "json":
        write_json([comparison_document(comparison) for comparison in comparisons])
    elif form == "csv":
        writer = csv.writer(sys.stdout, lineterminator="\n")
        writer.writerow(CSV_HEAD)
        writer.writerows(comparison_rows(comparisons))
    else:
        tables = [comparison_table(comparison) for comparison in comparisons]
        click.echo("\n\n".join(_WRITTEN[form](table) for table in tables))


def _encoding() -> str:
    return sys.stdout.encoding or "utf-8"


_WRITTEN = {
    "text": lambda table: comparison_text(table, _encoding()),
    "markdown": comparison_markdown,
    "latex": latex_table,
}

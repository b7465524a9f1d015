"""`cilsim report`: reports made anew from stored results, without torch."""

from __future__ import annotations

import csv
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from cilsim.cli.discovery import find_plugins
from cilsim.cli.outcome_document import describe_result
from cilsim.cli.output import write_json
from cilsim.cli.parameters import FILE, json_option, plugin_option
from cilsim.cli.report_files import stamps_of, strategy_names, write_reports
from cilsim.cli.settings import settings_of, shared_options
from cilsim.cli.stored import results_in, scenario_in
from cilsim.errors import RunFolderError
from cilsim.metrics.metric_sets import METRIC_SETS
from cilsim.plugins import Plugins
from cilsim.records import RunResult
from cilsim.report.final_table import final_table
from cilsim.report.latex import latex_table
from cilsim.report.markdown import report_markdown
from cilsim.report.metric_set_table import metric_set_table, metric_set_values
from cilsim.report.statistics_tables import statistics_tables
from cilsim.results.run_folder import RunFolder
from cilsim.results.summary import write_summary

CSV_HEAD = ("scenario", "strategy", "seed", "experience", "metric", "value")


@click.command("report")
@click.argument("folders", metavar="RUN...", nargs=-1, required=True, type=FILE)
@click.option(
    "--format", "form", type=click.Choice(["text", "markdown", "latex", "csv"]), default="text",
    show_default=True, help="What is written to stdout.",
)  # fmt: skip
@click.option(
    "--metric-set", "metric_set", type=click.Choice(sorted(METRIC_SETS)), metavar="NAME",
    help="Write what another tool or paper prints, such as pycil or class-incd, to stdout.",
)  # fmt: skip
@plugin_option
@json_option
@shared_options
@click.pass_context
def report(
    context: click.Context,
    folders: Sequence[Path],
    form: str,
    metric_set: str | None,
    plugin_files: Sequence[Path],
    as_json: bool,
) -> None:
    """Rebuild the report of finished runs.

    report.md, report.html and summary.json of each run folder are written anew; the tables go to
    stdout. With latex these are tables for booktabs, the comparison of the strategies; the csv has
    one line per metric and experience, accuracies as fractions.
    """
    plugins = find_plugins(plugin_files)
    opened = [RunFolder.open_existing(folder) for folder in folders]
    found = {folder.path: _results(folder, plugins) for folder in opened}
    settings_of(context).show_warnings()
    for path, results in found.items():
        write_reports(path, results)
        write_summary(RunFolder(path), results)
    if as_json:
        write_json(
            [
                {
                    "folder": str(path),
                    "runs": [_described(result, metric_set) for result in results],
                }
                for path, results in found.items()
            ]
        )
    elif form == "csv":
        _write_csv([result for results in found.values() for result in results], metric_set)
    elif metric_set is not None:
        for path, results in found.items():
            click.echo(f"{path}\n{metric_set_table(metric_set, results, _encoding())}\n")
    else:
        for path, results in found.items():
            click.echo(_text(path, results, form))


def _results(folder: RunFolder, plugins: Plugins) -> list[RunResult]:
    results = results_in(folder, scenario_in(folder, plugins))
    if not results:
        raise RunFolderError(
            f"{folder.path}: no run is finished; go on with: cilsim resume {folder.path}"
        )
    return results


def _text(path: Path, results: Sequence[RunResult], form: str) -> str:
    names = strategy_names(path)
    if form == "markdown":
        return report_markdown(results, path.name, stamps_of(path), names).rstrip()
    if form == "latex":
        return "\n\n".join(map(latex_table, statistics_tables(results, names)))
    return f"{path}\n{final_table(results, _encoding())}\n"


def _encoding() -> str:
    return sys.stdout.encoding or "utf-8"


def _described(result: RunResult, metric_set: str | None) -> dict[str, Any]:
    values = {} if metric_set is None else {metric_set: metric_set_values(metric_set, result)}
    return {**describe_result(result), **values}


def _write_csv(results: Sequence[RunResult], metric_set: str | None) -> None:
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(CSV_HEAD)
    for result in results:
        writer.writerows(_csv_rows(result, metric_set))


def _csv_rows(result: RunResult, metric_set: str | None) -> Iterator[tuple[str | int | float, ...]]:
    run = result.run
    for evaluation in result.evaluations:
        values = evaluation.values
        if metric_set is not None:
            own = metric_set_values(metric_set, result, evaluation.experience)
            values = {f"{metric_set}/{name}": value for name, value in own.items()}
        for name, value in sorted(values.items()):
            yield run.scenario, run.strategy, run.seed, evaluation.experience, name, value

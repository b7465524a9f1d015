"""The report as one HTML file that needs nothing else: tables, charts to point at, examples."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Any

from cilsim.records import RunResult, StreamInfo
from cilsim.report.cluster_pictures import latest_cluster_picture
from cilsim.report.comparison_tables import MEAN
from cilsim.report.examples import Examples, examples_of
from cilsim.report.formatting import printable
from cilsim.report.page_data import embedded, page_data
from cilsim.report.statistics_tables import statistics_tables
from cilsim.report.summary import StrategySummary, summarise
from cilsim.report.tables import (
    comparison_heads,
    comparison_rows,
    definition_rows,
    notes,
    option_rows,
    protocol_rows,
    seeds_line,
    strategy_heads,
    strategy_rows,
)

TEMPLATE, STYLE = "report.html.j2", "report.css"
SCRIPTS = ("drawing.js", "curves.js", "matrices.js", "page.js")


@dataclass(frozen=True)
class Table:
    """Text cells; the first column is a heading."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Photograph:
    """A picture as a `data:` address with what it shows in words."""

    address: str
    caption: str


@dataclass(frozen=True)
class Section:
    """One strategy.

    Attributes:
        index: position among the strategies.
        title: its label.
        note: over which seeds.
        table: a row per experience.
        course: whether there is more than one experience to draw curves over.
        over: what the curves are means over, for captions.
        confusion_caption: what the confusion matrix shows.
        options: of the strategy, by name.
        photograph: of what was discovered.
        examples: right and wrong predictions.
    """

    index: int
    title: str
    note: str
    table: Table
    course: bool
    over: str
    confusion_caption: str
    options: Sequence[tuple[str, str]]
    photograph: Photograph | None
    examples: Examples | None


def report_html(
    results: Sequence[RunResult],
    title: str,
    stamps: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
    versions: Mapping[str, str] | None = None,
) -> str:
    """Return the whole report as HTML.

    Args:
        results: finished runs of one scenario, strategies and seeds in any number.
        title: name of the scenario.
        stamps: further facts about the protocol by name, such as hashes.
        names: strategy name by label, to find the lower and the upper bound; default the labels.
        versions: versions and machine by name.

    Raises:
        CheckpointError: a picture of a run is missing or damaged.
    """
    import jinja2

    # The template's own markup is the only one: every name and value is escaped.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["printable"] = printable
    summaries = summarise(results)
    facts = _facts(results, summaries, stamps or {}, names or {}) if summaries else {"sections": []}
    script = _script()
    return environment.from_string(_source(TEMPLATE)).render(
        title=title, finished=bool(summaries), style=_source(STYLE), script=script, mean=MEAN,
        script_hash=base64.b64encode(sha256(script.encode()).digest()).decode("ascii"),
        versions=list((versions or {}).items()), **facts,
    )  # fmt: skip


def _script() -> str:
    """Return the files as one script that leaves no name behind."""
    parts = "\n".join(map(_source, SCRIPTS))
    return f'"use strict";\n(() => {{\n{parts}}})();'


def _source(name: str) -> str:
    return files("cilsim.report").joinpath("page", name).read_text(encoding="utf-8")


def _facts(
    results: Sequence[RunResult],
    summaries: Sequence[StrategySummary],
    stamps: Mapping[str, str],
    names: Mapping[str, str],
) -> dict[str, Any]:
    stream = summaries[0].stream
    charts = page_data(results, summaries)
    several = any(len(summary.seeds) > 1 for summary in summaries)
    bands = " Bands are 95 % intervals over seeds." if several else ""
    return {
        "lead": _lead(stream, summaries),
        "protocol": protocol_rows(stream, stamps),
        "comparison": Table(comparison_heads(stream), comparison_rows(summaries)),
        "curves_caption": f"A metric after each experience, by strategy.{bands} Point at the "
        "chart, or focus it and use the arrow keys, to read values.",
        "statistics": statistics_tables(results, names) if len(summaries) > 1 else [],
        "sections": [
            _section(index, summary, results, charts["strategies"][index]["confusion"]["each"])
            for index, summary in enumerate(summaries)
        ],
        "definitions": definition_rows(stream),
        "notes": notes(stream),
        "data": embedded(charts),
    }


def _lead(stream: StreamInfo, summaries: Sequence[StrategySummary]) -> str:
    count, strategies = len(stream.experiences), len(summaries)
    return (
        f"{stream.kind.replace('_', ' ')} on {stream.dataset}, {stream.protocol}: "
        f"{count} experience{'s' * (count > 1)}, {len(stream.class_ids)} classes, "
        f"{strategies} strateg{'ies' if strategies > 1 else 'y'}"
    )


def _section(
    index: int, summary: StrategySummary, results: Sequence[RunResult], classes_in_a_cell: int
) -> Section:
    own = [result for result in results if result.run.strategy == summary.strategy]
    first = own[0]
    return Section(
        index=index,
        title=summary.strategy,
        note=seeds_line(summary),
        table=Table(strategy_heads(summary.stream), strategy_rows(summary)),
        course=len(summary.stream.experiences) > 1,
        over=f", mean over {len(own)} seeds" if len(own) > 1 else "",
        confusion_caption=_confusion_caption(first, classes_in_a_cell),
        options=option_rows(first.run),
        photograph=_clusters(first),
        examples=examples_of(first),
    )


def _confusion_caption(result: RunResult, each: int) -> str:
    matched = " after matching clusters to classes" if result.run.stream.discovery else ""
    shared = f" There are too many classes to draw: {each} consecutive ones share a cell."
    return (
        f"Confusion{matched} after the last experience, seed {result.run.seed}."
        f"{shared if each > 1 else ''}"
    )


def _clusters(result: RunResult) -> Photograph | None:
    latest = latest_cluster_picture(result)
    if latest is None:
        return None
    experience, address = latest
    return Photograph(
        address,
        f"What experience {experience} discovered, seed {result.run.seed}: first unlabelled "
        "samples of each new cluster, and the class that it was matched to.",
    )

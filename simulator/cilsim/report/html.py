"""The report as one HTML file that needs nothing else: tables, inline SVG, light and dark."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from cilsim.records import FloatArray, RunResult, StreamInfo
from cilsim.report.canvas import as_svg
from cilsim.report.cluster_pictures import latest_cluster_picture
from cilsim.report.figures import forgetting_curves, strategy_comparison
from cilsim.report.formatting import printable
from cilsim.report.matrices import accuracy_matrix, confusion_matrix
from cilsim.report.summary import StrategySummary, columns, summarise
from cilsim.report.tables import (
    comparison_heads,
    comparison_rows,
    definition_rows,
    notes,
    protocol_rows,
    seeds_line,
    strategy_heads,
    strategy_rows,
)

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TEMPLATE = "report.html.j2"


@dataclass(frozen=True)
class Table:
    """Text cells; the first column is a heading."""

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class Drawing:
    """An inline SVG with what it shows in words."""

    svg: str
    caption: str


@dataclass(frozen=True)
class Photograph:
    """A picture as a `data:` address with what it shows in words."""

    address: str
    caption: str


@dataclass(frozen=True)
class Section:
    """One strategy."""

    title: str
    note: str
    table: Table
    drawings: Sequence[Drawing]
    photograph: Photograph | None = None


def report_html(
    results: Sequence[RunResult], title: str, stamps: Mapping[str, str] | None = None
) -> str:
    """Return the whole report as HTML.

    Args:
        results: finished runs of one scenario, strategies and seeds in any number.
        title: name of the scenario.
        stamps: further facts about the protocol by name, such as versions and hashes.
    """
    import jinja2

    # The template's own markup is the only one: every name and value is escaped.
    environment = jinja2.Environment(
        autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["printable"] = printable
    source = files("cilsim.report").joinpath(TEMPLATE).read_text(encoding="utf-8")
    summaries = summarise(results)
    facts = _facts(results, summaries, stamps or {}) if summaries else {}
    return environment.from_string(source).render(title=title, finished=bool(summaries), **facts)


def mean_matrix(results: Sequence[RunResult]) -> FloatArray:
    """Return (T, T) the mean over seeds of the last accuracy matrix, NaN where any is."""
    stacked_STT = np.stack([result.evaluations[-1].accuracy_matrix for result in results])
    mean_TT: FloatArray = stacked_STT.mean(axis=0)
    return mean_TT


def _facts(
    results: Sequence[RunResult],
    summaries: Sequence[StrategySummary],
    stamps: Mapping[str, str],
) -> dict[str, object]:
    stream = summaries[0].stream
    return {
        "protocol": protocol_rows(stream, stamps),
        "comparison": Table(comparison_heads(stream), comparison_rows(summaries)),
        "comparison_drawing": _comparison(results, summaries),
        "sections": [_section(summary, results) for summary in summaries],
        "definitions": definition_rows(stream),
        "notes": notes(stream),
    }


def _comparison(results: Sequence[RunResult], summaries: Sequence[StrategySummary]) -> Drawing:
    stream, shown = summaries[0].stream, columns(summaries[0].stream)
    second = shown[1] if stream.repeats_classes else shown[2]
    metrics = [shown[0].metric, second.metric]
    also = "its average so far" if stream.repeats_classes else f"on {second.heading} ones"
    bands = "; bands are 95 % intervals over seeds" if len(summaries[0].seeds) > 1 else ""
    return _drawing(
        strategy_comparison(results, metrics),
        f"Accuracy on all classes ({metrics[0]}) and {also} ({metrics[1]}) after each "
        f"experience{bands}.",
    )


def _section(summary: StrategySummary, results: Sequence[RunResult]) -> Section:
    own = [result for result in results if result.run.strategy == summary.strategy]
    mean_TT = mean_matrix(own)
    over = f", mean over {len(own)} seeds" if len(own) > 1 else ""
    return Section(
        title=summary.strategy,
        note=seeds_line(summary),
        table=Table(strategy_heads(summary.stream), strategy_rows(summary)),
        drawings=[*_course(mean_TT, over), *_confusion(own[0], summary.stream)],
        photograph=_clusters(own[0]),
    )


def _course(mean_TT: FloatArray, over: str) -> list[Drawing]:
    """Return the pictures that need more than one experience to say anything."""
    if len(mean_TT) < 2:
        return []
    return [
        _drawing(
            forgetting_curves(mean_TT),
            f"Forgetting curves: accuracy on the test part of each experience{over}.",
        ),
        _drawing(accuracy_matrix(mean_TT), f"Accuracy matrix{over}."),
    ]


def _confusion(result: RunResult, stream: StreamInfo) -> list[Drawing]:
    """Return what discovered clusters are confused with, after matching."""
    if not stream.discovery:
        return []
    counts = result.evaluations[-1].confusion
    caption = f"Confusion after matching clusters to classes, seed {result.run.seed}."
    return [_drawing(confusion_matrix(counts, stream), caption)]


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


def _drawing(figure: Figure, caption: str) -> Drawing:
    return Drawing(as_svg(figure), caption)

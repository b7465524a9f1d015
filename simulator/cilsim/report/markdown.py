"""The report as Markdown, from stored results only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cilsim.records import RunResult, StreamInfo
from cilsim.report.comparison_tables import MEAN, ComparisonTable
from cilsim.report.formatting import printable
from cilsim.report.statistics_tables import statistics_tables
from cilsim.report.summary import summarise
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

_SPECIAL = re.compile(r"[\\`*\[\]|#~]|(?<!\w)_|_(?!\w)")


def report_markdown(
    results: Sequence[RunResult],
    title: str,
    stamps: Mapping[str, str] | None = None,
    names: Mapping[str, str] | None = None,
) -> str:
    """Return the whole report: stamps, comparisons, one table per strategy, definitions.

    Args:
        results: finished runs of one scenario, strategies and seeds in any number.
        title: name of the scenario.
        stamps: further facts about the protocol by name, such as versions and hashes.
        names: strategy name by label, to find the lower and the upper bound; default the labels.
    """
    summaries = summarise(results)
    sections = [f"# {escape(title)}"]
    if summaries:
        stream = summaries[0].stream
        sections += [
            table(("protocol", ""), protocol_rows(stream, stamps or {})),
            "## After the last experience",
            "Accuracies and forgetting in percent.",
            table(comparison_heads(stream), comparison_rows(summaries)),
        ]
        if len(summaries) > 1:
            compared = statistics_tables(results, names or {})
            sections += ["## Compared", *map(comparison_markdown, compared)]
        for summary in summaries:
            sections += [
                f"## {escape(summary.strategy)}",
                escape(seeds_line(summary)) + ".",
                table(strategy_heads(stream), strategy_rows(summary)),
            ]
        sections += ["## Definitions", _definitions(stream)]
    else:
        sections.append("No finished run.")
    return "\n\n".join(sections) + "\n"


def run_markdown(result: RunResult) -> str:
    """Return the table of one run."""
    (summary,) = summarise([result])
    return table(strategy_heads(summary.stream), strategy_rows(summary)) + "\n"


def comparison_markdown(found: ComparisonTable) -> str:
    """Return the table of a comparison with its notes; what is significantly the best is bold."""
    strong = None if found.strong is None else (found.strong, MEAN)
    notes = " ".join(map(escape, found.notes))
    return f"{escape(found.title)}:\n\n{table(found.heads, found.rows, strong)}\n\n{notes}"


def table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], strong: tuple[int, int] | None = None
) -> str:
    """Return a Markdown table; every cell is text, whatever characters it has.

    Args:
        heads: of the columns.
        rows: cells below.
        strong: row and column of the cell that is bold.
    """
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    cells = [list(map(escape, row)) for row in rows]
    if strong is not None:
        row, column = strong
        cells[row][column] = f"**{cells[row][column]}**"
    lines = [map(escape, heads), rule, *cells]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def fenced(text: str, language: str = "yaml") -> str:
    """Return the text as a code block whose fence is longer than any in the text."""
    longest = max((len(run) for run in re.findall(r"`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return f"{fence}{language}\n{text.rstrip()}\n{fence}\n"


def escape(text: str) -> str:
    """Return one line of Markdown that shows exactly this text."""
    plain = printable(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return _SPECIAL.sub(lambda match: "\\" + match.group(), plain)


def _definitions(stream: StreamInfo) -> str:
    listed = [f"- {escape(name)}: {escape(text)}." for name, text in definition_rows(stream)]
    return "\n".join(listed) + "\n\n" + " ".join(notes(stream))

"""The report as Markdown, from stored results only."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from cilsim.records import RunResult, StreamInfo
from cilsim.report.formatting import printable
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
    results: Sequence[RunResult], title: str, stamps: Mapping[str, str] | None = None
) -> str:
    """Return the whole report: stamps, comparison, one table per strategy, definitions.

    Args:
        results: finished runs of one scenario, strategies and seeds in any number.
        title: name of the scenario.
        stamps: further facts about the protocol by name, such as versions and hashes.
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


def table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table; every cell is text, whatever characters it has."""
    rule = ["---"] + ["---:"] * (len(heads) - 1)
    lines = [map(escape, heads), rule, *(map(escape, row) for row in rows)]
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

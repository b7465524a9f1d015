"""What the terminal shows when all runs are done: tables over seeds, and where to look next."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from cilsim.records import RunResult
from cilsim.report.formatting import aligned, printable
from cilsim.report.summary import StrategySummary, summarise
from cilsim.report.tables import (
    comparison_heads,
    comparison_rows,
    seeds_line,
    strategy_heads,
    strategy_rows,
)


def final_table(results: Sequence[RunResult], encoding: str = "utf-8") -> str:
    """Return, per strategy, a table of all experiences, then one row per strategy at the end.

    Args:
        results: finished runs of one scenario.
        encoding: what the text will be written in; characters that it lacks are replaced.
    """
    summaries = summarise(results)
    blocks = [
        _block(
            f"{summary.strategy}: {seeds_line(summary)}; in percent",
            [strategy_heads(summary.stream), *strategy_rows(summary)],
            encoding,
        )
        for summary in summaries
    ]
    if len(summaries) > 1:
        blocks.append(_comparison(summaries, encoding))
    return "\n\n".join(blocks)


def closing_lines(scenario_folder: Path, encoding: str = "utf-8") -> str:
    """Return where the results are and the command that shows them, with paths as given."""
    lines = [
        f"results:     {scenario_folder}",
        f"report:      {scenario_folder / 'report.html'}",
        f"tensorboard: tensorboard --logdir {shlex.quote(str(scenario_folder.parent))}",
    ]
    return "\n".join(printable(line, encoding) for line in lines)


def _comparison(summaries: Sequence[StrategySummary], encoding: str) -> str:
    rows = [comparison_heads(summaries[0].stream), *comparison_rows(summaries)]
    return _block("after the last experience, in percent", rows, encoding)


def _block(title: str, rows: Sequence[Sequence[str]], encoding: str) -> str:
    cells = [[printable(cell, encoding) for cell in row] for row in rows]
    return "\n".join([printable(title, encoding), *aligned(cells)])

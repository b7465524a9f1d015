"""The results of a sweep in one place: a row per run, and means over seeds."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from cilsim.errors import CheckpointError
from cilsim.metrics.statistics import mean_interval
from cilsim.report.formatting import aligned, percent_interval, printable
from cilsim.results.atomic import write_text
from cilsim.results.run_folder import RunFolder
from cilsim.results.summary import read_summary
from cilsim.sweep.cell import Cell

RESULTS = "results.csv"
SHOWN = ("A_all", "A_avg_inc", "forgetting")
"""Metrics of the table; those that no run has are left out."""

Finals = Mapping[str, Mapping[str, float]]
"""Metrics after the last experience, by the name of the cell; unfinished cells are absent."""


def read_finals(cells: Sequence[Cell], folder: Path) -> dict[str, Mapping[str, float]]:
    """Return the final metrics of all cells whose run is finished."""
    found = ((cell.name, _final(cell, folder / cell.name)) for cell in cells)
    return {name: final for name, final in found if final}


def write_results(cells: Sequence[Cell], finals: Finals, folder: Path) -> None:
    """Write `results.csv`: one line per finished run, accuracies as fractions.

    Raises:
        RunFolderError: the folder cannot be written.
    """
    keys = list(dict.fromkeys(key for cell in cells for key in cell.settings))
    metrics = sorted({name for final in finals.values() for name in final})
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(["run", "scenario", "strategy", "seed", *keys, *metrics])
    for cell in cells:
        if cell.name in finals:
            settings = [_shown(cell.settings.get(key)) for key in keys]
            values = [finals[cell.name].get(name, "") for name in metrics]
            head = [cell.name, cell.source, cell.strategy, cell.seed]
            writer.writerow([*head, *settings, *values])
    write_text(folder / RESULTS, text.getvalue())


def results_table(cells: Sequence[Cell], finals: Finals, encoding: str = "utf-8") -> str:
    """Return a table with one row per strategy and combination: means over seeds, in percent."""
    groups: dict[tuple[str, ...], list[Mapping[str, float]]] = {}
    keys = list(dict.fromkeys(key for cell in cells for key in cell.settings))
    for cell in cells:
        if cell.name in finals:
            head = (cell.source, *(_shown(cell.settings.get(key)) for key in keys), cell.strategy)
            groups.setdefault(head, []).append(finals[cell.name])
    shown = [name for name in SHOWN if any(name in final for final in finals.values())]
    rows = [["scenario", *keys, "strategy", "seeds", *shown]]
    rows += [[*head, str(len(of)), *_means(of, shown)] for head, of in groups.items()]
    return "\n".join(aligned([[printable(text, encoding) for text in row] for row in rows]))


def _means(finals: Sequence[Mapping[str, float]], names: Sequence[str]) -> Iterator[str]:
    for name in names:
        values = [final[name] for final in finals if name in final]
        yield percent_interval(mean_interval(values) if values else None)


def _final(cell: Cell, folder: Path) -> Mapping[str, float]:
    try:
        summary = read_summary(RunFolder(folder))
    except CheckpointError:  # `cilsim verify` names what is damaged
        return {}
    figures = [] if summary is None else summary.strategies
    return next((one.by_seed.get(cell.seed, {}) for one in figures), {})


def _shown(value: Any) -> str:
    return "" if value is None else str(value)

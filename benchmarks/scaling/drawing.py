"""A curve as a picture: seconds and memory of every strategy, both axes logarithmic."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from cilsim.report.canvas import drawing, new_figure, write_title

if TYPE_CHECKING:
    from matplotlib.axes import Axes

PANELS = {
    "seconds_learning": ("seconds of learning", 1.0),
    "seconds_evaluating": ("seconds of evaluating and writing", 1.0),
    "own_bytes": ("own memory, MB", 1e-6),
    "run_folder_bytes": ("run folder, MB", 1e-6),
}
"""What is drawn, its title, and by what it is multiplied."""

Measured = Mapping[str, Mapping[int, Mapping[str, float]]]
"""Figures by strategy and value on the axis."""


def draw(measured: Measured, axis: str, path: Path) -> None:
    """Write a PNG with one panel per figure, and the line that linear growth would follow."""
    with drawing():
        figure = new_figure(9.0, 6.4)
        for place, (name, (title, unit)) in enumerate(PANELS.items()):
            left, bottom = 0.08 + 0.5 * (place % 2), 0.575 - 0.49 * (place // 2)
            axes = figure.add_axes((left, bottom, 0.41, 0.36))
            _fill(axes, measured, name, unit)
            axes.set_xlabel(axis)
            write_title(axes, title)
            if place == 0:
                axes.legend(fontsize=7, frameon=False)
        figure.savefig(path, metadata={"Software": None})


def _fill(axes: Axes, measured: Measured, name: str, unit: float) -> None:
    axes.set_xscale("log")
    axes.set_yscale("log")
    for scale in (axes.xaxis, axes.yaxis):
        scale.set_major_formatter(lambda value, place: f"{value:,.10g}")
    for strategy, points in measured.items():
        values = sorted(points)
        axes.plot(values, [unit * points[x][name] for x in values], "o-", label=strategy, ms=4)
    values = sorted({x for points in measured.values() for x in points})
    least = min(unit * points[x][name] for points in measured.values() for x in points)
    linear = [least * x / values[0] for x in values]
    axes.plot(values, linear, ":", color="0.6", label="linear", zorder=0)

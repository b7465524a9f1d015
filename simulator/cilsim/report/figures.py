"""Curves over experiences: what is forgotten.

Axis letters: T experiences.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from cilsim.records import FloatArray
from cilsim.report.canvas import drawing, figure_of, new_figure, write_title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from matplotlib.figure import Figure

MOST_DIRECT_LABELS = 25
"""Above this many experiences the labels of lines would touch: a colour bar replaces them."""

_LABEL_GAP = 0.038


def forgetting_curves(accuracy_matrix_TT: FloatArray, title: str = "forgetting curves") -> Figure:
    """Return one labelled line per experience: its accuracy after each later experience.

    Args:
        accuracy_matrix_TT: R[i, j], NaN where not measured; an experience without any value
            has no line.
        title: drawn above the axes.
    """
    axes = curves_frame(len(accuracy_matrix_TT))
    fill_curves(axes, accuracy_matrix_TT, title)
    return figure_of(axes)


def curves_frame(count: int) -> Axes:
    """Return empty axes for the curves of `count` experiences, with a colour bar if too many."""
    with drawing():
        figure = new_figure(6.6, 4.4)
        axes = figure.add_axes((0.1, 0.12, 0.735, 0.79))
        _over_experiences(axes, count, "accuracy on the test part of each experience")
        if count > MOST_DIRECT_LABELS:
            _colour_bar(figure, count)
    return axes


def fill_curves(axes: Axes, accuracy_matrix_TT: FloatArray, title: str) -> list[Artist]:
    """Add the lines, their labels if there is room, and the title."""
    count = len(accuracy_matrix_TT)
    shades = _sequential()
    size, width = (3.5, 1.6) if count <= MOST_DIRECT_LABELS else (2.0, 1.0)
    measured = [j for j in range(count) if np.isfinite(accuracy_matrix_TT[:, j]).any()]
    artists: list[Artist] = [write_title(axes, title)]
    for j in measured:
        colour = shades(j / max(count - 1, 1))
        (line,) = axes.plot(accuracy_matrix_TT[:, j], "o-", ms=size, lw=width, color=colour)
        line.set_clip_on(False)
        artists.append(line)
    if count <= MOST_DIRECT_LABELS:
        artists += _labels(axes, accuracy_matrix_TT, measured)
    return artists


def spread(
    positions: Sequence[float], gap: float, lowest: float = 0.0, highest: float = 1.0
) -> list[float]:
    """Return the positions moved as little as possible to be at least `gap` apart.

    The order is kept. Neighbours that are too near form a block that is centred on its members;
    blocks are then shifted between `lowest` and `highest` as far as there is room.
    """
    order = sorted(range(len(positions)), key=lambda k: (positions[k], -k))
    blocks: list[list[float]] = []
    for rank, k in enumerate(order):
        blocks.append([positions[k] - rank * gap])
        while len(blocks) > 1 and _mean(blocks[-2]) > _mean(blocks[-1]):
            blocks[-2:] = [blocks[-2] + blocks[-1]]
    levels = [_mean(block) for block in blocks for _ in block]
    ceiling = highest - (len(order) - 1) * gap
    moved = [max(lowest, min(level, ceiling)) + rank * gap for rank, level in enumerate(levels)]
    return [height for _, height in sorted(zip(order, moved, strict=True))]


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


def _sequential() -> Colormap:
    """Viridis without its yellow end, which is too pale for lines on white."""
    from matplotlib import colormaps
    from matplotlib.colors import ListedColormap

    return ListedColormap(colormaps["viridis"](np.linspace(0.0, 0.82, 256)))


def _over_experiences(axes: Axes, count: int, ylabel: str) -> None:
    axes.set_xlim(-0.15, max(count - 1, 1) + 0.15)
    axes.set_ylim(0.0, 1.0)
    axes.set_xticks(range(0, count, 1 + (count - 1) // 20))
    axes.set_xlabel("after experience")
    axes.set_ylabel(ylabel)
    axes.grid(axis="y", color="0.9", linewidth=0.8)
    axes.set_axisbelow(True)


def _labels(axes: Axes, matrix_TT: FloatArray, measured: Sequence[int]) -> list[Artist]:
    """Name each line at its right end."""
    reach = max(len(matrix_TT) - 1, 1)
    last_row = [int(np.flatnonzero(np.isfinite(matrix_TT[:, j]))[-1]) for j in measured]
    ends = [float(matrix_TT[i, j]) for i, j in zip(last_row, measured, strict=True)]
    heights = spread(ends, _LABEL_GAP)
    artists: list[Artist] = []
    for i, j, end, height in zip(last_row, measured, ends, heights, strict=True):
        colour = _sequential()(j / reach)
        leader = {"arrowstyle": "-", "color": colour, "lw": 0.6, "shrinkA": 2, "shrinkB": 3,
                  "relpos": (0.0, 0.5)}  # fmt: skip
        label = axes.annotate(
            f"experience {j}", xy=(i, end), xytext=(i + 0.035 * reach, height), color=colour,
            fontsize=7.5, va="center", annotation_clip=False, arrowprops=leader,
        )  # fmt: skip
        artists.append(label)
    return artists


def _colour_bar(figure: Figure, count: int) -> None:
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize

    place = figure.add_axes((0.87, 0.12, 0.025, 0.79))
    shades = ScalarMappable(Normalize(0, count - 1), _sequential())
    figure.colorbar(shades, cax=place, label="experience that the line follows")

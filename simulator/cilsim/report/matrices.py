"""Matrices as heat maps: accuracy, forgetting and confusion.

Each has a frame, which depends on the stream only, and a content. Axis letters: T experiences,
K classes seen.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from cilsim.metrics.forgetting import forgetting_by_experience
from cilsim.records import FloatArray, IntArray, StreamInfo
from cilsim.report.blocks import in_blocks
from cilsim.report.canvas import drawing, figure_of, new_figure, write_title

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

MOST_NUMBERED_ROWS = 12
"""Up to this many experiences each cell carries its number."""


@dataclass(frozen=True)
class Scale:
    """How numbers become colours; `power` below 1 brings out small ones."""

    label: str
    colours: str
    lowest: float
    power: float = 1.0

    def norm(self) -> Normalize:
        """Return the map from numbers to positions on the colour map."""
        from matplotlib.colors import PowerNorm

        return PowerNorm(self.power, self.lowest, 1.0)

    def mappable(self) -> ScalarMappable:
        """Return norm and colours together, with white for NaN."""
        from matplotlib import colormaps
        from matplotlib.cm import ScalarMappable

        return ScalarMappable(self.norm(), colormaps[self.colours].with_extremes(bad="white"))


ACCURACY = Scale("accuracy", "viridis", lowest=0.0)
FORGETTING = Scale("forgetting", "RdBu_r", lowest=-1.0)
CONFUSION = Scale("share of the true label's samples", "magma_r", lowest=0.0, power=0.5)


def accuracy_matrix(matrix_TT: FloatArray, title: str = "accuracy matrix") -> Figure:
    """Return R as a heat map from 0 to 1; cells that were not measured stay blank."""
    axes = experience_frame(len(matrix_TT), ACCURACY)
    fill_cells(axes, matrix_TT, ACCURACY, title)
    return figure_of(axes)


def forgetting_matrix(matrix_TT: FloatArray, title: str = "forgetting matrix") -> Figure:
    """Return the forgetting of each experience as a heat map from -1 (gained) to 1 (lost)."""
    axes = experience_frame(len(matrix_TT), FORGETTING)
    fill_cells(axes, forgetting(matrix_TT), FORGETTING, title)
    return figure_of(axes)


def confusion_matrix(
    confusion_KK: IntArray, stream: StreamInfo, title: str = "confusion matrix"
) -> Figure:
    """Return row-normalised counts as a heat map, with lines between experiences.

    The axes have room for all classes of the stream. The colour is the square root of the share,
    so that a few wrong samples can be seen.
    """
    axes = confusion_frame(stream)
    fill_confusion(axes, confusion_KK, stream, title)
    return figure_of(axes)


def forgetting(matrix_TT: FloatArray) -> FloatArray:
    """Return (T, T) the forgetting of experience j after i, NaN on and above the diagonal."""
    lost_TT = np.full_like(matrix_TT, np.nan)
    for i in range(1, len(matrix_TT)):
        lost_TT[i, :i] = forgetting_by_experience(matrix_TT, i)
    return lost_TT


def borders(stream: StreamInfo, classes: int) -> list[int]:
    """Return the first label of each later experience among the first `classes` labels."""
    starts = {experience.seen for experience in stream.experiences}
    return sorted(start for start in starts if 0 < start < classes)


def experience_frame(count: int, scale: Scale) -> Axes:
    """Return empty axes for a matrix of `count` experiences."""
    axes = _frame(count, scale, "test part of experience", "after experience")
    ticks = range(0, count, 1 + (count - 1) // 20)
    axes.set(xticks=ticks, yticks=ticks)
    return axes


def fill_cells(axes: Axes, matrix_TT: FloatArray, scale: Scale, title: str) -> list[Artist]:
    """Add the cells, their numbers if there are few, and the title."""
    artists: list[Artist] = [write_title(axes, title), _show(axes, matrix_TT, scale)]
    if len(matrix_TT) > MOST_NUMBERED_ROWS:
        return artists
    rgba = scale.mappable().to_rgba(matrix_TT)
    for i, j in np.argwhere(np.isfinite(matrix_TT)):
        number = f"{round(float(matrix_TT[i, j]), 2) + 0.0:.2f}"
        text = axes.text(float(j), float(i), number, ha="center", va="center", fontsize=7.5)
        text.set_color(_readable_on(rgba[i, j]))
        artists.append(text)
    return artists


def confusion_frame(stream: StreamInfo) -> Axes:
    """Return empty axes for all classes of a stream."""
    return _frame(len(stream.class_ids), CONFUSION, "predicted label", "true label")


def fill_confusion(
    axes: Axes, confusion_KK: IntArray, stream: StreamInfo, title: str
) -> list[Artist]:
    """Add the shares of each row, the borders between experiences, and the title.

    With more classes than pixels, consecutive ones share a row and a column.
    """
    blocks = in_blocks(confusion_KK)
    counts_GG = blocks.counts
    total = counts_GG.sum(axis=1, keepdims=True)
    share_GG = np.divide(counts_GG, total, out=np.full(counts_GG.shape, np.nan), where=total > 0)
    if blocks.each > 1:
        title = f"{title}, {blocks.each} classes to a cell"
    shown = _show(axes, share_GG, CONFUSION, blocks.each)
    artists: list[Artist] = [write_title(axes, title), shown]
    starts = np.array(borders(stream, len(confusion_KK))) - 0.5
    end = len(confusion_KK) - 0.5
    across = axes.hlines(starts, -0.5, end, colors="0.45", linewidth=0.6)
    down = axes.vlines(starts, -0.5, end, colors="0.45", linewidth=0.6)
    return [*artists, across, down]


def _frame(count: int, scale: Scale, xlabel: str, ylabel: str) -> Axes:
    with drawing():
        figure = new_figure(5.4, 4.5)
        axes = figure.add_axes((0.12, 0.115, 0.67, 0.8))
        span = (-0.5, count - 0.5)
        axes.set(xlim=span, ylim=span[::-1], xlabel=xlabel, ylabel=ylabel)
        axes.spines[["left", "bottom"]].set_visible(False)  # the cells would half cover them
        place = figure.add_axes((0.82, 0.115, 0.03, 0.8))
        figure.colorbar(scale.mappable(), cax=place, label=scale.label)
    return axes


def _show(axes: Axes, matrix: FloatArray, scale: Scale, each: int = 1) -> Artist:
    """Add a matrix whose cells are `each` units of the axes wide and high."""
    end = len(matrix) * each - 0.5
    return axes.imshow(
        np.ma.masked_invalid(matrix), cmap=scale.mappable().cmap, norm=scale.norm(),
        aspect="auto", interpolation="nearest", origin="upper",
        extent=(-0.5, end, end, -0.5),
    )  # fmt: skip


def _readable_on(rgba: FloatArray) -> str:
    """Black or white, whichever differs more in luminance (Rec. 709 weights)."""
    red, green, blue = rgba[:3]
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "white"

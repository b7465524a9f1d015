"""Matrices as heat maps: accuracy, forgetting and confusion.

Axis letters: T experiences, K classes seen.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from cilsim.metrics.forgetting import forgetting_by_experience
from cilsim.records import FloatArray, IntArray, StreamInfo
from cilsim.report.canvas import drawing, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

MOST_NUMBERED_ROWS = 12
"""Up to this many experiences each cell carries its number."""


def accuracy_matrix(matrix_TT: FloatArray, title: str = "accuracy matrix") -> Figure:
    """Return R as a heat map from 0 to 1; cells that were not measured stay blank."""
    return _experience_matrix(matrix_TT, title, "accuracy", cmap="viridis", vmin=0.0, vmax=1.0)


def forgetting_matrix(matrix_TT: FloatArray, title: str = "forgetting matrix") -> Figure:
    """Return the forgetting of each experience as a heat map from -1 (gained) to 1 (lost)."""
    lost_TT = forgetting(matrix_TT)
    return _experience_matrix(lost_TT, title, "forgetting", cmap="RdBu_r", vmin=-1.0, vmax=1.0)


def forgetting(matrix_TT: FloatArray) -> FloatArray:
    """Return (T, T) the forgetting of experience j after i, NaN on and above the diagonal."""
    lost_TT = np.full_like(matrix_TT, np.nan)
    for i in range(1, len(matrix_TT)):
        lost_TT[i, :i] = forgetting_by_experience(matrix_TT, i)
    return lost_TT


def confusion_matrix(
    confusion_KK: IntArray, stream: StreamInfo, title: str = "confusion matrix"
) -> Figure:
    """Return row-normalised counts as a heat map, with lines between experiences.

    The colour is the square root of the share, so that a few wrong samples can be seen.
    """
    from matplotlib.colors import PowerNorm

    total = confusion_KK.sum(axis=1, keepdims=True)
    share_KK = np.divide(
        confusion_KK, total, out=np.full(confusion_KK.shape, np.nan), where=total > 0
    )
    with drawing():
        figure = new_figure(5.4, 4.5)
        axes = figure.add_axes((0.12, 0.115, 0.69, 0.8))
        image = _show(axes, share_KK, cmap="magma_r", norm=PowerNorm(0.5, 0.0, 1.0))
        for border in borders(stream, len(confusion_KK)):
            axes.axhline(border - 0.5, color="0.45", linewidth=0.6)
            axes.axvline(border - 0.5, color="0.45", linewidth=0.6)
        axes.set(xlabel="predicted label", ylabel="true label")
        axes.set_title(title, loc="left")
        _colour_bar(figure, image, "share of the true label's samples")
    return figure


def borders(stream: StreamInfo, classes: int) -> list[int]:
    """Return the first label of each later experience among the first `classes` labels."""
    starts = {experience.seen for experience in stream.experiences}
    return sorted(start for start in starts if 0 < start < classes)


def _experience_matrix(matrix_TT: FloatArray, title: str, quantity: str, **colours: Any) -> Figure:
    count = len(matrix_TT)
    with drawing():
        figure = new_figure(5.4, 4.5)
        axes = figure.add_axes((0.105, 0.115, 0.705, 0.8))
        image = _show(axes, matrix_TT, **colours)
        ticks = range(0, count, 1 + (count - 1) // 20)
        axes.set(
            xticks=ticks, yticks=ticks, xlabel="test part of experience", ylabel="after experience"
        )
        axes.set_title(title, loc="left")
        if count <= MOST_NUMBERED_ROWS:
            _write_numbers(axes, image, matrix_TT)
        _colour_bar(figure, image, quantity)
    return figure


def _show(axes: Axes, matrix: FloatArray, cmap: str, **colours: Any) -> AxesImage:
    from matplotlib import colormaps

    blank = colormaps[cmap].with_extremes(bad="white")
    return axes.imshow(
        np.ma.masked_invalid(matrix), cmap=blank, interpolation="nearest", aspect="auto", **colours
    )


def _write_numbers(axes: Axes, image: AxesImage, matrix_TT: FloatArray) -> None:
    for i, j in np.argwhere(np.isfinite(matrix_TT)):
        value = float(matrix_TT[i, j])
        axes.text(
            float(j), float(i), f"{round(value, 2) + 0.0:.2f}", ha="center", va="center",
            fontsize=7.5, color=_readable_on(image.to_rgba(np.array([value]))[0]),
        )  # fmt: skip


def _readable_on(rgba: FloatArray) -> str:
    """Black or white, whichever differs more in luminance (Rec. 709 weights)."""
    red, green, blue = rgba[:3]
    return "black" if 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5 else "white"


def _colour_bar(figure: Figure, image: AxesImage, label: str) -> None:
    figure.colorbar(image, cax=figure.add_axes((0.845, 0.115, 0.03, 0.8)), label=label)

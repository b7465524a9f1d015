"""Figures without pyplot: no global state, no display, closed by the garbage collector."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.text import Text

RgbArray = NDArray[np.uint8]
DOTS_PER_INCH = 100

_STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.0,
}


@contextmanager
def drawing() -> Iterator[None]:
    """Apply the style of all figures, for as long as one is built or rendered."""
    import matplotlib

    with matplotlib.rc_context(_STYLE):  # type: ignore[arg-type]
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure of the given size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")


def figure_of(axes: Axes) -> Figure:
    """Return the figure that the axes were made in."""
    figure = axes.get_figure(root=True)
    assert figure is not None  # only removed axes have none
    return figure


def write_title(axes: Axes, title: str) -> Text:
    """Write a title above the axes, flush left, as an artist that can be removed."""
    place = axes.get_position()
    return figure_of(axes).text(place.x0, place.y1 + 0.015, title, fontsize=10.5)


class Stage:
    """Axes whose frame, ticks and colour bar are drawn once, and contents that change.

    Axes cost more than what is in them: this takes a third of the time of a new figure for each
    picture.

    Args:
        axes: finished but for the content, with fixed limits.
    """

    def __init__(self, axes: Axes) -> None:
        self._axes = axes
        self._canvas = _drawn(figure_of(axes))
        box = self._canvas.figure.bbox
        self._frame = self._canvas.copy_from_bbox(box)  # type: ignore[no-untyped-call]

    def picture(self, add_content: Callable[[Axes], Sequence[Artist]]) -> RgbArray:
        """Return (H, W, 3) uint8 with the artists that `add_content` adds, and remove them."""
        with drawing():
            self._canvas.restore_region(self._frame)  # type: ignore[no-untyped-call]
            artists = add_content(self._axes)
            for artist in sorted(artists, key=lambda artist: artist.get_zorder()):
                artist.draw(self._canvas.get_renderer())  # type: ignore[no-untyped-call]
        picture = _pixels(self._canvas)
        for artist in artists:
            artist.remove()
        return picture


def as_rgb(figure: Figure) -> RgbArray:
    """Return the figure as (H, W, 3) uint8."""
    return _pixels(_drawn(figure))


def _drawn(figure: Figure) -> FigureCanvasAgg:
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    with drawing():
        canvas.draw()  # type: ignore[no-untyped-call]
    return canvas


def _pixels(canvas: FigureCanvasAgg) -> RgbArray:
    rgba: RgbArray = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return rgba[..., :3].copy()

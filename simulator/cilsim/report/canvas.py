"""Figures without pyplot: no global state, no display, closed by the garbage collector."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.figure import Figure

RgbArray = NDArray[np.uint8]
DOTS_PER_INCH = 120

_STYLE = {
    "axes.spines.right": False,
    "axes.spines.top": False,
    "font.size": 9.0,
    # A strategy may be called "$x$"; names are text, not formulas.
    "text.parse_math": False,
    # Equal figures give equal bytes, with text that can be searched and selected.
    "svg.hashsalt": "cilsim",
    "svg.fonttype": "none",
}


@contextmanager
def drawing() -> Iterator[None]:
    """Apply the style of all figures, for as long as one is built or rendered."""
    import matplotlib

    with matplotlib.rc_context(_STYLE), warnings.catch_warnings():  # type: ignore[arg-type]
        # A name in a script that the font lacks is drawn as boxes; the tables still show it.
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def new_figure(width: float, height: float) -> Figure:
    """Return an empty white figure of the given size in inches."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width, height), dpi=DOTS_PER_INCH, facecolor="white")


def as_rgb(figure: Figure) -> RgbArray:
    """Return the figure as (H, W, 3) uint8."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(figure)
    with drawing():
        canvas.draw()  # type: ignore[no-untyped-call]
    rgba: RgbArray = np.asarray(canvas.buffer_rgba())  # type: ignore[no-untyped-call]
    return rgba[..., :3].copy()


def as_svg(figure: Figure) -> str:
    """Return the figure as one `<svg>` element without a reference to anything outside."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG

    text = io.StringIO()
    no_metadata = dict.fromkeys(("Creator", "Date", "Format", "Type"))
    with drawing():
        canvas = FigureCanvasSVG(figure)
        canvas.print_svg(text, metadata=no_metadata)  # type: ignore[no-untyped-call]
    document = text.getvalue()
    return document[document.index("<svg") :].strip()

"""The look of every figure: sizes in inches at print size, fonts of 8 points and more, colours that survive grey.

Values are told by one perceptually uniform map (cividis, made for colour-blind readers), curves by line style and
marker as well as by grey level.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib
from matplotlib import patheffects
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

PAGE_WIDTH = 6.75  # both columns of the paper
COLUMN_WIDTH = 3.25
DPI = 150
MAP = "cividis"
INK = "#1a1a1a"
FAINT = "#8a8a8a"
HALO: list[Any] = [patheffects.withStroke(linewidth=2.2, foreground="white")]  # for text over a map
# One style a loss, the same in every figure: colour (Okabe and Ito's palette), dashes and marker.
LOSSES: dict[str, dict[str, Any]] = {
    "clean": {"color": "#7a7a7a", "linestyle": (0, (1, 1.2)), "marker": "s"},
    "l2": {"color": "#0072b2", "linestyle": "-", "marker": "o"},
    "linf": {"color": "#c04d00", "linestyle": (0, (4.5, 1.5)), "marker": "^"},
}
NORM_LABELS = {"clean": "clean", "l2": "$L_2$", "linf": r"$L_\infty$"}
NORM_WORDS = {"clean": "clean", "l2": "L2", "linf": "L-infinity"}  # for text without mathematics
SETTINGS: dict[str, Any] = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
    "font.size": 9,
    "axes.labelsize": 9,
    "axes.titlesize": 9,
    "figure.titlesize": 10,
    "xtick.labelsize": 8,
    "ytick.labelsize": 8,
    "legend.fontsize": 8,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "text.color": INK,
    "axes.linewidth": 0.6,
    "axes.labelpad": 2,
    "axes.titlepad": 4,
    "axes.unicode_minus": True,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "xtick.major.pad": 2,
    "ytick.major.pad": 2,
    "xtick.minor.size": 1.5,
    "ytick.minor.size": 1.5,
    "lines.linewidth": 1.3,
    "lines.markersize": 4,
    "legend.frameon": False,
    "legend.handlelength": 2.6,
    "legend.borderaxespad": 0.3,
    "legend.labelspacing": 0.3,
    "grid.linewidth": 0.4,
    "grid.color": "#d5d5d5",
    "image.cmap": MAP,
    "figure.dpi": DPI,
    "savefig.dpi": DPI,
    "contour.negative_linestyle": "solid",  # dashes mean the edge of a plateau
    "pdf.fonttype": 42,
    "pdf.compression": 9,
}


@contextmanager
def house() -> Iterator[None]:
    """matplotlib's defaults with SETTINGS on top, whatever the user's matplotlibrc says; undone on leaving."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        for key, value in SETTINGS.items():
            matplotlib.rcParams[key] = value  # type: ignore[index]
        yield


def sheet(height: float, width: float = PAGE_WIDTH) -> Figure:
    """An empty figure of this print size in inches, without a window."""
    return Figure(figsize=(width, height))


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float, **options: Any) -> Axes:
    """Axes whose box is given in inches from the lower left corner of the sheet."""
    across, up = figure.get_size_inches()
    return figure.add_axes((left / across, bottom / up, width / across, height / up), **options)


def heading(figure: Figure, bold: str, plain: str) -> None:
    """The title at the top left: what, in bold, and the parameters after it on the same line."""
    across, up = figure.get_size_inches()
    first = figure.text(0.08 / across, 1 - 0.05 / up, bold, va="top", fontweight="bold", fontsize=10)
    box = first.get_window_extent(FigureCanvasAgg(figure).get_renderer())
    figure.text(box.x1 / figure.dpi / across + 0.1 / across, 1 - 0.055 / up, plain, va="top", fontsize=9)

"""One surface of Figs. 2, 4 and 5 as two views: the 3-D surface of the paper, and a flat one to measure on.

The flat view has labelled contours, the kinks as white ribbons as wide as the jump of the gradient, and two margins
that share its axes and show the size of what happens across theta_2 = 0 (above) and theta_1 = 0 (right).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Normalize
from matplotlib.contour import ContourSet
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, MaxNLocator

from figures import style
from figures.solid import Kinks, dress, kinked, solid
from numerics.surfaces import Surface

HEIGHT = 3.2
RIBBON = 0.1  # half-width of a kink's ribbon, in units of theta, where the jump is `Kinks.largest`
EDGE = 1.75  # contour labels keep within this |theta_i|


@dataclass(frozen=True, eq=False)
class Profile:
    """One curve along an axis of the square: `place` the weight, `size` what is measured there.

    `style` is matplotlib's; `dots` draws single points instead of a line; `label` as in a legend.
    """

    place: np.ndarray
    size: np.ndarray
    style: dict[str, Any]
    dots: bool = False


@dataclass(frozen=True, eq=False)
class Margins:
    """What the two margins show: the curves above the map (across theta_2 = 0) and beside it (across theta_1 = 0),
    the label of each, the common upper limit, and a word for margins without a curve."""

    above: Sequence[Profile]
    beside: Sequence[Profile]
    above_label: str
    beside_label: str
    limit: float
    empty: str = ""


@dataclass(frozen=True, eq=False)
class Mark:
    """A point of the map with a short label; without a marker, the label alone, centred there."""

    theta: tuple[float, float]
    label: str
    marker: str = "*"
    offset: tuple[float, float] = (0.12, 0.12)

    @property
    def place(self) -> tuple[float, float]:
        """Where the label begins."""
        return self.theta[0] + self.offset[0], self.theta[1] + self.offset[1]


def panel(
    surface: Surface,
    *,
    title: str,
    parameters: str,
    symbol: str,
    limits: tuple[float, float],
    levels: np.ndarray,
    margins: Margins,
    kinks: Kinks,
    marks: Sequence[Mark] = (),
    edges: Sequence[np.ndarray] = (),
    view: tuple[float, float] = (28, 122),
) -> Figure:
    """The two views of one surface on a sheet PAGE_WIDTH x HEIGHT inches.

    `symbol` names the height; `limits` and `levels` are those of the whole group, so that its panels compare;
    `edges`: fields on the surface's grid whose zero line is drawn dashed (edges of the plateau, where the second
    derivative jumps); `view`: elevation and azimuth in degrees.
    """
    figure = style.sheet(HEIGHT)
    style.heading(figure, title, parameters)
    norm = Normalize(*limits)
    cube = style.axes_at(figure, -0.16, -0.02, 3.25, 3.0, projection="3d", computed_zorder=False)
    solid(cube, surface, norm, kinks)
    dress(cube, norm, symbol, view)
    flat = style.axes_at(figure, 3.62, 0.42, 1.95, 1.95, label="map")
    filled = _flat(flat, surface, norm, levels, marks)
    _ribbons(flat, kinks)
    for edge in edges:
        flat.contour(*surface.axes, edge.T, levels=[0.0], colors=style.INK, linestyles="--", linewidths=1.1)
    for mark in marks:
        _mark(flat, mark)
    _margins(figure, flat, margins)
    bar = figure.colorbar(filled, cax=style.axes_at(figure, 6.3, 0.42, 0.09, 1.95))
    bar.set_ticks(list(levels[:: max(1, round(len(levels) / 7))]))
    bar.ax.yaxis.set_major_formatter("{x:g}")
    bar.ax.set_title(symbol, fontsize=9, pad=4, loc="center")
    bar.outline.set_linewidth(0.4)
    return figure


def _flat(
    axes: Axes, surface: Surface, norm: Normalize, levels: np.ndarray, marks: Sequence[Mark]
) -> ContourSet:
    filled = axes.contourf(
        *surface.axes, surface.value.T, levels=levels, norm=norm, cmap=style.MAP, extend="neither"
    )
    lines = axes.contour(*surface.axes, surface.value.T, levels=levels, colors=style.INK, linewidths=0.5)
    places = _label_places(lines, levels[1:-1], marks)
    for text in (
        axes.clabel(lines, manual=places, fontsize=8, fmt="%g", inline=True, inline_spacing=2)
        if places
        else ()
    ):
        text.set_path_effects(style.HALO)
    axes.set_aspect("equal")
    axes.set_xlabel(r"$\theta_1$")
    axes.set_ylabel(r"$\theta_2$", labelpad=-2)
    axes.set_xticks(range(-2, 3))
    axes.set_yticks(range(-2, 3))
    return filled


def _label_places(lines: ContourSet, levels: np.ndarray, marks: Sequence[Mark]) -> list[tuple[float, float]]:
    """Where contours get their numbers: far from the border, from the axes, where kinks are, and from each other.

    Every second level comes first; a level that has no such place goes without a number.
    """
    taken: list[np.ndarray] = []
    others = [np.array(place) for mark in marks for place in (mark.theta, mark.place)]
    for level in (*levels[1::2], *levels[::2]):
        points = [
            part for part in lines.allsegs[int(np.argmin(np.abs(lines.levels - level)))] if len(part) > 1
        ]
        if not points:
            continue
        point = np.concatenate(points)
        room = np.min([EDGE - np.abs(point).max(axis=1), np.abs(point).min(axis=1) - 0.18], axis=0)
        for other in (*taken, *others):
            room = np.minimum(room, np.hypot(*(point - other).T) - 0.62)
        best = int(np.argmax(room))
        if room[best] > 0:
            taken.append(point[best])
    return [(float(x), float(y)) for x, y in taken]


def _ribbons(axes: Axes, kinks: Kinks) -> None:
    for i, along, jump in kinks.ribbons:
        along, jump = kinked(along, jump)
        half = RIBBON * jump / kinks.largest
        fill = axes.fill_between if i == 1 else axes.fill_betweenx
        look: dict[str, Any] = {"facecolor": "white", "edgecolor": style.INK, "linewidth": 0.6, "zorder": 3}
        fill(along, -half, half, label=f"kink theta_{i + 1} = 0", **look)
    if kinks.origin:
        axes.plot(
            [0],
            [0],
            "o",
            color="white",
            mec=style.INK,
            mew=0.8,
            markersize=4.5,
            zorder=4,
            label="kink theta = 0",
        )


def _mark(axes: Axes, mark: Mark) -> None:
    if not mark.marker:
        axes.text(*mark.theta, mark.label, fontsize=8, zorder=6, ha="center", va="center")
        return
    size = 9 if mark.marker == "*" else 5.5
    axes.plot(
        *mark.theta, marker=mark.marker, color="white", mec=style.INK, mew=0.8, markersize=size, zorder=6
    )
    axes.text(*mark.place, mark.label, fontsize=8, zorder=6, path_effects=style.HALO)


def _margins(figure: Figure, flat: Axes, margins: Margins) -> None:
    above = style.axes_at(figure, 3.62, 2.43, 1.95, 0.42, sharex=flat, label="above")
    beside = style.axes_at(figure, 5.63, 0.42, 0.42, 1.95, sharey=flat, label="beside")
    for profile in margins.above:
        _profile(above, profile.place, profile.size, profile)
    for profile in margins.beside:
        _profile(beside, profile.size, profile.place, profile)
    # No label at 0, where it would touch the map's.
    ticks = [tick for tick in MaxNLocator(3).tick_values(0, margins.limit) if 0 < tick <= margins.limit]
    above.set_ylim(0, margins.limit)
    beside.set_xlim(0, margins.limit)
    for axes, axis in ((above, above.yaxis), (beside, beside.xaxis)):
        axis.set_major_locator(FixedLocator(ticks))
        axis.set_major_formatter("{x:g}")
        axes.grid(True)
        axes.set_axisbelow(True)
        axes.spines[["top", "right"]].set_visible(False)
        if margins.empty:
            turn = 270 if axes is beside else 0
            axes.text(
                0.5,
                0.5,
                margins.empty,
                transform=axes.transAxes,
                ha="center",
                va="center",
                fontsize=8,
                rotation=turn,
            )
    above.tick_params(labelbottom=False)
    beside.tick_params(labelleft=False)
    above.set_title(margins.above_label, fontsize=8, pad=2, loc="left")
    beside.text(
        1.04,
        0.5,
        margins.beside_label,
        fontsize=8,
        rotation=270,
        va="center",
        ha="left",
        transform=beside.transAxes,
    )


def _profile(axes: Axes, across: np.ndarray, up: np.ndarray, profile: Profile) -> None:
    if profile.dots:
        axes.plot(across, up, "o", **{"markersize": 4, **profile.style}, clip_on=False)
    else:
        axes.plot(across, up, **profile.style)

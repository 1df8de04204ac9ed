"""A surface in three dimensions as the paper draws it, with the kinks of its gradient marked."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib import colormaps
from matplotlib.colors import Normalize
from matplotlib.ticker import MaxNLocator

from figures import style
from numerics.surfaces import Surface

MESH = 40  # facets an axis of the 3-D surface, at most
NO_JUMP = 1e-9  # what is smaller is rounding


@dataclass(frozen=True, eq=False)
class Kinks:
    """Where the gradient of a surface jumps: `along` the axis theta_{1-i} the jump across theta_i = 0, i = 0, 1;
    `origin` the jump at theta = 0 alone; `largest` what the widest ribbon stands for."""

    ribbons: Sequence[tuple[int, np.ndarray, np.ndarray]] = ()
    origin: float = 0.0
    largest: float = 1.0


def solid(axes: Any, surface: Surface, norm: Normalize, kinks: Kinks, thin: bool = False) -> None:
    """The surface on 3-D axes, coloured by height, with the grid's lines; its kinks black, over it."""
    step = max(1, (len(surface.axes[0]) - 1) // MESH)
    first, second = (axis[::step] for axis in surface.axes)
    axes.plot_surface(
        *np.meshgrid(first, second, indexing="ij"),
        surface.value[::step, ::step],
        cmap=colormaps[style.MAP],
        norm=norm,
        rstride=1,
        cstride=1,
        linewidth=0.15,
        edgecolor=(0.1, 0.1, 0.1, 0.55),
        antialiased=True,
        shade=False,
        zorder=1,
    )
    width = 0.8 if thin else 1.1
    for i, along, jump in kinks.ribbons:
        along, _ = kinked(along, jump)
        line = [along, along]
        line[i] = np.zeros_like(along)
        tall = _heights(surface, i, along)
        axes.plot(*line, tall, color="white", linewidth=2.2 * width, zorder=5)
        axes.plot(*line, tall, color=style.INK, linewidth=width, zorder=6)
    if kinks.origin:
        tall = _heights(surface, 0, np.zeros(1))
        axes.plot(
            [0], [0], tall, "o", color=style.INK, mec="white", mew=0.7 * width, markersize=4 * width, zorder=7
        )


def dress(axes: Any, norm: Normalize, symbol: str, view: tuple[float, float]) -> None:
    """Limits, labels, view and quiet walls of 3-D axes."""
    axes.set_zlim(norm.vmin, norm.vmax)
    axes.view_init(*view)
    axes.set_xlabel(r"$\theta_1$", labelpad=-6)
    axes.set_ylabel(r"$\theta_2$", labelpad=-6)
    axes.zaxis.set_rotate_label(False)
    axes.set_zlabel(symbol, labelpad=-6, rotation=0)
    axes.set_xticks(range(-2, 3))
    axes.set_yticks(range(-2, 3))
    axes.zaxis.set_major_locator(MaxNLocator(5))
    axes.zaxis.set_major_formatter("{x:g}")
    axes.tick_params(pad=-2)
    axes.set_box_aspect((1, 1, 0.72), zoom=0.98)
    for axis in (axes.xaxis, axes.yaxis, axes.zaxis):
        axis.pane.set_facecolor("#f6f6f6")
        axis.pane.set_edgecolor("#c8c8c8")
        axis._axinfo["grid"].update(color="#dddddd", linewidth=0.4)


def kinked(along: np.ndarray, jump: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The part of an axis on which the gradient jumps at all; without it, a plateau would seem to have a kink."""
    return along[jump > NO_JUMP], jump[jump > NO_JUMP]


def _heights(surface: Surface, i: int, along: np.ndarray) -> np.ndarray:
    """The surface over the axis theta_i = 0, at the grid's own points."""
    zero = int(np.argmin(np.abs(surface.axes[i])))
    row = surface.value[zero, :] if i == 0 else surface.value[:, zero]
    return np.interp(along, surface.axes[1 - i], row)

"""How Figs. 3, 6 and 7 draw a curve over seeds: its mean, its band, and its name at its end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from figures.runs import Method

LABEL_GAP = 0.135  # inches between two labels of 8 points


def mean_and_band(
    axes: Axes, across: Sequence[float] | np.ndarray, rows: np.ndarray, look: dict[str, Any]
) -> None:
    """The mean over seeds, the first axis of rows, in a band of one standard deviation (n - 1), none for one seed."""
    mean, deviation = mean_and_deviation(rows)
    if deviation is not None:
        colour = look["color"]
        axes.fill_between(across, mean - deviation, mean + deviation, color=colour, alpha=0.16, linewidth=0)
    axes.plot(across, mean, **look)


def mean_and_deviation(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Over the first axis; no deviation for one row."""
    return rows.mean(axis=0), rows.std(axis=0, ddof=1) if len(rows) > 1 else None


def label_ends(axes: Axes, ends: Sequence[tuple[Method, float, float]], count: str) -> None:
    """The name of every curve beside its end (x, y) right of the axes, moved apart; with its n where they differ."""
    figure: Any = axes.figure
    height = axes.get_position().height * figure.get_size_inches()[1]
    low, high = axes.get_ylim()
    ordered = sorted(ends, key=lambda end: end[2])
    wanted = [(y - low) / (high - low) for _, _, y in ordered]
    for (method, x, y), place in zip(ordered, spread(wanted, LABEL_GAP / height), strict=True):
        colour = method.look["color"]
        text = method.label + (f" ({len(method.records)})" if " to " in count else "")
        arrow = {"arrowstyle": "-", "color": colour, "linewidth": 0.5, "shrinkA": 1, "shrinkB": 1}
        axes.annotate(
            text,
            xy=(x, y),
            xytext=(1.05, place),
            textcoords=axes.transAxes,
            fontsize=8,
            va="center",
            color=colour,
            arrowprops={**arrow, "relpos": (0, 0.5)},
            annotation_clip=False,
        )


def spread(wanted: Sequence[float], gap: float) -> list[float]:
    """Increasing places in [0, 1] at least `gap` apart, each near the wanted one, which increase too: those that would
    touch move away from their common middle, and the outermost inside. Where there is no room, they reach over 1."""
    blocks: list[tuple[float, int]] = []  # middle of the wanted places, and how many labels
    for place in wanted:
        blocks.append((place, 1))
        while len(blocks) > 1:
            (low, m), (high, n) = blocks[-2:]
            if high - low >= gap * (m + n) / 2:
                break
            blocks[-2:] = [((low * m + high * n) / (m + n), m + n)]
    places = [middle + gap * (i - (size - 1) / 2) for middle, size in blocks for i in range(size)]
    for i in reversed(range(len(places))):
        places[i] = min(places[i], 1 - gap * (len(places) - 1 - i))
    for i in range(len(places)):
        places[i] = max(places[i], gap * i)
    return places

"""Tightness of the Lipschitz bounds: every row of results/bounds.json, its constants over the largest ratio found."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from figures import style
from figures.plate import Absent, Caption, Drawn, Settings
from figures.shapes import BOUND, check_bounds
from support.own_files import read_json

ROW = 0.142  # inches a row: 8-point labels do not touch
SPAN = (0.45, 300.0)
NONE_EXISTS = "no constant"  # what the paper says in such a row, as numerics.bounds writes it
KEYS = ("id", "paper_says", "paper", "ours", "ratio", "kind", "tightness", "paper_verdict")
PAPER: dict[str, Any] = {
    "marker": "o",
    "mfc": "none",
    "mec": "#c04d00",
    "mew": 1.2,
    "markersize": 6.5,
    "linestyle": "none",
}
OURS: dict[str, Any] = {"marker": "D", "color": "#0072b2", "markersize": 3.2, "linestyle": "none"}


def bounds_tightness(settings: Settings) -> Drawn:
    """The paper's constant and ours for every searched statement, both over the largest ratio found.

    Raises: Absent when the file is not there; ValueError when it is not what `python -m numerics bounds` writes.
    """
    rows = read(settings.bounds)
    half = -(-len(rows) // 2)
    height = ROW * half + 0.98
    figure = style.sheet(height)
    style.heading(
        figure, "Tightness of the bounds", "constant over the largest ratio found, on a logarithmic scale"
    )
    _legend(figure)
    for left, part in ((1.66, rows[:half]), (5.02, rows[half:])):
        axes = style.axes_at(figure, left, 0.4 + ROW * (half - len(part)), 1.62, ROW * len(part))
        _column(axes, part)
    finite = [row for row in rows if row["tightness"] is not None]
    reached = sum(bool(row["attained"]) for row in rows)
    broken = [row for row in rows if row["paper_verdict"] not in (None, "holds")]
    over = [row for row in rows if _factor(row, "paper") is not None and row["paper_verdict"] == "holds"]
    loosest = max(over, key=lambda row: _factor(row, "paper") or 0.0)
    caption = Caption(
        f"Every Lipschitz statement that was searched ({len(rows)} rows, ids as in results/bounds.md). At "
        "1 a constant is reached by a pair of points; left of it, on grey, a pair exceeds it.",
        f"Our constant is reached, or its absence confirmed, in {reached} rows; {len(broken)} of the "
        f"paper's statements fail. The loosest of the paper's that hold is `{loosest['id']}`, "
        f"{_factor(loosest, 'paper'):.3g} times the largest ratio.",
        "The paper has no such figure; it gives the constants without saying how sharp they are.",
    )
    facts: dict[str, Any] = {
        "source": settings.bounds.name,
        "rows": [{key: row[key] for key in KEYS} for row in rows],
        "reached": reached,
        "failing": [row["id"] for row in broken],
        "finite": len(finite),
        "error": None,
        "error_note": "a search gives lower bounds for the largest ratio; the constants are proved in theory/",
    }
    return Drawn(figure, "Tightness of the Lipschitz bounds", caption, facts)


def read(path: Path) -> list[dict[str, Any]]:
    """The rows of bounds.json. Raises Absent when there is no such file, ValueError when it is another kind of file."""
    if not path.exists():
        raise Absent(f"there is no {path}: run `python -m numerics bounds` first")
    remedy = "write it with `python -m numerics bounds`"
    return read_json(path, [BOUND, ...], check=check_bounds, remedy=remedy)


def _column(axes: Axes, rows: Sequence[dict[str, Any]]) -> None:
    axes.axvspan(SPAN[0], 1, facecolor="#e3e3e3", zorder=0)
    axes.axvline(1, color=style.INK, linewidth=0.7, zorder=1)
    for place, row in enumerate(rows):
        ours, paper = _factor(row, "ours"), _factor(row, "paper")
        if row["ours"] is None:
            axes.text(1.15, place, "unbounded: no constant", va="center", fontsize=8, color="#555555")
        if paper is not None:
            axes.plot(paper, place, zorder=3, **PAPER)
        if row["paper_says"] == NONE_EXISTS and ours is not None:
            axes.plot(SPAN[1] * 0.6, place, "x", color=PAPER["mec"], markersize=4.5, mew=1.2, zorder=3)
        if ours is not None:
            axes.plot(ours, place, zorder=4, **OURS)
        for factor in (ours, paper):
            if factor is not None and factor > 1.02:
                axes.plot([1, factor], [place, place], color=style.FAINT, linewidth=0.6, zorder=2)
    axes.set_xscale("log")
    axes.set_xlim(*SPAN)
    axes.set_xticks([1, 10, 100])
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_yticks(np.arange(len(rows)), [row["id"] for row in rows])
    axes.tick_params(axis="y", length=0, pad=3)
    axes.grid(True, axis="x")
    axes.set_xlabel("constant / largest ratio")


def _legend(figure: Any) -> None:
    handles = [
        Line2D([], [], label="the paper's constant", **PAPER),
        Line2D([], [], label="ours", **OURS),
        Line2D(
            [],
            [],
            label="the paper says there is none",
            marker="x",
            color=PAPER["mec"],
            linestyle="none",
            markersize=4.5,
        ),
    ]
    across, up = figure.get_size_inches()
    figure.legend(
        handles=handles,
        loc="upper left",
        bbox_to_anchor=(0.05 / across, 1 - 0.22 / up),
        ncols=3,
        handlelength=1.2,
    )


def _factor(row: dict[str, Any], key: str) -> float | None:
    """A constant over the largest ratio; None where one of them does not exist, 1 for 0 over 0."""
    if row[key] is None or row["ratio"] is None or row["kind"] == "unbounded":
        return None
    if row["ratio"] == 0:
        return 1.0 if row[key] == 0 else None
    return float(row[key] / row["ratio"])

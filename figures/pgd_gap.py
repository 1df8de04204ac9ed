"""How much of the worst case PGD misses: the error that the paper's Fig. 2(e), (f), drawn with PGD, carries."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.colors import LogNorm

from figures import style
from figures.files import rounded
from figures.losses import EPSILON, LABEL, POINT, plateau_edges
from figures.plate import Caption, Drawn, Settings
from numerics.pgd import PgdGap, PgdOptions
from numerics.pgd import pgd_gap as measured_gap
from numerics.problem import Problem, single_point
from numerics.surfaces import square_axes

HEIGHT = 3.44
SEED = 0
# The paper gives no numbers for the toy. 10 and 20 steps of epsilon/4 are its attacks in training and evaluation
# (Sec. E.1: 2/255 at epsilon = 8/255), from one random start, last iterate; the others: fewer, and finer steps.
ATTACKS = (
    (r"5 steps of $\varepsilon/4$", PgdOptions(steps=5, seed=SEED)),
    (r"10 steps of $\varepsilon/4$", PgdOptions(steps=10, seed=SEED)),
    (r"20 steps of $\varepsilon/4$", PgdOptions(steps=20, seed=SEED)),
    (r"100 steps of $\varepsilon/40$", PgdOptions(steps=100, step_size=EPSILON / 40, seed=SEED)),
)
LIMITS = (1e-6, 1e-1)


def pgd_gap(settings: Settings) -> Drawn:
    """The gap of the swish model over theta, for both norms and several numbers of steps."""
    axes = square_axes(settings.gap_grid)
    problems = {name: single_point(name, POINT, LABEL, EPSILON, "swish") for name in ("l2", "linf")}
    gaps = {
        name: [measured_gap(each, axes, options) for _, options in ATTACKS] for name, each in problems.items()
    }
    figure = style.sheet(HEIGHT)
    style.heading(
        figure,
        "PGD gap",
        r"swish model, exact worst case less PGD, $\mathbf{x}=(-1,1)$, $y=1$, $\varepsilon=0.6$, one start",
    )
    image: Any = None
    for row, (name, problem) in enumerate(problems.items()):
        for column, (label, _) in enumerate(ATTACKS):
            place = (0.72 + 1.38 * column, 0.4 + 1.4 * (1 - row), 1.27, 1.27)
            image = _map(figure, place, problem, gaps[name][column], label if row == 0 else "", row, column)
    bar = figure.colorbar(image, cax=style.axes_at(figure, 6.22, 0.4, 0.1, 2.67), extend="both")
    bar.outline.set_linewidth(0.4)
    caption = Caption(
        "The loss that PGD leaves out, over theta, on a logarithmic scale. On the plateau (between the "
        "dashed curves) the worst input lies inside the ball: steps of fixed length step across it for "
        "ever, and the last iterate is off. Outside, the gap closes once the iterates have reached the "
        "boundary (L-infinity) or turned along it (L2).",
        f"Largest gap: {_list(gaps['l2'])} for L2, {_list(gaps['linf'])} for L-infinity (left to right). "
        "More steps of the same size do not help on the plateau; smaller steps do, but outside it they "
        "are slower.",
        "The paper's Fig. 2(e), (f) carry such a gap, from PGD settings it does not give; figures 2e and "
        "2f here carry none.",
    )
    facts: dict[str, Any] = {
        "square": {"theta_1": [-2, 2], "theta_2": [-2, 2], "points": [settings.gap_grid] * 2},
        "attacks": {name: [_facts(gap) for gap in row] for name, row in gaps.items()},
        "error": rounded(max(gap.error.max() for row in gaps.values() for gap in row)),
    }
    return Drawn(figure, "PGD gap: what Fig. 2(e), (f) would carry if drawn with PGD", caption, facts)


def _map(
    figure: Any,
    place: tuple[float, float, float, float],
    problem: Problem,
    gap: PgdGap,
    label: str,
    row: int,
    column: int,
) -> Any:
    axes = style.axes_at(figure, *place)
    image = axes.imshow(
        np.maximum(gap.gap, LIMITS[0] / 10).T,
        origin="lower",
        extent=(-2, 2, -2, 2),
        norm=LogNorm(*LIMITS),
        cmap=style.MAP,
        interpolation="nearest",
    )
    for edge in plateau_edges(problem, gap.axes):
        axes.contour(*gap.axes, edge.T, levels=[0.0], colors="white", linestyles="--", linewidths=0.9)
    axes.set_xticks([-1, 0, 1])
    axes.set_yticks([-2, 0, 2])
    axes.set_title(label)
    if row == 1:
        axes.set_xlabel(r"$\theta_1$")
    else:
        axes.tick_params(labelbottom=False)
    if column == 0:
        axes.set_ylabel(r"$\theta_2$", labelpad=-3)
        axes.text(
            -0.42,
            0.5,
            style.NORM_LABELS[problem.name],
            transform=axes.transAxes,
            ha="center",
            va="center",
            fontsize=11,
        )
    else:
        axes.tick_params(labelleft=False)
    axes.text(
        0.04,
        0.95,
        f"max {gap.largest:.2g}",
        transform=axes.transAxes,
        va="top",
        fontsize=8,
        path_effects=style.HALO,
    )
    return image


def _facts(gap: PgdGap) -> dict[str, Any]:
    return {
        **gap.provenance,
        "largest": gap.largest,
        "at": gap.at,
        "share_above_tolerance": gap.fraction,
    }


def _list(gaps: list[PgdGap]) -> str:
    return ", ".join(f"{gap.largest:.2g}" for gap in gaps)

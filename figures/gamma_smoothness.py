"""How smooth EntropySGD's -F is, over gamma, for L2 against L-infinity and against Theorem 3."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from matplotlib.axes import Axes

from figures import style
from figures.entropy import BETA, GAMMA
from figures.files import rounded
from figures.gamma import (
    DATA_RANGE,
    HEIGHT,
    POINT_RANGE,
    data_losses,
    gammas,
    log_axis,
    point_losses,
    problem_facts,
)
from figures.plate import Caption, Drawn, Settings
from numerics.tradeoff import Scope, scope

BOUNDS: dict[str, tuple[str, dict[str, Any]]] = {
    "printed": ("Theorem 3", {"color": style.FAINT, "linestyle": "-", "linewidth": 1.0}),
    "convex": (
        r"convex $L$: $\gamma$",
        {"color": style.INK, "linestyle": (0, (6, 1.5, 1, 1.5)), "linewidth": 1.0},
    ),
    "lipschitz": ("Lipschitz $L$", {"color": style.INK, "linestyle": (0, (1, 1)), "linewidth": 1.2}),
}


def gamma_smoothness(settings: Settings) -> Drawn:
    """The largest curvature of -F on the square over gamma, the constants that bound it, and L-infinity over L2."""
    point, data = (
        {
            name: [scope(problem, gamma, beta=BETA) for gamma in gammas(*ends, number)]
            for name, problem in losses.items()
        }
        for losses, ends, number in (
            (point_losses(), POINT_RANGE, settings.gammas),
            (data_losses(settings), DATA_RANGE, (settings.gammas + 1) // 2),
        )
    )
    figure = style.sheet(HEIGHT)
    style.heading(
        figure,
        r"Smoothness of $-F$ over $\gamma$",
        r"largest $\|\nabla^2F\|_2$ on $[-2,2]^2$, linear model, $\varepsilon=0.6$, $\beta=1$",
    )
    left = style.axes_at(figure, 0.5, 0.4, 3.35, 2.2)
    _curvatures(left, point, data)
    right = style.axes_at(figure, 4.5, 0.4, 2.1, 2.2)
    excess = _ratios(right, point, data)
    at_choice, at_large = excess["one point"][GAMMA], excess["one point"][POINT_RANGE[1]]
    caption = Caption(
        "Left: the largest curvature of -F over theta in the square, and three constants that bound it: "
        "Theorem 3's gamma + gamma^2 sup ||Sigma||_F, gamma (L convex, claim `beyond.entropy-convex`) and "
        "the one from the Lipschitz constant of L (claim `beyond.entropy-adversarial-logistic`; drawn for "
        "L-infinity). Right: the curvature for L-infinity over that for L2.",
        f"At gamma = {GAMMA:g} the ratio is {at_choice:.3f} for one point and {excess['data'][GAMMA]:.3f} "
        f"for the data, at gamma = {POINT_RANGE[1]:g} it is {at_large:.2f} and "
        f"{excess['data'][DATA_RANGE[1]]:.2f}. Curvatures grow like gamma at first and, once the window "
        "1/sqrt(gamma) resolves the kinks, like sqrt(gamma).",
        'The paper says "almost the same" smoothness without a gamma. It is so for small gamma, and not '
        "for large ones. At gamma = "
        f"{POINT_RANGE[1]:g} Theorem 3's constant is "
        f"{point['linf'][-1].printed / point['linf'][-1].curvature:.0f} times the curvature for L-infinity.",
    )
    facts = {
        **problem_facts(settings),
        "why": "gamma = 1 is used in Figs. 2(g), (h), 5: the largest at which the curvatures still nearly agree",
        "one_point": {name: [_scope_facts(each) for each in row] for name, row in point.items()},
        "data": {name: [_scope_facts(each) for each in row] for name, row in data.items()},
        "error": rounded(
            max(
                each.error + each.refinement
                for group in (point, data)
                for row in group.values()
                for each in row
            )
        ),
    }
    return Drawn(figure, "Smoothness of -F over gamma", caption, facts)


def _curvatures(axes: Axes, point: dict[str, list[Scope]], data: dict[str, list[Scope]]) -> None:
    bound = point["linf"]
    for key, (label, look) in BOUNDS.items():
        axes.plot(
            [each.gamma for each in bound],
            [getattr(each, key) for each in bound],
            label=label,
            zorder=1,
            **look,
        )
    for rows, filled, what in ((point, True, "one point"), (data, False, "data")):
        for name, row in rows.items():
            look = style.LOSSES[name]
            face = look["color"] if filled else "white"
            axes.plot(
                [each.gamma for each in row],
                [each.curvature for each in row],
                label=f"{style.NORM_LABELS[name]}, {what}",
                mfc=face,
                **{**look, "linestyle": look["linestyle"] if filled else "none"},
            )
    log_axis(axes, "both")
    axes.set_ylim(0.01, 3e3)
    axes.legend(loc="upper left", ncols=1)


def _ratios(
    axes: Axes, point: dict[str, list[Scope]], data: dict[str, list[Scope]]
) -> dict[str, dict[float, float]]:
    """Draws and returns the ratio of curvatures, by gamma."""
    found = {}
    for rows, what, look in (
        (point, "one point", {"color": style.INK, "linestyle": "-", "marker": "o", "mfc": style.INK}),
        (data, "data", {"color": style.INK, "linestyle": (0, (3, 1.5)), "marker": "o", "mfc": "white"}),
    ):
        strengths = [each.gamma for each in rows["l2"]]
        ratio = [
            each.curvature / other.curvature for each, other in zip(rows["linf"], rows["l2"], strict=True)
        ]
        axes.plot(strengths, ratio, label=what, **look)
        found[what] = dict(zip(strengths, ratio, strict=True))
    axes.axhline(1, color=style.FAINT, linewidth=0.8)
    log_axis(axes, "x")
    axes.set_ylabel(r"curvature, $L_\infty$ over $L_2$")
    axes.axvline(GAMMA, color=style.FAINT, linewidth=0.8, linestyle=":")
    axes.text(
        GAMMA * 0.85,
        axes.get_ylim()[1] * 0.97,
        r"$\gamma$ of Figs. 2, 5",
        ha="right",
        va="top",
        rotation=90,
        fontsize=8,
    )
    axes.legend(loc="lower right", bbox_to_anchor=(1, 0.05))
    return found


def _scope_facts(each: Scope) -> dict[str, Any]:
    return {**asdict(each), "refinement": rounded(each.refinement), "error": rounded(each.error)}

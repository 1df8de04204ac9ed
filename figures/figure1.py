"""Fig. 1: how the attacks of the linear model move when theta turns, and attacks inside and on the edge of the ball."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Circle, Patch, Rectangle
from matplotlib.patheffects import Normal

from figures import style
from figures.files import rounded
from figures.losses import EPSILON, LABEL, POINT
from figures.plate import Caption, Drawn, Settings
from numerics.attacks import exact_attack
from numerics.problem import SWISH_MINIMISER, Problem, single_point
from numerics.surfaces import grid

HEIGHT = 5.0
TURN = 25.0  # degrees: theta turns from -TURN to TURN, across theta_2 = 0
INSIDE = (0.75, -0.35)  # a theta at which swish has its minimum within reach of both attacks
ACTIVE = (-1.0, 0.4)  # and one at which it has not
LEVELS = np.array([0.02, *np.arange(0.1, 0.71, 0.1), 0.75, 0.8, 0.82, 0.83, 0.84, 0.845])
LIMIT = 1.0  # half the side of the pictures in x', in units of x


def figure1(settings: Settings) -> Drawn:
    """Fig. 1: (a) for L2 and L-infinity with the distance over the angle, (b) and (c) for the swish model."""
    figure = style.sheet(HEIGHT)
    problems = {name: single_point(name, POINT, LABEL, EPSILON) for name in ("l2", "linf")}
    style.heading(
        figure,
        "Fig. 1",
        r"$\mathbf{x}=(-1,1)$, $y=1$, $\varepsilon=0.6$; top: linear model, bottom: swish model",
    )
    places = [(left, bottom) for bottom in (2.86, 0.38) for left in (0.42, 2.56, 4.88)]
    axes = [style.axes_at(figure, left, bottom, 1.7, 1.7) for left, bottom in places]
    for letter, each, name in zip(
        ("(a) $L_2$: on the circle", r"(a) $L_\infty$: corner to corner"), axes, problems, strict=False
    ):
        _turning(each, problems[name], letter)
    distances = _distances(axes[2], problems, settings)
    swish = {name: single_point(name, POINT, LABEL, EPSILON, "swish") for name in ("l2", "linf")}
    scores = {
        "inside": _landscape(axes[3], swish, INSIDE, "(b) inactive constraint", settings),
        "active": _landscape(axes[4], swish, ACTIVE, "(c) active constraint", settings),
    }
    _along_score(axes[5], swish, settings)
    caption = Caption(
        f"Top: when theta turns by {2 * TURN:g} degrees across theta_2 = 0, the L2 attack moves along the "
        "circle, the L-infinity attack jumps along a side of the square; at theta_2 = 0 the whole side is "
        "optimal. Bottom: the loss of the swish model over x' (contours); (b) where its largest value is "
        "in reach the worst inputs fill a line, (c) elsewhere they lie on the boundary.",
        "Top right: the distance between attacks, 2 epsilon sin(angle/2) for L2 and a step of 2 epsilon = "
        f"{2 * EPSILON:g} for L-infinity (Lemmas 2 and 3). Bottom right: the loss as a function of the "
        "score, with the scores in reach.",
        "Lemma 4, which (b) is to illustrate, needs an isolated worst input. For the model of the paper's "
        "Fig. 2 and d = 2 the worst inputs inside the ball are a segment (claim `fig2f.lemma4`), so the "
        "lemma does not apply; the crosses are those nearest to x in each norm.",
    )
    facts: dict[str, Any] = {
        "x": POINT,
        "y": LABEL,
        "epsilon": EPSILON,
        "turn_degrees": [-TURN, TURN],
        "distance_after_turn": distances,
        "theta_inside": INSIDE,
        "theta_active": ACTIVE,
        "attacks": scores,
        "swish_minimiser": SWISH_MINIMISER,
        "error": rounded(16 * np.finfo(float).eps),
    }
    return Drawn(figure, "Fig. 1 Where the attacks lie, and how they move with theta", caption, facts)


def _turning(axes: Axes, problem: Problem, title: str) -> None:
    """The region, theta before and after the turn, and both attacks."""
    _region(axes, problem.name)
    look = style.LOSSES[problem.name]
    theta = _direction(np.array([-TURN, TURN]))
    ends = np.array(POINT) + exact_attack(problem, theta).delta[:, 0]
    for sign, end in zip((1, 2), ends, strict=True):
        axes.plot(*np.transpose([POINT, end]), color=style.FAINT, linewidth=0.8)
        axes.plot(*end, marker=look["marker"], color=look["color"], markersize=7, zorder=4)
        up = 1 if end[1] > POINT[1] else -1
        axes.text(end[0] - 0.1, end[1] + 0.1 * up, rf"$\mathbf{{x}}^{sign}{{}}'$", ha="right", va="center")
        _arrow(axes, 0.38 * theta[sign - 1], rf"$\theta_{sign}$")
    if problem.name == "linf":
        x, (low, high) = ends[0, 0] + 0.09, sorted(ends[:, 1])
        axes.annotate(
            "",
            (x, low),
            (x, high),
            arrowprops={"arrowstyle": "<->", "color": look["color"], "linewidth": 1.0},
        )
        axes.text(x + 0.04, POINT[1] + 0.24, r"$2\varepsilon$", va="center")
    else:
        path = np.array(POINT) + exact_attack(problem, _direction(np.linspace(-TURN, TURN, 41))).delta[:, 0]
        axes.plot(*path.T, color=look["color"], linewidth=2.2, zorder=3)
    _frame(axes, title)


def _distances(axes: Axes, problems: dict[str, Problem], settings: Settings) -> dict[str, float]:
    """How far the attack has moved since the turn began, over the angle of theta."""
    angles = np.linspace(-TURN, TURN, settings.grid)
    last = {}
    for name, problem in problems.items():
        moved = exact_attack(problem, _direction(angles)).delta[:, 0]
        distance = np.linalg.norm(moved - moved[0], axis=-1)
        # At theta_2 = 0 itself every point of the side is an attack: the curve is broken there.
        distance = np.where((name == "linf") & (np.abs(angles) < 1e-9), np.nan, distance)
        look = style.LOSSES[name]
        axes.plot(angles, distance, color=look["color"], linestyle=look["linestyle"])
        last[name] = float(distance[-1])
        axes.text(
            TURN * 0.97, last[name] - 0.07, style.NORM_LABELS[name], ha="right", va="top", color=look["color"]
        )
    axes.plot([0, 0], [0, 2 * EPSILON], color=style.LOSSES["linf"]["color"], linewidth=0.6, linestyle=":")
    axes.set_xlim(-TURN, TURN)
    axes.set_ylim(-0.04, 1.32)
    axes.set_xticks([-20, 0, 20])
    axes.set_xlabel("angle of $\\theta$ in degrees")
    axes.set_ylabel(r"$\|\mathbf{x}'(\theta)-\mathbf{x}'(\theta_1)\|_2$")
    axes.grid(True)
    axes.set_title("(a) distance moved", loc="left")
    return last


def _landscape(
    axes: Axes, problems: dict[str, Problem], theta: tuple[float, float], title: str, settings: Settings
) -> dict[str, Any]:
    """The loss over x', both regions, and the worst inputs of each: lines where they are inside, else points."""
    side = np.linspace(-LIMIT, LIMIT, settings.grid)
    across, up = POINT[0] + side, POINT[1] + side
    inputs = grid((across, up)).reshape(-1, 2)
    here = exact_attack(Problem(inputs, np.full(len(inputs), LABEL), 0.0, model="swish"), theta)
    loss, score = (values.reshape(len(across), len(up)).T for values in (here.loss, here.score))
    axes.contourf(across, up, loss, levels=LEVELS, cmap=style.MAP)
    axes.contour(across, up, loss, levels=LEVELS, colors=style.INK, linewidths=0.25)
    found = {}
    for name, problem in problems.items():
        region = _region(axes, name)
        attack = exact_attack(problem, theta)
        end, look = np.array(POINT) + attack.delta[0], style.LOSSES[name]
        position = str(attack.position[0])
        if position == "interior":
            thick = 4.0 if name == "l2" else 1.6
            line = axes.contour(
                across, up, score, levels=[SWISH_MINIMISER], colors=[look["color"]], linewidths=thick
            )
            line.set_clip_path(region)
            axes.plot(*end, marker="x", color=style.INK, markersize=6, mew=1.5, zorder=6)
        else:
            axes.plot(
                *end, marker=look["marker"], color=look["color"], markersize=7, mec="white", mew=0.8, zorder=6
            )
        found[name] = {"x_prime": end, "position": position, "loss": attack.loss[0], "score": attack.score[0]}
    _arrow(axes, 0.36 * np.array(theta) / np.hypot(*theta), r"$\theta$")
    _frame(axes, title)
    return {"theta": theta, **found}


def _along_score(axes: Axes, problems: dict[str, Problem], settings: Settings) -> None:
    """The loss of the swish model over the score u = theta.x', with the scores in reach for both thetas."""
    u = np.linspace(-2.5, 2.5, settings.grid)
    curve = exact_attack(Problem(u[:, None], np.full(len(u), LABEL), 0.0, model="swish"), (1.0,)).loss
    axes.plot(u, curve, color=style.INK)
    axes.axvline(SWISH_MINIMISER, color=style.FAINT, linewidth=0.7, linestyle=":")
    axes.text(SWISH_MINIMISER - 0.08, 0.55, "$u^*$", ha="right", va="center")
    for theta, letter in ((INSIDE, "(b)"), (ACTIVE, "(c)")):
        for row, (name, problem) in enumerate(problems.items()):
            low, high = (
                float(exact_attack(replace(problem, y=np.array([sign]), model="linear"), theta).score[0])
                for sign in (1.0, -1.0)
            )
            look, height = style.LOSSES[name], 0.2 + 0.09 * row
            axes.plot(
                [low, high],
                [height, height],
                marker="|",
                color=look["color"],
                linestyle=look["linestyle"],
                linewidth=1.6,
                markersize=6,
                mew=1.2,
            )
            attack = exact_attack(problem, theta)
            axes.plot(
                attack.score[0],
                attack.loss[0],
                look["marker"],
                color=look["color"],
                markersize=5,
                mec="white",
                mew=0.6,
            )
        axes.text((low + high) / 2, 0.36, letter, ha="center", va="bottom")
    axes.set_xlabel(r"score $u=\theta^{T}\mathbf{x}'$")
    axes.set_ylabel(r"$\ell$", rotation=0)
    axes.set_xlim(-2.5, 2.5)
    axes.set_ylim(0.08, 0.92)
    axes.grid(True)
    axes.set_title("(b), (c) scores in reach", loc="left")


def _region(axes: Axes, name: str) -> Patch:
    """The feasible region of a norm around x."""
    look = {
        "fill": False,
        "edgecolor": style.LOSSES[name]["color"],
        "linestyle": style.LOSSES[name]["linestyle"],
    }
    corner = (POINT[0] - EPSILON, POINT[1] - EPSILON)
    patch: Patch = Circle(POINT, EPSILON, **look)
    if name == "linf":
        patch = Rectangle(corner, 2 * EPSILON, 2 * EPSILON, **look)
    patch.set_path_effects([*style.HALO, Normal()])
    return axes.add_patch(patch)


def _arrow(axes: Axes, vector: np.ndarray, label: str) -> None:
    """A vector that begins at x."""
    tip = np.array(POINT) + vector
    axes.annotate(
        "", tip, POINT, arrowprops={"arrowstyle": "-|>", "color": style.INK, "linewidth": 0.9, "shrinkA": 0}
    )
    place = np.array(POINT) + 1.28 * vector
    axes.text(place[0], place[1], label, ha="center", va="center", path_effects=style.HALO, zorder=7)


def _frame(axes: Axes, title: str) -> None:
    axes.plot(*POINT, "o", color=style.INK, markersize=3.5, zorder=5)
    axes.text(
        POINT[0] + 0.02,
        POINT[1] + 0.13,
        r"$\mathbf{x}$",
        ha="center",
        va="center",
        path_effects=style.HALO,
        zorder=7,
    )
    axes.set_xlim(POINT[0] - LIMIT, POINT[0] + LIMIT)
    axes.set_ylim(POINT[1] - LIMIT, POINT[1] + LIMIT)
    axes.set_aspect("equal")
    axes.set_xticks([-2, -1, 0])
    axes.set_yticks([0, 1, 2])
    axes.set_xlabel("$x_1'$", labelpad=1)
    axes.set_ylabel("$x_2'$", labelpad=6, rotation=0, va="center")
    axes.set_title(title, loc="left")


def _direction(degrees: np.ndarray) -> np.ndarray:
    """Unit vectors (cos, sin) of angles against the axis of theta_1, shape (n,) -> (n, 2); exact zeros on the axis."""
    radians = np.radians(degrees)
    return np.stack([np.cos(radians), np.where(np.abs(degrees) < 1e-9, 0.0, np.sin(radians))], axis=-1)

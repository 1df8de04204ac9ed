"""What Figs. 2(a)-(f) and 4 share: their data, their scales, the margins with the gradient jumps, and the panel."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from figures import style
from figures.facts import samples, surface_facts
from figures.panels import Margins, Mark, Profile, panel
from figures.plate import Caption, Drawn, Settings
from figures.solid import NO_JUMP, Kinks
from numerics.attacks import exact_attack
from numerics.jumps import jump_along_axis, jump_at_origin
from numerics.optima import optimum
from numerics.problem import SWISH_MINIMISER, Problem, normal_data, single_point
from numerics.surfaces import Surface, grid, loss_surface, square_axes

POINT = (-1.0, 1.0)
LABEL = 1.0
EPSILON = 0.6
SEED = 0
# One scale of jumps for all figures, so that ribbons and margins compare; the largest jump is 1.15, in Fig. 2(c).
JUMP_LIMIT = 1.25


@dataclass(frozen=True, eq=False)
class Group:
    """Panels drawn on common scales: the limits of the height, the step of its contours, elevation and azimuth."""

    limits: tuple[float, float]
    step: float
    view: tuple[float, float] = (28, 122)

    @property
    def levels(self) -> np.ndarray:
        """The contours' levels, ends included."""
        count = round((self.limits[1] - self.limits[0]) / self.step)
        return np.linspace(*self.limits, count + 1).round(6)


LINEAR = Group((0.0, 6.5), 0.5)
SWISH = Group((0.0, 0.9), 0.05)
DATA = Group((0.0, 4.5), 0.25, (30, -40))


def plateau_edges(problem: Problem, axes: tuple[np.ndarray, np.ndarray]) -> list[np.ndarray]:
    """Fields on the grid that vanish at the edges of the plateau of the swish model, y = 1: the lowest and the highest
    score in reach, less the minimiser of swish."""
    theta = grid(axes)
    lowest, highest = (replace(problem, y=np.array([sign]), model="linear") for sign in (1.0, -1.0))
    return [exact_attack(each, theta).score[..., 0] - SWISH_MINIMISER for each in (lowest, highest)]


def jump_margins(problem: Problem, axes: tuple[np.ndarray, np.ndarray]) -> tuple[Kinks, Margins]:
    """The kinks of the map and the margins that measure them."""
    look = {key: style.LOSSES[problem.name][key] for key in ("color", "linestyle")}
    sizes = [jumps(problem, i, axes) for i in (0, 1)]
    kinks, profiles = Kinks(), [[], []]  # type: tuple[Kinks, list[list[Profile]]]
    if problem.name == "l2":
        jump = origin_jump(problem)
        kinks = Kinks(origin=jump, largest=JUMP_LIMIT)
        dot = [Profile(np.zeros(1), np.full(1, jump), {"color": look["color"]}, dots=True)]
        profiles = [dot, dot]
    elif problem.name == "linf":
        kinks = Kinks([(i, axes[1 - i], sizes[i]) for i in (0, 1)], largest=JUMP_LIMIT)
        profiles = [[Profile(axes[1 - i], sizes[i], look)] for i in (0, 1)]
    labels = [rf"jump of $\partial_{i}{symbol(problem)}$ across $\theta_{i}=0$" for i in (1, 2)]
    empty = "" if problem.epsilon else "no jump"
    return kinks, Margins(profiles[1], profiles[0], labels[1], labels[0], JUMP_LIMIT, empty)


def symbol(problem: Problem) -> str:
    """The loss in mathtext: l of one point, L of more, with the index epsilon where it is attacked."""
    return (r"\ell" if len(problem.y) == 1 else "L") + (r"_\varepsilon" if problem.epsilon else "")


def point_surface(loss: str, model: str, settings: Settings) -> tuple[Surface, Problem]:
    """The loss of Fig. 2's data point on the square."""
    problem = single_point(loss, POINT, LABEL, EPSILON, model)
    return loss_surface(problem, square_axes(settings.grid)), problem


def data_surface(loss: str, settings: Settings) -> tuple[Surface, Problem]:
    """The loss of Fig. 4's data on the square."""
    problem = normal_data(loss, EPSILON, settings.points, SEED)
    return loss_surface(problem, square_axes(settings.grid)), problem


def drawn(
    letter: str, surface: Surface, problem: Problem, group: Group, caption: Caption, number: str = "Fig. 2"
) -> Drawn:
    """The panel of one loss, its kinks measured; `letter` and `number` are the paper's."""
    kinks, margins = jump_margins(problem, surface.axes)
    attack = "clean" if problem.name == "clean" else f"{style.NORM_LABELS[problem.name]} attack"
    edges: list[np.ndarray] = []
    if problem.model == "swish":
        attack = "clean" if problem.name == "clean" else f"exact {attack}"
        edges = plateau_edges(problem, surface.axes) if problem.epsilon else []
    single = len(problem.y) == 1
    data = r"$\mathbf{x}=(-1,1)$, $y=1$" if single else rf"$N={len(problem.y)}$, seed {SEED}"
    radius = r", $\varepsilon=0.6$" if problem.epsilon else ""
    marks = [Mark((-0.35, -1.62), "attack inside the ball", marker="")] if edges else []
    facts = surface_facts(surface, problem, None if single else SEED)
    if not single and problem.epsilon:
        best = optimum(problem)
        marks = [Mark((float(best.theta[0]), float(best.theta[1])), r"$\theta^*$")]
        facts["optimum"] = {"theta": best.theta, "value": best.value}
    facts["view"] = {"elevation": group.view[0], "azimuth": group.view[1]}
    facts["gradient_jumps"] = _jump_facts(problem, surface.axes)
    title = f"{number}{letter} {problem.model} model, {style.NORM_WORDS[problem.name]} loss"
    figure = panel(
        surface,
        title=f"{number}{letter}",
        parameters=f"{problem.model} model, {attack}, {data}{radius}",
        symbol=f"${symbol(problem)}$",
        limits=group.limits,
        levels=group.levels,
        margins=margins,
        kinks=kinks,
        marks=marks,
        edges=edges,
        view=group.view,
    )
    return Drawn(figure, title, caption, facts)


def _jump_facts(problem: Problem, axes: tuple[np.ndarray, np.ndarray]) -> dict[str, object]:
    if problem.name == "clean":
        return {}
    if problem.name == "l2":
        return {"theta=0": origin_jump(problem)}
    return {f"theta_{i + 1}=0": samples(axes[1 - i], jumps(problem, i, axes)) for i in (0, 1)}


def jumps(problem: Problem, i: int, axes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """The jumps across theta_i = 0, with 0 for what rounding leaves of it on the plateau."""
    jump = jump_along_axis(problem, i, axes[1 - i])
    return np.where(jump > NO_JUMP, jump, 0.0)


def origin_jump(problem: Problem) -> float:
    """The jump of the gradient at theta = 0 along an axis."""
    return float(jump_at_origin(problem, [(1.0, 0.0)])[0])

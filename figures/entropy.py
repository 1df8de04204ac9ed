"""Figs. 2(g), (h) and 5: EntropySGD's -F over the adversarial losses of the linear model, with an error estimate.

The paper prints no gamma. GAMMA = 1 is chosen for what the figures are to show: the window of the average then has
the standard deviation 1/sqrt(beta gamma) = 1, a quarter of the square, and the largest curvatures for L2 and
L-infinity differ by 8 % (one point) and 15 % (the data), so that "almost the same" is fair. The figures
gamma_smoothness and gamma_optimum show what other values do, and what this one costs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from figures import style
from figures.facts import samples, surface_facts
from figures.files import rounded
from figures.losses import EPSILON, LABEL, POINT, SEED, Group
from figures.panels import Margins, Mark, Profile, panel
from figures.plate import Caption, Drawn, Settings
from figures.solid import Kinks
from numerics.local_entropy import local_entropy_surface
from numerics.optima import Optimum, entropy_optimum, optimum
from numerics.problem import Problem, named, normal_data, single_point
from numerics.surfaces import Surface, square_axes
from numerics.tradeoff import Scope, integration_box, scope

GAMMA = 1.0
BETA = 1.0
SINGLE = Group((-2.0, 3.0), 0.5)
DATA = Group((-1.25, 1.75), 0.25, (30, -40))
CURVATURE_LIMIT = 0.5
WHY = "the paper prints no gamma; at 1 the curvatures for L2 and L-infinity nearly agree, the surface keeps its shape"


def figure2g(settings: Settings) -> Drawn:
    """Fig. 2(g): -F of the L2 loss of one data point."""
    numbers = _numbers(single_point("l2", POINT, LABEL, EPSILON), settings)
    steep = numbers.scopes["l2"]
    caption = Caption(
        "EntropySGD's -F over the L2 loss of Fig. 2(b), gamma = beta = 1: the cone at theta = 0 is gone.",
        "The margins give the second derivative across each axis, for both norms. The largest curvature "
        f"on the square is {steep.curvature:.4f} at ({steep.at[0]:.2f}, {steep.at[1]:.2f}); Theorem 3 "
        f"allows {steep.printed:.3f}, convexity {steep.convex:g}, and the Lipschitz constant of the loss "
        f"{steep.lipschitz:.3f}.",
        "The paper computes the integral with scipy and prints neither gamma nor an error; here the error "
        f"of -F is at most {rounded(numbers.surface.error):.0e}.",
    )
    return _drawn("Fig. 2(g)", numbers, SINGLE, caption)


def figure2h(settings: Settings) -> Drawn:
    """Fig. 2(h): -F of the L-infinity loss of one data point."""
    numbers = _numbers(single_point("linf", POINT, LABEL, EPSILON), settings)
    steep = numbers.scopes["linf"]
    caption = Caption(
        "EntropySGD's -F over the L-infinity loss of Fig. 2(c), gamma = beta = 1: the kinks on the axes "
        "are gone.",
        f"The largest curvature on the square is {steep.curvature:.4f} at ({steep.at[0]:.2f}, "
        f"{steep.at[1]:.2f}), {_excess(numbers):.0f} % above that for L2; Theorem 3 allows "
        f"{steep.printed:.3f}, convexity {steep.convex:g}, the Lipschitz constant of the loss "
        f"{steep.lipschitz:.3f}.",
        '"Almost the same" smoothness is fair at this gamma; gamma_smoothness shows that it is not at '
        "large ones.",
    )
    return _drawn("Fig. 2(h)", numbers, SINGLE, caption)


def figure5a(settings: Settings) -> Drawn:
    """Fig. 5(a): -F of the L2 loss of the data set."""
    numbers = _numbers(normal_data("l2", EPSILON, settings.points, SEED), settings)
    return _drawn("Fig. 5(a)", numbers, DATA, _data_caption(numbers, "4(b)"))


def figure5b(settings: Settings) -> Drawn:
    """Fig. 5(b): -F of the L-infinity loss of the data set."""
    numbers = _numbers(normal_data("linf", EPSILON, settings.points, SEED), settings)
    return _drawn("Fig. 5(b)", numbers, DATA, _data_caption(numbers, "4(c)"))


@dataclass(frozen=True, eq=False)
class Numbers:
    """What one panel shows: -F for both norms and how smooth it is, and, for data, the minima of L and of -F."""

    problem: Problem
    surfaces: dict[str, Surface]
    scopes: dict[str, Scope]
    best: Optimum | None
    moved: Optimum | None

    @property
    def surface(self) -> Surface:
        """-F of the panel's own norm."""
        return self.surfaces[self.problem.name]

    @property
    def distance(self) -> float:
        """From the minimum of L to that of -F; nan for a single point, whose losses have none."""
        return (
            float(np.linalg.norm(self.moved.theta - self.best.theta)) if self.best and self.moved else np.nan
        )


def _numbers(problem: Problem, settings: Settings) -> Numbers:
    axes = square_axes(settings.grid)
    both = {name: replace(problem, p=named(name, problem.epsilon)[1]) for name in ("l2", "linf")}
    surfaces = {
        name: local_entropy_surface(each, axes, gamma=GAMMA, beta=BETA) for name, each in both.items()
    }
    scopes = {name: scope(each, GAMMA, beta=BETA) for name, each in both.items()}
    if len(problem.y) == 1:
        return Numbers(problem, surfaces, scopes, None, None)
    best = optimum(problem)
    return Numbers(
        problem, surfaces, scopes, best, entropy_optimum(problem, GAMMA, beta=BETA, start=best.theta)
    )


def _data_caption(numbers: Numbers, source: str) -> Caption:
    assert numbers.best is not None
    assert numbers.moved is not None
    steep, best, moved = numbers.scopes[numbers.problem.name], numbers.best.theta, numbers.moved.theta
    outside = " (it lies outside, at the arrow)" if np.abs(moved).max() > 2 else " (diamond)"
    return Caption(
        f"EntropySGD's -F over the loss of Fig. {source}, gamma = beta = 1: smooth, but its "
        f"minimum{outside} is not that of L (star).",
        f"-F is least at ({moved[0]:.4f}, {moved[1]:.4f}), L at ({best[0]:.4f}, {best[1]:.4f}): "
        f"{numbers.distance:.3f} apart. The largest curvature on the square is {steep.curvature:.4f}, "
        f"{_excess(numbers):.0f} % more for L-infinity than for L2; Theorem 3 allows {steep.printed:.3f}, "
        f"convexity {steep.convex:g}.",
        'App. C notes that "the optimal points of -F are the same as the original loss functions"; they '
        "are not (claim `appc.optimal-points`). gamma_optimum shows the distance over gamma.",
    )


def _excess(numbers: Numbers) -> float:
    """By how many per cent the largest curvature for L-infinity is above that for L2."""
    return 100 * (numbers.scopes["linf"].curvature / numbers.scopes["l2"].curvature - 1)


def _drawn(number: str, numbers: Numbers, group: Group, caption: Caption) -> Drawn:
    problem, surface = numbers.problem, numbers.surface
    single = len(problem.y) == 1
    data = r"$\mathbf{x}=(-1,1)$, $y=1$" if single else rf"$N={len(problem.y)}$, seed {SEED}"
    figure = panel(
        surface,
        title=number,
        parameters=f"EntropySGD on {style.NORM_LABELS[problem.name]} loss, {data}, "
        rf"$\varepsilon=0.6$, $\gamma={GAMMA:g}$, $\beta={BETA:g}$",
        symbol="$-F$",
        limits=group.limits,
        levels=group.levels,
        margins=_margins(numbers.surfaces),
        kinks=Kinks(),
        marks=_marks(numbers),
        view=group.view,
    )
    return Drawn(
        figure, f"{number} EntropySGD's -F, {style.NORM_WORDS[problem.name]} loss", caption, _facts(numbers)
    )


def _facts(numbers: Numbers) -> dict[str, Any]:
    problem, steep = numbers.problem, numbers.scopes[numbers.problem.name]
    ranges = integration_box(problem, numbers.surface.axes, gamma=GAMMA, beta=BETA)
    facts = surface_facts(numbers.surface, problem, None if len(problem.y) == 1 else SEED)
    view = (SINGLE if len(problem.y) == 1 else DATA).view
    facts |= {
        "view": {"elevation": view[0], "azimuth": view[1]},
        "gamma_why": WHY,
        "domain_of_integration": {
            "exact": "R^2",
            "box": {"theta_1": ranges[0], "theta_2": ranges[1]},
            "mass_left_out": "about exp(-42) of every integral",
        },
        "curvature_across_axes": {name: _curvature_facts(each) for name, each in numbers.surfaces.items()},
        "largest_curvature": {
            "value": steep.curvature,
            "theta": steep.at,
            "error": rounded(steep.error + steep.refinement),
            "theorem3": steep.printed,
            "convex": steep.convex,
            "lipschitz": steep.lipschitz,
        },
    }
    if numbers.best and numbers.moved:
        facts["optimum"] = {
            "of_L": numbers.best.theta,
            "of_minus_F": numbers.moved.theta,
            "error": rounded(numbers.moved.error + numbers.best.error),
            "distance": numbers.distance,
        }
    return facts


def _margins(norms: dict[str, Surface]) -> Margins:
    """The second derivative across each axis, for both norms."""
    profiles: list[list[Profile]] = [[], []]
    for name, surface in norms.items():
        look = {key: style.LOSSES[name][key] for key in ("color", "linestyle")}
        for i in (0, 1):
            profiles[i].append(Profile(surface.axes[1 - i], _across(surface, i), look))
    key = r"  (line $L_2$, dashes $L_\infty$)"
    labels = [rf"$-\partial_{i}^2F$ on $\theta_{i}=0$" for i in (1, 2)]
    return Margins(profiles[1], profiles[0], labels[1] + key, labels[0], CURVATURE_LIMIT)


def _across(surface: Surface, i: int) -> np.ndarray:
    """-d^2 F/d theta_i^2 on theta_i = 0."""
    zero = int(np.argmin(np.abs(surface.axes[i])))
    return surface.hessian[zero, :, 0, 0] if i == 0 else surface.hessian[:, zero, 1, 1]


def _marks(numbers: Numbers) -> list[Mark]:
    """The minimum of L, and that of -F or the edge behind which it lies."""
    if numbers.best is None or numbers.moved is None:
        return []
    best, moved = (tuple(float(value) for value in each.theta) for each in (numbers.best, numbers.moved))
    marks = [Mark((best[0], best[1]), r"$\theta^*_L$", offset=(-0.42, 0.1))]
    if moved[0] <= 2:
        return [*marks, Mark((moved[0], moved[1]), r"$\theta^*_F$", "D", (-0.36, -0.42))]
    return [*marks, Mark((1.88, moved[1]), rf"$\theta^*_F$ at {moved[0]:.2f}", ">", (-0.86, -0.42))]


def _curvature_facts(surface: Surface) -> dict[str, Any]:
    return {f"theta_{i + 1}=0": samples(surface.axes[1 - i], _across(surface, i)) for i in (0, 1)}

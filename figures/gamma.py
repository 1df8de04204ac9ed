"""What the two figures over gamma share: the gammas, the problems, and logarithmic axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import NullFormatter

from figures.entropy import BETA
from figures.losses import EPSILON, LABEL, POINT, SEED
from figures.plate import Settings
from numerics.problem import Problem, normal_data, single_point

HEIGHT = 2.95
# From the gamma of the paper's networks (Sec. 5.2) to one at which -F follows the kinks of L; the data's integrals cost
# more where gamma is small.
POINT_RANGE = (0.03, 1000.0)
DATA_RANGE = (0.3, 1000.0)


def gammas(low: float, high: float, per_decade: int) -> np.ndarray:
    """Logarithmically spaced gammas from low to high, whole decades among them."""
    marks = np.arange(round(np.log10(low) * per_decade), round(np.log10(high) * per_decade) + 1) / per_decade
    inner = [10.0**mark for mark in marks if low * 1.2 < 10.0**mark < high / 1.2]
    return np.array([low, *inner, high])


def point_losses() -> dict[str, Problem]:
    return {name: single_point(name, POINT, LABEL, EPSILON) for name in ("l2", "linf")}


def data_losses(settings: Settings) -> dict[str, Problem]:
    return {name: normal_data(name, EPSILON, settings.points, SEED) for name in ("l2", "linf")}


def log_axis(axes: Axes, which: str) -> None:
    axes.set_xscale("log")
    if which == "both":
        axes.set_yscale("log")
    axes.set_xlabel(r"$\gamma$", labelpad=1)
    axes.xaxis.set_minor_formatter(NullFormatter())
    axes.grid(True)
    axes.set_axisbelow(True)


def problem_facts(settings: Settings) -> dict[str, Any]:
    return {
        "one_point_x": POINT,
        "one_point_y": LABEL,
        "points": settings.points,
        "seed": SEED,
        "epsilon": EPSILON,
        "beta": BETA,
        "domain_of_integration": "R^2, cut where about exp(-42) of the mass is left",
        "square": {"theta_1": [-2, 2], "theta_2": [-2, 2]},
    }

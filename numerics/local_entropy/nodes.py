"""Quadrature nodes for -F(theta), one axis at a time: Gauss panels that end where the loss has a kink.

The integrand exp(-beta L(t) - (beta gamma/2) ||theta - t||^2) of Eq. (10) is analytic away from the kinks
of L. For the linear model their place depends on the norm alone: none for the clean loss, the axes for
L-infinity, the origin for L2 (a cone), axes and origin for 1 < p < inf. Panels end at the axes; where the
loss has a cone or a power there, they shrink geometrically towards it. On each such panel the integrand is
analytic again, with its singularities in a fixed ratio to the panel, and Gauss converges geometrically.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

import numpy as np

from numerics.problem import Problem

GAUSS_SCALES = 4.0  # panel width in standard deviations: 16 nodes integrate that Gaussian to below 1e-16
LOSS_SHARE = 1.2  # panel width in distances from the real axis to the singularity of log(1 + exp(-m))
GRADING = 4.0  # ratio of neighbouring panels near a cone, which is then at rho = 3 of the Bernstein ellipse


@dataclass(frozen=True)
class Rule:
    """How finely an axis is cut: nodes a panel, panel width as a share of the standard one, graded panels a
    side, and the exponent of the mass that may be left out, exp(-tail)."""

    order: int
    width: float
    levels: int
    tail: float

    def refined(self) -> Rule:
        """The same with narrower panels and a deeper grading."""
        return Rule(self.order, 0.7 * self.width, self.levels + 2, self.tail)


# exp(-42) = 6e-19 is below rounding. The coarse rule differs in each of its four ways, so that the
# difference of the two results shows each kind of error; it is itself at rounding level on smooth cases.
FINE = Rule(order=16, width=1.0, levels=7, tail=42.0)
COARSE = Rule(order=14, width=1.07, levels=6, tail=38.0)


def axis_nodes(
    low: float, high: float, width: float, rule: Rule, kinks: str, kink: float = 0.0
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights of composite Gauss-Legendre quadrature on [low, high].

    `width` is the standard panel width; `kinks` is "none", "axes" (a panel ends at `kink`) or "graded" (and the
    panels shrink towards it).
    """
    edges = [low, kink, high] if kinks != "none" and low < kink < high else [low, high]
    pieces = [_even(a, b, width * rule.width) for a, b in pairwise(edges)]
    if kinks == "graded":
        pieces = [_graded(piece, kink, rule.levels) for piece in pieces]
    ends = np.unique(np.concatenate(pieces))
    nodes, weights = gauss_legendre(rule.order)
    half = np.diff(ends)[:, None] / 2
    centre = (ends[1:] + ends[:-1])[:, None] / 2
    return (centre + half * nodes).ravel(), (half * weights).ravel()


def kink_kind(problem: Problem) -> str:
    """Where the loss of the linear model is not analytic: "none", "axes" or "graded"."""
    if problem.epsilon == 0:
        return "none"
    return "axes" if problem.p == np.inf else "graded"


def panel_widths(problem: Problem, gamma: float, beta: float) -> np.ndarray:
    """The standard panel width of each axis, shape (2,): the narrower of what Gaussian and loss allow.

    The curvature of the exponent along axis i is at most beta (gamma + c), c = mean (|x_ni| + epsilon)^2/4,
    and log(1 + exp(-m)) is singular where Im m = pi, at least pi/(|x_ni| + epsilon) from the real axis.
    """
    slope = np.abs(problem.X) + problem.epsilon
    curvature = beta * (gamma + (slope**2).mean(axis=0) / 4)
    singular = np.pi / np.maximum(slope.max(axis=0), np.finfo(float).tiny)
    return np.minimum(GAUSS_SCALES / np.sqrt(curvature), LOSS_SHARE * singular)


@lru_cache(maxsize=8)
def gauss_legendre(order: int) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [-1, 1]."""
    return np.polynomial.legendre.leggauss(order)


def _even(low: float, high: float, widest: float) -> np.ndarray:
    return np.linspace(low, high, max(1, int(np.ceil((high - low) / widest))) + 1)


def _graded(ends: np.ndarray, kink: float, levels: int) -> np.ndarray:
    """The panel ends of a piece that lies on one side of the kink, refined geometrically towards it.

    A piece that stops short of the kink is graded as well, up to where it stops: a cone may be close by.
    """
    distance = np.abs(ends - kink)
    width = np.diff(ends).max()
    sign = 1.0 if ends[-1] > kink else -1.0
    marks = width * GRADING ** -np.arange(0.0, levels + 1)
    inside = (marks > distance.min()) & (marks < distance.max())
    return np.unique(np.concatenate([ends, kink + sign * marks[inside]]))

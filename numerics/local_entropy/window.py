"""The integrand of Eq. (10) as the scipy routes see it: divided by its largest value, in standard deviations of the
Gaussian, on a box that holds the mass or on one that was given.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import exp, hypot, isfinite, log1p, pi, sqrt
from typing import Any

import numpy as np
from scipy.optimize import minimize_scalar

from numerics.norms import dual_exponent, euclidean_radius
from numerics.problem import SWISH_MINIMISER, Problem

Box = Sequence[Sequence[float]]
TAIL_EXPONENT = 42.0  # the default box leaves out about exp(-42) = 6e-19 of the mass
SLACK = 0.05  # added to its half-width, in standard deviations: far more than the error of the peak's place
SWISH_SLOPE = 1.1  # above the largest slope of u sigmoid(u), 1.0998
LEAST_SEEN = (
    64.0  # a feature at the end of a range is seen by 21 Gauss-Kronrod nodes if it is this share of it
)
SEARCH_POINTS = 81  # an axis, for a first look at an exponent that may have several maxima


@dataclass(frozen=True, eq=False)
class Window:
    """exp(E - peak), E the exponent of Eq. (10), in u = scale (theta' - centre) with scale = sqrt(beta gamma).

    `offset` = scale (centre - theta); `ranges` (2, 2) the box in u; `tail` bounds what lies outside it, times
    max(1, u^2), as a share of the mass (0 for a box that was given); `least` and `most` bound the mass; `spread`
    bounds the rounding error of E.
    """

    problem: Problem
    beta: float
    centre: np.ndarray
    scale: float
    offset: np.ndarray
    peak: float
    ranges: np.ndarray
    tail: float
    least: float
    most: float
    spread: float
    given: bool

    def density(self, u: np.ndarray) -> np.ndarray:
        """The integrand, shape (..., 2) -> (...)."""
        loss = self.problem.loss(self.centre + u / self.scale)
        return np.exp(-self.beta * loss - ((u + self.offset) ** 2).sum(axis=-1) / 2 - self.peak)

    def scalar_density(self) -> Callable[[float, float], float]:
        """The same of two floats, without numpy's overhead for a call."""
        loss, beta, step, peak = scalar_loss(self.problem), self.beta, 1 / self.scale, self.peak
        (c0, c1), (o0, o1) = self.centre.tolist(), self.offset.tolist()

        def density(u0: float, u1: float) -> float:
            square = (u0 + o0) * (u0 + o0) + (u1 + o1) * (u1 + o1)
            return exp(-beta * loss(c0 + u0 * step, c1 + u1 * step) - square / 2 - peak)

        return density

    def kinks(self, u1: float | None = None) -> list[float]:
        """Break points strictly inside the box: of the outer integral, over u1, or of the inner one at a u1."""
        if self.problem.epsilon == 0:
            return []
        axis = 1 if u1 is None else 0
        places = {0.0}
        if u1 is not None and self.problem.p == 1:
            theta1 = self.centre[1] + u1 / self.scale
            places = {-theta1, theta1}
        low, high = self.ranges[axis]
        middle = [float(self.scale * (place - self.centre[axis])) for place in places]
        points = {u + step for u in middle for step in self.steps()}
        return sorted(u for u in points if low < u < high)

    def corners(self) -> list[np.ndarray]:
        """Points of the box at which to cut it in four, so that the cuts are the axes of theta' and, on a wide box,
        lines on both sides of them.

        None on an infinite box: scipy 1.17 ends with an IndexError when it is given one there.
        """
        if self.problem.epsilon == 0 or not np.isfinite(self.ranges).all():
            return []
        place = -self.scale * self.centre
        inside = (self.ranges[:, 0] < place) & (place < self.ranges[:, 1])
        if not inside.any():
            return []
        middle = np.where(inside, place, self.ranges.mean(axis=1))
        points = {(float(a), float(b)) for a in middle[0] + self.steps() for b in middle[1] + self.steps()}
        return [
            middle,
            *(np.array(point) for point in points - {tuple(middle.tolist())} if self._holds(point)),
        ]

    def steps(self) -> np.ndarray:
        """0 and, both ways, the distances at which exp(-beta L) may fade away from a kink, while they are too short
        for a rule on the whole box to see: a quadrant whose mass lies in its corner would look empty."""
        width = float(np.abs(self.ranges).max())
        steps = [0.0]
        step = self.scale / (self.beta * steepest_loss(self.problem))
        while isfinite(width) and step < width / LEAST_SEEN:
            steps += [-step, step]
            step *= LEAST_SEEN
        return np.array(sorted(steps))

    def _holds(self, point: tuple[float, float]) -> bool:
        return all(low < u < high for u, (low, high) in zip(point, self.ranges, strict=True))


def window(problem: Problem, theta: np.ndarray, gamma: float, beta: float, box: Box | None) -> Window:
    """The integrand around theta, on the given box of theta' or on one that leaves out about exp(-42) of the mass.

    With k = G sqrt(beta/gamma), G a Lipschitz constant of L, the exponent falls from its maximum at most like
    2 k r + r^2/2 (r = |u|), so the mass is at least 2 pi/(4 k^2 + 3). Where L is convex it falls at least like
    r^2/2, since the exponent is strongly concave, and the box is centred at the maximum. Otherwise L >= 0 leaves
    -r^2/2 around theta as an upper bound, and the box is centred there.
    """
    convex = problem.model == "linear"
    scale = sqrt(beta * gamma)
    slope = steepest_loss(problem)
    top = highest_point(problem, theta, gamma, beta)
    peak = -beta * float(problem.loss(top)) - beta * gamma * float(((top - theta) ** 2).sum()) / 2
    least = 2 * pi / (4 * slope**2 * beta / gamma + 3)
    excess = 0.0 if convex else -peak
    half = sqrt(2 * (TAIL_EXPONENT + np.log(2 * pi / least) + excess)) + SLACK
    centre = top if convex else theta
    ranges, tail = np.array([[-half, half], [-half, half]]), 0.0
    if box is not None:
        ranges = (checked_box(box) - centre[:, None]) * scale
    else:
        tail = 2 * pi * (half**2 + 3) * exp(excess - (half - SLACK) ** 2 / 2) / least
    reach = np.hypot(*centre) + half / scale
    spread = np.finfo(float).eps * (1 + abs(peak) + beta * slope * reach + half**2)
    most = 2 * pi if convex else 2 * pi * exp(min(excess, 700.0))
    offset = scale * (centre - theta)
    given = box is not None
    return Window(problem, beta, centre, scale, offset, peak, ranges, tail, least, most, float(spread), given)


def highest_point(problem: Problem, theta: np.ndarray, gamma: float, beta: float) -> np.ndarray:
    """A maximiser of -L(theta') - (gamma/2) ||theta - theta'||^2, shape (2,), to about 1e-8 of its distance bound.

    It lies within min(G/gamma, sqrt(2 L(theta)/gamma)) of theta. For the linear model the function is concave, so
    that nested one-dimensional searches find its maximum; for swish they start around the best point of a grid.
    """
    loss, (theta0, theta1) = scalar_loss(problem), theta.tolist()
    reach = min(steepest_loss(problem) / gamma, sqrt(2 * float(problem.loss(theta)) / gamma))
    if reach == 0:
        return theta.copy()
    # The search is for the way from theta, or rounding of a large theta would limit it.
    low, high = np.array([-reach, -reach]), np.array([reach, reach])
    if problem.model != "linear":
        steps = np.linspace(-reach, reach, SEARCH_POINTS)
        ways = np.stack(np.meshgrid(steps, steps, indexing="ij"), axis=-1)
        energy = problem.loss(theta + ways) + gamma / 2 * (ways**2).sum(axis=-1)
        best = ways.reshape(-1, 2)[energy.argmin()]
        low, high = best - (steps[1] - steps[0]), best + (steps[1] - steps[0])

    def along(first: float) -> Any:
        def energy(second: float) -> float:
            return loss(theta0 + first, theta1 + second) + gamma / 2 * (first * first + second * second)

        return _lowest(energy, low[1], high[1], reach)

    first = _lowest(lambda way: along(way).fun, low[0], high[0], reach).x
    return theta + np.array([first, along(first).x])


def _lowest(function: Callable[[float], float], low: float, high: float, reach: float) -> Any:
    return minimize_scalar(function, bounds=(low, high), method="bounded", options={"xatol": 1e-9 * reach})


def steepest_loss(problem: Problem) -> float:
    """A Lipschitz constant of L in the Euclidean norm: mean ||x_n|| + epsilon max ||delta||_2, the sigmoid < 1."""
    longest = np.linalg.norm(problem.X, axis=1).mean()
    steepest = float(longest) + problem.epsilon * euclidean_radius(problem.p, problem.dimension)
    return steepest if problem.model == "linear" else SWISH_SLOPE * steepest


def scalar_loss(problem: Problem) -> Callable[[float, float], float]:
    """L of two floats: a second writing of `Problem.loss`, many times faster for one point or the linear model."""
    size, epsilon = scalar_dual_norm(problem.p), problem.epsilon
    if len(problem.y) == 1:
        return _single(problem, size)
    if problem.model != "linear":
        return lambda a, b: float(problem.loss(np.array([a, b])))
    first, second = (problem.y[:, None] * problem.X).T.copy()
    share = 1 / len(first)
    return lambda a, b: share * float(np.logaddexp(0.0, epsilon * size(a, b) - first * a - second * b).sum())


def scalar_dual_norm(p: float) -> Callable[[float, float], float]:
    """`||(a, b)||_q` of two floats, q dual to p."""
    q = dual_exponent(p)
    if q == 1:
        return lambda a, b: abs(a) + abs(b)
    if q == 2:
        return hypot
    if q == np.inf:
        return lambda a, b: max(abs(a), abs(b))
    return lambda a, b: max(abs(a), abs(b)) and _power_sum(abs(a), abs(b), q)


def checked_box(box: Box) -> np.ndarray:
    """The box as an array [[low0, high0], [low1, high1]]; ValueError unless low < high on both axes."""
    try:
        ranges = np.array(box, dtype=float)
    except (TypeError, ValueError) as error:
        raise ValueError(f"box = {box!r} is not four numbers: pass ((low0, high0), (low1, high1))") from error
    if ranges.shape != (2, 2) or not (ranges[:, 0] < ranges[:, 1]).all():
        raise ValueError(
            f"box = {box!r}; it must be two ranges with low < high: pass ((low0, high0), (low1, high1))"
        )
    return ranges


def _power_sum(a: float, b: float, q: float) -> float:
    largest = max(a, b)
    return largest * ((a / largest) ** q + (b / largest) ** q) ** (1 / q)


def _single(problem: Problem, size: Callable[[float, float], float]) -> Callable[[float, float], float]:
    """The loss of one data point; for swish the score of the worst attack is the minimiser clipped, or an end."""
    (x0, x1), y, epsilon = problem.X[0].tolist(), float(problem.y[0]), problem.epsilon

    def linear(a: float, b: float) -> float:
        return _softplus(epsilon * size(a, b) - y * (x0 * a + x1 * b))

    def swish(a: float, b: float) -> float:
        centre, reach = x0 * a + x1 * b, epsilon * size(a, b)
        low, high = centre - reach, centre + reach
        if y > 0:
            return _softplus(-_swish(min(max(SWISH_MINIMISER, low), high)))
        return _softplus(max(_swish(low), _swish(high)))

    return linear if problem.model == "linear" else swish


def _softplus(value: float) -> float:
    return value + log1p(exp(-value)) if value > 0 else log1p(exp(value))


def _swish(score: float) -> float:
    small = exp(-abs(score))
    return score * (1.0 if score >= 0 else small) / (1 + small)

"""-F(theta) of Eq. (10) with a proof: balls that contain the value, the gradient and the Hessian, at one theta or
on a grid that shares its evaluations of the loss.

Gauss-Legendre on panels that end where the loss has kinks (`certified_rule`) is summed in ball arithmetic
(`certified_sums`); what the sums leave out is bounded in `certified_bounds` and added to the radii. The ball of each
moment then holds the exact one, and so do the balls computed from it. Nothing is done in parallel: the paper's
surfaces take seconds on one core, and the result is the same in every run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import flint
import numpy as np

from numerics.local_entropy.certified_bounds import Panels, quadrature_error, tail_errors
from numerics.local_entropy.certified_frame import Frame, best_weights, frame, minorant, turn
from numerics.local_entropy.certified_rule import plan
from numerics.local_entropy.certified_sums import Meter, moments
from numerics.local_entropy.result import LocalEntropy, QuadratureFailure, check_arguments
from numerics.problem import Problem
from numerics.surfaces import Surface, checked_axes, describe, grid

arb = flint.arb
RADIUS = 1e-12  # of -F, absolute
MOST_EVALUATIONS = 2e7  # nodes times data points: about a minute for one point, less for several
TRIES = 3  # rules tried, each planned for a thousandth of the error of the one before
TURN = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)  # of float coordinates, as `turn` of balls
PAIRED_ENTRIES = 1_000_000  # balls of a kernel held at once for L1

Progress = Callable[[str], None]


@dataclass(frozen=True, eq=False)
class Enclosure:
    """Balls that contain -F, its gradient (2) and its Hessian (2 x 2) at one theta."""

    value: Any
    gradient: tuple[Any, Any]
    hessian: tuple[tuple[Any, Any], tuple[Any, Any]]

    @property
    def radius(self) -> float:
        """At least the radius of `value`."""
        return _above(self.value.rad())

    @property
    def derivative_radius(self) -> float:
        """At least the radius of each entry of gradient and Hessian."""
        balls = (*self.gradient, *self.hessian[0], *self.hessian[1])
        return float(np.max([_above(ball.rad()) for ball in balls]))  # nan stays nan


def certified_value(
    problem: Problem,
    theta: Any,
    *,
    gamma: float = 1.0,
    beta: float = 1.0,
    radius: float = RADIUS,
    most_evaluations: float = MOST_EVALUATIONS,
    progress: Progress | None = None,
) -> Enclosure:
    """The enclosure at theta, shape (2,), with a radius of at most `radius` for -F, an absolute error.

    -F(theta) = -log of the integral over t in R^2 of exp(-beta L(t) - (beta gamma/2) ||theta - t||^2); gradient
    = beta gamma (theta - E[t]) and Hessian = beta gamma I - (beta gamma)^2 Cov under the density of Eq. (12), each
    entry aimed at ten times `radius`. The linear model with p = 1, 2, inf or epsilon = 0, d = 2, any number of data
    points. The floats given stand for themselves: theta = 0.1 is the double next to one tenth.
    Raises ValueError for other arguments; QuadratureFailure when `radius` is not reached.
    """
    point = check_arguments(problem, theta, gamma, beta)[0]
    axes = (point[:1], point[1:])
    return _enclosures(problem, axes, float(gamma), float(beta), radius, most_evaluations, progress)[0]


def certified_surface(
    problem: Problem,
    axes: tuple[np.ndarray, np.ndarray],
    *,
    gamma: float = 1.0,
    beta: float = 1.0,
    radius: float = RADIUS,
    most_evaluations: float = MOST_EVALUATIONS,
    progress: Progress | None = None,
) -> Surface:
    """-F with gradient and Hessian on the grid (axes[0][i], axes[1][j]); `error` and `derivative_error` are proved.

    The fields are the balls' midpoints rounded to floats, and the errors hold that rounding. `progress` receives
    lines: how many evaluations are needed (their number grows as gamma falls) and how far they are.
    Raises: as `certified_value`, and QuadratureFailure where float64 rounds -F by more than `radius` allows.
    """
    first, second = checked_axes(axes)
    check_arguments(problem, np.array([first[0], second[0]]), gamma, beta)
    started = time.perf_counter()
    numbers = (float(gamma), float(beta), radius, most_evaluations)
    balls = _enclosures(problem, (first, second), *numbers, progress)
    shape = (len(first), len(second))
    rows = [[ball.value, *ball.gradient, *ball.hessian[0], *ball.hessian[1]] for ball in balls]
    rounded = np.array([[_rounded(ball) for ball in row] for row in rows])
    middles, errors = rounded[..., 0], rounded[..., 1]
    _check_rounding(float(errors[:, 0].max()), radius)
    what = {
        "quantity": "-F(theta)",
        "method": "certified: Gauss-Legendre panels in ball arithmetic, truncation errors proved",
        "gamma": numbers[0],
        "beta": numbers[1],
        "radius": radius,
        "seconds": time.perf_counter() - started,
        **describe(problem),
    }
    return Surface(
        (first, second),
        middles[:, 0].reshape(shape),
        middles[:, 1:3].reshape(*shape, 2),
        middles[:, 3:].reshape(*shape, 2, 2),
        errors[:, 0].reshape(shape),
        errors[:, 1:].max(axis=1).reshape(shape),
        what,
    )


def certified_local_entropy(
    problem: Problem, theta: Any, *, gamma: float = 1.0, beta: float = 1.0, tolerance: float = RADIUS
) -> LocalEntropy:
    """`certified_value` rounded to floats: the errors are proved and hold the rounding.

    Raises: as `certified_value`, and QuadratureFailure where the rounding exceeds what `tolerance` leaves for it.
    """
    started = time.perf_counter()
    ball = certified_value(problem, theta, gamma=gamma, beta=beta, radius=tolerance)
    value, error = _rounded(ball.value)
    _check_rounding(error, tolerance)
    derivatives = [_rounded(part) for part in (*ball.gradient, *ball.hessian[0], *ball.hessian[1])]
    numbers = np.array([number for number, _ in derivatives])
    return LocalEntropy(
        value=value,
        gradient=numbers[:2],
        hessian=numbers[2:].reshape(2, 2),
        error=error,
        derivative_error=max(part for _, part in derivatives),
        method="certified",
        seconds=time.perf_counter() - started,
    )


def _enclosures(
    problem: Problem,
    axes: tuple[np.ndarray, np.ndarray],
    gamma: float,
    beta: float,
    radius: float,
    most_evaluations: float,
    progress: Progress | None,
) -> list[Enclosure]:
    """The enclosures on a grid, row by row, all within `radius`."""
    if problem.model != "linear":
        raise ValueError(
            f"model = {problem.model!r} has no certified enclosure; supported is linear: take the method cubature, "
            "nquad or dblquad"
        )
    if not 0 < radius < np.inf:
        raise ValueError(f"radius = {radius}; it must be finite and > 0: pass 1e-12, say")
    points = grid(axes).reshape(-1, 2)
    goal, reached = min(radius, 1.0), np.inf
    for _ in range(TRIES):
        with flint.ctx.workprec(64):
            coarse = frame(problem, gamma, beta)
            theta = points @ TURN if coarse.turned else points
            chosen = plan(coarse, theta, goal, most_evaluations)
        if progress is not None:
            progress(
                f"certified -F at {len(points)} theta, gamma = {gamma:g}: {chosen.panels.nodes:.3g} nodes for "
                f"{len(problem.y)} data points in {chosen.bits} bits; the smaller gamma, the more nodes"
            )
        with flint.ctx.workprec(chosen.bits):
            exact = frame(problem, gamma, beta)
            balls = _balls(exact, chosen.panels, axes, theta, Meter(chosen.panels.nodes, progress))
        finite = np.isfinite([(ball.radius, ball.derivative_radius) for ball in balls]).all()
        reached = max(ball.radius for ball in balls) if finite else np.inf
        if reached <= radius:
            return balls
        goal /= 1000
    raise QuadratureFailure("certified", reached, radius, f"{TRIES} rules did not bring it lower")


def _balls(
    frame: Frame, panels: Panels, axes: tuple[np.ndarray, np.ndarray], theta: np.ndarray, meter: Meter
) -> list[Enclosure]:
    """The enclosures one rule gives; `theta` (P, 2) are the grid points in the frame, in floats."""
    first, second = ([arb(value) for value in axis.tolist()] for axis in axes)
    points = [(a, b) for a in first for b in second]
    if frame.turned:
        points = [turn(*point) for point in points]
        sums = _at_points(frame, panels, points, meter)
    else:
        totals = moments(frame, panels, first, second, False, meter)
        sums = {order: total.entries() for order, total in totals.items()}
    error, size = quadrature_error(frame, panels)
    weights, directions = best_weights(frame, theta)
    balls = []
    for index, point in enumerate(points):
        lower = minorant(frame, point, weights[index], directions[index])
        tails = tail_errors(frame, panels, lower.centre)
        bounds = [lower.top * (error * size**order + tail) for order, tail in enumerate(tails)]
        own = {order: values[index] + arb(0, bounds[sum(order)]) for order, values in sums.items()}
        balls.append(_enclosure(frame, panels, point, own))
    return balls


def _at_points(
    frame: Frame, panels: Panels, points: list[tuple[Any, Any]], meter: Meter
) -> dict[tuple[int, int], list[Any]]:
    """Moments at points that form no grid in the frame, as many at once as memory allows."""
    many = max(1, PAIRED_ENTRIES // int(sum(side.nodes for side in panels.sides[1])))
    meter.total *= -(-len(points) // many)
    sums: dict[tuple[int, int], list[Any]] = {}
    for start in range(0, len(points), many):
        first, second = (list(part) for part in zip(*points[start : start + many], strict=True))
        for order, values in moments(frame, panels, first, second, True, meter).items():
            sums.setdefault(order, []).extend(values.entries())
    return sums


def _enclosure(
    frame: Frame, panels: Panels, theta: tuple[Any, Any], moments: dict[tuple[int, int], Any]
) -> Enclosure:
    """-F, gradient and Hessian from the moments about the panels' origin, turned back from the frame."""
    mass, kappa = moments[0, 0], frame.kappa
    mean = (moments[1, 0] / mass, moments[0, 1] / mass)
    slopes = [kappa * (t - arb(o) - m) for t, o, m in zip(theta, panels.origin, mean, strict=True)]
    a = kappa - kappa * kappa * (moments[2, 0] / mass - mean[0] * mean[0])
    b = -kappa * kappa * (moments[1, 1] / mass - mean[0] * mean[1])
    c = kappa - kappa * kappa * (moments[0, 2] / mass - mean[1] * mean[1])
    gradient = (slopes[0], slopes[1])
    if frame.turned:
        gradient = turn(*gradient)
        a, b, c = (a + c) / 2 + b, (a - c) / 2, (a + c) / 2 - b
    return Enclosure(-mass.log(), gradient, ((a, b), (b, c)))


def _rounded(ball: Any) -> tuple[float, float]:
    """(number, error): the ball lies within `error` of the float `number`."""
    number = float(ball.mid())
    return number, _above((ball - arb(number)).abs_upper())


def _check_rounding(error: float, allowed: float) -> None:
    """QuadratureFailure where a ball within `allowed` is no longer so once rounded to a float."""
    if not error <= allowed:
        reason = "float64 rounds -F more coarsely there, take `certified_value` for the ball"
        raise QuadratureFailure("certified", error, allowed, reason)


def _above(ball: Any) -> float:
    """A float that is at least the ball's upper end."""
    return float(np.nextafter(float(ball.upper()), np.inf))

"""The trade-off over EntropySGD's scope gamma (Sec. 5.1, App. C): how smooth -F is, and where its optimum goes.

The paper prints no gamma for Figs. 2(g), (h) and 5. A small one smooths and moves the optimum, a large one keeps
both the optimum and the kinks of L: `scope` measures the first, `numerics.optima` the second.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from numerics.local_entropy import local_entropy_surface
from numerics.local_entropy.mass import box, proximal_point
from numerics.local_entropy.nodes import FINE
from numerics.norms import euclidean_radius
from numerics.problem import Problem
from numerics.surfaces import Surface, square_axes

GRID = 41  # odd, so that the axes theta_i = 0, where the curvature of -F has its ridges, are on the grid
ZOOM = 4.0  # each refinement of a maximum divides the step by it
MOST_ZOOMS = 8
GAIN = 1e-4  # a maximum whose last refinement raised it by less, relatively, is taken


@dataclass(frozen=True)
class Scope:
    """How smooth -F is on the square |theta_i| <= half_width, against the constants that bound it.

    `curvature`: the largest sigma_1(-Hess F), reached at `at`, both refined until the last refinement changed the
    maximum by `refinement`. `covariance`: the largest ||Sigma_theta||_F. The constants, each >= curvature:
    `printed` = beta gamma + (beta gamma)^2 covariance (Theorem 3, Eq. (23), at beta = 1), `convex` = beta gamma
    (claim beyond.entropy-convex) and `lipschitz` = (beta^2 G/2)(sqrt(G^2 + 4 gamma/beta) - G), G the Lipschitz
    constant of L (claim beyond.entropy-adversarial-logistic). The last two hold on all of R^2. `error`: what the
    quadrature may add to `curvature`.
    """

    gamma: float
    beta: float
    curvature: float
    at: tuple[float, float]
    refinement: float
    covariance: float
    printed: float
    convex: float
    lipschitz: float
    error: float


@dataclass(frozen=True, eq=False)
class Peak:
    """The largest `value` of a function of -Hess F, at `theta` (2,) with its `hessian` (2, 2); `added` says by how
    much the last refinement raised it."""

    theta: np.ndarray
    hessian: np.ndarray
    value: float
    added: float


def scope(problem: Problem, gamma: float, *, beta: float = 1.0, half_width: float = 2.0) -> Scope:
    """Measures the curvature of -F on a square of weights; see `Scope`. Linear model, two weights.

    Raises: ValueError and QuadratureFailure as `local_entropy_surface`.
    """
    axes = square_axes(GRID, half_width)
    surface = local_entropy_surface(problem, axes, gamma=gamma, beta=beta)
    strength = beta * gamma
    steepest = largest(problem, surface, spectral_norm, gamma=gamma, beta=beta)
    spread = partial(covariance_norm, precision=strength)
    covariance = largest(problem, surface, spread, gamma=gamma, beta=beta).value
    slope = lipschitz_constant(problem)
    return Scope(
        gamma=float(gamma),
        beta=float(beta),
        curvature=steepest.value,
        at=(float(steepest.theta[0]), float(steepest.theta[1])),
        refinement=steepest.added,
        covariance=covariance,
        printed=strength + strength**2 * covariance,
        convex=strength,
        lipschitz=2 * beta * gamma * slope / (math.hypot(slope, 2 * math.sqrt(gamma / beta)) + slope),
        error=float(surface.derivative_error.max()),
    )


def integration_box(
    problem: Problem, axes: tuple[np.ndarray, np.ndarray], *, gamma: float, beta: float = 1.0
) -> tuple[tuple[float, float], tuple[float, float]]:
    """The ranges of theta'_1 and theta'_2 to which the fast route cuts the integral over R^2 of Eq. (10) on a grid;
    outside lies about exp(-FINE.tail) of the mass of every theta. Where it splits the grid it uses parts of it."""
    low, high = (np.array([pick(axis) for axis in axes]) for pick in (np.min, np.max))
    centre = (low + high) / 2
    peak = proximal_point(problem, centre, gamma)
    lowest, highest = box(problem, centre, (high - low) / 2, peak, gamma, beta, FINE.tail)
    return (float(lowest[0]), float(highest[0])), (float(lowest[1]), float(highest[1]))


def lipschitz_constant(problem: Problem) -> float:
    """G = max ||x_n||_2 + epsilon times the largest ||delta||_2 of a unit ball: sqrt(d) for p = inf, 1 for p <= 2.

    L of the linear model is G-Lipschitz (Eq. (8); claim beyond.entropy-adversarial-logistic).
    """
    longest = float(np.linalg.norm(problem.X, axis=1).max())
    return longest + problem.epsilon * euclidean_radius(problem.p, problem.dimension)


def spectral_norm(hessian: np.ndarray) -> np.ndarray:
    """sigma_1 of each Hessian, shape (..., 2, 2) -> (...)."""
    return np.linalg.norm(hessian, 2, axis=(-2, -1))


def covariance_norm(hessian: np.ndarray, precision: float) -> np.ndarray:
    """||Sigma_theta||_F from -Hess F = beta gamma I - (beta gamma)^2 Sigma (Eq. 53), precision = beta gamma."""
    return np.linalg.norm((precision * np.eye(2) - hessian) / precision**2, axis=(-2, -1))


def largest(
    problem: Problem,
    surface: Surface,
    size: Callable[[np.ndarray], np.ndarray],
    *,
    gamma: float,
    beta: float = 1.0,
    gain: float = GAIN,
) -> Peak:
    """Where `size` of -Hess F is largest in the square that `surface` covers, refined around its best point
    MOST_ZOOMS times, or until a refinement adds less than the share `gain` of it (0: never)."""
    low, high = surface.axes[0][0], surface.axes[0][-1]
    step, best = float(surface.axes[0][1] - low), None
    for _ in range(MOST_ZOOMS):
        field = size(surface.hessian)
        i, j = np.unravel_index(int(np.argmax(field)), field.shape)
        before = -np.inf if best is None else best.value
        found = float(field[i, j])
        added = max(found - before, 0.0)  # rounding may find the same place a little lower
        if best is None or found > before:
            best = Peak(np.array([surface.axes[0][i], surface.axes[1][j]]), surface.hessian[i, j], found, 0.0)
        best = replace(best, added=added)
        if added < gain * best.value:
            break
        step /= ZOOM
        reach = step * np.arange(-ZOOM, ZOOM + 1)
        near = [np.unique(np.clip(centre + reach, low, high)) for centre in best.theta]
        surface = local_entropy_surface(problem, (near[0], near[1]), gamma=gamma, beta=beta)
    assert best is not None
    return best

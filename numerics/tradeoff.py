"""The trade-off over EntropySGD's scope gamma (Sec. 5.1, App. C): how smooth -F is, and where its optimum goes.

The paper prints no gamma for Figs. 2(g), (h) and 5. A small one smooths and moves the optimum, a large one keeps
both the optimum and the kinks of L: `scope` measures the first, `numerics.optima` the second.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from numerics.local_entropy import local_entropy_surface
from numerics.local_entropy.mass import box, proximal_point
from numerics.local_entropy.nodes import FINE
from numerics.problem import Problem, named
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


def normal_data(loss: str, epsilon: float = 0.6, points: int = 100, seed: int = 0) -> Problem:
    """The data of Figs. 4 and 5: x_n ~ N(0, I_2) from numpy's default generator, y_n = sign(x_{n,1}).

    The paper prints no seed: 0 is ours. Raises ValueError for points < 1, seed < 0 and as `named`.
    """
    for name, value, least in (("points", points, 1), ("seed", seed, 0)):
        if not (isinstance(value, int | np.integer) and value >= least):
            raise ValueError(f"{name} = {value!r}; it must be a whole number >= {least}: pass one")
    X = np.random.default_rng(seed).standard_normal((points, 2))
    return Problem(X, np.where(X[:, 0] >= 0, 1.0, -1.0), *named(loss, epsilon))


def scope(problem: Problem, gamma: float, *, beta: float = 1.0, half_width: float = 2.0) -> Scope:
    """Measures the curvature of -F on a square of weights; see `Scope`. Linear model, two weights.

    Raises: ValueError and QuadratureFailure as `local_entropy_surface`.
    """
    axes = square_axes(GRID, half_width)
    surface = local_entropy_surface(problem, axes, gamma=gamma, beta=beta)
    curvature, at, gain = _largest(problem, surface, half_width, gamma, beta, _curvature)
    strength = beta * gamma

    def covariance_of(hessian: np.ndarray) -> np.ndarray:
        return np.linalg.norm((strength * np.eye(2) - hessian) / strength**2, axis=(-2, -1))

    covariance, _, _ = _largest(problem, surface, half_width, gamma, beta, covariance_of)
    slope = lipschitz_constant(problem)
    return Scope(
        gamma=float(gamma),
        beta=float(beta),
        curvature=curvature,
        at=at,
        refinement=gain,
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
    share = 0.5 if problem.p == np.inf else max(0.0, 0.5 - 1 / problem.p)
    longest = float(np.linalg.norm(problem.X, axis=1).max())
    return longest + problem.epsilon * problem.dimension**share


def _largest(
    problem: Problem,
    surface: Surface,
    half_width: float,
    gamma: float,
    beta: float,
    size: Callable[[np.ndarray], np.ndarray],
) -> tuple[float, tuple[float, float], float]:
    """The maximum of `size` of the Hessian over the square, its place, and what the last refinement added."""
    step, best, gain = float(surface.axes[0][1] - surface.axes[0][0]), -np.inf, np.inf
    at = (0.0, 0.0)
    for _ in range(MOST_ZOOMS):
        assert surface.hessian is not None
        field = size(surface.hessian)
        i, j = np.unravel_index(int(np.argmax(field)), field.shape)
        gain, found = float(field[i, j]) - best, float(field[i, j])
        if found > best:
            best, at = found, (float(surface.axes[0][i]), float(surface.axes[1][j]))
        if gain <= GAIN * best:
            break
        step /= ZOOM
        reach = step * np.arange(-ZOOM, ZOOM + 1)
        near = [np.unique(np.clip(centre + reach, -half_width, half_width)) for centre in at]
        surface = local_entropy_surface(problem, (near[0], near[1]), gamma=gamma, beta=beta)
    return best, at, max(gain, 0.0)


def _curvature(hessian: np.ndarray) -> np.ndarray:
    return np.linalg.norm(hessian, 2, axis=(-2, -1))

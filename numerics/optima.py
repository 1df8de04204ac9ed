"""The minimisers of the adversarial losses of Fig. 4 and of EntropySGD's -F, which App. C says are the same."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np

from numerics.local_entropy import local_entropy
from numerics.norms import steepest_direction
from numerics.problem import Problem, sigmoid

MOST_STEPS = 100
SMALLEST_STEP = 1e-12  # Newton ends where a step is below it, relative to 1 + ||theta||
FLAT = 100.0  # a curvature of -F below this multiple of its error is none: -F falls along a ray
STATIONARY = 1e-10  # the least subgradient of a minimiser, in the units of L's slope


@dataclass(frozen=True)
class Optimum:
    """The minimiser `theta` (2,) of L or of -F, its `value`, and `error`: an estimate of the distance to the true
    minimiser, from Newton's last step, rounding and the quadrature's own estimate."""

    theta: np.ndarray
    value: float
    error: float


def optimum(problem: Problem) -> Optimum:
    """The minimiser of the convex, kinked L of the linear model, d = 2, p = 2 or inf.

    Newton's method on every piece on which L is smooth: the signs of theta_i for p = inf, theta != 0 for p = 2.
    The answer is the piece's minimiser at which 0 is a subgradient of L (claim appc.linf-theta2 for one weight),
    to STATIONARY. Raises: ValueError for another model, dimension or p, and where L has no minimum, as for a
    single point and for data that the attack leaves separable (claim beyond.unbounded-level-sets).
    """
    if problem.model != "linear" or problem.dimension != 2 or problem.p not in (2.0, np.inf):
        raise ValueError(
            f"model = {problem.model!r}, d = {problem.dimension}, p = {problem.p:g}; optima are computed for the "
            "linear model, d = 2 and p = 2 or inf: pass such a problem"
        )
    for signs in _pieces(problem):
        theta, step = _newton(problem, signs)
        if step <= SMALLEST_STEP * (1 + np.linalg.norm(theta)) and _kept(problem, theta, signs):
            least = _least_subgradient(problem, theta)
            if least <= STATIONARY:
                return Optimum(
                    theta, float(problem.loss(theta)), 2 * step + _reach(problem, theta, signs, least)
                )
    raise ValueError(
        f"the {problem.name} loss of these {len(problem.y)} points has no minimum, it falls along a ray: pass data "
        "that the attack does not leave separable"
    )


def entropy_optimum(
    problem: Problem, gamma: float, *, beta: float = 1.0, start: np.ndarray | None = None
) -> Optimum:
    """The minimiser of -F, by Newton's method from `start` (the minimiser of L by default).

    -F of a convex L is convex (claim beyond.entropy-convex). Raises: ValueError where Newton's method finds no
    minimum, as `optimum` and as `local_entropy`.
    """
    theta = np.array(optimum(problem).theta if start is None else start, dtype=float)
    here = local_entropy(problem, theta, gamma=gamma, beta=beta)
    for _ in range(MOST_STEPS):
        flattest = float(np.linalg.eigvalsh(here.hessian)[0])
        if flattest <= FLAT * here.derivative_error:
            break
        step = np.linalg.solve(here.hessian, here.gradient)
        blur = here.derivative_error / flattest
        size = float(np.linalg.norm(step))
        if size <= max(1e-9, 8 * blur):
            return Optimum(theta, here.value, 2 * size + 2 * blur)
        nearer = local_entropy(problem, theta - step, gamma=gamma, beta=beta)
        while nearer.value > here.value + here.error + nearer.error:
            step = step / 2
            nearer = local_entropy(problem, theta - step, gamma=gamma, beta=beta)
        theta, here = theta - step, nearer
    raise ValueError(
        f"Newton's method found no minimum of -F at gamma = {gamma:g}, it went to theta = ({theta[0]:.3g}, "
        f"{theta[1]:.3g}): L may fall along a ray; pass data that the attack does not leave separable"
    )


def entropy_path(problem: Problem, gammas: np.ndarray, *, beta: float = 1.0) -> list[Optimum]:
    """The minimisers of -F for these gammas, in their order, each found from that of the next larger gamma.

    Raises: as `entropy_optimum`.
    """
    found: dict[int, Optimum] = {}
    start = optimum(problem).theta
    for index in np.argsort(gammas)[::-1]:
        found[int(index)] = entropy_optimum(problem, float(gammas[index]), beta=beta, start=start)
        start = found[int(index)].theta
    return [found[index] for index in range(len(gammas))]


def _pieces(problem: Problem) -> list[tuple[int, ...]]:
    """Sign patterns of theta whose pieces may hold the minimiser; for p = 2 the plane without 0, and 0."""
    if problem.p == np.inf:
        return list(product((1, -1, 0), repeat=2))
    return [(1, 1), (0, 0)]


def _newton(problem: Problem, signs: tuple[int, ...]) -> tuple[np.ndarray, float]:
    """Where Newton's method ends on one piece, and the length of its last step; weights of sign 0 stay 0."""
    free = np.flatnonzero(signs)
    theta = np.array(signs, dtype=float) / 4
    if len(free) == 0:
        return theta, 0.0
    size = np.inf
    for _ in range(MOST_STEPS):
        gradient, hessian = _derivatives(problem, theta, signs)
        step = np.zeros(2)
        try:
            step[free] = np.linalg.solve(hessian[np.ix_(free, free)], gradient[free])
        except np.linalg.LinAlgError:
            return theta, np.inf
        size = float(np.linalg.norm(step))
        if not size < 1e6:
            return theta, np.inf
        if size <= SMALLEST_STEP * (1 + np.linalg.norm(theta)) / 4:
            break
        # The slope along the step ends where the loss stops falling: halve until it has not turned upwards much.
        share = 1.0
        while (
            share > 1e-6
            and _derivatives(problem, theta - share * step, signs)[0] @ step < -abs(gradient @ step) / 2
        ):
            share /= 2
        theta = theta - share * step
    return theta, size


def _derivatives(
    problem: Problem, theta: np.ndarray, signs: tuple[int, ...]
) -> tuple[np.ndarray, np.ndarray]:
    """Gradient (2,) and Hessian (2, 2) of L on a piece, continued beyond it for p = inf.

    With c_n = -y_n theta.x_n + epsilon ||theta||_q: the means of s(c) grad c and of s(c)(1 - s(c)) grad c grad c^T
    + s(c) Hess c, s the sigmoid.
    """
    smooth = problem.p == 2.0
    direction = steepest_direction(theta, 2.0) if smooth else np.array(signs, dtype=float)
    reach = float(direction @ theta)
    bend = np.zeros((2, 2))
    if smooth and reach > 0:
        bend = (np.eye(2) - np.outer(direction, direction)) / reach
    slope = -problem.y[:, None] * problem.X + problem.epsilon * direction
    push = sigmoid(-problem.y * (problem.X @ theta) + problem.epsilon * reach)
    curved = (push * (1 - push))[:, None, None] * slope[:, :, None] * slope[:, None, :]
    return (push[:, None] * slope).mean(axis=0), curved.mean(axis=0) + problem.epsilon * push.mean() * bend


def _kept(problem: Problem, theta: np.ndarray, signs: tuple[int, ...]) -> bool:
    """Whether the point lies in its piece."""
    if problem.p == 2.0:
        return bool(theta.any()) == any(signs)
    return tuple(np.sign(theta).astype(int)) == signs


def _least_subgradient(problem: Problem, theta: np.ndarray) -> float:
    """The length of the shortest subgradient of L at theta: of g + epsilon m v over the subgradients v of
    ||theta||_q, with g = mean(-s y x) and m = mean(s)."""
    push = sigmoid(-problem.y * (problem.X @ theta) + problem.epsilon * _norm(problem, theta))
    pull = -(push * problem.y) @ problem.X / len(problem.y)
    ball = problem.epsilon * float(push.mean())
    if problem.p == 2.0:
        length = float(np.linalg.norm(pull))
        if not theta.any():
            return max(0.0, length - ball)
        return float(np.linalg.norm(pull + ball * steepest_direction(theta, 2.0)))
    resting = np.maximum(0.0, np.abs(pull) - ball)
    return float(np.linalg.norm(np.where(theta == 0, resting, pull + ball * np.sign(theta))))


def _norm(problem: Problem, theta: np.ndarray) -> float:
    return float(steepest_direction(theta, problem.p) @ theta)


def _reach(problem: Problem, theta: np.ndarray, signs: tuple[int, ...], least: float) -> float:
    """How far a minimiser can be where the gradient on the piece is `least` long: over the smallest curvature."""
    free = np.flatnonzero(signs)
    if len(free) == 0:
        return 0.0
    _, hessian = _derivatives(problem, theta, signs)
    return 2 * least / float(np.linalg.eigvalsh(hessian[np.ix_(free, free)])[0])

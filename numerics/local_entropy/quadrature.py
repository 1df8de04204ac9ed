"""The fast route to -F(theta), its gradient and its Hessian: shared nodes, and the Gaussian as matrix
products.

With W[i, j] = exp(-beta L(t_i, t_j)) on a tensor grid of nodes and K_k[a, i] = w_i u^k exp(-(beta gamma/2)
u^2), u = t_i - theta_a, the moments of Eq. (10) on a whole grid of theta are the matrix products K_k W K_l^T:
the loss is evaluated once a node, however many theta there are. From the moments, with mean and covariance
under the density of Eq. (48): gradient of -F = beta gamma (theta - E[theta']), Hessian = beta gamma I - (beta
gamma)^2 Cov.

What keeps it safe at large beta L is a tilt: both factors are multiplied by exp(+-beta g.t), g the
subgradient of L at the proximal point of the grid's centre. Then W is at most 1 with its maximum where the
Gaussian has its own.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from numerics.local_entropy.loss_on_nodes import loss_on_nodes
from numerics.local_entropy.mass import box, proximal_point
from numerics.local_entropy.nodes import COARSE, FINE, Rule, axis_nodes, kink_kind, panel_widths
from numerics.local_entropy.result import LocalEntropy, QuadratureFailure, check_arguments, positive
from numerics.problem import Problem
from numerics.surfaces import Surface, checked_axes, describe, grid

TOLERANCE = 1e-11  # error of -F to be reached, absolute, and relative where |-F| > 1
REFINEMENTS = 3  # times the rule is refined before a failure is reported
MOST_NODES = 2_000_000  # loss values held at once (16 MB an array)
MOST_EVALUATIONS = 1e9  # loss values of one data point: ten or twenty seconds
SMALLEST_MASS = 1e-200  # where a theta's mass falls below it, its digits may be lost: the grid is cut in two
SAFETY = 4.0  # the finer rule's error is taken to be at most this multiple of the difference to the coarser
ROUNDINGS = 24.0  # units in the last place that sums of positive terms and their logarithm may lose
CANCELLED = 4.0  # roundings of each term of a margin
EPS = np.finfo(float).eps


@dataclass(frozen=True, eq=False)
class Fields:
    """-F with its derivatives at some theta: value (...), gradient (..., 2), hessian (..., 2, 2); `size`
    (...) is beta gamma times the root mean square of theta' around where the moments were taken, which
    rounding scales with.
    """

    value: np.ndarray
    gradient: np.ndarray
    hessian: np.ndarray
    size: np.ndarray


@dataclass(frozen=True, eq=False)
class Task:
    """What is integrated, and how well. The theta of two arrays are their tensor grid or, where `paired`, the points
    (first[k], second[k])."""

    problem: Problem
    gamma: float
    beta: float
    tolerance: float
    paired: bool = False


def local_entropy_surface(
    problem: Problem,
    axes: tuple[np.ndarray, np.ndarray],
    *,
    gamma: float = 1.0,
    beta: float = 1.0,
    tolerance: float = TOLERANCE,
) -> Surface:
    """-F of Eq. (10) with gradient and Hessian on the grid (axes[0][i], axes[1][j]), and its error estimate.

    The linear model with any p in [1, inf] and any number of data points, d = 2. The estimate is the
    difference between two rules, times a safety factor, plus a bound on rounding. The tolerance binds `error`,
    that of the value; `derivative_error` is what it comes to.
    Raises: ValueError for bad arguments; QuadratureFailure when the estimate stays above `tolerance`.
    """
    first, second = checked_axes(axes)
    _, gamma, beta = check_arguments(problem, np.array([first[0], second[0]]), gamma, beta)
    if problem.model != "linear":
        raise ValueError(
            f"model = {problem.model!r}; the fast route knows the kinks of the linear model alone: take the method "
            "cubature, nquad or dblquad"
        )
    task = Task(problem, gamma, beta, positive("tolerance", tolerance))
    started = time.perf_counter()
    if problem.p == 1:
        fields, errors, rule = _rotated(task, grid((first, second)))
    else:
        fields, errors, rule = _estimated(task, (first, second))
    what: dict[str, Any] = {
        "quantity": "-F(theta)",
        "method": "Gauss-Legendre on panels ending at the kinks",
        "gamma": gamma,
        "beta": beta,
        "rule": {"order": rule.order, "width": rule.width, "levels": rule.levels, "tail": rule.tail},
        "seconds": time.perf_counter() - started,
        **describe(problem),
    }
    return Surface((first, second), fields.value, fields.gradient, fields.hessian, *errors, what)


def local_entropy(
    problem: Problem, theta: Any, *, gamma: float = 1.0, beta: float = 1.0, tolerance: float = TOLERANCE
) -> LocalEntropy:
    """-F, its gradient and its Hessian at one theta, shape (2,), by the fast route.

    Raises: as `local_entropy_surface`.
    """
    point, gamma, beta = check_arguments(problem, theta, gamma, beta)
    surface = local_entropy_surface(
        problem, (point[:1], point[1:]), gamma=gamma, beta=beta, tolerance=tolerance
    )
    return LocalEntropy(
        value=float(surface.value[0, 0]),
        gradient=surface.gradient[0, 0],
        hessian=surface.hessian[0, 0],
        error=float(surface.error[0, 0]),
        derivative_error=float(surface.derivative_error[0, 0]),
        method="fast",
        seconds=surface.provenance["seconds"],
    )


def _rotated(task: Task, points: np.ndarray) -> tuple[Fields, tuple[np.ndarray, np.ndarray], Rule]:
    """p = 1 through p = inf: max(|a|, |b|) = (|a + b| + |a - b|)/2, so that a turn by 45 degrees makes the
    kinks axes; the Gaussian is the same in every orthonormal frame."""
    turn = np.array([[1.0, 1.0], [1.0, -1.0]]) / np.sqrt(2)
    problem = task.problem
    turned = replace(problem, X=problem.X @ turn, epsilon=problem.epsilon / np.sqrt(2), p=np.inf)
    flat = (points @ turn).reshape(-1, 2)
    fields, errors, rule = _estimated(replace(task, problem=turned, paired=True), (flat[:, 0], flat[:, 1]))
    shape = points.shape[:-1]
    back = Fields(
        fields.value.reshape(shape),
        (fields.gradient @ turn).reshape(*shape, 2),
        (turn @ fields.hessian @ turn).reshape(*shape, 2, 2),
        fields.size.reshape(shape),
    )
    return back, (errors[0].reshape(shape), 2 * errors[1].reshape(shape)), rule


def _estimated(
    task: Task, theta: tuple[np.ndarray, np.ndarray]
) -> tuple[Fields, tuple[np.ndarray, np.ndarray], Rule]:
    """Fields, (error of the value, error of the derivatives) and the rule that reached the tolerance."""
    # Overflow of far too wide a problem ends as nan or inf, which no comparison below accepts.
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        rule, best = FINE, _fields(task, *theta, COARSE)
        for _ in range(REFINEMENTS + 1):
            other, best = best, _fields(task, *theta, rule)
            errors, rounding = _errors(task, theta, best, other)
            size = np.maximum(1, np.abs(best.value))
            reached = float(np.nan_to_num(errors[0] / size, nan=np.inf).max())
            rounded = float((rounding / size).max())
            if reached <= task.tolerance:
                return best, errors, rule
            if rounded > task.tolerance:
                raise QuadratureFailure("fast", reached, task.tolerance, "float64 rounds more coarsely")
            rule = rule.refined()
    reason = f"{REFINEMENTS} refinements of its nodes did not bring it lower"
    raise QuadratureFailure("fast", reached, task.tolerance, reason)


def _errors(
    task: Task, theta: tuple[np.ndarray, np.ndarray], best: Fields, other: Fields
) -> tuple[tuple[np.ndarray, np.ndarray], np.ndarray]:
    """Difference of two rules and a bound on rounding, for the value and for the worst derivative entry; and the
    bound on the value's rounding alone.

    The weights carry the relative error of exp(-beta L): EPS beta L, about EPS times -F, and EPS beta times the
    terms |x_ni t_i| that may cancel in the margin, at the t where the mass is. A moment of order k is at most size^k
    once multiplied by (beta gamma)^k.
    """
    scale = task.beta * task.gamma
    slope = np.abs(task.problem.X).mean(axis=0) + task.problem.epsilon
    moved = np.abs(best.gradient) @ slope / scale + slope.sum() / np.sqrt(scale)
    far = slope[0] * np.abs(theta[0]), slope[1] * np.abs(theta[1])
    terms = task.beta * (moved + (far[0] + far[1] if task.paired else np.add.outer(*far)))
    relative = EPS * (ROUNDINGS * (1 + np.abs(best.value)) + CANCELLED * terms)
    value = SAFETY * np.abs(best.value - other.value) + relative
    steepness = np.abs(best.gradient).max(axis=-1)
    gradient = SAFETY * np.abs(best.gradient - other.gradient).max(axis=-1) + relative * best.size
    hessian = SAFETY * np.abs(best.hessian - other.hessian).max(axis=(-2, -1)) + relative * best.size**2
    return (value, np.maximum(gradient + ROUNDINGS * EPS * steepness, hessian)), relative


def _fields(task: Task, first: np.ndarray, second: np.ndarray, rule: Rule) -> Fields:
    """-F at the theta of two axes (or pairs), from one set of nodes or, where those would be too many or the
    mass would underflow, from two halves of the grid."""
    problem, gamma, beta = task.problem, task.gamma, task.beta
    low, high = (np.array([pick(first), pick(second)]) for pick in (np.min, np.max))
    theta, reach = (low + high) / 2, (high - low) / 2
    peak = proximal_point(problem, theta, gamma)
    edges = box(problem, theta, reach, peak, gamma, beta, rule.tail)
    widths, kinks = panel_widths(problem, gamma, beta), kink_kind(problem)
    if (edges[1] - edges[0] < 1e5 * np.spacing(np.abs(edges).max(axis=0))).any():
        reason = "the mass of one theta is narrower than the spacing of float64 resolves"
        raise QuadratureFailure("fast", np.inf, task.tolerance, reason)
    many = float(np.prod(rule.order * ((edges[1] - edges[0]) / (widths * rule.width) + 2 * rule.levels)))
    alone = not reach.any()
    if alone and not many * len(problem.y) <= MOST_EVALUATIONS:
        reason = f"the mass of one theta is so wide that {many:.1e} nodes are needed"
        raise QuadratureFailure("fast", np.inf, task.tolerance, reason)
    # Cutting saves nodes only where the grid, and not the radius around it, makes the box wide.
    wide = many > MOST_NODES and (reach > (edges[1] - edges[0]) / 4).any()
    if alone or not wide:
        # Relative to the centre: far from the origin, t - theta would lose the digits of t.
        (low0, low1), (high0, high1) = edges[0] - theta, edges[1] - theta
        nodes = [
            axis_nodes(low0, high0, widths[0], rule, kinks, -theta[0]),
            axis_nodes(low1, high1, widths[1], rule, kinks, -theta[1]),
        ]
        fields, smallest = _moments(task, first, second, theta, peak - theta, nodes)
        if alone or smallest > SMALLEST_MASS:
            return fields
    return _halves(task, first, second, 0 if task.paired or reach[0] >= reach[1] else 1, rule)


def _halves(task: Task, first: np.ndarray, second: np.ndarray, along: int, rule: Rule) -> Fields:
    """The fields of a grid from those of its two halves, cut across one axis (points: in their order)."""
    middle = len((first, second)[along]) // 2
    parts = []
    for piece in (slice(None, middle), slice(middle, None)):
        a = first[piece] if along == 0 else first
        b = second[piece] if task.paired or along == 1 else second
        parts.append(_fields(task, a, b, rule))
    names = ("value", "gradient", "hessian", "size")
    return Fields(*(np.concatenate([getattr(part, name) for part in parts], axis=along) for name in names))


def _moments(
    task: Task,
    first: np.ndarray,
    second: np.ndarray,
    theta: np.ndarray,
    peak: np.ndarray,
    nodes: list[tuple[np.ndarray, np.ndarray]],
) -> tuple[Fields, float]:
    """The fields from the six moments, and the smallest tilted mass met; nodes v and peak relative to theta.

    With tilt g = -gamma peak the exponent at t = theta + v is the sum of -beta (L - L(peak) - g.(v - peak)), at most
    0, and, for each axis, -(beta gamma/2) u^2 - beta g a - beta g^2/(2 gamma), u = v - a - peak, theta + a the theta
    asked for.
    """
    gamma, beta = task.gamma, task.beta
    tilt = -gamma * peak
    lowest = float(task.problem.loss(theta + peak))
    (t, first_weights), (s, second_weights) = nodes
    offsets = first - theta[0], second - theta[1]
    left = _kernels(t, first_weights, offsets[0] + peak[0], beta * gamma)
    right = _kernels(s, second_weights, offsets[1] + peak[1], beta * gamma)
    product = np.zeros((3 * len(first), len(s)))
    rows = max(1, MOST_NODES // len(s))
    for start in range(0, len(t), rows):
        piece = slice(start, start + rows)
        weights = loss_on_nodes(task.problem, theta[0] + t[piece], theta[1] + s)
        weights -= np.add.outer(tilt[0] * (t[piece] - peak[0]) + lowest, tilt[1] * (s - peak[1]))
        weights *= -beta
        np.exp(weights, out=weights)
        product += left.reshape(-1, len(t))[:, piece] @ weights
    moments = _contracted(product.reshape(3, len(first), len(s)), right, task.paired)
    steps = beta * tilt[0] * offsets[0], beta * tilt[1] * offsets[1]
    shift = steps[0] + steps[1] if task.paired else np.add.outer(*steps)
    shift += beta * lowest + beta * (tilt @ tilt) / (2 * gamma)
    return _from_moments(moments, shift, beta * tilt, beta * gamma), float(moments[0].min())


def _from_moments(
    moments: tuple[np.ndarray, ...], shift: np.ndarray, tilt: np.ndarray, scale: float
) -> Fields:
    """-F = shift - log mass, gradient = tilt - scale E[u], Hessian = scale I - scale^2 Cov[u]."""
    mass, m0, m1, m00, m01, m11 = moments
    # A mass that underflows makes nan here; its grid is then cut in two and this result dropped.
    mean = np.stack([m0, m1], axis=-1) / mass[..., None]
    square = np.stack([m00, m01, m01, m11], axis=-1).reshape(*mass.shape, 2, 2) / mass[..., None, None]
    value = shift - np.log(mass)
    size = scale * np.sqrt(square.max(axis=(-2, -1)))
    covariance = square - mean[..., :, None] * mean[..., None, :]
    return Fields(value, tilt - scale * mean, scale * np.eye(2) - scale**2 * covariance, size)


def _kernels(nodes: np.ndarray, weights: np.ndarray, centres: np.ndarray, precision: float) -> np.ndarray:
    """w_i u^k exp(-precision u^2/2) for k = 0, 1, 2 and u = node - centre, shape (3, centres, nodes)."""
    u = nodes - centres[:, None]
    kernel = np.empty((3, *u.shape))
    kernel[0] = np.exp(-precision / 2 * u * u) * weights
    np.multiply(kernel[0], u, out=kernel[1])
    np.multiply(kernel[1], u, out=kernel[2])
    return kernel


def _contracted(product: np.ndarray, right: np.ndarray, paired: bool) -> tuple[np.ndarray, ...]:
    """The moments 1, u0, u1, u0^2, u0 u1, u1^2 from the kernels of both axes, `product` (3, a, n), `right`
    (3, b, n): for all pairs (a, b), or, where `paired`, for a = b alone."""
    if paired:
        m = [list(np.einsum("an,kan->ka", left, right[: 3 - k])) for k, left in enumerate(product)]
    else:
        many = right.shape[1]
        m = [
            np.split(left @ right[: 3 - k].reshape((3 - k) * many, -1).T, 3 - k, axis=1)
            for k, left in enumerate(product)
        ]
    return m[0][0], m[1][0], m[0][1], m[2][0], m[1][1], m[0][2]

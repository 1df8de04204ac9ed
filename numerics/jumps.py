"""Gradient jumps of adversarial losses at theta = 0 (Theorem 1) and across axes (Theorem 2), closed and measured.

The gradient of L is `mean w_n (x_n + s_n eps n(theta))` with n(theta) = grad ||theta||_q and continuous w_n, s_n, so
that where n jumps from n_- to n_+ it jumps by `eps mean(w_n s_n) (n_+ - n_-)`. For the linear model w_n s_n is the
sigmoid of the attacked exponent: 2 eps mean sigmoid(c_n) across an axis for p = inf (Theorem 2, corrected), and
eps/2 (n_+ - n_-) at the origin, of norm eps for p = 2 (claim beyond.origin-jump). Kinks of the norm alone are
treated: where a swish loss at y = -1 has two worst attacks of different score, its gradient jumps as well.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.norms import steepest_direction
from numerics.problem import Problem, output, output_slope, sigmoid, worst_score

SAME = 1e-12  # two crossings, or two weights, this close relative to their size are one
# Steps of the extrapolation to a one-sided limit, each half the one before: ten of them leave an error near 1e-12.
EXTRAPOLATION_STEPS = 10


def jump_along_axis(problem: Problem, i: int, t_values: Any) -> np.ndarray:
    """The jump's norm on the kink line theta_i = 0, shape (P,) -> (P,) for d = 2, else (P, d - 1) -> (P,).

    Args: `t_values`, the other weights, finite; `i` in 0..d-1. For p = inf it is 2 eps mean(w_n s_n); for other p it
    is 0 unless all other weights are 0. Raises ValueError outside these ranges.
    """
    d = problem.dimension
    if not 0 <= i < d:
        raise ValueError(f"i = {i}; the weights are numbered 0 to {d - 1}: pass one of these")
    others = np.asarray(t_values, dtype=float)
    others = others[:, None] if others.ndim == 1 and d == 2 else others
    if others.ndim != 2 or others.shape[1] != d - 1:
        raise ValueError(
            f"t_values has shape {others.shape}; it must hold the {d - 1} other weights a row: reshape it"
        )
    theta = np.insert(others, i, 0.0, axis=1)
    return np.linalg.norm(jump(problem, theta, np.eye(d)[i]), axis=-1)


def jump_at_origin(problem: Problem, directions: Any) -> np.ndarray:
    """The norm of lim grad L(t v) - lim grad L(-t v), t -> 0+, for each direction v != 0, shape (P, d) -> (P,).

    Linear model: eps ||grad ||v||_q||_2, which is eps for p = 2 and eps sqrt(number of nonzero v_i) for p = inf.
    """
    v = problem.checked(directions)
    return np.linalg.norm(jump(problem, np.zeros_like(v), v), axis=-1)


def jump(problem: Problem, theta: Any, direction: Any) -> np.ndarray:
    """lim grad L(theta + t v) - lim grad L(theta - t v), t -> 0+, in closed form, shape (..., d); v = `direction` != 0.

    0 where L is differentiable at theta, and along v if v stays in the kink. Raises ValueError for v = 0.
    """
    theta, v = np.broadcast_arrays(problem.checked(theta), problem.checked(direction))
    if not np.abs(v).max(axis=-1).all():
        raise ValueError("direction is 0; a jump is measured along a direction: pass a vector that is not 0")
    step = steepest_limit(theta, v, problem.p) - steepest_limit(theta, -v, problem.p)
    return problem.epsilon * attack_weight(problem, theta)[..., None] * step


def attack_weight(problem: Problem, theta: np.ndarray) -> np.ndarray:
    """mean(w_n s_n) >= 0, shape (..., d) -> (...): the slope in the worst score times its place in the interval."""
    score, place = worst_score(problem, theta, np)
    # At theta = 0 every place gives one score; its limit is the end to which the attack goes, -y.
    place = np.where(np.abs(theta).max(axis=-1, keepdims=True) > 0, place, -problem.y)
    z, slope = output(problem.model, score, np), output_slope(problem.model, score, np)
    return (-problem.y * sigmoid(-problem.y * z, np) * slope * place).mean(axis=-1)


def steepest_limit(theta: np.ndarray, v: np.ndarray, p: float) -> np.ndarray:
    """lim n(theta + t v), t -> 0+, of n = grad ||.||_q, shape (..., d)."""
    size = np.abs(theta)
    sign = np.where(size > 0, np.sign(theta), np.sign(v))
    if p == np.inf:
        return sign
    if p > 1:
        at_zero = size.max(axis=-1, keepdims=True) == 0
        return np.asarray(np.where(at_zero, steepest_direction(v, p), steepest_direction(theta, p)))
    # p = 1: of the largest weights the one that grows fastest along v.
    largest = size >= size.max(axis=-1, keepdims=True) * (1 - SAME)
    growth = np.where(size > 0, np.sign(theta) * v, np.abs(v))
    fastest = np.argmax(np.where(largest, growth, -np.inf), axis=-1)[..., None] == np.arange(theta.shape[-1])
    return np.where(fastest, sign, 0.0)


def measured_jump(problem: Problem, theta: Any, direction: Any) -> np.ndarray:
    """The same jump from gradients on the two sides alone, shape (d,), with an error near 1e-10."""
    return one_sided_gradient(problem, theta, direction) - one_sided_gradient(
        problem, theta, -np.asarray(direction)
    )


def one_sided_gradient(problem: Problem, theta: Any, direction: Any) -> np.ndarray:
    """lim grad L(theta + t v), t -> 0+, shape (d,), by Neville's extrapolation of `Problem.gradient` at t = h/2^k.

    h keeps the ray clear of the next sign change, tie and larger scale of theta.
    """
    theta, v = problem.checked(theta), problem.checked(direction)
    sums = np.abs(
        np.concatenate([theta, np.add.outer(theta, theta).ravel(), np.subtract.outer(theta, theta).ravel()])
    )
    clear = sums[sums > SAME * (1 + np.abs(theta).max())].min(initial=1.0)
    t = 0.1 * clear / np.abs(v).max() * 0.5 ** np.arange(EXTRAPOLATION_STEPS)
    table = problem.gradient(theta + t[:, None] * v)
    for level in range(1, len(t)):
        far, near = t[:-level, None], t[level:, None]
        table = (far * table[1:] - near * table[:-1]) / (far - near)
    return table[0]


@dataclass(frozen=True, eq=False)
class Kink:
    """A kink on a path start + t (end - start): `t`, the point `theta`, and the jump of grad L along the path, closed
    and measured, both of shape (d,)."""

    t: float
    theta: np.ndarray
    closed: np.ndarray
    measured: np.ndarray


def jumps_along_path(problem: Problem, start: Any, end: Any) -> list[Kink]:
    """The kinks of L strictly between two points, in order: sign changes (p = inf), ties of the largest weights
    (p = 1), and theta = 0 (any p).

    Raises ValueError when start and end coincide.
    """
    start, end = problem.checked(start), problem.checked(end)
    way = end - start
    if not way.any():
        raise ValueError(f"start = end = {start}; a path needs two different ends: move one")
    kinks = []
    for t in crossings(problem.p, start, way) if problem.epsilon > 0 else []:
        theta = start + t * way
        theta[np.abs(theta) <= 4 * SAME * (1 + np.abs(start).max())] = 0.0  # exactly on the kink
        kinks.append(Kink(t, theta, jump(problem, theta, way), measured_jump(problem, theta, way)))
    return kinks


def crossings(p: float, start: np.ndarray, way: np.ndarray) -> list[float]:
    """The t in (0, 1) where grad ||.||_q jumps on the path."""
    scale = np.abs(start).max() + np.abs(way).max()
    candidates = [-a / b for a, b in zip(start, way, strict=True) if b]
    if p == 1:
        pairs = [(i, j, sign) for i in range(len(way)) for j in range(i) for sign in (1, -1)]
        slopes = [(start[i] - sign * start[j], way[i] - sign * way[j]) for i, j, sign in pairs]
        candidates += [-a / b for a, b in slopes if b]
    found: list[float] = []
    for t in sorted(t for t in candidates if 0 < t < 1):
        size = np.abs(start + t * way)
        top = size >= size.max() - SAME * scale
        kink = {np.inf: True, 1.0: bool(top.sum() > 1)}.get(p, False) or size.max() <= SAME * scale
        if kink and not (found and t - found[-1] <= SAME):
            found.append(float(t))
    return found

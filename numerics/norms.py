"""Dual norms, steepest directions of L_p balls: what an attack of radius epsilon does to theta.x (Sec. 3.1).

`max over ||delta||_p <= epsilon of theta.delta = epsilon ||theta||_q` with `1/p + 1/q = 1`, for every p in
[1, inf]. The functions take the array module, numpy or jax.numpy, so that both faces share one formula.
"""

from __future__ import annotations

from types import ModuleType
from typing import Any

import numpy as np

Array = Any  # a numpy or a jax array


def dual_exponent(p: float) -> float:
    """q with 1/p + 1/q = 1: inf at p = 1, 1 at p = inf. Raises ValueError outside [1, inf]."""
    if not p >= 1:
        raise ValueError(
            f"p = {p}; the norm of the ball must have 1 <= p <= inf: pass a number from 1 on, or inf"
        )
    if p == 1:
        return np.inf
    return 1.0 if p == np.inf else p / (p - 1)


def euclidean_radius(p: float, dimension: int) -> float:
    """The largest `||delta||_2` in `||delta||_p <= 1`: 1 for p <= 2, d^(1/2 - 1/p) above, sqrt(d) at p = inf."""
    return dimension ** max(0.0, 0.5 - 1 / p)


def dual_norm(theta: Array, p: float, xp: ModuleType = np) -> Array:
    """`||theta||_q` along the last axis, shape (..., d) -> (...), q dual to p; no overflow, exact 0 at 0."""
    q = dual_exponent(p)
    # jax takes 1 as the derivative of abs at 0; theta sign(theta) has 0 there, as `steepest_direction`.
    size = theta * xp.sign(theta)
    if q == 1:
        return size.sum(axis=-1)
    largest = size.max(axis=-1)
    if q == np.inf:
        return largest
    # Scaled by the largest entry; where that is zero the norm is zero and the scale is replaced by one.
    safe = xp.where(largest > 0, largest, 1.0)
    ratio = size / safe[..., None]
    # A square is smooth at 0 if theta keeps its sign; other powers may have infinite or undefined derivatives
    # there, and those entries are masked for autodiff.
    masked = xp.where(ratio > 0, xp.where(ratio > 0, ratio, 1.0) ** q, 0.0)
    powers = (theta / safe[..., None]) ** 2 if q == 2 else masked
    total = xp.where(largest > 0, powers.sum(axis=-1), 1.0)
    return xp.where(largest > 0, safe * total ** (1 / q), 0.0)


def steepest_direction(theta: Array, p: float, xp: ModuleType = np) -> Array:
    """A v with `||v||_p <= 1` and `theta.v = ||theta||_q`, shape (..., d); the gradient of `||theta||_q`.

    Where several are steepest one is taken: zero entries at theta_i = 0 for p = inf, the lowest index among
    ties for p = 1, and v = 0 at theta = 0 (a subgradient in each case).
    """
    q = dual_exponent(p)
    if q == 1:
        return xp.sign(theta)
    size = xp.abs(theta)
    if q == np.inf:
        first = xp.argmax(size, axis=-1)[..., None] == xp.arange(theta.shape[-1])
        return xp.where(first, xp.sign(theta), 0.0)
    largest = size.max(axis=-1, keepdims=True)
    ratio = size / xp.where(largest > 0, largest, 1.0)
    total = (ratio**q).sum(axis=-1, keepdims=True)
    # (|theta_i| / ||theta||_q)^(q-1), written so that rounding is not raised to the power q when p is near 1.
    return xp.sign(theta) * ratio ** (q - 1) / xp.where(largest > 0, total, 1.0) ** (1 / p)

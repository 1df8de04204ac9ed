"""A surface, as in Figs. 2, 4 and 5: a function of theta on a grid, its derivatives, error and origin."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from numerics.problem import Problem, finite_array

# Indices of the three different entries of a symmetric 2 x 2 Hessian, in the order the fields hold them.
HESSIAN_ENTRIES = ((0, 0), (0, 1), (1, 1))


@dataclass(frozen=True, eq=False)
class Surface:
    """Values on the grid theta = (axes[0][i], axes[1][j]).

    `value` (n0, n1); `gradient` (n0, n1, 2); `hessian` (n0, n1, 2, 2) or None; `error` (n0, n1): an estimate
    that bounds the absolute error of `value`; `derivative_error` the same for the largest entry of gradient
    and Hessian; `provenance`: what it is and how it was computed, ready for JSON.
    """

    axes: tuple[np.ndarray, np.ndarray]
    value: np.ndarray
    gradient: np.ndarray
    hessian: Any
    error: np.ndarray
    derivative_error: np.ndarray
    provenance: dict[str, Any] = field(default_factory=dict)


def square_axes(size: int, half_width: float = 2.0) -> tuple[np.ndarray, np.ndarray]:
    """The paper's grid theta_i in [-half_width, half_width], `size` points an axis (Figs. 2, 4, 5).

    Raises ValueError for fewer than two points and for a half width that is not finite and > 0.
    """
    if size < 2:
        raise ValueError(f"size = {size}; a grid needs at least 2 points an axis: pass a larger one")
    if not 0 < half_width < np.inf:
        raise ValueError(f"half_width = {half_width}; it must be finite and > 0: pass 2 as in the paper")
    axis = np.linspace(-half_width, half_width, size)
    return axis, axis.copy()


def checked_axes(axes: Any) -> tuple[np.ndarray, np.ndarray]:
    """The two axes of a grid as finite float arrays, shapes (n0,) and (n1,); ValueError names the one that is none."""
    try:
        first, second = axes
    except (TypeError, ValueError) as error:
        raise ValueError("axes must be a pair (theta_1 values, theta_2 values): pass two arrays") from error
    checked = finite_array("axes[0]", first, 1), finite_array("axes[1]", second, 1)
    for i, axis in enumerate(checked):
        if len(axis) == 0:
            raise ValueError(f"axes[{i}] is empty; a grid needs at least one value an axis: pass some")
    return checked


def grid(axes: tuple[np.ndarray, np.ndarray]) -> np.ndarray:
    """All grid points, shape (n0, n1, 2)."""
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1)


def loss_surface(problem: Problem, axes: tuple[np.ndarray, np.ndarray]) -> Surface:
    """The loss itself on a grid (Figs. 2(a)-(f), 4): closed forms, so the error is rounding alone.

    The gradient's error is stated away from kinks: within rounding of one it may be that of the other side.
    """
    theta = grid(axes)
    value = problem.loss(theta)
    # A sum of two products, a softplus and a mean: a few roundings of numbers no larger than the score.
    reach = np.abs(problem.X).max(axis=0) + problem.epsilon
    error = 16 * np.finfo(float).eps * (1 + np.abs(theta) @ reach)
    what = {
        "quantity": "L(theta)",
        "method": "closed form of the inner maximum",
        **describe(problem),
    }
    return Surface(axes, value, problem.gradient(theta), None, error, error * (1 + reach.max()), what)


def describe(problem: Problem) -> dict[str, Any]:
    """The problem as JSON: loss, model, epsilon, N and, for a single point, x and y."""
    what: dict[str, Any] = {
        "loss": problem.name,
        "model": problem.model,
        "epsilon": problem.epsilon,
        "points": len(problem.y),
    }
    if len(problem.y) == 1:
        what |= {"x": problem.X[0].tolist(), "y": float(problem.y[0])}
    return what

"""The jax face of the losses of Figs. 2, 4 and 5: `Problem.loss` in float64, differentiated."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager

import jax
import jax.numpy as jnp
import numpy as np

from numerics.norms import Array
from numerics.problem import Problem, loss


def double_precision() -> AbstractContextManager:
    """A context in which jax computes in float64; outside it the caller's own setting is untouched."""
    if hasattr(jax, "enable_x64"):
        return jax.enable_x64(True)
    from jax.experimental import enable_x64  # type: ignore[attr-defined]  # jax before 0.8

    return enable_x64()


def jax_loss(problem: Problem) -> Callable[[Array], Array]:
    """theta, shape (..., d), to L(theta), shape (...): traceable, so jit, grad and vmap apply.

    Call it inside `double_precision()`.
    """
    return lambda theta: loss(problem, theta, jnp)


def value_and_gradient(problem: Problem) -> Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]:
    """theta of shape (..., d), in numpy, to L of shape (...) and its automatic gradient (..., d), in float64.

    At a kink it is the gradient of one smooth piece or a mean of several, a subgradient for the linear model.
    Raises ValueError as `Problem.checked`.
    """
    compiled = jax.jit(jax.vmap(jax.value_and_grad(jax_loss(problem))))

    def evaluate(theta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        points = problem.checked(theta)
        with double_precision():
            value, gradient = compiled(jnp.asarray(points.reshape(-1, problem.dimension)))
        return np.asarray(value).reshape(points.shape[:-1]), np.asarray(gradient).reshape(points.shape)

    return evaluate

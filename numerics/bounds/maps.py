"""The maps whose Lipschitz constants `results/bounds.md` measures: losses, their gradients, and attacks, for jax."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
from scipy.optimize import brentq

from numerics.norms import Array, steepest_direction
from numerics.problem import softplus


def logistic(theta: Array, x: Array) -> Array:
    """log(1 + exp(-theta.x)), the standard loss at y = 1 (Sec. 3.1)."""
    return softplus(-jnp.sum(theta * x), jnp)


def logistic_gradient(theta: Array, x: Array) -> Array:
    """grad_theta of `logistic`."""
    return jax.grad(logistic)(theta, x)


def linear_shift(theta: Array, epsilon: float, p: float) -> Array:
    """x'(theta) - x at y = 1 for the linear model (Lemmas 2 and 3; any p): it moves as x'(theta) does."""
    return -epsilon * steepest_direction(theta, p, jnp)


def bilinear_gradient(theta: Array, smooth: float, cross: float, epsilon: float, p: float) -> Array:
    """grad L_epsilon for l = smooth ||theta||^2/2 + cross theta.x around x = 0, whose attack is epsilon times the
    steepest direction (claims prop1.eq9, theorem1: the loss that attains their constants)."""
    return smooth * theta + cross * epsilon * steepest_direction(theta, p, jnp)


def ball_attack(slope: Array, bend: Array, epsilon: float) -> Array:
    """The maximiser of `slope.x - sum bend_i x_i^2/2` over ||x||_2 <= epsilon, slope != 0 where some bend_i <= 0.

    x_i = slope_i/(bend_i + lam), with the least lam >= 0 that keeps the denominators positive and x in the ball:
    Newton's method on 1/||x(lam)|| - 1/epsilon, which is concave in lam, increases to the root from the lower
    bound max(|slope_i|/epsilon - bend_i). All bend_i > 0 is a strongly concave loss (claim beyond.strongly-concave).
    """
    start = jnp.maximum(jnp.max(jnp.abs(slope) / epsilon - bend), 0.0)

    def newton(lam: Array, slope: Array) -> Array:
        weight = bend + lam
        safe = jnp.where(weight > 0, weight, 1.0)
        square = jnp.sum(slope**2 / safe**2)
        turn = jnp.sum(slope**2 / safe**3)
        full = jnp.where(square > 0, square, 1.0)
        step = full / jnp.where(square > 0, turn, 1.0) * (jnp.sqrt(full) / epsilon - 1)
        return jnp.maximum(lam + jnp.where(square > 0, step, 0.0), 0.0)

    held = jax.lax.stop_gradient(slope)
    lam = jax.lax.stop_gradient(jax.lax.fori_loop(0, 40, lambda _, lam: newton(lam, held), start))
    # Two more steps, now differentiated: Newton's method doubles the number of right derivatives each time.
    lam = newton(newton(lam, slope), slope)
    return slope / (bend + lam)


def sphere_constants(slope: np.ndarray, bend: np.ndarray) -> tuple[float, float]:
    """(C_tangent/c_T, C_thetax/c) of the attack on `slope.x - sum bend_i x_i^2/2` over the unit ball, theta = slope.

    The attack must be on the sphere; its multiplier is found by bisection, independently of `ball_attack`. C_tangent =
    C_thetax = 1; c_T is the least eigenvalue of -grad^2 J on the tangent space (claim beyond.tangent), c the smallest
    singular value of the bordered Hessian of Eq. (22).
    """
    least = float(np.max(np.abs(slope) - bend))
    mu = brentq(
        lambda lam: np.linalg.norm(slope / (bend + lam)) - 1, least, least + 10 * np.linalg.norm(slope)
    )
    normal = slope / (bend + mu)
    basis = np.linalg.svd(normal[None, :])[2][1:].T  # orthonormal, orthogonal to the normal
    block = -np.diag(bend) - mu * (np.eye(len(bend)) - np.outer(normal, normal))
    bordered = np.block([[np.zeros((1, 1)), -normal[None, :]], [-normal[:, None], block]])
    tangent = np.linalg.eigvalsh(-basis.T @ block @ basis)[0]
    return float(1 / tangent), float(1 / np.linalg.svd(bordered, compute_uv=False)[-1])

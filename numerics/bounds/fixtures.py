"""The numbers the lines of `results/bounds.md` share: Fig. 2's point and radius, a small data set, theta_min."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import numpy as np

from numerics.problem import Problem, sigmoid, single_point

EPSILON = 0.6
POINT = (-1.0, 1.0)
LENGTH = math.sqrt(2.0)  # ||POINT||
THETA_MIN = 0.5
DATA = np.array([[1.0, -0.5, 0.2], [-0.3, 0.8, 1.1], [0.9, 0.4, -1.2], [-1.0, 0.1, 0.6], [0.2, -1.3, 0.5]])
LABELS = np.array([1.0, -1.0, 1.0, -1.0, 1.0])


def fig2(loss: str) -> Problem:
    """The single point of Fig. 2 with the linear model, loss "l2" or "linf"."""
    return single_point(loss, POINT, 1, EPSILON)


def five_points(dimension: int = 3) -> Problem:
    """Five points of both labels under L-infinity attacks, their first `dimension` features."""
    return Problem(DATA[:, :dimension], LABELS, EPSILON, np.inf)


def apart(a: jax.Array, b: jax.Array) -> jax.Array:
    """||a - b||."""
    return jnp.linalg.norm(a - b)


def mixed_constant(reach: float) -> float:
    """The smallest C_thetax on ||x|| ||theta|| <= `reach`, d >= 2: claim beyond.c-theta-x, maximised over u."""
    u = np.linspace(-reach, reach, 20001)
    for _ in range(6):  # each zooms in on the largest value
        s = sigmoid(u, np)
        value = sigmoid(-u, np) * (s * reach + np.sqrt(s**2 * reach**2 + 4 - 4 * s * u)) / 2
        best, step = u[np.argmax(value)], u[1] - u[0]
        u = np.clip(np.linspace(best - step, best + step, 2001), -reach, reach)
    return float(value.max())

"""Where the mass of -F(theta)'s density lies: its peak, and a box outside which almost nothing is.

The exponent -beta (L(t) + (gamma/2) ||theta - t||^2) of Eq. (10) is beta gamma-strongly concave for the
convex L of the linear model. Its maximiser is the proximal point of theta, prox(theta) = theta - g/gamma with
g a subgradient of L there, and theta -> prox(theta) is 1-Lipschitz (Moreau 1965).
"""

from __future__ import annotations

import numpy as np

from numerics.problem import Problem

POINTS = 9  # an axis of the search's window
# The share of the window kept where its best point is inside: more than the spacing of its points, 1/4.
ZOOM = 0.3
PRECISE = 1e-9  # the window's last width, as a share of its first
MOST_WINDOWS = 200


def proximal_point(problem: Problem, theta: np.ndarray, gamma: float) -> np.ndarray:
    """The minimiser t of L(t) + (gamma/2) ||theta - t||^2, shape (2,), to about 1e-9 of its possible range.

    A search on windows that move and shrink: the function is convex and may have kinks, so no derivative is used.
    """
    low, high = slopes(problem)
    lowest, highest = theta - high / gamma, theta - low / gamma
    centre, half, share = (lowest + highest) / 2, (highest - lowest) / 2, 1.0
    offsets = np.linspace(-1, 1, POINTS)
    window = np.stack(np.meshgrid(offsets, offsets, indexing="ij"), axis=-1).reshape(-1, 2)
    for _ in range(MOST_WINDOWS):
        points = np.clip(centre + share * window * half, lowest, highest)
        heights = problem.loss(points) + gamma / 2 * ((points - theta) ** 2).sum(axis=-1)
        best = int(np.argmin(heights))
        centre = points[best]
        # A best point on the window's rim says that the valley goes on: the window follows before it shrinks.
        if not ((np.abs(window[best]) == 1) & (lowest < centre) & (centre < highest)).any():
            share *= ZOOM
        if share < PRECISE:
            break
    return centre


def box(
    problem: Problem,
    theta: np.ndarray,
    reach: np.ndarray,
    peak: np.ndarray,
    gamma: float,
    beta: float,
    tail: float,
) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), each (2,): a box outside which lies about exp(-tail) of the mass of every theta' with
    |theta'_i - theta_i| <= reach_i; `peak` is the proximal point of theta.

    It surrounds every proximal point by the radius of the Gaussian of precision beta gamma, below which the
    integrand stays. Near its peak the integrand may fall faster, like exp(-2 beta G ||t - prox||) with G a
    Lipschitz constant of L: its mass is then smaller than the Gaussian's by a power of G sqrt(beta/gamma),
    which the radius makes up for.
    """
    low, high = slopes(problem)
    steepest = np.hypot(*np.maximum(high, -low))
    drop = 2 * np.log1p(2 * steepest * np.sqrt(beta / gamma))
    radius = np.sqrt(2 * (tail + drop) / (beta * gamma))
    spread = np.hypot(*reach)
    lowest = np.maximum(theta - reach - high / gamma, peak - spread)
    highest = np.minimum(theta + reach - low / gamma, peak + spread)
    return lowest - radius, highest + radius


def slopes(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """(low, high), each (2,): every partial derivative of L lies in [low_i, high_i], as every sigmoid lies in
    (0, 1) and every steepest direction in [-1, 1]^2."""
    signed = -problem.y[:, None] * problem.X
    return (
        np.minimum(signed - problem.epsilon, 0).mean(axis=0),
        np.maximum(signed + problem.epsilon, 0).mean(axis=0),
    )

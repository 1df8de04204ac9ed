"""What the tests of scipy routes share."""

from __future__ import annotations

import numpy as np

from numerics.local_entropy.window import steepest_loss

THETA = (0.32, -0.68)


def moments_to_fields(E, weights, theta, points, precision):
    """-F, gradient and Hessian from the exponent at weighted points, (..., 2)."""
    mass = (np.exp(E - E.max()) * weights).ravel()
    away = (points - theta).reshape(-1, 2)
    total = mass.sum()
    mean = mass @ away / total
    square_ = (away * mass[:, None]).T @ away / total
    covariance = square_ - np.outer(mean, mean)
    return -E.max() - np.log(total), -precision * mean, precision * np.eye(2) - precision**2 * covariance


def panels(low, high, count, order=24):
    nodes, weights = np.polynomial.legendre.leggauss(order)
    ends = np.linspace(low, high, count + 1)
    half, middle = np.diff(ends)[:, None] / 2, (ends[1:] + ends[:-1])[:, None] / 2
    return (middle + half * nodes).ravel(), (half * weights).ravel()


def polar_truth(problem, theta, gamma, beta):
    """-F by Gauss rules in polar coordinates around 0: r |u(phi)| is smooth in r, and in phi between the kinks of the
    norm, which lie on multiples of 45 degrees for p = 1, 2, inf."""
    theta = np.asarray(theta, dtype=float)
    half = min(steepest_loss(problem) / gamma, np.sqrt(2 * problem.loss(theta) / gamma)) + 11 / np.sqrt(
        beta * gamma
    )
    radius, radial = panels(max(0.0, np.hypot(*theta) - half), np.hypot(*theta) + half, 30)
    parts = [panels(k * np.pi / 4, (k + 1) * np.pi / 4, 5) for k in range(8)]
    angle, angular = (np.concatenate(column) for column in zip(*parts, strict=True))
    points = radius[:, None, None] * np.stack([np.cos(angle), np.sin(angle)], axis=-1)
    E = -beta * problem.loss(points) - beta * gamma / 2 * ((points - theta) ** 2).sum(axis=-1)
    return moments_to_fields(E, (radial * radius)[:, None] * angular, theta, points, beta * gamma)

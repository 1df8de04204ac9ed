"""Random smooth losses with a known stationary point, and the branch of local maxima that starts there.

A loss is a sum of polynomials of degree four along random directions of (x, theta), so that any polynomial of that
degree can appear, and every derivative is exact.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from numerics.adversaries.adversary import Gap, Instance

STATIONARY = 1e-13  # length of the last Newton step, relative to 1 + |x|


@dataclass(frozen=True)
class Loss:
    """l(x, theta) = sum_k p_k(u_k.x + w_k.theta) + x.bilinear theta + push.x.

    u: (K, d), w: (K, m), coef: (K, 3) of z^2/2, z^3/6, z^4/24 in p_k, bilinear: (d, m), push: (d,). Without push,
    x = 0 is stationary at theta = 0.
    """

    u: np.ndarray
    w: np.ndarray
    coef: np.ndarray
    bilinear: np.ndarray
    push: np.ndarray

    def _z(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        return self.u @ x + self.w @ theta

    def _slope(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        z, (a, b, c) = self._z(x, theta), self.coef.T
        return z * (a + z * (b / 2 + z * c / 6))

    def _bend(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        z, (a, b, c) = self._z(x, theta), self.coef.T
        return a + z * (b + z * c / 2)

    def value(self, x: np.ndarray, theta: np.ndarray) -> float:
        """l(x, theta)."""
        z, (a, b, c) = self._z(x, theta), self.coef.T
        inner = float(np.sum(z * z * (a / 2 + z * (b / 6 + z * c / 24))))
        return inner + float(x @ (self.bilinear @ theta + self.push))

    def grad(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """grad_x l, (d,)."""
        return self.u.T @ self._slope(x, theta) + self.bilinear @ theta + self.push

    def hessian(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """grad_x^2 l, (d, d)."""
        return (self.u.T * self._bend(x, theta)) @ self.u

    def mixed(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """grad_theta grad_x l, (d, m)."""
        return (self.u.T * self._bend(x, theta)) @ self.w + self.bilinear

    def theta_grad(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """grad_theta l, (m,)."""
        return self.w.T @ self._slope(x, theta) + self.bilinear.T @ x

    def theta_hessian(self, x: np.ndarray, theta: np.ndarray) -> np.ndarray:
        """grad_theta^2 l, (m, m)."""
        return (self.w.T * self._bend(x, theta)) @ self.w


def loss_of(instance: Instance) -> Loss:
    """The loss that an instance of `draw_loss` describes."""
    return Loss(*(instance[name] for name in ("u", "w", "coef", "bilinear", "push")))


def draw_loss(rng: np.random.Generator, d: int, m: int, curvature: float, plain: bool) -> Instance:
    """A loss with the Hessian -curvature I in x from its first d terms; `plain` adds nothing but x.bilinear theta,
    otherwise three more terms have quadratic, cubic and quartic parts in x and theta together."""
    more = 0 if plain else 3
    scale = curvature * 10 ** rng.uniform(-2, 0.5)
    coef = np.concatenate([np.tile([-curvature, 0, 0], (d, 1)), scale * rng.standard_normal((more, 3))])
    return {
        "u": np.concatenate([np.eye(d), rng.standard_normal((more, d))]),
        "w": np.concatenate([np.zeros((d, m)), rng.standard_normal((more, m))]),
        "coef": coef,
        "bilinear": rng.standard_normal((d, m)) * 10 ** rng.uniform(-1, 1),
        "push": np.zeros(d),
    }


def interior_instance(rng: np.random.Generator) -> Instance:
    """A loss with a strict maximum at x = 0 for theta = 0, and a theta near or far, half the time in the direction in
    which the maximum moves most."""
    d, m, plain = int(rng.integers(1, 5)), int(rng.integers(1, 4)), bool(rng.random() < 0.4)
    instance = draw_loss(rng, d, m, float(10 ** rng.uniform(-1, 1)), plain)
    if rng.random() < 0.3:
        instance["w"] = 0 * instance["w"]
    theta = rng.standard_normal(m)
    if rng.random() < 0.5:
        theta = np.linalg.svd(loss_of(instance).mixed(np.zeros(d), 0 * theta))[2][0]
    size = 10 ** rng.uniform(-3, 0) / (1 + largest(instance["bilinear"]))
    return {**instance, "theta": theta / np.linalg.norm(theta) * size}


def largest(matrix: np.ndarray) -> float:
    """The largest singular value."""
    return float(np.linalg.norm(matrix, 2)) if matrix.size else 0.0


def stationary(loss: Loss, theta: np.ndarray, start: np.ndarray) -> np.ndarray | None:
    """Newton's method for grad_x l = 0; None where it does not arrive at a strict local maximum."""
    x = start
    for _ in range(25):
        try:
            step = np.linalg.solve(loss.hessian(x, theta), loss.grad(x, theta))
        except np.linalg.LinAlgError:
            return None
        x = x - step
        if not np.all(np.isfinite(x)):
            return None
        if np.linalg.norm(step) <= STATIONARY * (1 + np.linalg.norm(x)):
            return x if np.linalg.eigvalsh(loss.hessian(x, theta))[-1] < 0 else None
    return None


def branch(loss: Loss, path: Iterable[np.ndarray], start: np.ndarray) -> list[np.ndarray] | None:
    """The local maxima along a path of parameters, each the continuation of the last; None where the branch ends or
    its next point is not plainly the continuation: it must lie near where the derivative at the last points to."""
    found: list[np.ndarray] = []
    before = None
    for theta in path:
        x = stationary(loss, theta, found[-1] if found else start)
        if x is None:
            return None
        if before is not None:
            h, b = loss.hessian(found[-1], before), loss.mixed(found[-1], before)
            guess = found[-1] - np.linalg.solve(h, b @ (theta - before))
            if np.linalg.norm(x - guess) > 0.3 * np.linalg.norm(guess - found[-1]) + 1e-12:
                return None
        found.append(x)
        before = theta
    return found


def worst(*gaps: Gap) -> Gap:
    """The one of largest excess: a sentence that says several things fails where one of them does."""
    return max(gaps, key=lambda gap: gap.excess)


def equal(one: np.ndarray | float, other: np.ndarray | float, error: float) -> Gap:
    """The gap of an equality: the distance of both sides against 0."""
    return Gap(float(np.linalg.norm(np.atleast_1d(np.asarray(one) - np.asarray(other)))), 0.0, error)


def over_grid(values: list[float]) -> tuple[float, float]:
    """The largest value on a grid, and how much larger it may be between the points: twice the largest difference of
    neighbours."""
    return max(values), 2 * float(np.max(np.abs(np.diff(values)), initial=0.0))


def bounded(instance: Instance) -> Instance | None:
    """The instance, unless a move made one of its numbers larger than 1e6 in size; push stays 0."""
    instance = {**instance, "push": 0 * instance["push"]} if "push" in instance else instance
    arrays = [np.asarray(value) for value in instance.values()]
    large = any(a.dtype.kind == "f" and a.size and not np.max(np.abs(a)) < 1e6 for a in arrays)
    return None if large else instance


NOWHERE = Gap(float("nan"), float("nan"))

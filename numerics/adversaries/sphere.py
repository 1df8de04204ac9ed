"""Adversaries of Lemma 5 and its proof: how fast a local maximum on the L2 sphere moves with the parameters."""

from __future__ import annotations

from collections.abc import Iterable
from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from numerics.adversaries.adversary import Gap, Instance
from numerics.adversaries.smooth import (
    NOWHERE,
    Loss,
    draw_loss,
    equal,
    largest,
    loss_of,
    over_grid,
    worst,
)

ROUNDING = 1e-11
STEPS = 4  # grid points of the branch on each side of theta = 0


def sphere_instance(rng: np.random.Generator) -> Instance:
    """A loss in 1 to 4 inputs, convex or concave, with a maximum on the sphere of radius epsilon at x = 0 for
    theta = 0: the centre is at -epsilon n, and the gradient there is mu n. Now and then mu = 0, on request of the
    sentence alone (`vanishing`)."""
    d, m, plain = int(rng.integers(1, 5)), int(rng.integers(1, 4)), bool(rng.random() < 0.5)
    epsilon, mu = float(10 ** rng.uniform(-0.5, 1)), float(10 ** rng.uniform(-1.5, 0.5))
    curvature = float(rng.choice([0.0, -0.5 * mu / epsilon, 10 ** rng.uniform(-1, 1)]))
    instance = draw_loss(rng, d, m, curvature, plain)
    n = rng.standard_normal(d)
    n /= np.linalg.norm(n)
    theta = rng.standard_normal(m)
    tangent = instance["bilinear"] - np.outer(n, n @ instance["bilinear"])
    if rng.random() < 0.4:
        instance["bilinear"] = tangent
    if rng.random() < 0.6:
        theta = np.linalg.svd(tangent)[2][0]
    size = 10 ** rng.uniform(-4, -0.5) * mu / (1 + largest(instance["bilinear"]))
    theta = theta / np.linalg.norm(theta) * size
    return {**instance, "theta": theta, "n": n, "mu": mu, "epsilon": epsilon}


def placed(instance: Instance) -> tuple[Loss, np.ndarray, float]:
    """The loss with the gradient mu n at x = 0, the centre of the ball, and its radius."""
    n = instance["n"] / np.linalg.norm(instance["n"])
    loss = loss_of({**instance, "push": abs(instance["mu"]) * n})
    epsilon = abs(instance["epsilon"])
    return loss, -epsilon * n, epsilon


def block(loss: Loss, x: np.ndarray, theta: np.ndarray, mu: float, centre: np.ndarray) -> np.ndarray:
    """grad_x^2 J = grad_x^2 l - mu (I - n n^T)/|x - centre|."""
    radius = float(np.linalg.norm(x - centre))
    n = (x - centre) / radius
    return loss.hessian(x, theta) - mu / radius * (np.eye(n.size) - np.outer(n, n))


def bordered(loss: Loss, x: np.ndarray, theta: np.ndarray, mu: float, centre: np.ndarray) -> np.ndarray:
    """The Hessian of J = l - mu (|x - centre| - epsilon) in (mu, x), (d + 1, d + 1)."""
    n = (x - centre) / np.linalg.norm(x - centre)
    whole = np.zeros((n.size + 1, n.size + 1))
    whole[0, 1:] = whole[1:, 0] = -n
    whole[1:, 1:] = block(loss, x, theta, mu, centre)
    return whole


def tangents(n: np.ndarray) -> np.ndarray:
    """An orthonormal basis of what is orthogonal to n, (d, d - 1)."""
    return np.linalg.svd(n[None, :])[2][1:].T


def padded(mixed: np.ndarray) -> np.ndarray:
    """[0; B]."""
    return np.concatenate([np.zeros((1, mixed.shape[1])), mixed])


def kept(
    loss: Loss, centre: np.ndarray, epsilon: float, theta: np.ndarray, mu: float, x: np.ndarray
) -> tuple[float, np.ndarray] | None:
    """Newton's method for grad J = 0 from (mu, x); None where it does not arrive at a multiplier above 0 and a
    negative definite tangent Hessian."""
    for _ in range(25):
        shift = x - centre
        radius = float(np.linalg.norm(shift))
        error = np.concatenate([[epsilon - radius], loss.grad(x, theta) - mu * shift / radius])
        try:
            step = np.linalg.solve(bordered(loss, x, theta, mu, centre), error)
        except np.linalg.LinAlgError:
            return None
        mu, x = mu - float(step[0]), x - step[1:]
        if not np.all(np.isfinite(step)):
            return None
        if np.linalg.norm(step) <= 1e-13 * (1 + abs(mu) + np.linalg.norm(x)):
            t = tangents((x - centre) / np.linalg.norm(x - centre))
            inner = t.T @ block(loss, x, theta, mu, centre) @ t
            strict = t.shape[1] == 0 or np.linalg.eigvalsh(inner)[-1] < 0
            return (mu, x) if mu > 0 and strict else None
    return None


def sphere_branch(instance: Instance, path: Iterable[np.ndarray]) -> list[tuple[float, np.ndarray]] | None:
    """(mu, x) along a path of parameters from 0, each plainly the continuation of the last, or None."""
    loss, centre, epsilon = placed(instance)
    at: tuple[float, np.ndarray] = (abs(instance["mu"]), np.zeros(centre.size))
    found, before = [], np.zeros_like(instance["theta"])
    for theta in path:
        after = kept(loss, centre, epsilon, theta, *at)
        if after is None:
            return None
        whole = bordered(loss, at[1], before, at[0], centre)
        way = -np.linalg.solve(whole, padded(loss.mixed(at[1], before)) @ (theta - before))
        moved = np.concatenate([[after[0] - at[0]], after[1] - at[1]])
        if np.linalg.norm(moved - way) > 0.3 * np.linalg.norm(way) + 1e-12:
            return None
        found.append(after)
        at, before = after, theta
    return found


class OnSphere(NamedTuple):
    """What is read off the branch from -theta to theta: both ends (mu, x), sup sigma_1(B), sup 1/c, sup sigma_1(T^T B),
    sup 1/c_T, sup sigma_1(D g~), each with what the grid may miss; the values of the last but one pair at the middle;
    the gradients in theta at the ends and sup sigma_1(grad_theta^2 l)."""

    ends: tuple[tuple[float, np.ndarray], tuple[float, np.ndarray]]
    mixed: tuple[float, float]
    inverse: tuple[float, float]
    tangent: tuple[float, float]
    tangent_inverse: tuple[float, float]
    moves: tuple[float, float]
    middle: tuple[float, float]
    slopes: tuple[np.ndarray, np.ndarray]
    own: tuple[float, float]


def on_sphere(instance: Instance) -> OnSphere | None:
    """The branch through x = 0 at theta = 0, to both sides; None where it ends or leaves mu > 0."""
    loss, centre, _ = placed(instance)
    theta, grid = instance["theta"], np.linspace(0, 1, STEPS + 1)
    right = sphere_branch(instance, [s * theta for s in grid])
    left = sphere_branch(instance, [-s * theta for s in grid])
    if right is None or left is None:
        return None
    points = [(*at, -s * theta) for at, s in zip(left[:0:-1], grid[:0:-1], strict=True)]
    points += [(*at, s * theta) for at, s in zip(right, grid, strict=True)]
    rows = []
    for mu, x, t in points:
        hessian, b = bordered(loss, x, t, mu, centre), loss.mixed(x, t)
        base = tangents((x - centre) / np.linalg.norm(x - centre))
        curved = base.T @ hessian[1:, 1:] @ base
        across = -1 / float(np.linalg.eigvalsh(curved)[-1]) if base.shape[1] else 0.0
        rows.append(
            (
                largest(b),
                1 / float(np.linalg.svd(hessian)[1][-1]),
                largest(base.T @ b) if base.shape[1] else 0.0,
                across,
                largest(np.linalg.solve(hessian, padded(b))),
                largest(loss.theta_hessian(x, t)),
            )
        )
    sups = [over_grid(list(column)) for column in zip(*rows, strict=True)]
    slopes = (loss.theta_grad(*points[0][1:]), loss.theta_grad(*points[-1][1:]))
    mixed, whole, tangent, inner, moves, own = sups
    middle = (rows[STEPS][2], rows[STEPS][3])
    return OnSphere((left[-1], right[-1]), mixed, whole, tangent, inner, moves, middle, slopes, own)


def product(one: tuple[float, float], other: tuple[float, float]) -> tuple[float, float]:
    """The product of two suprema, and what the grid may miss of it."""
    return one[0] * other[0], one[1] * other[0] + (one[0] + one[1]) * other[1]


def moved_gap(instance: Instance, found: OnSphere, rate: tuple[float, float], factor: float) -> Gap:
    """The way of the attack from -theta to theta against factor rate |2 theta|."""
    apart = 2 * float(np.linalg.norm(instance["theta"]))
    way = float(np.linalg.norm(found.ends[1][1] - found.ends[0][1]))
    right = factor * rate[0] * apart
    return Gap(way, right, rate[1] * apart + ROUNDING * (way + right))


def leaving_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """mu = 0 at theta = 0: l = -x.H x/2 + x.b theta with a flat direction n in H; d = 2, so that det > 0. On the side
    of theta where the maximum moves inside it moves at the rate H^-1 b, against C_theta_x/c or C_tangent/c_T there."""
    n, small = np.array([1.0, 0.0]), 0.05 + 0.1 * abs(np.sin(instance["mu"]))
    h, b = np.diag([small, 1.0 + instance["epsilon"]]), np.array([-1.0, 0.3])
    scale = 1e-3 * instance["epsilon"]
    x = np.linalg.solve(h, b) * scale
    inside = np.linalg.norm(x + instance["epsilon"] * n) < instance["epsilon"]
    whole = np.array([[0, -1, 0], [-1, -small, 0], [0, 0, -h[1, 1]]])
    rate = float(np.linalg.norm(b)) / float(np.linalg.svd(whole)[1][-1])
    if sentence.tangent:
        rate = abs(b[1]) / h[1, 1]
    return Gap(float(np.linalg.norm(x)), 1.05 * rate * scale, 0.0) if inside else NOWHERE


def lemma5_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The attack's way against C_theta_x/c or C_tangent/c_T along the branch, and what else the sentence says."""
    loss, centre, _ = placed(instance)
    zero = np.zeros(centre.size)
    det = float(np.linalg.det(bordered(loss, zero, 0 * instance["theta"], abs(instance["mu"]), centre)))
    if sentence.vanishing:
        return leaving_gap(instance, sentence)
    found = on_sphere(instance)
    if found is None:
        return NOWHERE
    if sentence.det_positive:
        return Gap(0.0, det, 1e-9 * abs(det))
    if not sentence.tangent:
        return moved_gap(instance, found, product(found.mixed, found.inverse), sentence.factor)
    rate = product(found.tangent, found.tangent_inverse)
    if sentence.at_the_point:
        rate = (found.middle[0] * found.middle[1], 0.0)
    near = ROUNDING * (found.mixed[0] + found.inverse[0])
    return worst(
        moved_gap(instance, found, rate, sentence.factor),
        Gap(found.tangent[0], found.mixed[0], near),
        Gap(found.tangent_inverse[0], found.inverse[0], near),
        derivative_gap(instance, sentence.sign),
    )


def derivative_gap(instance: Instance, sign: int) -> Gap:
    """D x' = -T (T^T H_J T)^{-1} T^T B at x = 0, against differences of the branch."""
    loss, centre, _ = placed(instance)
    zero, none = np.zeros(centre.size), 0 * instance["theta"]
    base = tangents(-centre)
    if base.shape[1] == 0:
        return Gap(0.0, 0.0)
    inner = base.T @ block(loss, zero, none, abs(instance["mu"]), centre) @ base
    formula = -sign * base @ np.linalg.solve(inner, base.T @ loss.mixed(zero, none))
    found = differences(instance)
    if found is None:
        return NOWHERE
    return equal(found[0][1:], formula, found[1] + 1e-7 * largest(formula))


def differences(
    instance: Instance, shift: float = 0.0, size: float = 1e-4
) -> tuple[np.ndarray, float] | None:
    """D (mu, x) at theta = 0 by central differences along each parameter, and their error; `shift` moves the centre of
    the ball with the first parameter."""
    loss, centre, epsilon = placed(instance)
    mu, zero, m = abs(instance["mu"]), np.zeros(centre.size), instance["theta"].size
    size *= mu / (1 + largest(instance["bilinear"]))
    found = []
    for step in (2 * size, size):
        columns = []
        for unit in np.eye(m) * step:
            ends = []
            for side in (1, -1):
                moved = centre + shift * side * unit[0]
                after = kept(loss, moved, epsilon, side * unit, mu, zero)
                if after is None:
                    return None
                ends.append(np.concatenate([[after[0]], after[1]]))
            columns.append((ends[0] - ends[1]) / (2 * step))
        found.append(np.array(columns).T)
    return found[1], 2 * float(np.linalg.norm(found[1] - found[0])) + 1e-8 / size * 1e-5

"""Adversaries of the theorem for small radii: gradients long against epsilon M keep the attack on the L2 sphere."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy.optimize import brentq

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst


def radius_instance(rng: np.random.Generator) -> Instance:
    """b(theta).x - x.A x/2 on an L2 ball around 0 in 1 to 4 inputs, A diagonal of any signature, |A| = M; half the
    time b along the first axis, moved across it, with A = (M, -M, ...) there, which is the worst case."""
    d, m, epsilon = int(rng.integers(1, 5)), int(rng.integers(1, 3)), float(10 ** rng.uniform(-1, 1))
    values = rng.uniform(-1, 1, d)
    shift, matrix = rng.standard_normal(d), rng.standard_normal((d, m))
    other = np.zeros(m)
    kind = int(rng.integers(3))
    if kind and d > 1:
        values = -np.ones(d)
        values[0] = 0.0 if kind == 1 else 1.0
        shift = np.abs(shift) * np.eye(1, d)[0]
        matrix = np.eye(d)[1][:, None] * rng.standard_normal((1, m))
        other = np.linalg.svd(matrix)[2][0] * 10 ** rng.uniform(-6, -3)
    else:
        other = rng.standard_normal(m) * 10 ** rng.uniform(-2, 0.5)
    values = values / np.max(np.abs(values))
    size = float(np.linalg.norm(shift)) / epsilon * rng.uniform(0.05, 1.2)
    return {
        "values": values * size,
        "shift": shift,
        "matrix": matrix,
        "theta": -other,
        "other": other,
        "epsilon": epsilon,
    }


def on_ball(values: np.ndarray, b: np.ndarray, r: float) -> np.ndarray | None:
    """The maximiser of b.x - sum values x^2/2 over |x| <= r; None in the hard case, where b has no part along the
    smallest value and it is not unique."""
    low = float(np.min(values))
    if low > 0:
        x = b / values
        if np.linalg.norm(x) <= r:
            return x
    start = max(-low, 0.0)
    floor = start + 1e-12 * (1 + abs(low))

    def excess(nu: float) -> float:
        return float(np.linalg.norm(b / (values + nu))) - r

    if excess(floor) <= 0:
        return None
    nu = brentq(excess, floor, start + float(np.linalg.norm(b)) / r + 1.0, xtol=1e-15, rtol=1e-15)
    x = b / (values + nu)
    return x * (r / float(np.linalg.norm(x)))


def least_gradient(values: np.ndarray, b: np.ndarray, r: float) -> float:
    """min over |x| <= r of |b - values x|, a convex problem in x, by its multiplier."""
    live = values != 0
    x = np.zeros_like(b)
    x[live] = b[live] / values[live]
    if np.linalg.norm(x) <= r:
        return float(np.linalg.norm(b - values * x))

    def point(nu: float) -> np.ndarray:
        return values * b / (values**2 + nu)

    top = float(np.linalg.norm(values * b)) / r + 1.0
    nu = brentq(lambda n: float(np.linalg.norm(point(n))) - r, 1e-300, top, xtol=1e-300, rtol=1e-14)
    return float(np.linalg.norm(b - values * point(nu)))


def radius_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The attacks of two parameters against epsilon C_theta_x/(g - epsilon M), on the sphere, and alone."""
    values, r = instance["values"], abs(instance["epsilon"])
    big = float(np.max(np.abs(values)))
    bs = [instance["matrix"] @ at + instance["shift"] for at in (instance["theta"], instance["other"])]
    if sentence.centre is None:
        g = min(least_gradient(values, b, r) for b in bs)
        room = g - r * big
        rest = room if sentence.bend else g
    else:
        g = min(float(np.linalg.norm(b)) for b in bs)
        room = g - sentence.centre * r * big
        rest = g - sentence.taken * r * big
    if room <= 1e-9 * g and sentence.small:
        return NOWHERE
    ends = [on_ball(values, b, r) for b in bs]
    if ends[0] is None or ends[1] is None:
        return Gap(2.0, 1.0)  # two maximisers
    apart = float(np.linalg.norm(instance["theta"] - instance["other"]))
    bound = sentence.factor * r * largest(instance["matrix"]) / max(abs(rest), 1e-300) * apart
    left = float(np.linalg.norm(ends[0] - ends[1]))
    length = float(np.linalg.norm(ends[0]))
    return worst(Gap(left, bound, 1e-9 * (left + bound) + 1e-13 * r), Gap(r, length, 1e-9 * r))


def linear_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """M = 0, C_theta_x = 1: theta.x on the ball, against epsilon^power/theta_min |theta_1 - theta_2|."""
    one, other, r = instance["one"], instance["other"], abs(instance["epsilon"])
    ends = [on_ball(np.zeros(at.size), at, r) for at in (one, other)]
    if ends[0] is None or ends[1] is None:
        return NOWHERE
    least = min(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    right = sentence.factor * r**sentence.power / least * float(np.linalg.norm(one - other))
    return worst(
        Gap(float(np.linalg.norm(ends[0] - ends[1])), right, 1e-9 * (r + right)),
        equal(least_gradient(np.zeros(one.size), one, r), float(np.linalg.norm(one)), 1e-9),
    )


def linear_instance(rng: np.random.Generator) -> Instance:
    """Two weights of one length or of two, near or far."""
    d = int(rng.integers(1, 5))
    one = rng.standard_normal(d)
    other = rng.standard_normal(d) if rng.random() < 0.5 else -one
    return {"one": one, "other": other, "epsilon": float(10 ** rng.uniform(-1, 1))}


BALL = "quadratic losses of every signature on L2 balls; attacks and least gradients by their multipliers"
RADIUS = {"factor": 1.0, "bend": True, "small": True, "centre": None, "taken": 2.0}
ADVERSARIES = (
    Adversary(
        claim="beyond.small-epsilon",
        how=BALL,
        draw=radius_instance,
        gap=radius_gap,
        admit=bounded,
        sentence=RADIUS,
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "curvature of the loss forgotten": {"bend": False},
            "epsilon not small": {"small": False},
        },
    ),
    Adversary(
        claim="beyond.small-epsilon-centre",
        how=BALL,
        draw=radius_instance,
        gap=radius_gap,
        admit=bounded,
        sentence={**RADIUS, "centre": 2.0},
        twins={
            "factor one per cent smaller": {"centre": 1.98, "taken": 1.98},
            "factor one": {"centre": 1.0, "taken": 1.0},
            "constant with one epsilon M": {"taken": 1.0},
            "quantifier: constant one per cent smaller": {"factor": 0.99},
        },
    ),
    Adversary(
        claim="beyond.small-epsilon-linear",
        how="linear losses in 1 to 4 inputs; attacks and least gradients by their multipliers",
        draw=linear_instance,
        gap=linear_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 1},
        twins={"one per cent smaller": {"factor": 0.99}, "epsilon squared": {"power": 2}},
    ),
)

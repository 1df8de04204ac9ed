"""Adversaries of the L_p attacks of the linear model beyond Section 3.1: their form, and how fast they move."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.lagrangian import norm
from numerics.adversaries.smooth import NOWHERE, bounded, equal, worst


def best_corner(theta: np.ndarray, epsilon: float) -> np.ndarray:
    """The corner of the box where -theta.delta is largest, among all of them."""
    corners = epsilon * np.array(list(product((-1.0, 1.0), repeat=theta.size)))
    return corners[int(np.argmax(-(corners @ theta)))]


def signs_instance(rng: np.random.Generator) -> Instance:
    """Two weights without zeros in 1 to 5 coordinates, some signs of the second flipped, and r >= 1."""
    d = int(rng.integers(1, 6))
    one = rng.choice([-1, 1], d) * 10 ** rng.uniform(-2, 1, d)
    other = one * rng.choice([-1, 1], d) * 10 ** rng.uniform(-1, 1, d)
    return {"one": one, "other": other, "r": float(rng.choice([1.0, 2.0, rng.uniform(1, 8)])), "epsilon": 0.7}


def flips_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The distance of the corners against 2 epsilon k^(1/r)."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    r = float(np.clip(abs(instance["r"]), 1.0, 8.0))
    if np.min(np.abs(np.concatenate([one, other]))) < 1e-9:
        return NOWHERE
    k = int(np.sum(one * other < 0))
    way = best_corner(one, epsilon) - best_corner(other, epsilon)
    formula = sentence.factor * 2 * epsilon * (k if sentence.whole else k ** (1 / r) if k else 0.0)
    gaps = [equal(norm(way, r) if k else float(np.max(np.abs(way))), formula, 1e-9 * epsilon)]
    return worst(*gaps)


def power_instance(rng: np.random.Generator) -> Instance:
    """A weight in 1 to 5 coordinates, with zeros and ties now and then, p from 1.1 to 12, a label."""
    d = int(rng.integers(1, 6))
    theta = rng.standard_normal(d) * 10 ** rng.uniform(-1, 1)
    if rng.random() < 0.3 and d > 1:
        theta[0] = rng.choice([0.0, theta[1]])
    rest = rng.standard_normal((12, d))
    p = float(rng.choice([rng.uniform(1.1, 2), 2.0, rng.uniform(2, 12)]))
    return {
        "theta": theta,
        "p": p,
        "y": int(rng.choice([-1, 1])),
        "epsilon": float(10 ** rng.uniform(-1, 1)),
        "rest": rest,
    }


def attack(theta: np.ndarray, epsilon: float, p: float) -> np.ndarray:
    """The maximiser of -theta.delta over ||delta||_p <= epsilon: where grad ||delta||_p points along -theta, that is,
    |delta_i|^(p - 1) is proportional to |theta_i|; scaled to the sphere."""
    big = float(np.max(np.abs(theta)))
    way = -np.sign(theta) * np.exp(np.log(np.maximum(np.abs(theta) / big, 1e-300)) / (p - 1))
    return epsilon * way / norm(way, p)


def form_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The formula against its ball, against the length that it takes off, and against other points of the ball: random
    ones, some near, and powers of the weights."""
    theta, p, y, epsilon = instance["theta"], instance["p"], instance["y"], abs(instance["epsilon"])
    q = p / (p - 1)
    if not 1e-3 < np.max(np.abs(theta)) < 1e3:
        return NOWHERE
    power = {"dual": q - 1, "whole": q, "two": 1.0}[sentence.power]
    size = norm(theta, 1 + power)
    delta = -y * epsilon * np.sign(theta) * (np.abs(theta) / size) ** power * sentence.reach
    taken = -y * float(theta @ delta)
    others = [*instance["rest"], *(delta / epsilon + 0.1 * instance["rest"])]
    others += [
        -y * np.sign(theta) * (np.abs(theta) / np.max(np.abs(theta))) ** s for s in np.linspace(0.1, 6, 12)
    ]
    rivals = np.array([-y * float(theta @ o) * epsilon / max(norm(o, p), 1e-300) for o in others])
    away = np.array([norm(o * epsilon / max(norm(o, p), 1e-300) - delta, 2) for o in others])
    scale = epsilon * norm(theta, q)
    lonely = rivals[away > 0.05 * epsilon]
    gaps = [
        Gap(norm(delta, p), epsilon, 1e-10 * epsilon),
        equal(taken, scale, 1e-9 * scale),
        Gap(float(np.max(rivals)), taken, 1e-10 * scale),
    ]
    if lonely.size:  # the only maximiser: elsewhere strictly less
        gaps.append(Gap(float(np.max(lonely)), taken * (1 - 1e-13), 0.0))
    return worst(*gaps)


def below_instance(rng: np.random.Generator) -> Instance:
    """Two weights in 1 to 5 coordinates and q from 2 to 8, often two equal weights and no others, moved apart."""
    d, q = int(rng.integers(1, 6)), float(rng.choice([2.0, rng.uniform(2, 8)]))
    one = rng.standard_normal(d) * 10 ** rng.uniform(-1, 1)
    way = rng.standard_normal(d)
    if d > 1 and rng.random() < 0.6:
        one = np.eye(1, d)[0] + np.eye(2, d)[1]
        way = np.eye(1, d)[0] - np.eye(2, d)[1]
    size = float(np.linalg.norm(one)) * 10 ** rng.uniform(-6, 0.3)
    return {
        "one": one,
        "way": way / np.linalg.norm(way) * size,
        "q": q,
        "epsilon": float(10 ** rng.uniform(-1, 1)),
    }


def least_on(one: np.ndarray, other: np.ndarray, q: float) -> float:
    """The least ||.||_q on the segment, a convex function of the place: thirds, and a lower bound from the last one."""
    low, high = 0.0, 1.0
    for _ in range(60):
        a, b = low + (high - low) / 3, high - (high - low) / 3
        if norm(one + a * (other - one), q) < norm(one + b * (other - one), q):
            high = b
        else:
            low = a
    middle = (low + high) / 2
    return min(norm(one, q), norm(other, q), norm(one + middle * (other - one), q))


def below_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The attacks at both ends of a segment against (q - 1) 2^(2/q - 1) epsilon/theta_min, theta_min the least
    length on the segment, which is convex."""
    q, epsilon = max(2.0, abs(instance["q"])), abs(instance["epsilon"])
    one, other = instance["one"] + instance["way"] / 2, instance["one"] - instance["way"] / 2
    least = least_on(one, other, q)
    if least < 1e-6 * norm(one, q) or not np.any(one) or not np.any(other):
        return NOWHERE
    p = q / (q - 1)
    left = float(np.linalg.norm(attack(one, epsilon, p) - attack(other, epsilon, p)))
    rate = (q - 1) * 2 ** (2 / q - 1) if not sentence.plain else 1.0
    right = sentence.factor * rate * epsilon / least * float(np.linalg.norm(one - other))
    return Gap(left, right, 1e-9 * right + 1e-13 * epsilon)


def above_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """(1, t) and (1, -t): the exponent of the attacks' distance at t = 1e-6 and 1e-8, and whether its ratio grows."""
    p, epsilon = 2.2 + abs(instance["p"]), abs(instance["epsilon"])
    ways = []
    for t in (1e-6, 1e-8):
        ends = [attack(np.array([1.0, side * t]), epsilon, p) for side in (1, -1)]
        ways.append(float(np.linalg.norm(ends[0] - ends[1])))
    exponent = float(np.log(ways[0] / ways[1]) / np.log(100))
    named = {"dual": 1 / (p - 1), "one": 1.0, "inverse": 1 / p}[sentence.exponent]
    return worst(equal(exponent, named, 1e-3), Gap(ways[0] / 2e-6, ways[1] / 2e-8))


def corner_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """p = 1: the best of the 2 d corners of the ball at (1 + t, 1, ...) and (1, 1 + t, ...), t = 1e-9; and that it
    stays where one weight is the largest."""
    rest, epsilon = np.clip(instance["rest"][0], -0.9, 0.9), abs(instance["epsilon"])
    corners = epsilon * np.concatenate([np.eye(rest.size + 2), -np.eye(rest.size + 2)])

    def best(theta: np.ndarray) -> np.ndarray:
        return corners[int(np.argmax(-(corners @ theta)))]

    ends = [best(np.concatenate([pair, rest])) for pair in ([1 + 1e-9, 1.0], [1.0, 1 + 1e-9])]
    jump = float(np.linalg.norm(ends[0] - ends[1]))
    alone = np.concatenate([[1.5, 1.0], rest])
    still = float(np.linalg.norm(best(alone) - best(alone + 1e-3 * np.sin(np.arange(alone.size)))))
    return worst(equal(jump, sentence.jump * np.sqrt(2) * epsilon, 1e-9 * epsilon), equal(still, 0.0, 1e-12))


def convex_instance(rng: np.random.Generator) -> Instance:
    """The adversarial loss of the linear model, one to three inputs in 1 to 4 coordinates, a ball of weights around
    theta, and a point inside it with a line through it."""
    d = int(rng.integers(1, 5))
    return {
        "x": rng.standard_normal((int(rng.integers(1, 4)), d)) * 2,
        "epsilon": float(rng.uniform(0, 2)),
        "theta": rng.standard_normal(d),
        "inner": rng.standard_normal(d),
        "way": rng.standard_normal(d),
        "radius": float(10 ** rng.uniform(-2, 1)),
    }


def convex_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The loss at an inner point of the ball against the larger of the two points where a line through it leaves."""
    r, way = abs(instance["radius"]), instance["way"] / np.linalg.norm(instance["way"])
    inner = instance["inner"] * r / (1 + np.linalg.norm(instance["inner"]))
    b, c = float(way @ inner), float(inner @ inner) - r * r
    reach = np.sqrt(b * b - c)

    def loss(v: np.ndarray) -> float:
        theta = instance["theta"] + v
        if sentence.concave:
            return -float(theta @ theta)
        margins = instance["x"] @ theta - abs(instance["epsilon"]) * np.linalg.norm(theta)
        return float(np.mean(np.logaddexp(0, -margins)))

    ends = max(loss(inner + (-b + side * reach) * way) for side in (1, -1))
    return Gap(loss(inner), sentence.factor * ends, 1e-11 * (1 + abs(ends)))


ADVERSARIES = (
    Adversary(
        claim="beyond.k-flips",
        how="pairs of weights in 1 to 5 coordinates, r from 1 to 8; attacks by all corners",
        draw=signs_instance,
        gap=flips_gap,
        admit=bounded,
        sentence={"factor": 1.0, "whole": False},
        twins={"one per cent less": {"factor": 0.99}, "growing with k itself": {"whole": True}},
    ),
    Adversary(
        claim="beyond.p-attack",
        how="weights in 1 to 5 coordinates with zeros and ties, p from 1.1 to 12; rival points of the ball",
        draw=power_instance,
        gap=form_gap,
        moved=("theta", "rest"),
        sentence={"power": "dual", "reach": 1.0},
        twins={
            "exponent q": {"power": "whole"},
            "the attack of p = 2": {"power": "two"},
            "one per cent beyond the ball": {"reach": 1.01},
        },
    ),
    Adversary(
        claim="beyond.p-below-2",
        how="segments of weights in 1 to 5 coordinates, q from 2 to 8; attacks at both ends",
        draw=below_instance,
        gap=below_gap,
        admit=bounded,
        sentence={"factor": 1.0, "plain": False},
        twins={"one per cent smaller": {"factor": 0.99}, "the constant of p = 2": {"plain": True}},
    ),
    Adversary(
        claim="beyond.p-above-2",
        how="(1, t) and (1, -t), t = 1e-6 and 1e-8, p from 2.2 on; attacks by their optimality condition",
        draw=lambda rng: {"p": float(rng.uniform(0, 8)), "epsilon": float(10 ** rng.uniform(-1, 1))},
        gap=above_gap,
        moved=(),
        sentence={"exponent": "dual"},
        twins={"exponent 1 (Lipschitz)": {"exponent": "one"}, "exponent 1/p": {"exponent": "inverse"}},
    ),
    Adversary(
        claim="beyond.p-1",
        how="two largest weights 1e-9 apart, and one; attacks by all corners of the L1 ball",
        draw=power_instance,
        gap=corner_gap,
        moved=(),
        sentence={"jump": 1.0},
        twins={"a jump of 2 epsilon": {"jump": np.sqrt(2)}, "no jump": {"jump": 0.0}},
    ),
    Adversary(
        claim="beyond.awp-convex",
        how="adversarial losses of the linear model; inner points of balls of weights, and lines through them",
        draw=convex_instance,
        gap=convex_gap,
        admit=bounded,
        sentence={"factor": 1.0, "concave": False},
        twins={"concave L": {"concave": True}, "one per cent less": {"factor": 0.99}},
    ),
)

"""Adversaries of the Lagrangian steps in Lemma 2's proof, Eqs. (28) to (31), and of attacks on the boundary."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Gap, Instance
from numerics.adversaries.linear_moves import made
from numerics.adversaries.logistic import sigmoid
from numerics.adversaries.lp_attacks import attack
from numerics.adversaries.maxima import linear_boundary_gap
from numerics.adversaries.smooth import NOWHERE, equal, worst


def lagrangian_instance(rng: np.random.Generator) -> Instance:
    """A weight and an input of 1 to 4 coordinates, a radius, a shift, a share of the way to the sphere and another."""
    d = int(rng.integers(1, 5))
    theta = rng.standard_normal(d)
    return {
        "theta": theta / np.linalg.norm(theta) * 10 ** rng.uniform(-0.5, 0.5),
        "x": rng.standard_normal(d),
        "shift": rng.standard_normal(d),
        "epsilon": float(10 ** rng.uniform(-0.5, 0.5)),
        "share": float(rng.uniform(0.05, 0.95)),
        "other": float(rng.uniform(0.05, 0.95)),
        "multiplier": float(-rng.uniform(0.1, 2)),
    }


def loss(instance: Instance, delta: np.ndarray) -> float:
    """log(1 + exp(-theta.(x + delta))), y = 1."""
    return float(np.logaddexp(0, -float(instance["theta"] @ (instance["x"] + delta))))


def slope(function, at: np.ndarray) -> np.ndarray:
    """The gradient by central differences."""
    steps = np.eye(at.size) * 1e-5 * (1e-3 + float(np.linalg.norm(at)))
    return np.array([(function(at + e) - function(at - e)) / (2 * np.linalg.norm(e)) for e in steps])


def sound(instance: Instance) -> bool:
    """Whether sizes are moderate and shares within 0 and 1, so that differences tell."""
    sizes = [float(np.linalg.norm(instance["theta"])), instance["epsilon"]]
    shares = [instance["share"], instance["other"]]
    return all(0.1 < s < 10 for s in sizes) and all(0.02 < s < 0.98 for s in shares)


def stationary_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """What grad J leaves at delta for the best multiplier lambda <= 0: nothing against theta, and at the attack."""
    theta, epsilon = instance["theta"], instance["epsilon"]
    if not sound(instance):
        return NOWHERE
    size = float(np.linalg.norm(theta))
    delta = -sentence.way * epsilon * theta / size
    if not sentence.attack:
        delta = delta * instance["share"]
    if sentence.turned and theta.size > 1:
        delta = delta + 0.3 * float(np.linalg.norm(delta)) * np.roll(theta, 1) / size
    way = delta / np.linalg.norm(delta)
    grad = slope(lambda d: loss(instance, d), delta)
    best = -float(grad @ way)
    multiplier = min(best, 0.0) if sentence.negative else max(best, 0.0)
    left = float(np.linalg.norm(grad + multiplier * way))
    near = 1e-7 * (1 + size)
    return worst(
        equal(left, 0.0, near), Gap(float(np.linalg.norm(delta)), sentence.radius * epsilon, 1e-9 * epsilon)
    )


def slackness_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """delta = -k theta on the way to the sphere meets Eqs. (28) to (30): how far it is from the attack; with
    complementary slackness, that this distance times |lambda| is what slackness leaves, so 0 at the attack alone."""
    if not sound(instance):
        return NOWHERE
    theta, epsilon = instance["theta"], instance["epsilon"]
    unit = theta / np.linalg.norm(theta)
    delta, best = -instance["share"] * epsilon * unit, -sentence.reach * epsilon * unit
    multiplier = float(slope(lambda d: loss(instance, d), delta) @ unit)
    apart = float(np.linalg.norm(delta - best))
    if not sentence.slackness:
        return equal(apart, 0.0, 1e-9)
    left = abs(multiplier * (float(np.linalg.norm(delta)) - epsilon))
    return worst(equal(apart * abs(multiplier), left, 1e-8), Gap(1e-12, abs(multiplier)))


def gradient_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """grad J by differences at any delta != 0 against Eq. (31), with the factors that the sentence gives."""
    if not sound(instance) or np.linalg.norm(instance["shift"]) < 0.05:
        return NOWHERE
    theta, delta, multiplier = instance["theta"], instance["shift"], instance["multiplier"]
    found = slope(
        lambda d: loss(instance, d) + multiplier * (float(np.linalg.norm(d)) - instance["epsilon"]), delta
    )
    m = float(theta @ (instance["x"] + delta))
    over = {"delta": np.linalg.norm(delta), "theta": np.linalg.norm(theta), "none": 1.0}[sentence.over]
    scalar = sentence.side * multiplier / over**sentence.power
    formula = -sentence.sign * sigmoid(-sentence.exponent * m) * theta + scalar * delta
    return equal(found, formula, 1e-7 * (1 + float(np.linalg.norm(theta)) + abs(multiplier)) ** 2)


def lagrangian(instance: Instance, k: float, along: bool, side: int) -> float:
    """J(-k theta), lambda that of the attack or, along, that of Eq. (28) at k."""
    theta, epsilon = instance["theta"], instance["epsilon"]
    size = float(np.linalg.norm(theta))
    at = k if along else epsilon / size
    multiplier = -size * sigmoid(-float(theta @ (instance["x"] - at * theta)))
    return loss(instance, -k * theta) + side * multiplier * (k * size - epsilon)


def increases_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The loss or J at two k up to the sphere, J at the attack against elsewhere, and J's convexity."""
    if not sound(instance):
        return NOWHERE
    theta, epsilon = instance["theta"], instance["epsilon"]
    top = epsilon / float(np.linalg.norm(theta))
    low, high = sorted((instance["share"], instance["other"]))
    if high - low < 1e-3:
        return NOWHERE
    j = [lagrangian(instance, k * top, False, sentence.side) for k in (low, (low + high) / 2, high)]
    if sentence.lagrangian:
        return Gap(j[0], j[2], 1e-12)
    losses = [loss(instance, -k * top * theta) for k in (low, high)]
    peak, beyond = (lagrangian(instance, k * top, False, sentence.side) for k in (1.0, 1.0 + low))
    return worst(
        Gap(losses[0], losses[1], 0.0),
        Gap(j[1], (j[0] + j[2]) / 2, 1e-12),
        Gap(peak, min(*j, beyond), 1e-12),
    )


def along_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """J with lambda(k): rising up to the peak that the sentence names, falling beyond."""
    if not sound(instance):
        return NOWHERE
    size, epsilon = float(np.linalg.norm(instance["theta"])), instance["epsilon"]
    peak = sentence.factor * (epsilon / size if sentence.normalised else epsilon)
    low, high = sorted((instance["share"], instance["other"]))
    if high - low < 1e-3:
        return NOWHERE
    ks = (low, high, 1 - 1e-3, 1.0, 1 + 1e-3, 1 + low, 1 + high)
    values = [lagrangian(instance, k * peak, True, 1) for k in ks]
    risen = (
        (0, 1),
        (2, 3),
        (4, 3),
        (6, 5),
    )  # pairs of places, the value at the first at most that at the second
    return worst(*(Gap(values[a], values[b], 1e-13) for a, b in risen))


def k_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The k of delta = -k theta on the sphere, found by bisection on ||k theta|| = epsilon, against the formula."""
    theta, epsilon = instance["theta"], instance["epsilon"]
    if not sound(instance):
        return NOWHERE
    low, high = 0.0, 1e6
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (middle, high) if np.linalg.norm(middle * theta) < epsilon else (low, middle)
    return equal(
        low, sentence.factor * epsilon / float(np.linalg.norm(theta)) ** sentence.power, 1e-9 * (1 + low)
    )


def boundary_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Where projected ascent in the L2 ball ends, and the length of the L_p attack, p from 1.2 to 11."""
    if not sound(instance):
        return NOWHERE
    p = 1.2 + 10 * instance["share"]
    size = float(np.sum(np.abs(attack(instance["theta"], instance["epsilon"], p)) ** p) ** (1 / p))
    ascent = {"theta": instance["theta"], "x": instance["shift"]}
    return worst(
        linear_boundary_gap(ascent, SimpleNamespace(weight=sentence.weight, excluded=False)),
        equal(size, instance["epsilon"] ** sentence.power, 1e-9 * (1 + size)),
    )


STATIONARY = {"way": 1, "attack": True, "turned": False, "negative": True, "radius": 1.0}
SLACK = {"slackness": True, "reach": 1.0}
EQ31 = {"sign": 1, "exponent": 1, "over": "delta", "power": 1, "side": 1}
INCREASES = {"lagrangian": False, "side": 1}
K = {"factor": 1.0, "power": 1}
HOW = "weights and inputs of 1 to 4 coordinates; gradients of the Lagrangian by differences"
WAY = "weights and inputs of 1 to 4 coordinates; the Lagrangian along -k theta"

ADVERSARIES = (
    made(
        "lemma2.eq28",
        HOW,
        lagrangian_instance,
        stationary_gap,
        STATIONARY,
        {
            "lambda >= 0": {"negative": False},
            "a radius one per cent smaller": {"radius": 0.99},
        },
    ),
    made(
        "lemma2.opposite",
        HOW,
        lagrangian_instance,
        stationary_gap,
        {**STATIONARY, "attack": False},
        {
            "the same direction": {"way": -1},
            "an angle short of 180 degrees": {"turned": True},
        },
    ),
    made("lemma2.slackness", HOW, lagrangian_instance, slackness_gap, {**SLACK, "slackness": False}),
    made(
        "lemma2.slackness",
        HOW,
        lagrangian_instance,
        slackness_gap,
        SLACK,
        {
            "slackness left out": {"slackness": False},
            "on a sphere one per cent larger": {"reach": 1.01},
        },
        "corrected",
    ),
    made(
        "lemma2.eq31",
        HOW,
        lagrangian_instance,
        gradient_gap,
        EQ31,
        {
            "sign of the loss gradient": {"sign": -1},
            "exponent of the other sign": {"exponent": -1},
            "delta not normalised": {"over": "none"},
        },
    ),
    made("lemma2.scalar", HOW, lagrangian_instance, gradient_gap, {**EQ31, "over": "theta"}),
    made(
        "lemma2.scalar",
        HOW,
        lagrangian_instance,
        gradient_gap,
        EQ31,
        {
            "as printed": {"over": "theta"},
            "squared norm": {"power": 2},
            "opposite sign": {"side": -1},
        },
        "corrected",
    ),
    made("lemma2.J-increases", WAY, lagrangian_instance, increases_gap, {**INCREASES, "lagrangian": True}),
    made(
        "lemma2.J-increases",
        WAY,
        lagrangian_instance,
        increases_gap,
        INCREASES,
        {
            "the Lagrangian in place of the loss": {"lagrangian": True},
            "the penalty subtracted": {"side": -1},
        },
        "corrected",
    ),
    made(
        "lemma2.J-along-eq28",
        WAY,
        lagrangian_instance,
        along_gap,
        {"factor": 1.0, "normalised": True},
        {
            "peak at epsilon": {"normalised": False},
            "peak one per cent beyond the sphere": {"factor": 1.01},
        },
    ),
    made(
        "lemma2.k",
        "weights of 1 to 4 coordinates; k by bisection",
        lagrangian_instance,
        k_gap,
        {**K, "power": 0},
    ),
    made(
        "lemma2.k",
        "weights of 1 to 4 coordinates; k by bisection",
        lagrangian_instance,
        k_gap,
        K,
        {
            "as printed": {"power": 0},
            "one per cent short of the sphere": {"factor": 0.99},
            "squared norm": {"power": 2},
        },
        "corrected",
    ),
    made(
        "sec31.boundary",
        "weights of 1 to 4 coordinates; projected ascent, and L_p attacks",
        lagrangian_instance,
        boundary_gap,
        {"weight": 1.0, "power": 1},
        {
            "theta = 0 allowed": {"weight": 0.0},
            "one power of the norm": {"power": 2},
        },
    ),
)

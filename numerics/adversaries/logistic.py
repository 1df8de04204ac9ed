"""Adversaries of the sharp constants of the logistic loss, and of what the level of its adversarial loss tells."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy.optimize import brentq

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst

SMALL = 1e-7


def sigmoid(u: float) -> float:
    """1/(1 + exp(-u))."""
    return float(np.exp(-np.logaddexp(0, -u)))


def slope(x: np.ndarray, y: int, theta: np.ndarray) -> np.ndarray:
    """The gradient in theta of log(1 + exp(-y theta.x))."""
    return -y * sigmoid(-y * float(theta @ x)) * x


def mixed(x: np.ndarray, y: int, theta: np.ndarray) -> np.ndarray:
    """The derivative in x of `slope`, by the product rule."""
    u = y * float(theta @ x)
    return -y * sigmoid(-u) * np.eye(x.size) + sigmoid(-u) * sigmoid(u) * np.outer(x, theta)


def attacked(x: np.ndarray, y: int, theta: np.ndarray, epsilon: float, box: bool) -> np.ndarray:
    """The input of largest loss over the L2 ball or the box, by ascent along the slope of the margin."""
    way = -y * theta
    size = float(np.linalg.norm(way))
    return x + epsilon * (np.sign(way) if box else way / size if size else 0 * way)


def data_instance(rng: np.random.Generator) -> Instance:
    """One to four labelled inputs, often in one direction, a radius and two weights near or far, 1 to 4 inputs."""
    d, n = int(rng.integers(1, 5)), int(rng.choice([1, 1, 2, 4]))
    x, y = rng.standard_normal((n, d)), rng.choice([-1, 1], n)
    if rng.random() < 0.7:
        x = y[:, None] * np.abs(x)
    mean = np.mean(y[:, None] * x, axis=0)
    one = mean * 10 ** rng.uniform(-1, 1) + rng.standard_normal(d) * float(rng.choice([0.0, 0.3]))
    near = rng.standard_normal(d) * np.linalg.norm(one) * 10 ** rng.uniform(-4, 0)
    epsilon = float(rng.uniform(0.05, 0.95) * np.linalg.norm(mean))
    return {"x": x, "y": y, "epsilon": epsilon, "one": one, "other": one + near}


def level(instance: Instance, theta: np.ndarray, box: bool = False) -> float:
    """L_epsilon(theta)."""
    rows = zip(instance["x"], instance["y"], strict=True)
    epsilon = abs(instance["epsilon"])
    return float(
        np.mean([np.logaddexp(0, -y * float(theta @ attacked(x, y, theta, epsilon, box))) for x, y in rows])
    )


def gradient(instance: Instance, theta: np.ndarray, box: bool = False) -> np.ndarray:
    """The gradient of L_epsilon at a theta that has one attack, by the envelope theorem."""
    rows = zip(instance["x"], instance["y"], strict=True)
    epsilon = abs(instance["epsilon"])
    return np.mean([slope(attacked(x, y, theta, epsilon, box), y, theta) for x, y in rows], axis=0)


def theta_min_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The level of theta itself as L_0 < log 2: its length against the bound."""
    theta = instance["one"]
    l0 = level(instance, theta, sentence.box)
    if l0 >= np.log(2) * (1 - 1e-9) or not np.linalg.norm(theta):
        return NOWHERE
    mean = np.mean(instance["y"][:, None] * instance["x"], axis=0)
    epsilon = abs(instance["epsilon"])
    if sentence.box:
        w = float(np.linalg.norm(np.maximum(np.abs(mean) - epsilon, 0)))
    else:
        w = float(np.linalg.norm(mean)) - epsilon
    if w <= 0:
        return Gap(1.0, 0.0)
    bound = sentence.factor * -np.log(np.expm1(l0)) / w
    return Gap(bound, float(np.linalg.norm(theta)), 1e-7 * (1e-3 + bound))


def level_set_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradients at two weights, the larger of their levels as L_0, against the constant."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    l0 = max(level(instance, one), level(instance, other))
    mean = np.mean(instance["y"][:, None] * instance["x"], axis=0)
    w = float(np.linalg.norm(mean)) - epsilon
    if l0 >= np.log(2) * (1 - 1e-9) or w <= 0:
        return NOWHERE
    radius = float(np.max(np.linalg.norm(instance["x"], axis=1)))
    second = epsilon * -np.expm1(-l0) * w / -np.log(np.expm1(l0))
    bound = sentence.factor * ((radius + epsilon) ** 2 / 4 + sentence.second * second)
    right = bound * float(np.linalg.norm(one - other))
    left = float(np.linalg.norm(gradient(instance, one) - gradient(instance, other)))
    return Gap(left, right, 1e-10 * (left + right) + 1e-14 * radius)


def low_instance(rng: np.random.Generator) -> Instance:
    """As `data_instance`, with weights so small that the level is near log 2, turned against each other a little."""
    instance = data_instance(rng)
    mean = np.mean(instance["y"][:, None] * instance["x"], axis=0)
    instance["epsilon"] = float(rng.uniform(0.3, 0.9) * np.linalg.norm(mean))
    size = float(10 ** rng.uniform(-5, 0))
    turn = rng.standard_normal(mean.size) * 0.1 * np.linalg.norm(mean)
    return {**instance, "one": size * (mean + turn), "other": size * (mean - turn)}


def jump_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradients at t v and -t v, t = 1e-7, against epsilon v."""
    v = instance["one"] / (np.linalg.norm(instance["one"]) or 1.0)
    found = gradient(instance, SMALL * v) - gradient(instance, -SMALL * v)
    size = 1 + float(np.max(np.linalg.norm(instance["x"], axis=1))) + abs(instance["epsilon"])
    return equal(found, sentence.factor * abs(instance["epsilon"]) * v, 10 * SMALL * size**2)


def ray_instance(rng: np.random.Generator) -> Instance:
    """An input of 1 to 5 coordinates, a radius below its length, and a t from 1e-2 to 1e3."""
    x = rng.standard_normal(int(rng.integers(1, 6)))
    return {"x": x, "share": float(rng.uniform(0.05, 0.95)), "t": float(10 ** rng.uniform(-2, 3))}


def ray_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The worst margin along theta = t x; it grows without end, and the loss stays above 0."""
    x, t = instance["x"], abs(instance["t"])
    size = float(np.linalg.norm(x))
    epsilon = size * abs(np.sin(instance["share"]))
    margin = float(t * x @ attacked(x, 1, t * x, epsilon, False))
    rate = size * (size - sentence.sign * epsilon) if sentence.length else size - epsilon
    formula = sentence.factor * t * rate
    return worst(
        equal(margin, formula, 1e-9 * t * size**2),
        Gap(0.0, float(10 * t * x @ attacked(x, 1, 10 * t * x, epsilon, False)) - margin, 1e-9 * t * size**2),
    )


def fig2_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """x = (-1, 1), epsilon = 0.6: the worst margins along t x of both attacks, which grow."""
    x, t = np.array(sentence.x), abs(instance["t"])
    rates = (2 - 0.6 * np.sqrt(2), 0.8)
    gaps = []
    for box, rate in ((False, rates[0]), (True, rates[1])):
        margin = float(t * x @ attacked(x, 1, t * x, sentence.epsilon, box))
        gaps += [equal(margin, sentence.factor * rate * t, 1e-9 * t), Gap(0.0, margin, 0.0)]
    return worst(*gaps)


def pair_instance(rng: np.random.Generator) -> Instance:
    """An input and a weight of 2 to 5 coordinates within R and B, at their ends and in line now and then, a label."""
    d, r, b = int(rng.integers(2, 6)), float(10 ** rng.uniform(-1, 1)), float(10 ** rng.uniform(-1, 1))
    theta, y = rng.standard_normal(d), int(rng.choice([-1, 1]))
    theta *= b / np.linalg.norm(theta) * float(rng.choice([1.0, 1e-4, rng.uniform(0, 1)]))
    x = rng.standard_normal(d)
    if rng.random() < 0.4:
        x = -y * theta
    x *= r / np.linalg.norm(x) * float(rng.choice([1.0, rng.uniform(0, 1)]))
    if rng.random() < 0.3:
        x -= theta * float(theta @ x) / float(theta @ theta)
    return {"x": x, "theta": theta, "y": y, "r": r, "b": b}


def within(instance: Instance) -> Instance | None:
    """The instance with input and weight drawn back to their balls."""
    if bounded(instance) is None:
        return None
    one = dict(instance, r=abs(instance["r"]), b=abs(instance["b"]))
    for name, size in (("x", one["r"]), ("theta", one["b"])):
        length = float(np.linalg.norm(one[name]))
        if length > size:
            one[name] = one[name] * (size / length)
    return one


def c_theta_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradient's length against R sigmoid(B R)."""
    r, b = instance["r"], instance["b"]
    right = sentence.factor * r * (sigmoid(sentence.sign * b * r) if not sentence.half else 0.5)
    return Gap(float(np.linalg.norm(slope(instance["x"], instance["y"], instance["theta"]))), right, 1e-9 * r)


def c_theta_theta_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradients at theta and at theta less a step along x, against R^2/4."""
    x, y, theta, r = instance["x"], instance["y"], instance["theta"], instance["r"]
    other = theta - 1e-3 * x / (1 + float(x @ x))
    right = sentence.factor * r**sentence.power / 4 * float(np.linalg.norm(theta - other))
    left = float(np.linalg.norm(slope(x, y, theta) - slope(x, y, other)))
    return Gap(left, right, 1e-9 * right + 1e-14 * r)


def formula_of(u: float, t: float, root: int = 1) -> float:
    """sigmoid(-u) (s T +- sqrt(s^2 T^2 + 4 - 4 s u))/2 with s = sigmoid(u)."""
    s = sigmoid(u)
    return sigmoid(-u) * abs(s * t + root * np.sqrt(s * s * t * t + 4 - 4 * s * u)) / 2


def c_theta_x_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The norm of the mixed derivative, by differences of the gradient, against the formula, and its growth with T."""
    x, y, theta = instance["x"], instance["y"], instance["theta"]
    steps = np.eye(x.size) * 1e-5 * (1 + float(np.linalg.norm(x)))
    found = np.array(
        [(slope(x + e, y, theta) - slope(x - e, y, theta)) / (2 * np.linalg.norm(e)) for e in steps]
    )
    u, t = y * float(theta @ x), float(np.linalg.norm(x) * np.linalg.norm(theta))
    right = formula_of(u, t, sentence.root) if not sentence.crude else sigmoid(-u) * (1 + sigmoid(u) * t)
    error = 1e-6 * (1 + t) ** 2
    return worst(
        equal(largest(found), sentence.factor * right, error),
        Gap(formula_of(u, t), formula_of(u, 1.1 * t + 1e-6), 1e-12),
    )


def values_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The largest norm of the mixed derivative over |u| <= B R = 1 and 4, on a grid of inputs around theta."""
    largest_at = []
    for t in (1.0, 4.0):
        turns = np.linspace(0, np.pi, 181) + instance["turn"] * np.pi / 180 * (t == 4.0)
        cos, sin = np.cos([*turns, np.pi]), np.sin([*turns, np.pi])
        below = 1 / (1 + np.exp(t * cos))  # sigmoid(-u), u = t cos
        parts = np.zeros((cos.size, 2, 2))
        parts[:, 0, 0], parts[:, 1, 0] = (1 - below) * below * t * cos - below, (1 - below) * below * t * sin
        parts[:, 1, 1] = -below
        largest_at.append(float(np.max(np.linalg.norm(parts, 2, axis=(1, 2)))))
    one = sigmoid(1.0) * (1 + sigmoid(-1.0)) if not sentence.at_one else formula_of(1.0, 1.0)
    return worst(
        equal(largest_at[0], one, 1e-6),
        equal(one, 0.9276, 1e-4),
        Gap(largest_at[1], sentence.upper, 1e-9),
        Gap(sentence.lower, largest_at[1], 3e-4),
    )


def unbounded_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """At theta orthogonal to x, |x||theta|/4; and on theta = (t, 0), x in the disc around (3, 0), below 1."""
    x, y, theta = instance["x"], instance["y"], instance["theta"]
    if float(x @ x) == 0 or float(theta @ theta) == 0:
        return NOWHERE
    theta = theta - x * float(theta @ x) / float(x @ x)
    size = float(np.linalg.norm(x) * np.linalg.norm(theta))
    if sentence.scaled is not None:
        return Gap(largest(mixed(x, y, theta * 1e6 / max(size, 1e-9))), sentence.scaled)
    turn = instance["r"]
    point = np.array([3.0, 0.0]) + np.tanh(instance["b"]) * np.array([np.cos(turn), np.sin(turn)])
    norms = [largest(mixed(point, side, np.array([size, 0.0]))) for side in (1,)]
    if sentence.every:
        return Gap(1.0, norms[0])
    return worst(
        Gap(sentence.factor * size / 4, largest(mixed(x, y, theta)), 1e-9 * size), Gap(norms[0], 1.0)
    )


def line_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """d = 1: the mixed derivative at a random pair against 1/2 + v*/4, and its largest value over the margin."""
    v = sentence.root * float(brentq(lambda v: v * np.tanh(v / 2) - 2, 1, 4, xtol=1e-14))
    constant = sentence.factor * (0.5 + v / sentence.part)
    u = np.linspace(-10, 10, 20001)
    s = 1 / (1 + np.exp(-u))
    top = float(np.max(np.abs(-(1 - s) + u * s * (1 - s))))
    x, theta = instance["x"][:1], instance["theta"][:1]
    return worst(Gap(largest(mixed(x, instance["y"], theta)), constant, 1e-12), equal(top, constant, 1e-6))


def kink_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """L(theta) = max over |delta| <= radius of log(1 + exp(-theta (x + delta))): its minimum at 0, and Eq. (73)/rho."""

    def loss(theta: float) -> float:
        ends = [theta * (sentence.x + side * sentence.radius) for side in (-1, 1)]
        return float(np.logaddexp(0, -min(ends)))

    theta = float(instance["t"]) * np.sign(np.sin(instance["share"] * 50))
    rho = 1e-6
    sharpness = max(loss(rho), loss(-rho)) - loss(0.0)
    ratio = sharpness / rho / (1 + loss(0.0))
    return worst(
        Gap(loss(0.0), loss(theta), 1e-12), equal(ratio, sentence.factor * 3 / (4 * (1 + np.log(2))), 1e-5)
    )


PAIRS = "inputs and weights of 2 to 5 coordinates, at the ends of their balls and in line now and then"
DATA = "one to four inputs of 1 to 4 coordinates; attacks along the margin's slope"
C_THETA = {"factor": 1.0, "sign": 1, "half": False}
MIXED = {"factor": 1.0, "root": 1, "crude": False}
RAY = {"factor": 1.0, "sign": 1, "length": True}
FIG2 = {"factor": 1.0, "x": (-1.0, 1.0), "epsilon": 0.6}
KINK = {"factor": 1.0, "x": 0.5, "radius": 1.0}
ADVERSARIES = (
    Adversary(
        claim="beyond.unbounded-level-sets",
        how="inputs of 1 to 5 coordinates, t from 1e-2 to 1e3; the worst margin by the attack",
        draw=ray_instance,
        gap=ray_gap,
        admit=bounded,
        sentence=RAY,
        twins={
            "sign of epsilon": {"sign": -1},
            "one per cent more": {"factor": 1.01},
            "||x|| - epsilon alone": {"length": False},
        },
    ),
    Adversary(
        claim="beyond.unbounded-level-sets.fig2",
        how="t from 1e-2 to 1e3; the worst margins by both attacks",
        draw=ray_instance,
        gap=fig2_gap,
        admit=bounded,
        sentence=FIG2,
        twins={
            "a radius that reaches over the boundary": {"epsilon": 1.5},
            "another x": {"x": (-1.0, 1.2)},
            "rate one per cent off": {"factor": 1.01},
        },
    ),
    Adversary(
        claim="beyond.c-theta-x-line",
        how="random pairs on the line, and a grid of margins",
        draw=pair_instance,
        gap=line_gap,
        admit=bounded,
        sentence={"factor": 1.0, "root": 1.0, "part": 4},
        twins={
            "value one per cent larger": {"factor": 1.01},
            "v*/2 for v*/4": {"part": 2},
            "root one per cent higher": {"root": 1.01},
        },
    ),
    Adversary(
        claim="beyond.sharpness-at-a-kink",
        how="the adversarial loss of d = 1 at random theta, and at +-1e-6",
        draw=ray_instance,
        gap=kink_gap,
        admit=bounded,
        sentence=KINK,
        twins={
            "rate one per cent more": {"factor": 1.01},
            "an attack that does not reach the boundary": {"radius": 0.4},
            "data one per cent off": {"x": 0.505},
        },
    ),
    Adversary(
        claim="beyond.origin-jump",
        how=DATA + " at t v and -t v, t = 1e-7",
        draw=data_instance,
        gap=jump_gap,
        moved=("x", "epsilon", "one"),
        sentence={"factor": 1.0},
        twins={"twice the jump": {"factor": 2.0}, "a smooth loss": {"factor": 0.0}},
    ),
    Adversary(
        claim="beyond.c-theta",
        how=PAIRS,
        draw=pair_instance,
        gap=c_theta_gap,
        admit=within,
        sentence=C_THETA,
        twins={
            "one per cent smaller": {"factor": 0.99},
            "half of R, the value at theta = 0": {"half": True},
            "the sign of the exponent": {"sign": -1},
        },
    ),
    Adversary(
        claim="beyond.c-theta-theta",
        how=PAIRS + "; gradients a step along x apart",
        draw=pair_instance,
        gap=c_theta_theta_gap,
        admit=within,
        sentence={"factor": 1.0, "power": 2},
        twins={"one per cent smaller": {"factor": 0.99}, "R in place of its square": {"power": 1}},
    ),
    Adversary(
        claim="beyond.c-theta-x",
        how=PAIRS + "; the mixed derivative by differences of the gradient",
        draw=pair_instance,
        gap=c_theta_x_gap,
        admit=within,
        sentence=MIXED,
        twins={
            "one per cent smaller": {"factor": 0.99},
            "the smaller singular value": {"root": -1},
            "the crude bound 1 + s T": {"crude": True},
        },
    ),
    Adversary(
        claim="beyond.c-theta-x-values",
        how="inputs all around a weight of length 1 and 4; norms of the mixed derivative",
        draw=lambda rng: {"turn": float(rng.uniform(0, 1))},
        gap=values_gap,
        moved=(),
        sentence={"upper": 1.310, "lower": 1.309, "at_one": False},
        twins={
            "an upper bound one per cent smaller": {"upper": 0.99 * 1.310},
            "a lower bound one per cent larger": {"lower": 1.01 * 1.309},
            "the value at u = 1": {"at_one": True},
        },
    ),
    Adversary(
        claim="beyond.c-theta-x-unbounded",
        how=PAIRS + ", the weight made orthogonal; and the disc around (3, 0)",
        draw=pair_instance,
        gap=unbounded_gap,
        admit=bounded,
        sentence={"factor": 1.0, "scaled": None, "every": False},
        twins={
            "twice the rate": {"factor": 8.0},
            "no growth": {"scaled": 1000.0},
            "unbounded on every unbounded set of theta": {"every": True},
            "old wording: Assumption 1 only where theta is bounded": {"every": True},
        },
    ),
    Adversary(
        claim="beyond.theta-min",
        how=DATA + "; the level of a random weight as L_0",
        draw=data_instance,
        gap=theta_min_gap,
        admit=bounded,
        sentence={"factor": 1.0, "box": False},
        twins={"one per cent more": {"factor": 1.01}},
    ),
    Adversary(
        claim="beyond.theta-min-box",
        how=DATA + "; the level of a random weight as L_0",
        draw=data_instance,
        gap=theta_min_gap,
        admit=bounded,
        sentence={"factor": 1.0, "box": True},
        twins={"one per cent more": {"factor": 1.01}},
    ),
    Adversary(
        claim="beyond.level-set",
        how=DATA + "; gradients at two weights below the level log 2",
        draw=low_instance,
        gap=level_set_gap,
        admit=bounded,
        sentence={"factor": 1.0, "second": 1.0},
        twins={"quantifier: the clean constant alone": {"second": 0.0}},
    ),
)

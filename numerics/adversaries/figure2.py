"""Adversaries of Section 5.1 and Appendix C: the linear and the swish model of Figs. 2, 4 and 5, either constraint.

The attack is a problem on an interval of u = theta.x', [c - r, c + r]; it is solved here on a grid of it, refined.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
from scipy.optimize import brentq

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst

RADIUS, POINT = 0.6, np.array([-1.0, 1.0])  # epsilon and x of Fig. 2


def sigmoid(u: float) -> float:
    """1/(1 + exp(-u))."""
    return 1 / (1 + math.exp(-max(-700.0, min(700.0, u))))


def swish(u: float) -> float:
    """u sigmoid(u)."""
    return u * sigmoid(u)


def rate(u: float) -> float:
    """The derivative of swish by differences of order four."""
    h = 1e-3
    return (8 * (swish(u + h) - swish(u - h)) - (swish(u + 2 * h) - swish(u - 2 * h))) / (12 * h)


LOW = float(brentq(lambda u: 1 + u * (1 - sigmoid(u)), -2, -1, xtol=1e-15))  # where swish is least


def plane_instance(rng: np.random.Generator) -> Instance:
    """Parameter, point, direction in 1 to 4 dimensions, a radius, a scalar; one of Fig. 2(f)'s corner."""
    d = int(rng.integers(1, 5))
    return {
        "theta": rng.standard_normal(d) * 10 ** rng.uniform(-1, 1),
        "x": rng.standard_normal(d),
        "epsilon": float(10 ** rng.uniform(-1.5, 0.5)),
        "way": rng.standard_normal(d),
        "u": float(rng.uniform(-6, 6)),
        "corner": np.array([1.0, -1.0]) + np.array([1.0, -1.0]) * rng.random(2),
        "step": rng.standard_normal(2) * 1e-4,
        "label": int(rng.choice([-1, 1])),
        "box": bool(rng.random() < 0.5),
    }


def norm(theta: np.ndarray, box: bool) -> float:
    """||theta||_1 for the L-infinity ball, ||theta||_2 for the L2 ball."""
    return float(np.sum(np.abs(theta))) if box else float(np.linalg.norm(theta))


def log_loss(z: float) -> float:
    """log(1 + exp(-z))."""
    return float(np.logaddexp(0, -z))


def linear_loss(instance: Instance, theta: np.ndarray, box: bool) -> float:
    """The adversarial logistic loss of the linear model."""
    return log_loss(
        instance["label"] * float(theta @ instance["x"]) - abs(instance["epsilon"]) * norm(theta, box)
    )


def continuous_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The loss at two near points, against ANY ratio where it is called discontinuous; else against its Lipschitz
    constant, met where the margin is very negative, with the jump of the derivative across theta (across an axis)."""
    x, epsilon, box = instance["x"], abs(instance["epsilon"]), sentence.box
    size = float(np.max(np.abs(x))) if box else float(np.linalg.norm(x))
    zero, way = 0 * x, instance["way"] / np.linalg.norm(instance["way"])
    one = instance["theta"]
    two = one + way * 1e-2 if instance["u"] > 0 else zero
    distance = float(np.sum(np.abs(one - two))) if box else float(np.linalg.norm(one - two))
    if distance < 1e-6:
        return NOWHERE
    change = abs(linear_loss(instance, one, box) - linear_loss(instance, two, box))
    if sentence.printed:  # not continuous: differences near 0 that do not shrink
        small = 1e-9 * way
        return Gap(1e-6, abs(linear_loss(instance, small, box) - math.log(2)))
    constant = sentence.factor * (size + epsilon)
    k = int(np.argmax(np.abs(x)))
    ray = np.sign(x[k]) * np.eye(x.size)[k] if box else x / np.linalg.norm(x)
    far = -instance["label"] * ray * 60 / (size + epsilon)
    step = far * 1e-2
    steep = abs(linear_loss(instance, far + step, box) - linear_loss(instance, far, box)) / np.linalg.norm(
        step
    )
    gaps = [
        Gap(change, float(constant * distance), 1e-9 * (1 + change)),
        Gap(constant, float(steep), 1e-4 * constant),
    ]
    at, line = zero, way
    slope_jump = epsilon
    if box:  # across an axis, at a point whose other coordinates are not 0
        at = np.where(np.arange(x.size) == 0, 0.0, one / (1 + np.linalg.norm(one)))
        line = np.eye(x.size)[0]
        c = -instance["label"] * float(at @ x) + epsilon * norm(at, True)
        slope_jump = 2 * epsilon * sigmoid(c)
    h = 1e-4
    values = [linear_loss(instance, at + k * h * line, box) for k in (0, 1, 2, -1, -2)]
    noise = 2e-15 * (1 + max(values)) / h
    up = (4 * values[1] - values[2] - 3 * values[0]) / (2 * h)
    down = -(4 * values[3] - values[4] - 3 * values[0]) / (2 * h)
    gaps.append(equal(up - down, sentence.jump * slope_jump, 1e-3 * slope_jump + noise))
    return worst(*gaps)


def derivative_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The derivative of swish by differences, a zero of it in the interval, the minimum among drawn points."""
    u = instance["u"]
    s = sigmoid(u)
    formula = s + sentence.sign * u * s * ((1 - s) if sentence.rest else 1.0)
    ends = -2.0 + sentence.shift, -1.0 + sentence.shift
    gaps = [equal(rate(u), formula, 1e-8), Gap(rate(ends[0]) * rate(ends[1]), 0.0)]
    if sentence.sharpest:
        gaps += [
            Gap(-rate(-1.2784) * 1.0, 0.0),
            Gap(rate(-1.2785), 0.0),
            equal(swish(LOW), 1 + LOW, 1e-12),
            equal((-1 - LOW) * math.exp(-1 - LOW), math.exp(-1), 1e-12),
            Gap(swish(LOW), swish(u), 1e-14),
            Gap(-rate(u) * (u - LOW), 0.0, 1e-9),  # the slope has the sign of u - u*
        ]
    return worst(*gaps)


def reach(instance: Instance) -> tuple[float, float]:
    """c and r: the interval of u = theta.x' that the attacks fill."""
    theta = instance["theta"]
    return float(theta @ instance["x"]), abs(instance["epsilon"]) * norm(theta, instance["box"])


def worst_u(c: float, r: float) -> tuple[float, float]:
    """Where swish is least on [c - r, c + r], and its value, from 101 points, four times closer."""
    low, high = c - r, c + r
    for _ in range(4):
        grid = np.linspace(low, high, 101)
        values = grid / (1 + np.exp(-np.clip(grid, -700, 700)))
        k = int(np.argmin(values))
        low, high = float(grid[max(k - 1, 0)]), float(grid[min(k + 1, 100)])
    return float(grid[k]), float(values[k])


def closed_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The closed attack of the swish model: in the ball, and as bad as the best point of a search."""
    theta, epsilon, box = instance["theta"], abs(instance["epsilon"]), instance["box"]
    c, r = reach(instance)
    if not 1e-3 < r < 1e3:
        return NOWHERE
    p = min(max(LOW, c - r), c + r)
    if sentence.boundary:
        p = c - r if swish(c - r) < swish(c + r) else c + r
    way = np.sign(theta) if box else theta / np.linalg.norm(theta)
    delta = sentence.length * sentence.sign * (p - c) / r * epsilon * way
    _, best = worst_u(c, r)
    value = swish(float(theta @ (instance["x"] + delta)))
    long = float(np.max(np.abs(delta))) if box else float(np.linalg.norm(delta))
    return worst(Gap(log_loss(best), log_loss(value), 1e-9), Gap(long, epsilon, 1e-9 * epsilon))


def region_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """In the corner of Fig. 2(f): whether a point of the open square reaches the least swish."""
    theta = instance["corner"]
    if not (1 < theta[0] <= 2 and -2 <= theta[1] < -1):
        return NOWHERE
    c, r = float(theta @ POINT), RADIUS * norm(theta, True)
    inside = c - r < LOW < c + r
    size = float(np.sum(np.abs(theta)))
    told = size < sentence.factor * 2.5 * abs(LOW) or sentence.whole
    edge = abs(size - 2.5 * abs(LOW)) < 1e-9
    best, _ = worst_u(c, r)
    far = abs(best - (c + r)) > 1e-6 * r and not inside
    line = []
    for share in (0.995, 1.005):  # both sides of the line
        near = np.array([1.0, -1.0]) * 1.25 * abs(LOW) * share
        low = float(near @ POINT) + RADIUS * norm(near, True)
        line.append(
            equal(
                float(low > LOW), float(2 * near[0] < sentence.factor * 2.5 * abs(LOW) or sentence.whole), 0
            )
        )
    return NOWHERE if edge else worst(equal(float(inside), float(told), 0), equal(float(far), 0.0, 0), *line)


def lemma4_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The Hessian in x' of the swish loss at u*, by differences: negative definite as Lemma 4 asks, or -k theta theta^T
    with rank one, and a loss that is constant."""
    theta = np.resize(instance["theta"], max(2, instance["theta"].size)).astype(float)
    theta = theta + 1e-3 * np.arange(theta.size)
    h = 1e-3
    values = [log_loss(swish(LOW + k * h)) for k in (-2, -1, 0, 1, 2)]
    bend = (-values[0] + 16 * values[1] - 30 * values[2] + 16 * values[3] - values[4]) / (12 * h * h)
    hessian = bend * np.outer(theta, theta)
    spectrum = np.linalg.eigvalsh(hessian)
    if sentence.printed:
        return Gap(1e-12 * largest(hessian), -float(spectrum[-1]))  # some curvature in every direction
    rank = int(np.sum(np.abs(spectrum) > 1e-9 * np.max(np.abs(spectrum))))
    constant = log_loss(sentence.factor * swish(LOW))
    return worst(
        equal(rank, sentence.rank, 0.0),
        equal(constant, math.log1p(math.exp(-1 - LOW)), 1e-9),
        Gap(sentence.sign * bend, 0.0),
    )


def corner_gradient(theta: np.ndarray, linear: bool) -> np.ndarray:
    """The gradient of the adversarial loss in the corner of Fig. 2(f), by differences of the loss."""

    def value(at: np.ndarray) -> float:
        c, r = float(at @ POINT), RADIUS * norm(at, True)
        if linear:
            return log_loss(c - r)
        return log_loss(swish(min(max(LOW, c - r), c + r)))

    h = 1e-4
    return np.array([(value(theta + h * e) - value(theta - h * e)) / (2 * h) for e in np.eye(2)])


def corner_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Gradients of near pairs in the corner of Fig. 2(f) against the constant, and the largest ratio found there."""
    one = instance["corner"]
    linear = sentence.linear
    if not (1.001 < one[0] < 2 and -2 < one[1] < -1.001):
        return NOWHERE
    geometric = 4 * sentence.geometry / 25
    if linear:
        sharp_at = math.exp(3.2) / (1 + math.exp(3.2)) ** 2 * 128 / 25
        z = 1.6 * np.linspace(2, 4, 2001)  # -(c - r) on the corner
        found = float(np.max(1 / (1 + np.exp(z)) * (1 - 1 / (1 + np.exp(z))))) * 2 * 1.6**2
        constant = sentence.factor * (32 / 25 if sentence.crude else sharp_at)
    else:
        z = -0.4 * np.linspace(3.2, 4, 801)  # c + r, where it is below u*
        z = np.append(z[z < LOW], LOW)
        h = 1e-3
        bends = [(log_loss(swish(u + h)) - 2 * log_loss(swish(u)) + log_loss(swish(u - h))) / h**2 for u in z]
        found = float(np.max(np.abs(bends))) * 2 * 0.4**2 * geometric / (4 / 25)
        constant = sentence.factor / 25
    other = one + instance["step"] * (1 if np.linalg.norm(instance["step"]) < 0.1 else 1e-3)
    way = float(np.linalg.norm(corner_gradient(one, linear) - corner_gradient(other, linear)))
    distance = float(np.linalg.norm(one - other))
    return worst(
        Gap(way, constant * distance, 1e-6 * distance + 1e-10),
        Gap(constant, found, sentence.within * constant),
        Gap(found, constant, 1e-4 * constant),
    )


def fig4_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The clean logistic loss has the constant mean |x|^2/4 and the adversarial one jumps at 0 by 2 epsilon sigma."""
    x, epsilon = instance["x"], abs(instance["epsilon"])
    size = float(np.linalg.norm(x))
    h = 1e-3 / (1 + size)
    along = x / size
    slopes = [-sigmoid(-float(k * h * along @ x)) * size for k in (-1, 1)]
    bend = (slopes[1] - slopes[0]) / (2 * h)
    claimed = sentence.factor * size**2 / 4 if sentence.scaled else 1.0
    values = [linear_loss(instance, k * 1e-5 * instance["way"], instance["box"]) for k in (0, 1, -1)]
    jump = (values[1] + values[2] - 2 * values[0]) / 1e-5
    least = 0.99 * epsilon * norm(instance["way"], instance["box"])
    return worst(
        Gap(bend, claimed, 1e-5 * claimed + 1e-15 * size / h),
        Gap(least if sentence.kink else jump, jump if sentence.kink else 0.0, 1e-8),
    )


def made(claim: str, how: str, gap, sentence, twins=None, reading: str = "printed") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how=how,
        draw=plane_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
    )


LINEAR = {"box": False, "printed": False, "factor": 1.0, "jump": 1.0}
SWISH = {"sign": 1.0, "rest": True, "shift": 0.0, "sharpest": False}
CLOSED = {"length": 1.0, "sign": 1.0, "boundary": False}
REGION = {"factor": 1.0, "whole": False}
LEMMA4 = {"printed": False, "rank": 1, "factor": 1.0, "sign": 1.0}
CORNER = {"linear": False, "factor": 1.0, "geometry": 1.0, "crude": False, "within": 0.01}
FIG4 = {"factor": 1.0, "scaled": True, "kink": True}
LOSSES = "the linear model in 1 to 4 dimensions; pairs, and one-sided slopes by differences"
SEARCHED = "the swish model in 1 to 4 dimensions, both balls; a search of theta.x'"
PAIRS = "pairs in the corner of Fig. 2(f); gradients by differences"
CONSTANTS = {
    "constant one per cent smaller": {"factor": 0.99},
    "constant one per cent larger, so not sharp": {"factor": 1.01},
    "no jump of the gradient": {"jump": 0.0},
}
ADVERSARIES = (
    made("sec51.l2-not-continuous", LOSSES, continuous_gap, {**LINEAR, "printed": True}),
    made(
        "sec51.l2-not-continuous",
        LOSSES,
        continuous_gap,
        LINEAR,
        {**CONSTANTS, "jump twice as large": {"jump": 2.0}},
        "corrected",
    ),
    made("sec51.linf-not-continuous", LOSSES, continuous_gap, {**LINEAR, "box": True, "printed": True}),
    made(
        "sec51.linf-not-continuous",
        LOSSES,
        continuous_gap,
        {**LINEAR, "box": True},
        {**CONSTANTS, "jump half as large": {"jump": 0.5}},
        "corrected",
    ),
    made(
        "fig2f.swish-derivative",
        "points of the line; differences of order four",
        derivative_gap,
        SWISH,
        {
            "interval one unit to the right": {"shift": 1.0},
            "interval one unit to the left": {"shift": -1.0},
            "sign of the second term": {"sign": -1.0},
            "second term without 1 - sigmoid": {"rest": False},
        },
    ),
    made(
        "fig2f.swish-derivative",
        "points of the line; differences of order four",
        derivative_gap,
        {**SWISH, "sharpest": True},
        reading="sharpest",
    ),
    made(
        "fig2.closed-form",
        SEARCHED,
        closed_gap,
        CLOSED,
        {
            "perturbation one per cent too long": {"length": 1.01},
            "perturbation in the other direction": {"sign": -1.0},
            "always at the boundary": {"boundary": True},
        },
        "corrected",
    ),
    made(
        "fig2f.region",
        "the corner of Fig. 2(f); whether u* is reached",
        region_gap,
        {**REGION, "whole": True},
    ),
    made(
        "fig2f.region",
        "the corner of Fig. 2(f); whether u* is reached",
        region_gap,
        REGION,
        {
            "one per cent more": {"factor": 1.01},
            "one per cent less": {"factor": 0.99},
            "the whole plotted corner": {"whole": True},
        },
        "corrected",
    ),
    made("fig2f.lemma4", "the Hessian at u* in 2 to 4 dimensions", lemma4_gap, {**LEMMA4, "printed": True}),
    made(
        "fig2f.lemma4",
        "the Hessian at u* in 2 to 4 dimensions",
        lemma4_gap,
        LEMMA4,
        {
            "rank two": {"rank": 2},
            "swish(u*) one per cent off": {"factor": 1.01},
            "curvature of the other sign": {"sign": -1.0},
        },
        "corrected",
    ),
    made(
        "fig2f.smooth-region",
        PAIRS,
        corner_gap,
        CORNER,
        {
            "constant two per cent smaller": {"factor": 0.98},
            "constant two per cent larger": {"factor": 1.02},
            "geometric factor for L2": {"geometry": 0.5},
        },
    ),
    made(
        "fig2f.unlike-linear",
        PAIRS,
        corner_gap,
        {**CORNER, "linear": True, "within": 1e-4},
        {"constant one per cent smaller": {"factor": 0.99}, "the crude bound 32/25": {"crude": True}},
        "corrected",
    ),
    made(
        "appc.fig4-caption",
        LOSSES,
        fig4_gap,
        FIG4,
        {
            "clean constant one per cent smaller": {"factor": 0.99},
            "clean constant 1": {"scaled": False},
            "no jump": {"kink": False},
        },
    ),
)

"""Adversaries of Lemma 1, of Eq. (14) and its envelope theorem, and of the problem of Section 3.1."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Gap, Instance
from numerics.adversaries.interior import central
from numerics.adversaries.linear_moves import SMALLER, made
from numerics.adversaries.logistic import attacked, level, slope
from numerics.adversaries.smooth import NOWHERE, equal, largest, worst
from numerics.adversaries.theorem1 import losses_instance, reach


def envelope_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradient of the adversarial loss by differences of its values, against grad_theta l at the attacked input, or
    at one that goes another way along the attack."""
    theta, epsilon = instance["one"], abs(instance["epsilon"])
    box = bool(instance["other"][0] > theta[0])
    size = 1e-6 * float(np.linalg.norm(theta))
    if size == 0 or np.min(np.abs(theta)) < 1e-2 * float(np.linalg.norm(theta)):
        return NOWHERE
    found = central(lambda t: level(instance, t, box), theta, 10 * size)
    rows = list(zip(instance["x"], instance["y"], strict=True))
    ends = [x + sentence.share * (attacked(x, y, theta, epsilon, box) - x) for x, y in rows]
    formula = np.mean([slope(end, y, theta) for end, (_, y) in zip(ends, rows, strict=True)], axis=0)
    scale = reach(instance) + epsilon * np.sqrt(theta.size)
    return equal(found, formula, 1e-5 * scale * (1 + scale * size * 1e6) + 1e-15 / size)


def quadratic_instance(rng: np.random.Generator) -> Instance:
    """theta.E theta/2 + x.B theta - c x.x/2, two parameters, often along the strongest direction, two inputs."""
    d, m = int(rng.integers(1, 5)), int(rng.integers(1, 4))
    e = np.abs(rng.standard_normal()) * np.eye(m) if rng.random() < 0.5 else rng.standard_normal((m, m))
    b = rng.standard_normal((d, m)) * 10 ** rng.uniform(-1, 1)
    unit = np.linalg.svd(b)[2][0] if rng.random() < 0.6 else rng.standard_normal(m)
    one = rng.standard_normal(m)
    ends = rng.standard_normal((2, d))
    if rng.random() < 0.5:
        ends[1] = ends[0] + np.linalg.svd(b)[0][:, 0] * 10 ** rng.uniform(-1, 2)
    return {
        "e": e,
        "b": b,
        "one": one,
        "way": unit * 10 ** rng.uniform(-2, 1),
        "ends": ends,
        "c": float(10 ** rng.uniform(-1, 1)),
    }


def triangle_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eq. (14) for any two inputs: grad_theta l = E theta + B^T x."""
    e, b, way = (instance["e"] + instance["e"].T) / 2, instance["b"], instance["way"]
    x, other = instance["ends"]
    if sentence.together:
        other = x + 1e-9 * (other - x)
    left = float(np.linalg.norm(e @ way + b.T @ (x - other)))
    right = sentence.own * largest(e) * float(np.linalg.norm(way))
    right += sentence.attack * largest(b) * float(np.linalg.norm(x - other))
    return Gap(left, right, 1e-10 * (left + right))


def lemma1_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """x' = B theta/c is (|B|/c)-Lipschitz: grad_theta l at two parameters against C_theta_theta + C C_theta_x, and the
    lines of Eq. (25)."""
    e, b, way = (instance["e"] + instance["e"].T) / 2, instance["b"], instance["way"]
    c = largest(b) / abs(instance["c"])
    moved = b @ way / abs(instance["c"])
    apart = float(np.linalg.norm(way))
    w = float(np.linalg.norm(moved))
    left = float(np.linalg.norm(e @ way + b.T @ moved))
    line3 = sentence.line3 * (largest(e) * apart + largest(b) * w)
    line4 = largest(e) * apart + largest(b) * (c if sentence.line4 else 1.0) * apart
    last = sentence.factor * (largest(e) + sentence.attack * c**sentence.power * largest(b)) * apart
    near = 1e-10 * (left + last)
    gaps = [Gap(left, last, near)]
    if sentence.lines:
        gaps += [Gap(left, line3, near), Gap(line3 / sentence.line3, line4, near), equal(line4, last, near)]
    return worst(*gaps)


def problem_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The loss at the attacked input, better than at other points of the ball, against the closed form."""
    theta, epsilon, box = (
        instance["one"],
        abs(instance["epsilon"]),
        bool(instance["other"][0] > instance["one"][0]),
    )
    x, y = instance["x"][0], int(instance["y"][0])
    top = float(np.logaddexp(0, -y * float(theta @ attacked(x, y, theta, epsilon, box))))
    dual = float(np.sum(np.abs(theta))) if box else float(np.linalg.norm(theta))
    closed = float(np.logaddexp(0, -(y * float(theta @ x) - sentence.sign * epsilon * dual**sentence.power)))
    turn = np.random.default_rng(1).standard_normal((8, theta.size))
    turn /= np.max(np.abs(turn), axis=1)[:, None] if box else np.linalg.norm(turn, axis=1)[:, None]
    rivals = [float(np.logaddexp(0, -y * float(theta @ (x + epsilon * v)))) for v in turn]
    return worst(equal(top, closed, 1e-9 * (1 + top)), Gap(max(rivals), top, 1e-9 * (1 + top)))


LEMMA1 = {"factor": 1.0, "attack": 1.0, "power": 1, "lines": False, "line3": 1.0, "line4": True}
LINES = {**LEMMA1, "lines": True}
HALF = {"own": 1.0, "attack": 1.0, "together": False}
QUADRATIC = "quadratic losses in 1 to 4 inputs and 1 to 3 parameters"

ADVERSARIES = (
    made(
        "eq14",
        QUADRATIC,
        quadratic_instance,
        triangle_gap,
        HALF,
        {
            "C_thetatheta one per cent less": {"own": 0.99, "together": True},
            "no term for the attacks": {"attack": 0.0},
        },
    ),
    made(
        "eq14.envelope",
        "adversarial losses of the linear model; differences of their values",
        losses_instance,
        envelope_gap,
        {"share": 1.0},
        {
            "an attack stopped half-way": {"share": 0.5},
            "an attack one per cent short": {"share": 0.99},
            "an attack that overshoots": {"share": 1.1},
        },
    ),
    made(
        "lemma1",
        QUADRATIC,
        quadratic_instance,
        lemma1_gap,
        LEMMA1,
        {
            "one per cent less": SMALLER,
            "C squared": {"power": 2},
            "C_thetatheta alone": {"attack": 0.0},
        },
    ),
    made(
        "lemma1.eq25",
        QUADRATIC,
        quadratic_instance,
        lemma1_gap,
        LINES,
        {
            "line 3 one per cent less": {"line3": 0.99},
            "line 4 without C": {"line4": False},
            "line 5 one per cent more": {"factor": 1.01},
        },
    ),
    made(
        "sec31.problem",
        "inputs and weights of 1 to 4 coordinates; the attacked loss and rivals",
        losses_instance,
        problem_gap,
        {"sign": 1, "power": 1},
        {
            "the attack raises the margin": {"sign": -1},
            "the norm squared": {"power": 2},
            "no attack": {"sign": 0},
        },
    ),
)

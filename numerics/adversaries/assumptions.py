"""Adversaries of Section 2.1: Definition 1, Assumption 1, Proposition 1, Eq. (13), on ridges of known constants.

l(x, theta) = a cos(u.x + w.theta + phase): its least constants are C_theta = a|w|, C_thetatheta = a|w|^2 and
C_thetax = a|w||u|, and its largest value on a ball around x is that of a cosine on an interval.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.maxima import ANY
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst

CLOSE = 1e-3  # of the sharpness checks: below the one per cent that a twin changes


def sharp(found: float, constant: float) -> Gap:
    """The least constant is `constant` where pairs reach `found`, up to CLOSE."""
    return worst(Gap(found, constant, 1e-9 * abs(constant)), Gap(constant, found, CLOSE * abs(constant)))


def ridge_instance(rng: np.random.Generator) -> Instance:
    """A ridge in 1 to 5 coordinates of x and theta, a pair of parameters and of points, near or far, a radius and p;
    now and then the ball is small, u has equal entries and the pair lies on both sides of a minimum of the cosine."""
    d, m = int(rng.integers(1, 6)), int(rng.integers(1, 4))
    w, u = (rng.standard_normal(n) * 10 ** rng.uniform(-1, 1) for n in (m, d))
    p = float(rng.choice([1.0, 1.5, 2.0, 3.0, np.inf]))
    one, step = rng.standard_normal(m), rng.standard_normal(m) * 10 ** rng.uniform(-3, 0.5)
    x, phase, epsilon = rng.standard_normal(d), float(rng.uniform(0, 6.3)), float(10 ** rng.uniform(-3, 0.5))
    if rng.random() < 0.6:
        u = (np.ones(d) if p > 2 else np.eye(d)[0]) * np.linalg.norm(u)
        step = w / np.linalg.norm(w) ** 2 * 10 ** rng.uniform(-4, -1.5)
        epsilon = float(10 ** rng.uniform(-4, -2) / np.sum(np.abs(u)))
        phase = float(math.pi * rng.choice([0.5, 1.0]) - (u @ x + w @ (one + step / 2)))
    return {
        "a": float(10 ** rng.uniform(-1, 1)),
        "u": u,
        "w": w,
        "one": one,
        "step": step,
        "x": x,
        "shift": rng.standard_normal(d) * 10 ** rng.uniform(-3, 0.5),
        "phase": phase,
        "epsilon": epsilon,
        "p": p,
        "far": float(rng.uniform(0, 1)),
    }


def angle(instance: Instance, share: float = 0.0, x: float = 0.0) -> float:
    """u.(x + x_share shift) + w.(one + share step) + phase."""
    theta = instance["one"] + share * instance["step"]
    point = instance["x"] + x * instance["shift"]
    return float(instance["u"] @ point + instance["w"] @ theta + instance["phase"])


def size(vector: np.ndarray) -> float:
    """The Euclidean length."""
    return float(np.linalg.norm(vector))


def steepest(amplitude: float) -> float:
    """The largest ratio of amplitude |sin z - sin z'| and |z - z'| over pairs around 0, z from 1e-3 on."""
    return max(2 * amplitude * math.sin(h / 2) / h for h in (1e-3, 1e-2, 1.0))


def definition_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """A pair of values (of gradients for Eq. 3) against C times the distance, and pairs that reach the constant."""
    a, w = abs(instance["a"]), size(instance["w"])
    constant = a * w**sentence.order
    claimed = sentence.factor * constant**sentence.constant
    change = abs(math.sin(angle(instance, 1.0)) - math.sin(angle(instance)))
    left = a * w ** (sentence.order - 1) * change
    bound = claimed * size(instance["step"]) ** sentence.power
    return worst(
        Gap(left, bound, 1e-12 * constant / w * (1 + abs(angle(instance)))),
        sharp(steepest(constant), claimed) if sentence.constant == 1 else NOWHERE,
    )


def assumption_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eqs. (5) to (7) on a pair, and the constants reached."""
    a, w, u = abs(instance["a"]), size(instance["w"]), size(instance["u"])
    z, moved, other = angle(instance), angle(instance, 1.0), angle(instance, 0.0, 1.0)
    step, shift = size(instance["step"]), size(instance["shift"])
    noise = 1e-12 * (1 + abs(z) + abs(moved) + abs(other))
    five, six, seven = sentence.five * a * w, sentence.six * a * w**2, sentence.seven * a * w * u
    inner = u if sentence.what == "x" else w
    return worst(
        Gap(a * abs(math.cos(moved) - math.cos(z)), five * step, noise * a),
        Gap(a * w * abs(math.sin(moved) - math.sin(z)), six * step, noise * a * w),
        Gap(a * inner * abs(math.sin(other) - math.sin(z)), seven * shift**sentence.power, noise * a * inner),
        sharp(steepest(a * w), five),
        sharp(steepest(a * w**2), six),
        sharp(steepest(a * inner * u), seven) if sentence.power == 1 else NOWHERE,
    )


def peak(low: float, high: float) -> float:
    """The point of [low, high] where the cosine is largest."""
    at = 2 * math.pi * round((low + high) / (4 * math.pi))
    if low <= at <= high:
        return at
    return low if math.cos(low) > math.cos(high) else high


def dual(u: np.ndarray, p: float) -> float:
    """max u.delta over ||delta||_p <= 1."""
    if p == 1:
        return float(np.max(np.abs(u)))
    return (
        float(np.sum(np.abs(u))) if p == np.inf else float(np.sum(np.abs(u) ** (p / (p - 1))) ** (1 - 1 / p))
    )


def attacked(instance: Instance) -> tuple[float, float]:
    """The angles at the attacks on both parameters."""
    reach = abs(instance["epsilon"]) * dual(instance["u"], instance["p"])
    z, moved = angle(instance), angle(instance, 1.0)
    return peak(z - reach, z + reach), peak(moved - reach, moved + reach)


def eq8_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The adversarial losses of a pair against C_theta times its distance, and how sharp that is at epsilon = 0."""
    a, w, step = abs(instance["a"]), size(instance["w"]), size(instance["step"])
    one, other = attacked(instance)
    left = a * abs(math.cos(one) - math.cos(other))
    bound = sentence.factor * a * w * step**sentence.power
    sharpness = sharp(steepest(a * w), sentence.factor * a * w) if sentence.power == 1 else NOWHERE
    return worst(Gap(left, bound, 1e-12 * a * (1 + abs(one) + abs(other))), sharpness)


def eq9_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Gradients at the attacks of a pair against Eq. (9); on both sides of a minimum of the cosine, both small, the
    bound is reached."""
    d, p, epsilon = instance["u"].size, instance["p"], abs(instance["epsilon"])
    a, w, u, step = abs(instance["a"]), size(instance["w"]), size(instance["u"]), size(instance["step"])
    one, other = attacked(instance)
    left = a * w * abs(math.sin(one) - math.sin(other))
    root = d ** (0.5 - 1 / p) if p > 2 and sentence.root else 1.0
    two = sentence.two if p <= 2 else 2.0
    bound = sentence.factor * (sentence.tt * a * w**2 * step + two * epsilon * root * a * w * u)
    gap = Gap(left, bound, 1e-12 * a * w * (1 + abs(one) + abs(other)))
    if not sentence.root:
        return gap
    gaps = [gap]
    for h, r in ((1e-3, 1e-2), (1e-2, 1e-4)):  # distance of the angles, reach of the attack: pairs around pi
        low, high = (math.pi + sign * h / 2 for sign in (-1, 1))
        reached = abs(math.sin(peak(low - r, low + r)) - math.sin(peak(high - r, high + r)))
        gaps.append(sharp(reached / (h + 2 * r), sentence.factor * (sentence.tt * h + 2 * r) / (h + 2 * r)))
    return worst(*gaps)


def ball_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The Euclidean length of points of the ball, its corners among them."""
    shift, p, epsilon = instance["shift"], instance["p"], abs(instance["epsilon"])
    d = shift.size
    if instance["far"] > 0.5:
        shift = np.ones(d) if p > 2 else np.eye(d)[0]
    delta = epsilon * shift / np.linalg.norm(shift, p)
    power = {"right": max(0.5 - 1 / p, 0.0), "none": 0.0, "other": 1 / p}[sentence.power]
    return Gap(size(delta), sentence.factor * epsilon * d**power, 1e-12 * epsilon)


def capped_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """l = c theta.x - |x|^2/2 around 0 with |x_i| <= epsilon: the attack by comparison of 41 points and the vertex of
    each parabola, the gradient c x there; against a 1-Lipschitz gradient and a mixed constant 1."""
    c, epsilon = sentence.coupling, abs(instance["epsilon"])
    one = instance["w"] * epsilon
    pair = (one, one + instance["step"])

    def gradient(theta: np.ndarray) -> np.ndarray:
        grid = np.linspace(-epsilon, epsilon, 41)
        points = np.concatenate([np.tile(grid, (theta.size, 1)), (c * theta)[:, None]], 1)
        values = np.where(np.abs(points) <= epsilon, c * theta[:, None] * points - points**2 / 2, -np.inf)
        return c * points[np.arange(theta.size), np.argmax(values, 1)]

    way = size(gradient(pair[0]) - gradient(pair[1]))
    distance = size(pair[0] - pair[1])
    if distance < 1e-9 * (1 + size(one)):
        return NOWHERE
    if not sentence.smooth:
        return Gap(ANY, way / distance)
    small = np.full(one.size, epsilon / 4)
    near = size(gradient(small) - gradient(small * 0)) / size(small)
    return worst(
        Gap(way, distance, 1e-9 * (distance + epsilon)),
        Gap(near, 1.0, 1e-9),
        equal(c, 1.0, 1e-12),
    )


def logistic_mixed_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The norm of the mixed derivative of log(1 + exp(-y theta.x)), written out: no constant where theta is not
    bounded; 1 + R X/4 where it is, with the supremum of s and the maximum of s(1 - s) on a grid."""
    d = max(2, instance["u"].size)
    theta, x = np.resize(instance["u"], d), np.resize(instance["shift"], d)
    if instance["far"] > 0.4:  # theta.x = 0, and both long
        theta, x = np.eye(d)[0] * (1 + 100 * instance["far"]), np.eye(d)[1] * 500
    z = float(theta @ x)
    s = 1 / (1 + math.exp(min(z, 700)))
    norm = largest(-s * np.eye(d) + s * (1 - s) * np.outer(x, theta))
    if sentence.printed:
        return Gap(norm, ANY)
    reach = size(theta) if sentence.bounded else 1.0
    grid = 1 / (1 + np.exp(np.linspace(-40, 40, 401)))
    bound = sentence.slope + sentence.curvature * reach * size(x) / 4
    return worst(
        Gap(norm, bound, 1e-9 * (1 + norm)),
        sharp(float(np.max(grid)), sentence.slope),
        sharp(float(np.max(grid * (1 - grid))), sentence.curvature / 4),
    )


def hessian_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The Hessian of a ridge and of a quadratic form by differences of gradients against the Lipschitz constant of the
    gradient: a|w|^2, the norm of the form; on an axis alone the form's constant is the length of a row."""
    a, w = abs(instance["a"]), instance["w"]
    angle_at = angle(instance)
    h = 1e-5 / size(w)
    eye = np.eye(w.size)
    columns = [
        -a * w * (math.sin(angle_at + h * w @ e) - math.sin(angle_at - h * w @ e)) / (2 * h) for e in eye
    ]
    constant = a * size(w) ** 2
    form = np.outer(instance["one"], instance["one"]) + np.diag(instance["step"])
    gaps = [
        Gap(largest(np.array(columns)), sentence.factor * constant, 1e-6 * constant * (1 + abs(angle_at))),
        sharp(a * size(w) ** 2 * abs(math.cos(0.0)), sentence.factor * constant),
    ]
    least = size(form[0]) if sentence.axis else largest(form)
    gaps.append(Gap(largest(form), sentence.factor * least, 1e-9 * largest(form)))
    return worst(*gaps)


def made(claim: str, how: str, gap, sentence, twins=None, reading: str = "printed") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how=how,
        draw=ridge_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
        moved=("a", "u", "w", "one", "step", "x", "shift", "phase", "epsilon"),
    )


RIDGES = "cosine ridges, d = 1 to 5"
PAIRS = RIDGES + "; pairs near and far, and across a minimum"
LESS, MORE = {"factor": 0.99}, {"factor": 1.01}
PER_CENT = {"one per cent less": LESS, "one per cent more": MORE}
SQUARED = {"distance squared": {"power": 2}}
TWO = {"order": 1, "factor": 1.0, "constant": 1, "power": 1}
FIVE = {"five": 1.0, "six": 1.0, "seven": 1.0, "power": 1, "what": "theta"}
NINE = {"factor": 1.0, "root": True, "two": 2.0, "tt": 1.0}
BALL = {"power": "right", "factor": 1.0}
CAPPED = {"coupling": 1.0, "smooth": True}
MIXED = {"printed": False, "bounded": True, "slope": 1.0, "curvature": 1.0}
FLAT = {"factor": 1.0, "axis": False}
AXIS = {**PER_CENT, "a set without interior": {"axis": True}}
ADVERSARIES = (
    made(
        "definition1.eq2",
        PAIRS,
        definition_gap,
        TWO,
        {**PER_CENT, **SQUARED, "constant dropped": {"constant": 0}},
    ),
    made(
        "definition1.eq3",
        PAIRS,
        definition_gap,
        {**TWO, "order": 2},
        {**PER_CENT, **SQUARED, "constant squared": {"constant": 2}},
    ),
    made(
        "assumption1",
        PAIRS,
        assumption_gap,
        FIVE,
        {
            "Eq. (5) one per cent less": {"five": 0.99},
            "Eq. (6) one per cent more": {"six": 1.01},
            "Eq. (7) with the distance squared": {"power": 2},
        },
    ),
    made("assumption1.with-respect-to-x", PAIRS, assumption_gap, {**FIVE, "what": "x"}),
    made(
        "assumption1.with-respect-to-x",
        PAIRS,
        assumption_gap,
        FIVE,
        {
            "the gradient in x": {"what": "x"},
            "one per cent less": {"seven": 0.99},
            "one per cent more": {"seven": 1.01},
        },
        "corrected",
    ),
    made(
        "assumption1.everywhere",
        "long x and theta at right angles; the mixed derivative against any constant",
        logistic_mixed_gap,
        {**MIXED, "printed": True},
    ),
    made(
        "assumption1.everywhere",
        "x and theta short and long; the norm of the mixed derivative",
        logistic_mixed_gap,
        MIXED,
        {
            "no bound on theta": {"bounded": False},
            "slope one per cent larger": {"slope": 1.01},
            "curvature one per cent smaller": {"curvature": 0.99},
            "curvature one per cent larger": {"curvature": 1.01},
        },
        "corrected",
    ),
    made(
        "prop1.eq8",
        PAIRS + "; the largest cosine on an interval",
        eq8_gap,
        {"factor": 1.0, "power": 1},
        {**PER_CENT, **SQUARED},
    ),
    made(
        "prop1.eq9",
        PAIRS + "; attacks in closed form, p from 1 to infinity",
        eq9_gap,
        {**NINE, "root": False},
    ),
    made(
        "prop1.eq9",
        PAIRS + "; attacks in closed form, p from 1 to infinity",
        eq9_gap,
        NINE,
        {
            **PER_CENT,
            "no power of d": {"root": False},
            "epsilon for 2 epsilon, p <= 2": {"two": 1.0},
            "C_thetatheta one per cent less": {"tt": 0.99},
            "quantifier: no constant term for any p": {"two": 0.0, "root": False},
        },
        "corrected",
    ),
    made("prop1.within-epsilon", "points of balls and their corners", ball_gap, {**BALL, "power": "none"}),
    made(
        "prop1.within-epsilon",
        "points of balls and their corners",
        ball_gap,
        BALL,
        {
            "no power of d": {"power": "none"},
            "d^(1/p)": {"power": "other"},
            "one per cent less": LESS,
        },
        "corrected",
    ),
    made(
        "prop1.inference",
        "a parabola in each coordinate; its gradients against any constant",
        capped_gap,
        {**CAPPED, "smooth": False},
    ),
    made(
        "prop1.inference",
        "a parabola in each coordinate; pairs of gradients",
        capped_gap,
        CAPPED,
        {"non-smooth after all": {"smooth": False}, "coupling one per cent larger": {"coupling": 1.01}},
        "corrected",
    ),
    made(
        "prop1.not-a-proof",
        "a parabola in each coordinate; pairs of gradients",
        capped_gap,
        CAPPED,
        {"it does": {"smooth": False}, "coupling one per cent smaller": {"coupling": 0.99}},
    ),
    made("eq13", "ridges and quadratic forms; Hessians by differences", hessian_gap, FLAT, AXIS),
    made("eq13", "ridges and quadratic forms; Hessians by differences", hessian_gap, FLAT, AXIS, "sharpest"),
)

"""Adversaries of Eqs. (10), (12), (49) and (56) to (70): the moments in Theorem 3's proof, by quadrature in the plane.

Each axis is theta_i +- 8/sqrt(gamma), cut at 0 and at a jump of the loss, with 40 Gauss-Legendre nodes a piece.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.entropy_hessian import moments
from numerics.adversaries.smooth import bounded, equal, worst

NODES, WEIGHTS = np.polynomial.legendre.leggauss(40)
WIDTH, SOLVED = 8.0, 1e-8  # of the square, in units of 1/sqrt(gamma); of an integral, relative


class Plane(NamedTuple):
    """theta'_1 and theta'_2 at the nodes, exp(-L - ...) and exp(- ...) times the weights, and the Gaussian's mass."""

    t: np.ndarray
    u: np.ndarray
    weight: np.ndarray
    gauss: np.ndarray
    mass: float


def plane_instance(rng: np.random.Generator) -> Instance:
    """gamma over decades, theta near and far from the axes, and a loss >= 0 with jumps, kinks and waves, or none."""
    gamma = float(10 ** rng.uniform(-2, 2))
    unit = 1 / np.sqrt(gamma)
    theta = rng.standard_normal(2) * unit * 10 ** rng.uniform(-1, 1.3)
    if rng.random() < 0.3:
        theta = np.array([1.0, -1.0]) * 30 * unit * rng.choice([-1, 1])
    some = rng.random(4) < 0.5
    return {
        "gamma": gamma,
        "theta": theta,
        "cut": theta + rng.standard_normal(2) * unit * 1.5,
        "jump": 20 * rng.random(2) * some[:2] * (rng.random() < 0.7),
        "kink": float(rng.standard_normal() / unit * some[2]),
        "wave": float(rng.random() * 2 * some[3]),
        "off": bool(rng.random() < 0.3),
        "same": bool(rng.random() < 0.4),
    }


def axis(centre: float, unit: float, cuts: tuple[float, float]) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights."""
    low, high = centre - WIDTH * unit, centre + WIDTH * unit
    ends = np.unique(np.clip([low, *cuts, high], low, high))
    half = np.diff(ends)[:, None] / 2
    return ((ends[:-1, None] + half) + half * NODES).ravel(), (half * WEIGHTS).ravel()


def plane(instance: Instance, low: float = 0.0, power: float = 1.0) -> Plane:
    """The integrand at the nodes; `low` is added to L, `power` multiplies the quadratic."""
    gamma, theta, cut = abs(instance["gamma"]), instance["theta"], instance["cut"]
    unit = 1 / np.sqrt(gamma)
    (t, v), (u, w) = (axis(theta[k], unit, (0.0, cut[k])) for k in (0, 1))
    t, u = t[:, None], u[None, :]
    gauss = v[:, None] * w * np.exp(-power * gamma / 2 * ((t - theta[0]) ** 2 + (u - theta[1]) ** 2))
    if instance["off"]:
        loss = np.zeros_like(gauss)
    else:
        jump = np.abs(instance["jump"])
        loss = jump[0] * (t > cut[0]) + jump[1] * (u < cut[1]) + abs(instance["kink"]) * np.abs(t - cut[0])
        loss = loss + abs(instance["wave"]) * (1 + np.cos((t + u) / unit))
    return Plane(t, u, gauss * np.exp(-loss - low), gauss, 2 * np.pi / gamma)


def second(instance: Instance, at: Plane) -> tuple[np.ndarray, float]:
    """theta'_i theta'_j at the nodes, and (theta_i^2 + theta_j^2)/2; i = j for `same`."""
    theta = instance["theta"]
    if instance["same"]:
        return at.t * at.t + 0 * at.u, float(theta[0] ** 2)
    return at.t * at.u, float(theta @ theta) / 2


def near(left: float, right: float, size: float) -> Gap:
    """left <= right, with the quadrature's error on integrals of this size."""
    return Gap(left, right, SOLVED * size)


def density_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eqs. (10) and (12): F of a quadratic loss in closed form against quadrature, and the integral of the density."""
    gamma, theta = abs(instance["gamma"]), instance["theta"]
    k, beta = gamma * (0.1 + abs(instance["wave"])), sentence.beta
    mu = theta + (instance["cut"] - theta) / 2
    one = {**instance, "off": True, "gamma": beta * gamma, "cut": mu}
    at = plane(one)
    loss = beta * k / 2 * ((at.t - mu[0]) ** 2 + (at.u - mu[1]) ** 2)
    level = float(np.log(np.sum(at.gauss * np.exp(-loss))))
    scale = sentence.claimed  # what the formula has for beta on the quadratic, its half and its sign
    stiff = beta * k + scale * beta * gamma
    pull = beta * k * scale * beta * gamma / stiff / 2 * float((theta - mu) @ (theta - mu))
    closed = float(np.log(2 * np.pi / stiff)) - pull
    return equal(level, sentence.sign * closed, SOLVED * (1 + abs(closed)))


def identity_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eqs. (49), (56), (57): moments against sums over the normalised density, about its mean."""
    at = plane(instance, power=sentence.width)
    product, _ = second(instance, at)
    whole = float(np.sum(at.weight))
    if whole < 1e-30 or float(np.sum(plane(instance).weight)) < 1e-30:
        return Gap(float("nan"), 0.0)
    other = plane(instance)
    scale = float(np.sum(other.weight))
    density = other.weight / scale
    mean = [float(np.sum(density * part)) for part in (other.t, other.t if instance["same"] else other.u)]
    right = other.t - mean[0], (other.t if instance["same"] else other.u) - mean[1]
    size = float(np.sum(density * np.abs(product))) + 1e-12
    if sentence.what == "E":
        left = sentence.factor * np.exp(-sentence.times * np.log(whole)) * float(np.sum(at.weight * product))
        return equal(left, float(np.sum(density * product)), SOLVED * size)
    if sentence.what == "one":
        return equal(float(np.sum(at.weight)) / np.exp(sentence.times * np.log(scale)), 1.0, SOLVED)
    claimed = float(np.sum(density * product)) - sentence.sign * mean[0] * (mean[1] if sentence.both else 1.0)
    return equal(claimed, float(np.sum(density * right[0] * right[1])), SOLVED * size)


def parts_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The parts of theta'_i theta'_j on Theta_+ and Theta_- (of theta'_i on both half-lines), what they add up to, and
    that a point lies in one set alone."""
    at = plane(instance)
    product = at.t + 0 * at.u if sentence.line else second(instance, at)[0]
    plus = product >= 0
    if not sentence.line and not instance["same"]:
        plus = (at.t >= 0) & (at.u >= 0)
        plus = plus | ((at.t < 0) & (at.u < 0)) if sentence.pieces else plus
    up = float(np.sum(at.weight * product * plus))
    down = -float(np.sum(at.weight * product * (product < 0)))
    whole = float(np.sum(np.abs(at.weight * product)))
    inside = int(sentence.edge) + 1  # sets that hold a point with theta'_i = 0
    total = float(np.sum(at.weight * product))
    return worst(
        equal(up - sentence.sign * down, total, 1e-12 * whole + 1e-290),
        equal(inside, 1, 0.0),
        near(-min(up, down), 0.0, whole),
    )


def signs_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The sign of theta'_i theta'_j at the points of Theta_+."""
    at = plane(instance)
    other = instance["theta"][1] if sentence.unprimed else at.u
    product = (instance["theta"][0] if sentence.printed else at.t) * other
    plus = ((at.t >= 0) & (at.u >= 0)) | ((at.t < 0) & (at.u < 0))
    if not np.any(plus):
        return Gap(0.0, 0.0)
    return Gap(-float(np.min((sentence.sign * product + 0 * at.t * at.u)[plus])), 0.0, 0.0)


def part_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eqs. (61) to (64), (67), (68): a part of a moment against that without L, or against the closed bound."""
    at = plane(instance, low=sentence.low)
    gamma = abs(instance["gamma"])
    product, square = (at.t + 0 * at.u, 0.0) if sentence.line else second(instance, at)
    side = product >= 0 if sentence.side > 0 else product < 0
    part, free = (float(np.sum(sentence.flip * w * product * side)) for w in (at.weight, at.gauss))
    size = float(np.sum(at.gauss * np.abs(product))) + float(np.sum(at.weight * np.abs(product)))
    bound = free
    if sentence.closed:
        bound = at.mass * (square + gamma**sentence.power)
        size += bound
    return worst(near(part, sentence.factor * bound, size), near(-part, 0.0, size))


def whole_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eqs. (64), (69), (70), the normaliser and ||Sigma||_F against their bounds."""
    at = plane(instance, low=sentence.low)
    gamma, theta = abs(instance["gamma"]), instance["theta"]
    product, square = second(instance, at)
    e_f = float(np.sum(at.weight))
    z = e_f / at.mass
    if not z > 1e-20:
        return Gap(float("nan"), 0.0)
    times = z**sentence.z
    inverse = gamma**sentence.power
    if sentence.what == "normaliser":
        return worst(near(e_f, sentence.factor * at.mass, at.mass), Gap(0.0, e_f))
    if sentence.what == "between":
        value, top = float(np.sum(at.weight * product)), at.mass * (square + 1 / gamma)
        return worst(near(value, sentence.factor * top, top), near(-value, top * sentence.lower, top))
    if sentence.what == "product":
        value = abs(float(np.sum(at.weight * product))) / e_f
        bound = sentence.factor * (square + inverse) / times
        return near(value, bound, bound + value)
    mean = np.array([float(np.sum(at.weight * part)) for part in (at.t, at.u)]) / e_f
    if sentence.what == "means":
        value, bound = float(np.prod(mean)) ** 2, float(np.prod(theta**2 + inverse)) / times**2
        return near(value, bound, bound + value)
    off = at.t - mean[0] + 0 * at.u, at.u - mean[1] + 0 * at.t
    cov = np.array([[float(np.sum(at.weight * a * b)) for a in off] for b in off]) / e_f
    norm = float(np.linalg.norm(cov))
    if sentence.what == "gaussian":
        alone = float(np.sum(at.gauss * (at.t - theta[0]) ** 2)) / float(np.sum(at.gauss))
        return equal(alone, sentence.factor * inverse, SOLVED / gamma)
    bound = sentence.factor * np.sqrt(2) / (gamma * times)
    one = float(np.linalg.norm(cov, 2))
    gaps = [near(one, norm, norm), near(norm, bound if sentence.what == "finite" else np.inf, norm)]
    if sentence.what == "finite" and instance["off"] and not sentence.low:  # L = 0 attains it
        gaps.append(near(bound, norm, norm))
    return worst(*gaps)


def bounded_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """||Sigma||_F at |theta| = R against 4 R^2 + 4 c_0/gamma, with two narrow bumps, at 0 and 2 theta or as drawn."""
    gamma = abs(instance["gamma"])
    theta = instance["theta"] * (100 if instance["off"] else 1)
    two = {
        "root": np.stack([np.eye(2) * (3 + 10 * abs(instance["wave"])) * np.sqrt(gamma)] * 2),
        "mu": np.stack([0 * theta, 2 * theta if instance["same"] else instance["cut"]]),
        "logits": np.array([10.0, 10.0]),
    }
    norm = float(np.linalg.norm(moments(two, theta, gamma).cov))
    c0 = float(np.log(2) - np.log(gamma / (2 * np.pi))) - moments(two, 0 * theta, 2 * gamma).log
    reach = float(np.linalg.norm(theta)) ** sentence.reach if sentence.reach else 0.0
    bound = 4 * reach + 4 / gamma * c0
    return near(norm, bound, bound + norm)


def solvable(instance: Instance) -> Instance | None:
    """The instance where gamma and theta are such that the quadrature's error is as said."""
    gamma = abs(instance["gamma"])
    far = float(np.max(np.abs(instance["theta"]))) * np.sqrt(gamma)
    return bounded(instance) if 1e-4 < gamma < 1e4 and far < 1e3 else None


def made(claim: str, gap, sentence, twins=None, reading: str = "printed") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how="losses with jumps, kinks and waves in the plane; integrals by Gauss-Legendre quadrature",
        draw=plane_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=solvable,
    )


BELOW = {"L >= -log 2 only": {"low": -float(np.log(2))}}
LESS = {"bound one per cent smaller": {"factor": 0.99}}
RIGHT = {"right side one per cent smaller": {"factor": 0.99}}
TEN = {"beta": 1.7, "claimed": 1.0, "sign": 1.0}
TWELVE = {"what": "one", "factor": 1.0, "times": 1.0, "width": 1.0, "sign": 1.0, "both": True}
PARTS = {"line": False, "pieces": True, "sign": 1.0, "edge": False}
PART = {"low": 0.0, "line": False, "side": 1, "flip": 1.0, "closed": False, "factor": 1.0, "power": -1.0}
WHOLE = {"low": 0.0, "z": 1, "power": -1.0, "factor": 1.0, "lower": 1.0, "what": "finite"}
SIGNS = {"sign": 1.0, "unprimed": False, "printed": False}
ADVERSARIES = (
    made(
        "eq10",
        density_gap,
        TEN,
        {
            "gamma in place of gamma/2": {"claimed": 2.0},
            "F in place of -F": {"sign": -1.0},
            "beta on the loss alone": {"claimed": 1 / 1.7},
        },
    ),
    made(
        "eq12",
        identity_gap,
        TWELVE,
        {"divided by exp(-F)": {"times": -1.0}, "gamma in place of gamma/2": {"width": 2.0}},
    ),
    made(
        "theorem3.eq49",
        identity_gap,
        {**TWELVE, "what": "E"},
        {
            "e^F in place of e^(-F)": {"times": -1.0},
            "e^(-2F)": {"times": 2.0},
            "one per cent off": {"factor": 1.01},
        },
    ),
    made(
        "theorem3.eq56",
        identity_gap,
        {**TWELVE, "what": "cov"},
        {"plus in place of minus": {"sign": -1.0}, "one mean only": {"both": False}},
    ),
    made("theorem3.normaliser", whole_gap, {**WHOLE, "what": "normaliser"}, {**BELOW, **LESS}),
    made(
        "theorem3.eq59",
        parts_gap,
        PARTS,
        {
            "both parts added": {"sign": -1.0},
            "Theta_+ without its second piece": {"pieces": False},
            "the boundary in both sets": {"edge": True},
        },
    ),
    made("theorem3.unprimed", signs_gap, {**SIGNS, "unprimed": True, "printed": True}),
    made(
        "theorem3.unprimed",
        signs_gap,
        SIGNS,
        {"sign flipped": {"sign": -1.0}, "one factor primed": {"unprimed": True}},
        "corrected",
    ),
    made(
        "theorem3.eq65",
        parts_gap,
        {**PARTS, "line": True},
        {"both parts added": {"sign": -1.0}, "0 in both sets": {"edge": True}},
    ),
    made("theorem3.eq61", part_gap, PART, {**BELOW, "on Theta_-": {"side": -1}, **RIGHT}),
    made(
        "theorem3.gaussian",
        whole_gap,
        {**WHOLE, "what": "gaussian", "power": 1.0},
    ),
    made(
        "theorem3.gaussian",
        whole_gap,
        {**WHOLE, "what": "gaussian"},
        {"variance 2/gamma": {"factor": 2.0}, "variance one per cent off": {"factor": 1.01}},
        "corrected",
    ),
    made(
        "theorem3.eq62",
        part_gap,
        {**PART, "closed": True},
        {**BELOW, "gamma in place of 1/gamma": {"power": 1.0}, **LESS},
    ),
    made(
        "theorem3.eq63",
        part_gap,
        {**PART, "closed": True, "side": -1, "flip": -1.0},
        {"without the minus sign": {"flip": 1.0}, "on Theta_+": {"side": 1}, **LESS},
    ),
    made(
        "theorem3.eq64",
        whole_gap,
        {**WHOLE, "what": "between"},
        {"upper end one per cent smaller": {"factor": 0.99}, "lower end 0": {"lower": 0.0}},
    ),
    made("theorem3.eq67", part_gap, {**PART, "line": True}, {**BELOW, **RIGHT}),
    made(
        "theorem3.eq68",
        part_gap,
        {**PART, "line": True, "side": -1, "flip": -1.0},
        {"without the minus sign": {"flip": 1.0}, **RIGHT},
    ),
    made(
        "theorem3.eq69",
        whole_gap,
        {**WHOLE, "what": "product"},
        {**LESS, "times Z in place of over Z": {"z": -1}},
    ),
    made(
        "theorem3.eq70",
        whole_gap,
        {**WHOLE, "what": "means"},
        {"gamma in place of 1/gamma": {"power": 1.0}, "without Z": {"z": 0}},
    ),
    made("theorem3.finite", whole_gap, {**WHOLE, "what": "norms"}),
    made(
        "theorem3.finite",
        whole_gap,
        WHOLE,
        {
            **BELOW,
            "weights up to 1.01": {"low": -float(np.log(1.01))},
            "sharpened bound one per cent smaller": {"factor": 0.99},
            "sharpened bound with m for its root": {"factor": float(np.sqrt(2))},
            "sharpened bound without Z": {"z": 0},
        },
        "sharpest",
    ),
    made(
        "theorem3.bounded-set",
        bounded_gap,
        {"reach": 2},
        {"all of R^m": {"reach": 0}, "R in place of R^2": {"reach": 1}},
    ),
)

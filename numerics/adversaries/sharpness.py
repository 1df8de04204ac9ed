"""Adversaries of Appendices B to D: sharpness, the radius of AWP, the Newton step of Eq. (77), Algorithm 1's averages.

Losses are quadratic forms and ridges, where the largest value on a ball is an eigenvalue or a closed form.
"""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.assumptions import CLOSE, sharp
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst


def form_instance(rng: np.random.Generator) -> Instance:
    """A positive semidefinite form in 1 to 5 dimensions, a level, a radius over decades, directions, variances."""
    m = int(rng.integers(1, 6))
    root = rng.standard_normal((m, m)) * 10 ** rng.uniform(-1, 1)
    return {
        "root": root,
        "level": float(10 ** rng.uniform(-2, 1) * (rng.random() < 0.7)),
        "rho": float(10 ** rng.uniform(-3, 1)),
        "ways": rng.standard_normal((20, m)),
        "gamma": float(10 ** rng.uniform(-2, 1)),
        "sigma": 10 ** rng.uniform(-3, 1.5, m),
        "theta": rng.standard_normal(m),
        "bar": rng.standard_normal(m),
        "eta": float(10 ** rng.uniform(-3, 0)),
        "alpha": float(rng.uniform(0.05, 1)),
        "count": int(rng.integers(1, 12)),
        "near": bool(rng.random() < 0.4),
    }


def rise(instance: Instance, rho: float) -> tuple[float, np.ndarray]:
    """The largest rise of theta^T A theta/2 on the ball of radius rho, by power steps from 20 directions."""
    form = instance["root"] @ instance["root"].T
    ways = instance["ways"].T
    for _ in range(60):
        ways = form @ ways + 1e-12 * ways
        ways /= np.linalg.norm(ways, axis=0) + 1e-300
    return rho**2 / 2 * float(np.max(np.sum(ways * (form @ ways), axis=0))), form


def sharpness_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eq. (73) of a quadratic minimum, by power iteration, against Eq. (74)."""
    rho, level = abs(instance["rho"]), abs(instance["level"])
    up, form = rise(instance, rho)
    found = sentence.sign * up / (sentence.one + level) if sentence.one + level else NOWHERE.left
    claimed = sentence.factor * largest(form) * rho**2 / (2 * (1 + level))
    return equal(found, claimed, CLOSE * abs(claimed) / sentence.factor)


def small_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eq. (73) of a form along its first axis, with cubic and quartic parts, as rho -> 0, against Eq. (74)."""
    values = np.linalg.eigvalsh(instance["root"] @ instance["root"].T)
    k, level = float(values[-1]), abs(instance["level"])
    if k < 1e-3:
        return NOWHERE
    rho = 1e-4 * math.sqrt(k) / (1 + abs(instance["theta"][0]) + k)
    t = np.linspace(-rho, rho, 2001)
    cubic, quartic = instance["theta"][0], instance["bar"][0]
    tilt = sentence.tilt * k * 1e-2  # a centre that is no minimum
    values_at = k * t**2 / 2 + cubic * t**3 / 6 + quartic * t**4 / 24 + tilt * t
    ratio = float(np.max(values_at)) / (1 + level)
    claimed = sentence.factor * k * rho**sentence.power / (2 if sentence.half else 1) / (1 + level)
    return equal(ratio / claimed, 1.0, CLOSE)


def flat_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """a (1 - cos(w.theta)) + a level: its sharpness at the minimum 0 for any radius against C_s = a|w|^2."""
    a, w, rho = abs(instance["level"]) + 0.1, instance["theta"], abs(instance["rho"])
    length, level = float(np.linalg.norm(w)), abs(instance["alpha"])
    found = a * (1 - math.cos(min(rho * length, math.pi))) / (1 + level)
    constant = sentence.factor * a * length**2 / (2 if sentence.half else 1)
    bound = constant * rho**2 / (1 + level)
    near = 1e-2  # in angle: where the bound is attained
    reached = 2 * (1 - math.cos(near)) / near**2
    claim = sentence.factor * (1 if sentence.half else 2)
    return worst(Gap(found, bound, 1e-9 * bound + 1e-14 * a), sharp(reached, claim))


def awp_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Two layers, a linear loss for each of several examples: max over v in the balls of the mean in closed form,
    against layer-wise moves of full length and others; on the sphere, a bump that is lower on all of it."""
    slopes, layers = instance["ways"][:6, :], (instance["theta"], instance["bar"])
    share = abs(instance["gamma"])
    radii = [share * float(np.linalg.norm(layer)) for layer in layers]
    mean = float(np.linalg.norm(np.mean(slopes, axis=0)))
    best = mean * sum(radii)  # what the objective adds to the loss at theta
    used = [sentence.factor * r if sentence.relative else sentence.factor * share for r in radii]
    way = np.mean(slopes, axis=0) / max(mean, 1e-300)
    reached = sum(float(np.mean(slopes @ (way * r))) for r in used) * (6 if sentence.total else 1)
    gap = equal(reached, best, 1e-9 * best)
    if sentence.sphere:  # l = -|v|^2 around theta: 0 at v = 0, lower on the sphere
        return Gap(0.0, -sum(r**2 for r in radii))
    return gap


def newton_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """-F quadratic with curvature gamma - gamma^2 sigma_j and gradient gamma (theta - bar): Newton's step by solving,
    against eta gamma h (theta - bar); which of them descend."""
    gamma, sigma, said = abs(instance["gamma"]), np.abs(instance["sigma"]), sentence
    curve = gamma - gamma**2 * sigma
    if np.min(np.abs(curve)) < 1e-3 * gamma:
        return NOWHERE
    away = instance["theta"] - instance["bar"]
    if np.min(np.abs(away)) < 1e-3:
        return NOWHERE
    eta = abs(instance["eta"])
    step = eta * np.linalg.solve(np.diag(curve), gamma * away)
    stiff = gamma - said.sign * gamma**said.power * sigma
    named = said.factor * eta * (gamma if said.gamma else 1.0) / stiff * away
    worse = equal(named, step, 1e-9 * float(np.linalg.norm(step)))
    if said.what == "step":
        return worse
    ratio = step / (eta * gamma * away)
    if said.what == "ratio":
        formula = said.factor / ((gamma if said.gamma else 1.0) * (1 - said.sign * gamma * sigma))
        return equal(ratio, formula, 1e-9 * float(np.linalg.norm(ratio)))
    gaps = []
    tests = [*sigma, 1.005 / gamma, 0.995 / gamma]  # variances on both sides of 1/gamma
    for one in tests:
        slope = -away[0] * gamma * (gamma * away[0] / (gamma - gamma**2 * one))  # of -F along the step
        descends, told = slope < 0, one < said.factor / gamma
        gaps.append(equal(float(descends), float(told), 0.0))
    return worst(*gaps)


def uphill_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """L = t^2/2 - log cosh(2t) + 2 and gamma = 1 on a grid: L >= 0, Var at 0, h, the curve of -F at 0 and its step."""
    t = np.linspace(-14, 14, 1401)
    cosh = np.logaddexp(2 * t, -2 * t) - np.log(2)
    loss = t**2 / 2 - cosh + 2
    theta = float(np.tanh(instance["theta"][0]))

    def law(at: float) -> tuple[float, float, float]:
        weight = np.exp(-loss - (t - at) ** 2 / 2)
        whole = float(np.sum(weight))
        mean = float(np.sum(weight * t)) / whole
        return mean, float(np.sum(weight * (t - mean) ** 2)) / whole, -math.log(whole)

    _, variance, level = law(0.0)
    mean, _, there = law(theta)
    h = 1 / (1 - variance)
    closed = theta**2 / 4 - math.log(math.cosh(theta))
    toward = sentence.sign * h * (theta - mean) * theta  # theta - h (theta - mean) is nearer 0 if positive
    return worst(
        equal(variance, 1.5, 1e-9),
        equal(sentence.sign * sentence.factor * h, -2.0, 1e-8),
        equal(there - level, closed, 1e-9),
        Gap(0.0, float(np.min(loss))),
        Gap(-toward, 0.0, 1e-9),
    )


def averages_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Lines 2, 3, 12, 13 and 16 run on a path of samples."""
    alpha, m = float(np.clip(abs(instance["alpha"]), 1e-3, 1)), instance["theta"].size
    start, said = instance["theta"], sentence
    bar = start * said.bar
    xi = start if said.start else start**2 * said.bar
    variance = xi - bar**2
    gaps = [equal(variance, np.zeros(m), 1e-12)] if said.what == "start" else []
    for path in instance["ways"][: instance["count"]]:
        new = (1 - alpha) * variance + said.gain * alpha * (1 if said.plain else 1 - alpha) * (
            path - bar
        ) ** 2
        bar = (1 - alpha) * bar + alpha * path
        weight = alpha * said.weight
        xi = (1 - weight) * xi + weight * path**2
        variance = xi - bar**2
        if said.what == "variance":
            gaps += [
                equal(variance, new, 1e-9 * float(np.sum(xi) + 1)),
                Gap(-float(np.min(variance)), 0.0, 1e-9),
            ]
    if said.what == "start":
        n = min(instance["count"], 20)
        claimed = (alpha if said.other else 1 - alpha) ** n
        alone = start * said.bar
        for path in instance["ways"][:n]:
            alone = (1 - alpha) * alone + alpha * path * 0
        gaps.append(equal(alone, claimed * start, 1e-12))
    return worst(*gaps)


def made(claim: str, how: str, gap, sentence, twins=None, reading: str = "printed") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how=how,
        draw=form_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
    )


PER_CENT = {"one per cent less": {"factor": 0.99}, "one per cent more": {"factor": 1.01}}
SHARP = {"one": 1.0, "sign": 1.0, "factor": 1.0}
SMALL = {"factor": 1.0, "half": True, "power": 2, "tilt": 0.0}
AWP = {"factor": 1.0, "relative": True, "total": False, "sphere": False}
NEWTON = {"what": "step", "power": 2, "sign": 1.0, "gamma": True, "factor": 1.0}
UPHILL = {"factor": 1.0, "sign": 1.0}
LINES = {
    "what": "start",
    "bar": 1.0,
    "start": False,
    "other": False,
    "weight": 1.0,
    "gain": 1.0,
    "plain": False,
}
STEPS = "curvatures of both signs in 1 to 5 coordinates; the system solved"
ADVERSARIES = (
    made(
        "definition2",
        "quadratic forms; power iteration from 20 starts",
        sharpness_gap,
        SHARP,
        {
            "1 dropped from the denominator": {"one": 0.0},
            "one per cent more": {"factor": 1.01},
            "sign of the rise": {"sign": -1.0},
        },
    ),
    made(
        "definition2.eq74",
        "cubic and quartic parts, small radii; a grid on the ball",
        small_gap,
        SMALL,
        {
            "one per cent more": {"factor": 1.01},
            "no factor 1/2": {"half": False},
            "rho to the first power": {"power": 1},
            "centre not a minimum": {"tilt": 1.0},
        },
    ),
    made(
        "definition2.smooth-is-flat",
        "cosine ridges, every radius",
        flat_gap,
        {"factor": 1.0, "half": True},
        {**PER_CENT, "without the 1/2": {"half": False}},
    ),
    made(
        "eq76",
        "linear losses of six examples in two layers",
        awp_gap,
        AWP,
        {
            "radius one per cent more": {"factor": 1.01},
            "radius one per cent less": {"factor": 0.99},
            "absolute radius": {"relative": False},
            "sum for mean": {"total": True},
        },
    ),
    made("eq76.region", "a loss that is lower on the whole sphere", awp_gap, {**AWP, "sphere": True}),
    made(
        "eq76.region",
        "linear losses of six examples in two layers",
        awp_gap,
        AWP,
        {"the sphere": {"sphere": True}, "radius one per cent more": {"factor": 1.01}},
        "corrected",
    ),
    made(
        "eq77",
        STEPS,
        newton_gap,
        NEWTON,
        {
            "gamma^3 instead of gamma^2": {"power": 3},
            "plus sign in h": {"sign": -1.0},
            "no gamma before h": {"gamma": False},
            "curvature one per cent off": {"factor": 1.01},
        },
    ),
    made(
        "eq77.descent",
        STEPS,
        newton_gap,
        {**NEWTON, "what": "descent"},
        {"bound one per cent larger": {"factor": 1.01}, "bound one per cent smaller": {"factor": 0.99}},
    ),
    made(
        "eq77.uphill",
        "the loss on a grid of 1401 points",
        uphill_gap,
        UPHILL,
        {"h one per cent off": {"factor": 1.01}, "h of the other sign": {"sign": -1.0}},
    ),
    made(
        "eq77.step-size",
        STEPS,
        newton_gap,
        {**NEWTON, "what": "ratio"},
        {
            "factor one per cent off": {"factor": 1.01},
            "ratio without gamma": {"gamma": False},
            "plus sign": {"sign": -1.0},
        },
    ),
    made(
        "alg1.lines2-3",
        "paths of up to 11 samples; the lines run",
        averages_gap,
        LINES,
        {
            "xi_bar started at theta": {"start": True},
            "both started at 0": {"bar": 0.0},
            "weight alpha instead of 1 - alpha": {"other": True},
        },
    ),
    made(
        "alg1.lines12-13",
        "paths of up to 11 samples; the lines run",
        averages_gap,
        {**LINES, "what": "variance"},
        {
            "another weight for xi_bar": {"weight": 0.9},
            "gain alpha": {"plain": True},
            "gain one per cent off": {"gain": 1.01},
        },
    ),
)

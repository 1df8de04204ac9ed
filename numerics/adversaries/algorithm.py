"""Adversaries of Algorithm 1's lines 16 and 18 and of Appendix C: chains on quadratics, averages, optimal points."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.gibbs import law
from numerics.adversaries.smooth import NOWHERE, bounded, equal


def chain_instance(rng: np.random.Generator) -> Instance:
    """A curvature, a step, an average's weight, slopes of two sides, a start."""
    return {
        "k": float(10 ** rng.uniform(-1, 1)),
        "eta": float(10 ** rng.uniform(-3, -0.5)),
        "alpha": float(rng.choice([0.75, rng.uniform(0.05, 0.95)])),
        "slope": float(10 ** rng.uniform(-0.5, 0.7)),
        "gamma": float(10 ** rng.uniform(-1, 1)),
        "start": float(rng.standard_normal()),
        "pull": float(rng.standard_normal()),
    }


def line10_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The drift of lines 10 and 11 against the negative gradient of L + gamma/2 (theta - theta')^2, by differences."""
    k, gamma, at, centre = (instance[name] for name in ("k", "gamma", "start", "pull"))
    k, gamma, h = abs(k), abs(gamma), 1e-3

    def energy(t: float) -> float:
        return k * math.cosh(min(abs(t), 20.0)) + gamma / 2 * (centre - t) ** 2

    slope = (energy(at + h) - energy(at - h)) / (2 * h)
    rise = k * (math.cosh(min(abs(at + h), 20.0)) - math.cosh(min(abs(at - h), 20.0))) / (2 * h)
    drift = sentence.gradient * rise - sentence.spring * gamma * (centre - at)
    return equal(drift, slope, 1e-9 * (1 + abs(slope) + abs(drift)) + 4e-15 * energy(at) / h)


def noise_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The stationary variance of t <- (1 - eta k) t + noise, by summing the series, against 1/(k (1 - eta k/2))."""
    k = abs(instance["k"])
    eta = min(abs(instance["eta"]), 1.0 / k)
    keep = (1 - eta * k) ** 2
    size = {"two": 2 * eta, "one": eta, "paper": eta * 1e-8}[sentence.noise] * sentence.factor**2
    if eta * k < 1e-5:
        return NOWHERE
    total = size
    for _ in range(60):  # doubling: 2^60 terms
        total, keep = total * (1 + keep), keep * keep
    claimed = 1 / (k * (1 - eta * k / 2))
    return equal(total, claimed, 1e-9 * claimed)


def averaged_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The expectation of line 16's variance: with weights alpha (1 - alpha)^k it is s^2 (1 - sum of their squares)."""
    alpha = float(np.clip(abs(instance["alpha"]), 0.05, 0.95))
    weights = alpha * (1 - alpha) ** np.arange(600)
    found = float(np.sum(weights) - np.sum(weights**2))
    claimed = sentence.factor * sentence.two * (1 - alpha) / (2 - alpha)
    if sentence.only:
        claimed = 0.4
    return equal(found, 1.0 if sentence.printed else claimed, 1e-9)


def optimum_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """L = slope |t| with another slope on the right: whether the mean of p_0 is 0, as at a minimum of -F."""
    slope, gamma = abs(instance["slope"]), abs(instance["gamma"])

    def loss(t: np.ndarray) -> np.ndarray:
        return np.where(t > 0, sentence.right * slope * t, -slope * t)

    found = law(loss, 0.0, 1.0, gamma, np.zeros(1), 10 / math.sqrt(gamma))
    return Gap(gamma * abs(found.mean), 0.0, gamma * found.errors[1])


def made(claim: str, how: str, gap, sentence, twins=None, reading: str = "printed") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how=how,
        draw=chain_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
    )


DRIFT = {"gradient": 1.0, "spring": 1.0}
NOISE = {"noise": "two", "factor": 1.0}
AVERAGE = {"printed": False, "factor": 1.0, "two": 2.0, "only": False}
ENERGY = "a convex loss on the line; the drift against differences of the energy"
SERIES = "linear chains, curvature and step over decades; the variance summed"
WEIGHTS = "weights of the average over (0, 1), summed"
SLOPES = "losses with a kink and two slopes; the mean by quadrature"
ADVERSARIES = (
    made("alg1.line10", ENERGY, line10_gap, {**DRIFT, "gradient": -1.0}),
    made(
        "alg1.line10",
        ENERGY,
        line10_gap,
        DRIFT,
        {
            "gradient one per cent too large": {"gradient": 1.01},
            "pull away from theta": {"spring": -1.0},
            "both signs flipped": {"gradient": -1.0, "spring": -1.0},
        },
        "corrected",
    ),
    made("alg1.line11", SERIES, noise_gap, {**NOISE, "noise": "paper"}),
    made(
        "alg1.line11",
        SERIES,
        noise_gap,
        NOISE,
        {
            "noise one per cent larger": {"factor": 1.01},
            "noise sqrt(eta')": {"noise": "one"},
            "epsilon_E kept": {"noise": "paper"},
        },
        "corrected",
    ),
    made("alg1.line16-variance", WEIGHTS, averaged_gap, {**AVERAGE, "printed": True}),
    made(
        "alg1.line16-variance",
        WEIGHTS,
        averaged_gap,
        AVERAGE,
        {
            "one per cent off": {"factor": 1.01},
            "without the 2": {"two": 1.0},
            "right at alpha = 3/4 only": {"only": True},
        },
        "corrected",
    ),
    made("appc.optimal-points", SLOPES, optimum_gap, {"right": 2.0}),
    made(
        "appc.optimal-points",
        SLOPES,
        optimum_gap,
        {"right": 1.0},
        {"one slope one per cent steeper": {"right": 1.01}, "one slope twice as steep": {"right": 2.0}},
        "corrected",
    ),
)

"""Adversaries of the limits of -F: adversarial logistic losses, and families without a common constant."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.gibbs import law
from numerics.adversaries.smooth import bounded, equal, worst


def logistic_instance(rng: np.random.Generator) -> Instance:
    """One to three labelled inputs of the line, a radius, gamma over decades, theta near 0 or not."""
    n, gamma = int(rng.integers(1, 4)), float(10 ** rng.uniform(-4, 2))
    return {
        "x": rng.standard_normal(n) * float(rng.choice([0.0, 10 ** rng.uniform(-1, 1)])),
        "epsilon": float(10 ** rng.uniform(-1, 1)),
        "gamma": gamma,
        "theta": float(rng.choice([0.0, rng.standard_normal() / np.sqrt(gamma)])),
    }


def logistic_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """0 <= -F'' <= (G/2)(sqrt(G^2 + 4 gamma) - G) < gamma and G sqrt(gamma), with G = max |x| + epsilon."""
    x, epsilon, gamma = instance["x"], abs(instance["epsilon"]), abs(instance["gamma"])
    size = float(np.max(np.abs(x))) + (epsilon if sentence.attacked else 0.0)

    def loss(t: np.ndarray) -> np.ndarray:
        return np.mean(np.logaddexp(0, epsilon * np.abs(t)[:, None] - t[:, None] * x), axis=1)

    width = (float(np.max(np.abs(x))) + epsilon) / gamma + 12 / np.sqrt(gamma)
    found = law(loss, instance["theta"], 1.0, gamma, np.zeros(1), width)
    here, error = gamma - gamma**2 * found.variance, gamma**2 * found.errors[2] + 1e-10 * gamma
    upper = size / 2 * 4 * gamma / (np.sqrt(size**2 + 4 * gamma) + size)
    return worst(
        Gap(0.0, here, error),
        Gap(here, sentence.factor * upper, error),
        Gap(upper, min(gamma, size * np.sqrt(gamma)), 1e-12 * gamma),
    )


def steps_loss(gamma: float, t: np.ndarray) -> np.ndarray:
    """(gamma/2)(t - 3^k)(3^(k+1) - t) on [3^k, 3^(k+1)], 0 below 1."""
    above = np.maximum(t, 1.0)
    low = 3.0 ** np.floor(np.log(above) / np.log(3) + 1e-12)
    return np.where(t < 1, 0.0, gamma / 2 * np.maximum((above - low) * (3 * low - above), 0))


def steps_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Var at theta = 2 R against gamma R^4/(3 (gamma R^2 + 1)), R = 3^k; or against a bound for all k."""
    gamma, r = abs(instance["gamma"]), 3.0 ** instance["k"]
    kinks = 3.0 ** np.arange(instance["k"] + 3)
    found = law(lambda t: steps_loss(gamma, t), 2 * r, 1.0, gamma, kinks, 7 * r + 12 / np.sqrt(gamma))
    if sentence.most is not None:
        return Gap(found.variance, sentence.most, found.errors[2])
    least = gamma * r**4 / (3 * (gamma * r**2 + 1)) if sentence.order == 2 else r**4 / 100
    return Gap(sentence.factor * least, found.variance, found.errors[2])


def steps_instance(rng: np.random.Generator) -> Instance:
    """k from 0 to 6 and gamma over two decades."""
    return {"k": int(rng.integers(0, 7)), "gamma": float(10 ** rng.uniform(-1, 1))}


def cosh_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """-F''(0) by quadrature against gamma k/(gamma + k) - (gamma s/(gamma + k))^2, L >= 0, and how low it gets."""
    gamma, k, s = (abs(instance[name]) for name in ("gamma", "k", "s"))

    def loss(t: np.ndarray) -> np.ndarray:
        return k / 2 * t**2 - (np.logaddexp(s * t, -s * t) - np.log(2)) + s**2 / (2 * k)

    wide = 14 / np.sqrt(gamma + k) + s / (gamma + k)
    found = law(loss, 0.0, 1.0, gamma, np.zeros(0), wide)
    here, error = gamma - gamma**2 * found.variance, gamma**2 * found.errors[2] + 1e-9 * gamma
    formula = gamma * k / (gamma + k) - (gamma / (gamma + k)) ** 2 * s**sentence.power
    lowest = float(np.min(loss(np.linspace(-wide, wide, 400))))
    return worst(equal(here, sentence.factor * formula, error), Gap(-lowest, 0.0, 1e-9 * (1 + s**2 / k)))


def cosh_instance(rng: np.random.Generator) -> Instance:
    """gamma, k over two decades, s over three."""
    return {
        name: float(10 ** rng.uniform(*ends))
        for name, ends in (("gamma", (-1, 1)), ("k", (-1, 1)), ("s", (-1, 2)))
    }


def threshold_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Var at 0 for (gamma/2) max(R^2 - t^2, 0) against R^2/3, the loss and its weak convexity on a grid."""
    gamma, r = abs(instance["gamma"]), abs(instance["r"])

    def loss(t: np.ndarray) -> np.ndarray:
        return gamma / 2 * np.maximum(r * r - t * t, 0)

    found = law(loss, 0.0, 1.0, gamma, np.array([-r, r]), r + 12 / np.sqrt(gamma))
    if sentence.most is not None:
        return Gap(found.variance, sentence.most, found.errors[2])
    t = np.linspace(-2 * r, 2 * r, 81)
    convex = loss(t) + gamma / 2 * t**2
    middle = float(np.max(convex[1:-1] - (convex[2:] + convex[:-2]) / 2))
    return worst(
        Gap(sentence.factor * r**2 / sentence.share, found.variance, found.errors[2]),
        Gap(middle, 0.0, 1e-12 * gamma * r * r),
    )


def threshold_instance(rng: np.random.Generator) -> Instance:
    """gamma over two decades, R over three."""
    return {"gamma": float(10 ** rng.uniform(-1, 1)), "r": float(10 ** rng.uniform(-1, 2.5))}


def frobenius_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """gamma + gamma^2 |Sigma|_F, Sigma = Var I by quadrature, against the formula; -F' at two points; and the growth
    of the ratio from dimension m to 4 m."""
    gamma, k, m = abs(instance["gamma"]), abs(instance["k"]), int(instance["m"])
    width = 12 / np.sqrt(gamma + k) + gamma / np.sqrt(gamma)
    one, other = (
        law(lambda t: k / 2 * t**2, at, 1.0, gamma, np.zeros(0), width) for at in (0.0, 1 / np.sqrt(gamma))
    )
    matrix = np.eye(m) * one.variance
    constant = gamma + gamma**2 * float(np.linalg.norm(matrix))
    formula = gamma + gamma**2 * np.sqrt(m) / (gamma + k)
    true = gamma * k / (gamma + k)
    slope = gamma * ((1 / np.sqrt(gamma) - other.mean) + one.mean)
    growth = (gamma + 2 * gamma**2 * np.sqrt(m) / (gamma + k)) / formula
    parts = [
        equal(constant, formula, 1e-5 * formula),
        Gap(slope, sentence.factor * true / np.sqrt(gamma), 1e-6 * slope),
        Gap(2 - 2 * (gamma + k) / (gamma * np.sqrt(m)), growth, 1e-9),
    ]
    if not sentence.grows:
        parts.append(Gap(growth, 1.0, 1e-6))
    return worst(*parts)


def frobenius_instance(rng: np.random.Generator) -> Instance:
    """gamma and k over two decades, m from 1 to 20."""
    return {
        "gamma": float(10 ** rng.uniform(-1, 1)),
        "k": float(10 ** rng.uniform(-1, 1)),
        "m": int(rng.integers(1, 21)),
    }


def moderate(instance: Instance) -> Instance | None:
    """The instance, unless a move made one of its numbers smaller than 1e-3 or larger than 1e3 in size, where
    rounding in the quadrature would tell more than the sentence."""
    sizes = [abs(value) for value in instance.values() if isinstance(value, float)]
    return instance if all(1e-3 < size < 1e3 for size in sizes) else None


ADVERSARIES = (
    Adversary(
        claim="beyond.entropy-adversarial-logistic",
        how="up to three inputs of the line, radius and gamma over decades; -F'' by quadrature",
        draw=logistic_instance,
        gap=logistic_gap,
        admit=bounded,
        sentence={"factor": 1.0, "attacked": True},
        twins={"G = ||x||": {"attacked": False}, "constant one per cent smaller": {"factor": 0.99}},
    ),
    Adversary(
        claim="beyond.theorem3-global",
        how="gamma over two decades, k from 0 to 6; the variance at theta = 2 3^k by quadrature",
        draw=steps_instance,
        gap=steps_gap,
        admit=moderate,
        sentence={"factor": 1.0, "order": 2, "most": None},
        twins={
            "variance one per cent larger": {"factor": 1.01},
            "bounded after all": {"most": 1000.0},
            "the order theta^4": {"order": 4},
        },
    ),
    Adversary(
        claim="beyond.theorem3-no-constant",
        how="gamma, k and s over decades; -F''(0) by quadrature",
        draw=cosh_instance,
        gap=cosh_gap,
        admit=moderate,
        sentence={"factor": 1.0, "power": 2},
        twins={"one per cent off": {"factor": 1.01}, "s in place of s^2": {"power": 1}},
    ),
    Adversary(
        claim="beyond.entropy-weakly-convex-threshold",
        how="gamma and R over decades; the variance at 0 by quadrature, weak convexity on a grid",
        draw=threshold_instance,
        gap=threshold_gap,
        admit=moderate,
        sentence={"factor": 1.0, "share": 3, "most": None},
        twins={
            "variance one per cent larger": {"factor": 1.01},
            "variance R^2/2": {"share": 2},
            "bounded after all": {"most": 1000.0},
        },
    ),
    Adversary(
        claim="beyond.theorem3-frobenius",
        how="gamma and k over decades, m from 1 to 20; variance and slope by quadrature",
        draw=frobenius_instance,
        gap=frobenius_gap,
        admit=moderate,
        sentence={"factor": 1.0, "grows": True},
        twins={
            "no dependence on m": {"grows": False},
            "true constant one per cent smaller": {"factor": 0.99},
        },
    ),
)

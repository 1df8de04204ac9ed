"""Adversaries of Section 3.1: attacks on the linear model, Lemmas 2 and 3, Theorems 1 and 2."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance

ROUNDING = 1e-12  # of one evaluation in double precision, relative to the larger side


def l2_attack(theta: np.ndarray, epsilon: float) -> np.ndarray:
    """The shift within the L2 ball that lowers theta.x most: linear on a ball, so against theta, at full length."""
    return -epsilon * theta / np.linalg.norm(theta)


def lemma2_pairs(rng: np.random.Generator) -> Instance:
    """Two weights of dimension 1 to 5, lengths over two decades, near or far, opposite or parallel now and then."""
    d, epsilon = int(rng.integers(1, 6)), float(10 ** rng.uniform(-2, 1))
    one = rng.standard_normal(d) * 10 ** rng.uniform(-1, 1)
    other = [
        lambda: rng.standard_normal(d) * 10 ** rng.uniform(-1, 1),
        lambda: one + rng.standard_normal(d) * np.linalg.norm(one) * 10 ** rng.uniform(-6, 0),
        lambda: -one * 10 ** rng.uniform(-1, 1),
        lambda: -one,
    ][int(rng.integers(4))]()
    return {"epsilon": epsilon, "one": one, "other": other}


def lemma2_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The distance of the attacks against factor epsilon / theta_min^power times the distance of the weights, with
    theta_min the smaller length, the largest bound below both."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    least = min(np.linalg.norm(one), np.linalg.norm(other))
    moved = np.linalg.norm(l2_attack(one, epsilon) - l2_attack(other, epsilon))
    if not sentence.bounded_below:
        least = max(np.linalg.norm(one), np.linalg.norm(other))
    bound = sentence.factor * epsilon / least**sentence.power * np.linalg.norm(one - other)
    return Gap(float(moved), float(bound), ROUNDING * (epsilon + float(bound)))


def lengths_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The ratio of the distances against the best constant that the two lengths allow."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    a, b = np.linalg.norm(one), np.linalg.norm(other)
    moved = np.linalg.norm(l2_attack(one, epsilon) - l2_attack(other, epsilon))
    rates = {"sum": 2 * epsilon / (a + b), "max": epsilon / max(a, b), "geometric": epsilon / np.sqrt(a * b)}
    best = sentence.factor * rates[sentence.lengths]
    bound = best * np.linalg.norm(one - other)
    unlike = (a - b) ** 2 if sentence.matter else 0.0
    square = epsilon**2 * (np.linalg.norm(one - other) ** 2 - unlike) / (a * b)
    against = -one / a * b  # antipodal to `one`, of the other's length: where the constant is met
    met = np.linalg.norm(l2_attack(one, epsilon) - l2_attack(against, epsilon)) / np.linalg.norm(
        one - against
    )
    gaps = [
        Gap(float(moved), float(bound), ROUNDING * (epsilon + float(bound))),
        Gap(float(abs(moved**2 - square)), 0.0, 1e-9 * epsilon**2 * (1 + (a / b + b / a) * 1e-6)),
        Gap(float(best), float(met), 1e-9 * float(best)),
    ]
    return max(gaps, key=lambda gap: gap.excess)


ADVERSARIES = (
    Adversary(
        claim="lemma2",
        how="pairs of weights, d = 1 to 5, near, far and opposite; the distance of their L2 attacks",
        draw=lemma2_pairs,
        gap=lemma2_gap,
        sentence={"factor": 1.0, "power": 1, "bounded_below": True},
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "no lower bound on theta": {"bounded_below": False},
            "theta_min squared": {"power": 2},
        },
    ),
    Adversary(
        claim="lemma2",
        reading="sharpest",
        how="pairs of weights, d = 1 to 5, near, far and opposite; the ratio against 2 epsilon/(|a| + |b|)",
        draw=lemma2_pairs,
        gap=lengths_gap,
        sentence={"factor": 1.0, "lengths": "sum", "matter": True},
        twins={
            "the geometric mean of the lengths called the best of a pair": {"lengths": "geometric"},
            "the lengths do not matter": {"matter": False},
            "one per cent less than 2 epsilon/(|a| + |b|)": {"factor": 0.99},
            "the larger length alone": {"lengths": "max"},
        },
    ),
)

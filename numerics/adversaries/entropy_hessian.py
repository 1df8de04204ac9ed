"""Adversaries of Eqs. (11), (23) and (50) to (55): the local entropy where exp(-L) is a mixture of Gaussian bumps.

With exp(-L) = sum_k c_k exp(-(t - mu_k)^T A_k (t - mu_k)/2), sum c_k <= 1, so that L >= 0, the integral of Eq. (10),
the mean and the covariance of p_theta are those of Gaussians in any dimension; two far bumps make the covariance large.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst


class Moments(NamedTuple):
    """F(theta), E[theta'], the covariance, and the length over which the mean changes with theta."""

    log: float
    mean: np.ndarray
    cov: np.ndarray
    scale: float


def bumps_instance(rng: np.random.Generator) -> Instance:
    """One to three bumps in 1 to 3 dimensions, narrow and wide, near and far, gamma over decades; half the time two
    narrow equal ones, far apart on both sides of theta."""
    m, count = int(rng.integers(1, 4)), int(rng.integers(1, 4))
    gamma = float(10 ** rng.uniform(-1.5, 1.5))
    unit = 1 / np.sqrt(gamma)
    root = rng.standard_normal((count, m, m)) * 10 ** rng.uniform(-1, 1, (count, 1, 1)) / unit
    mu = rng.standard_normal((count, m)) * unit * 10 ** rng.uniform(-1, 1)
    theta = rng.standard_normal(m) * unit * 10 ** rng.uniform(-1, 0.7)
    logits = rng.standard_normal(count) * 2
    kind = rng.random()
    if kind < 0.5:
        apart = rng.standard_normal(m)
        apart *= unit * (25 if kind < 0.3 else 3) / np.linalg.norm(apart)
        root, mu = np.stack([np.eye(m) * 30 / unit] * 2), theta + np.stack([apart, -apart])
        logits = np.zeros(2)
    return {
        "gamma": gamma,
        "root": root,
        "mu": mu,
        "logits": logits,
        "theta": theta,
        "way": rng.standard_normal(m),
        "share": float(rng.uniform(0, 1)),
    }


def moments(instance: Instance, theta: np.ndarray, gamma: float) -> Moments:
    """Those of exp(-L - gamma |theta - t|^2/2), from the bumps."""
    root, mu, logits = instance["root"], instance["mu"], instance["logits"]
    m = theta.size
    precision = root @ np.transpose(root, (0, 2, 1))
    inverse = np.linalg.inv(precision + gamma * np.eye(m))
    centre = np.einsum("kij,kj->ki", inverse, np.einsum("kij,kj->ki", precision, mu) + gamma * theta)
    off = theta - mu
    height = -gamma / 2 * np.einsum("ki,kij,kj->k", off, precision @ inverse, off)
    logs = logits - np.log(np.sum(np.exp(logits)) + 1) + height + np.linalg.slogdet(inverse)[1] / 2
    peak = float(np.max(logs))
    weights = np.exp(logs - peak)
    whole = float(np.sum(weights))
    weights /= whole
    mean = weights @ centre
    apart = centre - mean
    cov = np.einsum("k,kij->ij", weights, inverse) + np.einsum("k,ki,kj->ij", weights, apart, apart)
    spread = float(np.max(np.linalg.norm(apart, axis=1))) + 1 / np.sqrt(gamma)
    return Moments(peak + float(np.log(whole)) + m / 2 * np.log(2 * np.pi), mean, cov, 1 / (gamma * spread))


def here(instance: Instance, share: float = 0.0, reach: float = 0.0) -> tuple[np.ndarray, Moments]:
    """theta + share reach way/|way|, and the moments there."""
    way = instance["way"] / np.linalg.norm(instance["way"])
    theta = instance["theta"] + share * reach * way
    return theta, moments(instance, theta, abs(instance["gamma"]))


def jacobian(instance: Instance, found: Moments) -> np.ndarray:
    """d E[theta'_i]/d theta_j by central differences."""
    gamma, theta, h = abs(instance["gamma"]), instance["theta"], 1e-3 * found.scale
    columns = []
    for e in np.eye(theta.size) * h:
        one, two = (
            moments(instance, theta + k * e, gamma).mean - moments(instance, theta - k * e, gamma).mean
            for k in (1, 2)
        )
        columns.append((8 * one - two) / (12 * h))
    return np.array(columns).T


def slope_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Differences of F along a line against Eq. (11)."""
    gamma = abs(instance["gamma"])
    theta, found = here(instance)
    h = 1e-2 * found.scale
    way = instance["way"] / np.linalg.norm(instance["way"])
    beta = sentence.beta

    def level(k: int) -> float:
        at = {**instance, "root": instance["root"] * np.sqrt(beta)}  # beta L: exact for one bump
        return moments(at, theta + k * h * way, beta * gamma).log

    if beta != 1 and len(instance["mu"]) > 1:
        return NOWHERE
    slope = -(8 * (level(1) - level(-1)) - (level(2) - level(-2))) / (12 * h)
    formula = sentence.factor * gamma * float(way @ (theta - found.mean))
    noise = 1e-14 * (1 + abs(found.log)) / h
    return equal(slope, formula, noise + 1e-6 * gamma * found.scale + 1e-8 * abs(formula))


def hessian_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The Hessian of -F by differences of the mean against Eq. (53) and its neighbours."""
    beta = sentence.beta
    gamma, theta = abs(instance["gamma"]), instance["theta"]
    found = moments(instance, theta, gamma)
    size = gamma + gamma**2 * float(np.linalg.norm(found.cov))
    left = sentence.identity * gamma * np.eye(theta.size) - gamma * jacobian(instance, found)
    if beta != 1:  # the law of beta L and beta gamma, whose -F has beta gamma (theta - E) for a gradient
        if len(instance["mu"]) > 1:
            return NOWHERE
        at = {**instance, "root": instance["root"] * np.sqrt(beta), "gamma": beta * gamma}
        warm = moments(at, theta, beta * gamma)
        left = beta * gamma * (np.eye(theta.size) - jacobian(at, warm))
        found = warm
    centred = moments(instance, sentence.centre * theta, gamma) if sentence.centre != 1 else found
    right = gamma * np.eye(theta.size) - sentence.sign * gamma**sentence.power * centred.cov
    return equal(left, right, 1e-6 * size)


def jacobian_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """d E[theta'_i]/d theta_j by differences in Eqs. (50) and (51), against gamma I - gamma^2 Sigma."""
    gamma = abs(instance["gamma"])
    _, found = here(instance)
    rate = jacobian(instance, found)
    eye = np.eye(rate.shape[0])
    hessian = gamma * eye - gamma**2 * found.cov
    size = gamma + gamma**2 * float(np.linalg.norm(found.cov))
    return equal(
        sentence.whole * (gamma * eye - sentence.sign * gamma**sentence.power * rate), hessian, 1e-6 * size
    )


def lines_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """d E[theta'_i]/d theta_j by differences against the six lines of Eq. (52)."""
    gamma, said = abs(instance["gamma"]), sentence
    theta, found = here(instance)
    mean, raw = found.mean, found.cov + np.outer(found.mean, found.mean)
    pull = -gamma * (theta - mean)  # grad F, Eq. (11)
    h, whole = 1e-3 * found.scale, []
    for e in np.eye(mean.size) * h:  # the integral's own derivative, in units of e^F
        ends = [moments(instance, theta + k * e, gamma) for k in (1, -1, 2, -2)]
        up, down, up2, down2 = (one.mean * np.exp(one.log - found.log) for one in ends)
        whole.append((8 * (up - down) - (up2 - down2)) / (12 * h))
    unit = np.exp(found.log) if said.once else 1.0
    force = gamma * (said.force * theta[:, None] * mean - said.force * raw)
    here_too = gamma * np.outer(theta - said.third * mean, mean)
    fourth = gamma * (
        np.outer(theta, mean) - np.outer(mean, mean) - np.outer(theta, mean) + said.fourth * raw
    )
    lines = [
        -said.first * unit * np.outer(pull, mean) + np.array(whole),
        -np.outer(pull, mean) - force,
        here_too - gamma * (np.outer(theta, mean) - raw),
        fourth,
        said.fifth * gamma * (raw - np.outer(mean, mean)),
        gamma * (raw - said.last * np.outer(mean, mean)),
    ]
    rate = jacobian(instance, found).T
    size = gamma * float(np.linalg.norm(raw) + np.linalg.norm(theta) * np.linalg.norm(mean)) + 1
    small = 1e-6 * gamma * float(np.linalg.norm(found.cov)) + 1e-9 * size
    return worst(*(equal(rate, line, small) for line in lines))


def covariance_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """E[theta' theta'^T] - E E^T against the covariance about the mean; its smallest eigenvalue is positive."""
    _, found = here(instance)
    raw = found.cov + np.outer(found.mean, found.mean)
    claimed = raw - sentence.sign * np.outer(found.mean, found.mean)
    gap = equal(claimed, found.cov, 1e-12 * float(np.linalg.norm(raw)) + 1e-14)
    return worst(gap, Gap(0.0, float(np.linalg.eigvalsh(found.cov)[0]), 1e-12))


def constant(sentence: SimpleNamespace, gamma: float, cov: np.ndarray) -> float:
    """gamma + gamma^2 ||Sigma||_F as the sentence has it, or the maximum over both ends of the spectrum."""
    if sentence.exact:
        values = np.linalg.eigvalsh(cov)
        return max(gamma - gamma**2 * float(values[0]), gamma**2 * float(values[-1]) - gamma)
    norm = largest(cov) if sentence.spectral else float(np.linalg.norm(cov))
    return sentence.factor * (sentence.first * gamma + sentence.sign * gamma**sentence.power * norm)


def pair_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Gradients of -F at a pair, near or far, against the constant: the supremum is sampled on the segment, and what
    may lie between the samples is added; or taken at the two ends alone."""
    gamma = abs(instance["gamma"])
    near = here(instance)[1].scale * 0.02
    reach = near if instance["share"] < 0.5 and sentence.segment else 6 / np.sqrt(gamma)
    ends = here(instance, -0.5, reach), here(instance, 0.5, reach)
    left = float(np.linalg.norm(gamma * (ends[1][0] - ends[0][0] - ends[1][1].mean + ends[0][1].mean)))
    if not sentence.segment:
        bound = max(constant(sentence, gamma, found.cov) for _, found in ends)
        return Gap(left, bound * reach, 1e-9 * left)
    shares = np.linspace(-0.5, 0.5, 5 if reach == near else 41)
    values = [constant(sentence, gamma, here(instance, share, reach)[1].cov) for share in shares]
    missed = 2 * float(np.max(np.abs(np.diff(values))))
    noise = 1e-12 * gamma * float(np.linalg.norm(ends[0][1].mean))
    return Gap(left, max(values) * reach, missed * reach + 1e-9 * left + noise)


def spectrum_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The largest singular value of the Hessian of -F, by differences, against the bound, or equal to the maximum."""
    gamma = abs(instance["gamma"])
    _, found = here(instance)
    left = largest(gamma * (np.eye(found.mean.size) - jacobian(instance, found)))
    right = constant(sentence, gamma, found.cov)
    error = 1e-6 * (gamma + gamma**2 * largest(found.cov))
    return worst(Gap(left, right, error), Gap(right, left, error) if sentence.exact else NOWHERE)


def matrix_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Eqs. (54) and (55) on symmetric positive definite matrices."""
    gamma = abs(instance["gamma"])
    root = instance["root"][0] / gamma
    sigma = root @ root.T + 1e-9 * np.eye(root.shape[0]) / gamma
    if instance["share"] < 0.3:
        sigma = np.outer(root[0], root[0]) * 1e6 + 1e-9 * np.eye(root.shape[0]) / gamma
    if sentence.step == 55:
        left = gamma + gamma**2 * largest(sigma)
    else:
        left = largest(gamma * np.eye(root.shape[0]) - gamma**2 * sigma)
    right = constant(sentence, gamma, sigma)
    error = 1e-11 * (gamma + gamma**2 * largest(sigma))
    return worst(Gap(left, right, error), Gap(right, left, error) if sentence.exact else NOWHERE)


def made(claim: str, gap, sentence, twins=None, reading: str = "printed", how: str = "") -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how="exp(-L) a mixture of Gaussian bumps in 1 to 3 dimensions" + how,
        draw=bumps_instance,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
        moved=("gamma", "root", "mu", "logits", "theta", "way"),
    )


DIFFERENCES = "; derivatives by differences"
HESSIAN = {"beta": 1.0, "identity": 1.0, "centre": 1.0, "sign": 1.0, "power": 2}
JACOBIAN = {"whole": 1.0, "sign": 1.0, "power": 1}
LINES = {"first": 1.0, "once": False, "force": 1.0, "third": 1.0, "fourth": 1.0, "fifth": 1.0, "last": 1.0}
BOUND = {
    "factor": 1.0,
    "first": 1.0,
    "sign": 1.0,
    "power": 2,
    "exact": False,
    "spectral": False,
    "segment": True,
}
EXACT = {**BOUND, "exact": True}
SMALLER = {"constant one per cent smaller": {"factor": 0.99}, "gamma in place of gamma^2": {"power": 1}}
TWINS = {
    **SMALLER,
    "without the first gamma": {"first": 0.0},
    "minus in place of plus": {"sign": -1.0},
}
OPERATORS = {**BOUND, "spectral": True, "step": 54}
ADVERSARIES = (
    made(
        "eq11",
        slope_gap,
        {"factor": 1.0, "beta": 1.0},
        {
            "sign flipped": {"factor": -1.0},
            "one per cent off": {"factor": 1.01},
            "beta = 2 with the formula for beta = 1": {"beta": 2.0},
        },
        how=DIFFERENCES,
    ),
    made(
        "theorem3",
        pair_gap,
        BOUND,
        {**TWINS, "quantifier: the supremum at the two points alone": {"segment": False}},
        how="; pairs near and far",
    ),
    made("theorem3", pair_gap, EXACT, reading="sharpest", how="; pairs near and far"),
    made("theorem3.sup-over-the-set", pair_gap, {**BOUND, "segment": False}, how="; two points far apart"),
    made("theorem3.sup-over-the-set", pair_gap, BOUND, SMALLER, "corrected", "; pairs near and far"),
    made(
        "theorem3.label",
        hessian_gap,
        HESSIAN,
        {"centred half way, at theta'/2": {"centre": 0.5}, "centred at 99/100 theta'": {"centre": 0.99}},
        "corrected",
        DIFFERENCES,
    ),
    made("theorem3.eq72", spectrum_gap, BOUND, TWINS, how=DIFFERENCES),
    made("theorem3.eq72", spectrum_gap, EXACT, reading="sharpest", how=DIFFERENCES),
    made(
        "theorem3.eq50",
        jacobian_gap,
        JACOBIAN,
        {
            "the product with zw = -1": {"whole": -1.0},
            "plus in the last expression": {"sign": -1.0},
            "gamma^2 in the last term": {"power": 2},
        },
        "corrected",
        DIFFERENCES,
    ),
    made(
        "theorem3.eq51",
        jacobian_gap,
        JACOBIAN,
        {"plus in place of minus": {"sign": -1.0}, "gamma missing in front of the derivative": {"power": 0}},
        how=DIFFERENCES,
    ),
    made(
        "theorem3.eq52",
        lines_gap,
        LINES,
        {
            "first line, sign of the first term": {"first": -1.0},
            "first line, e^(-F) for e^(-2F)": {"once": True},
            "second line, sign of the force": {"force": -1.0},
            "third line, sign of the mean": {"third": -1.0},
            "fourth line, last sign": {"fourth": -1.0},
            "fifth line, one per cent off": {"fifth": 1.01},
            "last line, covariance with a plus": {"last": -1.0},
        },
        how=DIFFERENCES,
    ),
    made(
        "theorem3.hessian-entry",
        hessian_gap,
        HESSIAN,
        {"plus in front of the covariance": {"sign": -1.0}, "gamma in place of gamma^2": {"power": 1}},
        how=DIFFERENCES,
    ),
    made(
        "theorem3.covariance",
        covariance_gap,
        {"sign": 1.0},
        {"plus in place of minus": {"sign": -1.0}, "mean not subtracted": {"sign": 0.0}},
    ),
    made(
        "theorem3.eq53",
        hessian_gap,
        HESSIAN,
        {
            "sign of Sigma": {"sign": -1.0},
            "gamma I one per cent off": {"identity": 1.01},
            "beta = 2 with the formula for beta = 1": {"beta": 2.0},
        },
        how=DIFFERENCES,
    ),
    made(
        "theorem3.eq54",
        matrix_gap,
        OPERATORS,
        {
            "constant one per cent smaller": {"factor": 0.99},
            "difference in place of sum": {"sign": -1.0},
            "gamma sigma_1(Sigma)": {"power": 1},
        },
    ),
    made("theorem3.eq54", matrix_gap, {**EXACT, "step": 54}, reading="sharpest"),
    made(
        "theorem3.eq55",
        matrix_gap,
        {**BOUND, "step": 55},
        {"right side one per cent smaller": {"factor": 0.99}, "gamma ||Sigma||_F": {"power": 1}},
    ),
)

"""Adversaries of the bounds on -F beyond Theorem 3: convex, weakly convex, smooth, Lipschitz losses; any beta."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.gibbs import draw_line, law, law_of, only
from numerics.adversaries.smooth import bounded, equal, worst


def bend(instance: Instance) -> tuple[float, float]:
    """-F'' = beta gamma - beta^2 gamma^2 Var, and its error."""
    found, rate = law_of(instance), instance["beta"] * instance["gamma"]
    return rate - rate**2 * found.variance, rate**2 * found.errors[2] + 1e-11 * rate


def ends(here: tuple[float, float], lower: float, upper: float) -> Gap:
    """lower <= -F'' <= upper."""
    return worst(Gap(lower, here[0], here[1]), Gap(here[0], upper, here[1]))


def convex_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """0 <= -F'' <= beta gamma."""
    one = only(instance, "convex")
    rate = one["beta"] * one["gamma"]
    upper = sentence.factor * (rate if sentence.beta else one["gamma"])
    return ends(bend(one), sentence.lower * rate, upper)


def weakly_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """-beta gamma rho/(gamma - rho) <= -F'' <= beta gamma."""
    one = only(instance, "weakly", sentence.share)
    beta, gamma, rho = one["beta"], one["gamma"], one["size"]
    lower = -beta * gamma * rho / abs(gamma - rho) if sentence.amplified else -beta * rho
    return ends(bend(one), sentence.lower * lower, sentence.upper * beta * gamma)


def smooth_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """-beta gamma C/(gamma - C) <= -F'' <= beta gamma C/(gamma + C)."""
    one = only(instance, "smooth")
    beta, gamma, c = one["beta"], one["gamma"], one["size"]
    lower = {"minus": gamma / (gamma - c), "plus": gamma / (gamma + c), "none": 1.0}[sentence.lower]
    return ends(bend(one), -beta * c * lower, sentence.upper * beta * gamma * c / (gamma + c))


def lipschitz_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """|F'| <= beta G and both ends with r = sqrt(G^2 + 4 gamma/beta)."""
    one = only(instance, "lipschitz")
    beta, gamma, size = one["beta"], one["gamma"], one["size"]
    found = law_of(one)
    r = np.sqrt(size**2 + 4 * gamma / beta)
    low, high = beta**2 * size / 2 * (r + size), beta**2 * size / 2 * (r - size)
    if sentence.exchanged:
        low, high = high, low
    slope = beta * gamma * abs(one["theta"] - found.mean)
    return worst(
        ends(bend(one), -sentence.lower * low, sentence.upper * high),
        Gap(slope, sentence.slope * beta * size, beta * gamma * found.errors[1] + 1e-11 * slope),
    )


def draw_kink(rng: np.random.Generator) -> Instance:
    """As `draw_line`, with one kink at theta = 0 and a small gamma half the time: both ends are met in that limit."""
    one = draw_line(rng)
    if rng.random() < 0.5:
        slope = float(rng.choice([-1, 1]) * 10 ** rng.uniform(0.5, 1.3) * np.sqrt(one["gamma"] / one["beta"]))
        one.update(theta=0.0, a=np.array([slope, 0.0, 0.0]), b=np.zeros(3), phase=np.array([1.0, 1.0]))
    return one


def beta_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """F' and F'' by differences of log integrals, against the mean and the variance; beta taken into L and gamma."""
    one = only(instance, "any")
    beta, gamma, theta = one["beta"], one["gamma"], one["theta"]
    size = 1e-3 / np.sqrt(beta * gamma)
    here, up, down = (law_of(one, theta + s * size) for s in (0, 1, -1))
    up2, down2 = law_of(one, theta + 2 * size), law_of(one, theta - 2 * size)
    moved = (one["theta"] - here.mean) * gamma * (beta if sentence.slope else 1)
    slope = [-(a.log - b.log) / (2 * k * size) for a, b, k in ((up, down, 1), (up2, down2, 2))]
    power = {"square": beta**2, "once": beta, "none": 1.0}[sentence.square]
    second = (beta if sentence.slope else 1) * gamma - power * gamma**2 * here.variance
    curves = [
        -(a.log + b.log - 2 * here.log) / (k * size) ** 2 for a, b, k in ((up, down, 1), (up2, down2, 2))
    ]
    scaled = {**one, "a": beta * one["a"], "bend": beta * one["bend"], "amp": beta * one["amp"]}
    scaled.update(beta=1.0, gamma=beta * gamma)
    noise = 2e-15 * (1 + abs(here.log))
    smooth = here.errors[0] / size + 1e-8 * np.sqrt(beta * gamma)
    return worst(
        equal(slope[0], moved, 2 * abs(slope[0] - slope[1]) + noise / size + smooth),
        equal(curves[0], second, 2 * abs(curves[0] - curves[1]) + 4 * noise / size**2 + 1e-3 * smooth / size),
        equal(law_of(scaled).log, here.log, 2 * here.errors[0] + 1e-10),
    )


def theorem3_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """F' at two points against beta gamma + beta^2 gamma^2 sup Var, and against the sharper maximum."""
    one = only(instance, "any")
    beta, gamma = one["beta"], one["gamma"]
    apart = 0.05 / np.sqrt(beta * gamma)
    laws = [law_of(one, one["theta"] + s * apart) for s in np.linspace(0, 1, 5)]
    variances = [found.variance for found in laws]
    sup = max(variances)
    missed = 2 * float(np.max(np.abs(np.diff(variances)))) + laws[0].errors[2]
    rate = beta * gamma
    square = {"square": rate**2, "once": beta * gamma**2, "none": gamma**2}[sentence.square]
    linear = rate if sentence.square != "none" else gamma
    slopes = [rate * (one["theta"] + s * apart - found.mean) for s, found in ((0, laws[0]), (1, laws[-1]))]
    change = abs(slopes[1] - slopes[0])
    error = rate * (laws[0].errors[1] + laws[-1].errors[1]) + square * missed * apart + 1e-10 * rate * apart
    sharper = max(linear, square * sup - linear)
    return worst(
        Gap(change, sentence.factor * (linear + square * sup) * apart, error),
        Gap(change, sentence.factor * sharper * apart, error),
    )


def descent_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """-F after a step of length eta towards the mean, against -F less gamma (eta - eta^2/2) |theta - mean|^2."""
    one = only({**instance, "beta": 1.0}, "convex" if instance["phase"][1] < 3 else "any")
    eta = sentence.longest * (0.5 + 0.5 * np.sin(instance["phase"][0]))
    here = law_of(one)
    way = one["theta"] - here.mean
    there = law_of(one, one["theta"] - eta * way)
    gain = one["gamma"] * way**2 * (eta - (eta**2 if sentence.whole else eta**2 / 2))
    if sentence.longest > 2:
        gain = 0.0
    error = here.errors[0] + there.errors[0] + one["gamma"] * abs(way) * here.errors[1] * 4
    return Gap(-there.log, -here.log - sentence.factor * gain, error + 1e-11 * (1 + abs(gain)))


def cold_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """-F/beta at beta gamma theta^2 = 1e6 and more, for L = k t^2/2, against the envelope."""
    gamma, k = abs(instance["gamma"]), abs(instance["bend"])
    theta = abs(instance["theta"]) + 1 / np.sqrt(gamma)
    envelope = gamma * k * theta**2 / (2 * (gamma + k))
    beta = 1e7 / envelope
    centre = gamma * theta / (gamma + k)
    width = 12 / np.sqrt(beta * (gamma + k))
    shifted = law(  # around its peak: theta in the quadrature is the centre of the grid alone
        lambda t: k * t**2 / 2 + gamma * (t - theta) ** 2 / 2, centre, beta, 0.0, np.zeros(0), width
    )
    target = k * theta**2 / 2 if sentence.itself else sentence.factor * envelope
    error = (abs(np.log(beta * (gamma + k))) + 5) / beta + envelope * 1e-9
    return equal(-shifted.log / beta, target, error)


LINES = "losses on the line with kinks, waves, beta and gamma over decades; -F'' by quadrature"
ADVERSARIES = (
    Adversary(
        claim="beyond.entropy-convex",
        how=LINES,
        draw=draw_line,
        gap=convex_gap,
        admit=bounded,
        sentence={"factor": 1.0, "lower": 0.0, "beta": True},
        twins={
            "upper end one per cent smaller": {"factor": 0.99},
            "strictly convex: lower end beta gamma/100": {"lower": 0.01},
            "upper end gamma for every beta": {"beta": False},
        },
    ),
    Adversary(
        claim="beyond.entropy-weakly-convex",
        how=LINES,
        draw=draw_line,
        gap=weakly_gap,
        admit=bounded,
        sentence={"lower": 1.0, "upper": 1.0, "amplified": True, "share": 0.9},
        twins={
            "lower end one per cent smaller": {"lower": 0.99},
            "lower end -beta rho": {"amplified": False},
            "upper end one per cent smaller": {"upper": 0.99},
        },
    ),
    Adversary(
        claim="beyond.entropy-smooth",
        how=LINES,
        draw=draw_line,
        gap=smooth_gap,
        admit=bounded,
        sentence={"lower": "minus", "upper": 1.0},
        twins={
            "lower end -beta C: never worse than L": {"lower": "none"},
            "upper end one per cent smaller": {"upper": 0.99},
            "lower end with gamma + C": {"lower": "plus"},
        },
    ),
    Adversary(
        claim="beyond.entropy-lipschitz",
        how=LINES,
        draw=draw_kink,
        gap=lipschitz_gap,
        admit=bounded,
        sentence={"lower": 1.0, "upper": 1.0, "slope": 1.0, "exchanged": False},
        twins={
            "lower end one per cent smaller": {"lower": 0.99},
            "upper end one per cent smaller": {"upper": 0.99},
            "gradient bound one per cent smaller": {"slope": 0.99},
            "ends exchanged": {"exchanged": True},
        },
    ),
    Adversary(
        claim="beyond.entropy-beta",
        how="losses with kinks and waves; -F by quadrature, its derivatives by differences",
        draw=draw_line,
        gap=beta_gap,
        admit=bounded,
        sentence={"slope": True, "square": "square"},
        twins={
            "gradient as in Eq. (11)": {"slope": False},
            "Hessian as in Eq. (53)": {"square": "none"},
            "beta in place of beta^2": {"square": "once"},
        },
    ),
    Adversary(
        claim="beyond.theorem3-beta",
        how="losses with kinks and waves; F' at two points by quadrature",
        draw=draw_line,
        gap=theorem3_gap,
        admit=bounded,
        sentence={"factor": 1.0, "square": "square"},
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "the constant of beta = 1": {"square": "none"},
            "beta in place of beta^2": {"square": "once"},
        },
    ),
    Adversary(
        claim="beyond.entropy-cold",
        how="quadratic losses, gamma and k over decades, beta from 1e7 envelopes on; -F/beta by quadrature",
        draw=draw_line,
        gap=cold_gap,
        admit=bounded,
        sentence={"factor": 1.0, "itself": False},
        twins={"the loss itself": {"itself": True}, "one per cent off": {"factor": 1.01}},
    ),
    Adversary(
        claim="beyond.entropy-descent",
        how="losses with kinks and waves, steps from 0 to 2; -F before and after by quadrature",
        draw=draw_line,
        gap=descent_gap,
        admit=bounded,
        sentence={"factor": 1.0, "longest": 2.0, "whole": False},
        twins={
            "one per cent more": {"factor": 1.01},
            "steps up to 3": {"longest": 3.0},
        },
    ),
)

"""The local entropy -F of Eq. (10) on the line by quadrature, for losses with kinks, waves and quadratic parts.

F(theta) = log of the integral of exp(-beta L(t) - beta gamma (t - theta)^2/2); its mean and variance are those of the
normalised integrand.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from numerics.adversaries.adversary import Instance

Line = Callable[[np.ndarray], np.ndarray]
FLOOR = 1e-11  # of the log of an integral, relative
SOLVED = 1e-7  # of its mean and variance, relative: far below the one per cent that a twin changes


class Law(NamedTuple):
    """log of the integral, mean and variance of the density, and the errors of the three."""

    log: float
    mean: float
    variance: float
    errors: tuple[float, float, float]


def law(
    loss: Line,
    theta: float,
    beta: float,
    gamma: float,
    kinks: np.ndarray,
    width: float,
    centre: float | None = None,
) -> Law:
    """By the trapezoidal rule on an even grid of centre +- width (theta by default) and grids that close in on each
    kink; the errors are three times what every second point of the grid would change, and rounding."""
    close = np.concatenate([[0.0], np.geomspace(1e-9, 1, 120)]) * width
    centre = theta if centre is None else centre
    parts = [
        centre + np.linspace(-width, width, 3001),
        *(k + close for k in kinks),
        *(k - close for k in kinks),
    ]
    t = np.unique(np.concatenate(parts))
    t = t[np.abs(t - centre) <= width]
    heights = -beta * loss(t) - beta * gamma / 2 * (t - theta) ** 2
    peak = float(np.max(heights))
    full, half = (_read(t[::step], np.exp(heights[::step] - peak), theta) for step in (1, 2))
    floor = (
        FLOOR * (1 + abs(full[0] + peak)),
        SOLVED * (abs(full[1] - theta) + full[2] ** 0.5),
        SOLVED * full[2],
    )
    errors = [3 * abs(a - b) + least for a, b, least in zip(full, half, floor, strict=True)]
    return Law(full[0] + peak, full[1], full[2], (errors[0], errors[1], errors[2]))


def _read(t: np.ndarray, density: np.ndarray, theta: float) -> tuple[float, float, float]:
    whole = float(np.trapezoid(density, t)) if t.size > 1 else 0.0
    if not whole > 0:
        return np.nan, np.nan, np.nan
    first = float(np.trapezoid(density * (t - theta), t)) / whole
    second = float(np.trapezoid(density * (t - theta - first) ** 2, t)) / whole
    return float(np.log(whole)), theta + first, second


def value(instance: Instance, t: np.ndarray) -> np.ndarray:
    """L(t) = sum a_k |t - b_k| + bend t^2/2 + sum amp_k cos(freq_k t + phase_k)/freq_k^2."""
    kinks = np.abs(t[:, None] - instance["b"]) @ instance["a"]
    waves = np.cos(t[:, None] * instance["freq"] + instance["phase"]) @ (
        instance["amp"] / instance["freq"] ** 2
    )
    return kinks + instance["bend"] / 2 * t**2 + waves


def draw_line(rng: np.random.Generator) -> Instance:
    """Kinks, waves, beta and gamma over decades, and theta; what is meant to be absent is left out by `only`."""
    beta = float(rng.choice([1.0, 10 ** rng.uniform(-1, 1)]))
    gamma = float(10 ** rng.uniform(-2, 2))
    scale = 1 / np.sqrt(beta * gamma)
    return {
        "beta": beta,
        "gamma": gamma,
        "a": rng.choice([-1, 1], 3) * 10 ** rng.uniform(-2, 1.5, 3) / (beta * scale),
        "b": rng.standard_normal(3) * scale * 10 ** rng.uniform(-2, 0.5),
        "bend": float(rng.choice([-1, 1]) * gamma * 10 ** rng.uniform(-2, 2)),
        "amp": gamma * rng.standard_normal(2),
        "freq": 10 ** rng.uniform(-1, 0.7, 2) / scale,
        "phase": rng.uniform(0, 6.28, 2),
        "theta": float(rng.choice([0.0, scale * rng.standard_normal() * 10 ** rng.uniform(-1, 0.5)])),
    }


def only(instance: Instance, kind: str, share: float = 0.9) -> Instance:
    """The instance with the parts that a kind of loss may have, `size` its constant:

    convex: kinks up, bend up. weakly: the same and -rho t^2/2, rho = size < share gamma. smooth: bend and waves, the
    second derivative at most size < share gamma. lipschitz: kinks, slopes at most size. any: kinks and bounded waves.
    """
    one = {name: np.array(part, dtype=float) if np.ndim(part) else part for name, part in instance.items()}
    one["beta"], one["gamma"] = abs(one["beta"]), abs(one["gamma"])
    gamma = one["gamma"]
    if kind in ("convex", "weakly", "lipschitz"):
        one["amp"] = 0 * one["amp"]
    if kind in ("convex", "weakly"):
        one["a"] = np.abs(one["a"])
    if kind == "convex":
        flat = one["phase"][0] < 2  # nearly no loss at all
        one["a"], one["bend"] = one["a"] * (not flat), abs(one["bend"]) * (1e-4 if flat else 1.0)
        one["size"] = 0.0
    elif kind == "weakly":
        rho = share * gamma * float(np.tanh(abs(one["bend"]) / gamma))
        one["bend"], one["size"] = -rho, rho
        one["a"] = one["a"] * (np.max(one["a"]) > 1.0)  # now and then the parabola alone
    elif kind == "smooth":
        one["a"] = 0 * one["a"]
        if one["phase"][0] < 3:
            one["amp"] = 0 * one["amp"]
        total = abs(one["bend"]) + float(np.sum(np.abs(one["amp"])))
        factor = share * gamma * float(np.tanh(total / gamma)) / total
        one["bend"], one["amp"], one["size"] = one["bend"] * factor, one["amp"] * factor, total * factor
    elif kind == "lipschitz":
        one["bend"] = 0.0
        if one["phase"][0] < 3:  # one kink, at theta
            one["a"], one["b"] = one["a"] * np.array([1, 0, 0]), 0 * one["b"] + one["theta"]
        one["size"] = float(np.sum(np.abs(one["a"])))
    else:
        one["bend"] = abs(one["bend"])
        one["size"] = 0.0
    return one


def law_of(instance: Instance, theta: float | None = None) -> Law:
    """The law of an instance that went through `only`, at its theta or, on the grid of that, at another near it; the
    width holds its mass to 1e-16."""
    beta, gamma, at = instance["beta"], instance["gamma"], instance["theta"]
    stiff = gamma + min(instance["bend"], 0.0) - float(np.sum(np.abs(instance["amp"])))
    stiff = max(stiff, 0.05 * gamma)
    far = (float(np.sum(np.abs(instance["a"]))) + abs(instance["bend"] * at)) / stiff
    waves = float(np.sum(np.abs(instance["amp"]) / np.abs(instance["freq"])))
    width = min(far, 40 * abs(at) + 1e9) + waves / stiff + 10 / np.sqrt(beta * stiff)
    live = instance["b"][instance["a"] != 0]
    return law(lambda t: value(instance, t), at if theta is None else theta, beta, gamma, live, width, at)

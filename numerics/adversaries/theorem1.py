"""Adversaries of Theorem 1 and of what Section 3.1 concludes from it, for the linear logistic model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Gap, Instance
from numerics.adversaries.linear_moves import made
from numerics.adversaries.logistic import data_instance, formula_of, gradient, level, sigmoid
from numerics.adversaries.maxima import ANY
from numerics.adversaries.smooth import NOWHERE, equal, worst


def losses_instance(rng: np.random.Generator) -> Instance:
    """As `data_instance`; now and then inputs near 0, or against the weights, weights tiny or on a ray, the signs
    of the second weight those of the first, or not."""
    instance = data_instance(rng)
    d = instance["one"].size
    kind = int(rng.integers(4))
    one = rng.standard_normal(d) * 10 ** rng.uniform(-3, 1)
    other = one * (1 + 0.5 * np.tanh(rng.standard_normal(d)))
    if kind == 0:
        instance["x"] = instance["x"] * 1e-3
    if kind == 1:
        one = one * 1e-4 / np.linalg.norm(one)
        instance["x"] = -instance["y"][:, None] * np.sign(one) * 10 ** rng.uniform(-1, 1)
        other = one * 1.5 if rng.random() < 0.5 else other * 1e-4
        if rng.random() < 0.5:
            one = np.abs(np.mean(np.abs(one))) * np.sign(one)
            other = 1.5 * one
    if kind == 2:
        other = one + rng.standard_normal(d) * np.linalg.norm(one) * 10 ** rng.uniform(-4, 0)
    epsilon = float(10 ** rng.uniform(-1, 1))
    if kind == 3 and rng.random() < 0.5:  # long inputs, a margin of 0, and an attack that hardly turns
        one = one * 1e-3 / np.linalg.norm(one)
        other, epsilon = 1.5 * one, 1e-5
        instance["x"] = 30 * instance["y"][:, None] * one / np.linalg.norm(one)
    return {**instance, "one": one, "other": other, "epsilon": epsilon}


def reach(instance: Instance) -> float:
    """The largest ||x_n||."""
    return float(np.max(np.linalg.norm(instance["x"], axis=1)))


def c_theta_x(t: float) -> float:
    """An upper bound of the largest norm of the mixed derivative over |u| <= t: a grid, and its step times a slope."""
    grid = np.linspace(-t, t, 41)
    return max(formula_of(float(u), t) for u in grid) + (grid[1] - grid[0]) * (1 + t) / 2


def theorem1_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradients of the L2 adversarial loss at two weights against C_theta_theta + epsilon C_theta_x/theta_min, with
    the constants of the logistic loss on the ball of radius R + epsilon, or the sharper form."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    sizes = [float(np.linalg.norm(t)) for t in (one, other)]
    if min(sizes) < 1e-9:
        return NOWHERE
    least = min(sizes) if sentence.bounded_below else max(1.0, max(sizes))
    r = reach(instance) + epsilon
    rate = c_theta_x(max(sizes) * r) if not sentence.sharp else sigmoid(max(sizes) * r)
    constant = r * r / sentence.part + sentence.attack * rate * epsilon / least**sentence.power
    right = sentence.factor * constant * float(np.linalg.norm(one - other))
    left = float(np.linalg.norm(gradient(instance, one) - gradient(instance, other)))
    gaps = [Gap(left, right, 1e-9 * (left + right) + 1e-13 * r)]
    if sentence.sharp:
        gaps.append(Gap(rate, min(1.0, c_theta_x(max(sizes) * r)), 1e-9))
    return worst(*gaps)


def any_pair_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """v and -v scaled to 1e-7 of their length: the gradients' ratio of distances against 1e3 (1 + R + epsilon)^2."""
    one = instance["one"] / (np.linalg.norm(instance["one"]) or 1.0) * 1e-7
    left = float(np.linalg.norm(gradient(instance, one) - gradient(instance, -one)))
    epsilon = abs(instance["epsilon"])
    return Gap(left / 2e-7, ANY * epsilon, 1e-6)


def averaged_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The norm of a mean of vectors and the mean of their norms."""
    rows = instance["x"]
    left = float(np.linalg.norm(np.mean(rows, axis=0)))
    right = float(np.mean(np.linalg.norm(rows, axis=1)))
    gaps = {
        "equal": equal(left, right, 1e-10 * (1 + right)),
        "at most": Gap(left, right, 1e-12 * (1 + right)),
        "at least": Gap(right, left, 1e-10 * (1 + right)),
        "less": Gap(left + 1e-10 * (1 + right), right),
    }
    return gaps[sentence.relation]


def larger_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """C_theta_theta + epsilon C_theta_x/theta_min against C_theta_theta, as numbers."""
    own, rate = 1 + float(np.sum(instance["x"] ** 2)), abs(float(instance["one"][0])) * sentence.rate
    both = own + abs(instance["epsilon"]) * rate / (1e-3 + float(np.linalg.norm(instance["other"])))
    return Gap(own, both * (1 - 1e-15)) if sentence.order == 1 else Gap(both, own)


def need_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """d = 1, epsilon = 1, theta from 1 to 10: the largest slope of both gradients, x = 1 and x = 0."""
    theta = np.linspace(1, 10, 400)

    def steepest(x: float) -> float:
        s = 1 / (1 + np.exp(theta * x))
        return float(np.max(x * x * s * (1 - s)))

    clean, hit = steepest(instance["at"]), steepest(instance["at"] - 1.0)
    if sentence.printed:
        return Gap(clean, hit)
    low = np.e / (1 + np.e) ** 2
    sides = [(steepest(1.0), steepest(0.0)), (steepest(0.0), steepest(-1.0))]
    gaps = [Gap(low, sides[0][0], 1e-12), Gap(low, sides[1][1], 1e-12), equal(sides[0][1], 0.0, 0.0)]
    gaps.append(equal(sides[1][0], 0.0, 0.0))
    if sentence.claim == "larger at one":
        gaps.append(Gap(sides[0][0], sides[0][1]))
    if sentence.claim == "smaller at zero":
        gaps.append(Gap(sides[1][1], sides[1][0]))
    return worst(*gaps)


def at_instance(rng: np.random.Generator) -> Instance:
    """An input of the line near 0 or 1."""
    return {"at": float(rng.choice([0.0, 1.0, rng.uniform(0, 1.5)]))}


def descent_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Gradient descent on the L2 adversarial loss from a level below log 2 with the step 1/C_s: no rise, the distance
    from the origin kept, and 40 steps that lower the smallest squared gradient as descent with C_s must."""
    theta, epsilon = instance["one"], abs(instance["epsilon"])
    l0 = level(instance, theta)
    mean = np.mean(instance["y"][:, None] * instance["x"], axis=0)
    w = float(np.linalg.norm(mean)) - epsilon
    if w <= 0 or l0 >= np.log(2) * (1 - 1e-6):
        return NOWHERE
    apart = sentence.factor * 2 * (np.log(sentence.at_zero) - l0) / w
    c = (reach(instance) + epsilon) ** 2 / 4 + epsilon * w / (2 * (np.log(2) - l0))
    gaps = [Gap(apart, float(np.linalg.norm(theta)), 1e-9 * apart)]
    here, squares = l0, []
    for _ in range(12):
        g = gradient(instance, theta)
        squares.append(float(g @ g))
        theta = theta - g / c
        after = level(instance, theta)
        gaps.append(Gap(after, here - squares[-1] / (2 * c), 1e-12))
        here = after
    gaps.append(Gap(min(squares), 2 * c * l0 / len(squares), 1e-12))
    return worst(*gaps)


THEOREM1 = {"factor": 1.0, "power": 1, "attack": 1.0, "part": 4, "bounded_below": True, "sharp": False}
NEED = {"printed": False, "claim": "none"}
DATA = "one to four inputs of 1 to 4 coordinates, two weights near or far; gradients at the attacked inputs"
VECTORS = "one to four vectors"
LEVELS = DATA + ", from levels below log 2"

ADVERSARIES = (
    made(
        "theorem1",
        DATA,
        losses_instance,
        theorem1_gap,
        THEOREM1,
        {
            "without the term of the attack": {"attack": 0.0},
            "theta_min squared": {"power": 2},
            "no lower bound on theta": {"bounded_below": False},
        },
    ),
    made(
        "theorem1",
        DATA,
        losses_instance,
        theorem1_gap,
        {**THEOREM1, "sharp": True},
        {
            "sharpened constant with an eighth for a quarter": {"part": 8},
        },
        "sharpest",
    ),
    made("theorem1.averaged-norm", VECTORS, losses_instance, averaged_gap, {"relation": "equal"}),
    made(
        "theorem1.averaged-norm",
        VECTORS,
        losses_instance,
        averaged_gap,
        {"relation": "at most"},
        {
            "the reverse inequality": {"relation": "at least"},
            "strict inequality": {"relation": "less"},
        },
        "corrected",
    ),
    made("theorem1.bounded-set", DATA, losses_instance, any_pair_gap, {}),
    made(
        "theorem1.bounded-set",
        DATA,
        losses_instance,
        theorem1_gap,
        THEOREM1,
        {
            "no lower bound on theta": {"bounded_below": False},
        },
        "corrected",
    ),
    made("theorem1.off-the-origin", DATA, losses_instance, any_pair_gap, {}),
    made(
        "theorem1.off-the-origin",
        DATA,
        losses_instance,
        theorem1_gap,
        THEOREM1,
        {
            "no lower bound on theta": {"bounded_below": False},
        },
        "corrected",
    ),
    made(
        "theorem1.descent",
        LEVELS + "; twelve steps of descent",
        data_instance,
        descent_gap,
        {"factor": 1.0, "at_zero": 2.0},
        {"L_epsilon(0) = log 3": {"at_zero": 3.0}},
    ),
    made(
        "theorem1.larger",
        "the two constants as numbers",
        losses_instance,
        larger_gap,
        {"order": 1, "rate": 1.0},
        {
            "the reverse order": {"order": -1},
            "a loss whose gradient ignores the input (C_theta_x = 0)": {"rate": 0.0},
        },
        moved=(),
    ),
    made(
        "theorem1.larger-need",
        "the line, theta from 1 to 10; both gradients' slopes",
        at_instance,
        need_gap,
        {**NEED, "printed": True},
    ),
    made(
        "theorem1.larger-need",
        "the line, theta from 1 to 10; both gradients' slopes",
        at_instance,
        need_gap,
        NEED,
        {
            "larger at x = 1": {"claim": "larger at one"},
            "smaller at x = 0": {"claim": "smaller at zero"},
        },
        "corrected",
    ),
)

"""Adversaries of Theorem 2 and its proof, for the linear logistic model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Gap, Instance
from numerics.adversaries.linear_moves import SMALLER, made
from numerics.adversaries.logistic import attacked, gradient, sigmoid
from numerics.adversaries.maxima import ANY
from numerics.adversaries.smooth import NOWHERE, equal, worst
from numerics.adversaries.theorem1 import DATA, losses_instance, reach


def theorem2_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The gradients of the L_infinity adversarial loss at two weights of equal signs against (R + epsilon sqrt d)^2/4,
    or against the constant at the attacked inputs themselves."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    if np.min(np.abs(np.concatenate([one, other]))) < 1e-12:
        return NOWHERE
    if sentence.same and np.any(one * other < 0):
        return NOWHERE
    if not sentence.same:
        other = -one
    r = reach(instance) + epsilon * np.sqrt(one.size)
    if sentence.own:
        rows = zip(instance["x"], instance["y"], strict=True)
        r = max(float(np.linalg.norm(attacked(x, y, one, epsilon, True))) for x, y in rows)
    right = sentence.factor * (r * r / 4) ** sentence.power * float(np.linalg.norm(one - other))
    left = float(np.linalg.norm(gradient(instance, one, True) - gradient(instance, other, True)))
    return Gap(left, right, 1e-8 * right + 1e-14 * r)


def two_epsilon_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The distance of the box attacks of two weights against 2 epsilon sqrt(d), in L2, and 2 epsilon in L_infinity."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    other = -one if sentence.opposite and other[0] > one[0] else other
    zero, d = 0 * one, one.size
    way = attacked(zero, 1, one, epsilon, True) - attacked(zero, 1, other, epsilon, True)
    right = sentence.factor * 2 * epsilon * (np.sqrt(d) if sentence.root else 1.0)
    return worst(
        Gap(float(np.linalg.norm(way)), right, 1e-9 * epsilon),
        Gap(float(np.max(np.abs(way))), 2 * epsilon, 1e-9 * epsilon),
    )


def face_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The i-th partial derivative on both sides of theta_i = 0 against 2 epsilon mean sigmoid(-m_n); the j-th, where
    theta_j is 0 or not; as printed, that some ratio passes 1e3 though the weights that flip keep away from 0."""
    theta, epsilon = instance["one"].copy(), abs(instance["epsilon"])
    if sentence.printed:  # signs differ, and the pair is far apart
        other = theta + 2 * np.sign(theta[0]) * np.eye(1, theta.size)[0] * -(abs(theta[0]) + 1)
        left = float(np.linalg.norm(gradient(instance, theta, True) - gradient(instance, other, True)))
        return Gap(ANY * (1 + reach(instance) + epsilon) ** 2, left / float(np.linalg.norm(theta - other)))
    theta[0] = 0.0
    joint = bool(theta.size > 1 and instance["other"][0] > 0)
    if joint:
        theta[1] = 0.0
    elif theta.size > 1 and abs(theta[1]) < 1e-3:
        return NOWHERE
    step = 1e-9 * np.eye(1, theta.size)[0]
    sides = [gradient(instance, theta + side * step, True) for side in (1, -1)]
    jump = sides[0] - sides[1]
    rows = zip(instance["x"], instance["y"], strict=True)
    mean = float(
        np.mean([sigmoid(-y * float(theta @ attacked(x, y, theta, epsilon, True))) for x, y in rows])
    )
    near = 1e-6 * (1 + reach(instance) + epsilon) ** 2
    gaps = [equal(float(jump[0]), sentence.size * 2 * epsilon * mean, near), Gap(1e-12 * mean, mean)]
    if theta.size > 1 and not joint:
        gaps.append(equal(float(jump[1]), 0.0, near))
    if joint:
        tilt = 1e-9 * np.eye(2, theta.size)[1]
        across = [gradient(instance, theta + step + side * tilt, True)[1] for side in (1, -1)]
        named = 0.0 if sentence.others_continuous else 2 * epsilon * mean
        gaps.append(equal(across[0] - across[1], named, near))
    return worst(*gaps)


THEOREM2 = {"factor": 1.0, "power": 1, "same": True, "own": False}
TWO = {"factor": 1.0, "root": True, "opposite": True}
FACE = {"size": 1.0, "others_continuous": False, "printed": False}

ADVERSARIES = (
    made(
        "theorem2",
        DATA,
        losses_instance,
        theorem2_gap,
        THEOREM2,
        {
            "constant one per cent smaller": SMALLER,
            "signs may differ": {"same": False},
            "square of the constant": {"power": 2},
        },
    ),
    made(
        "theorem2",
        DATA,
        losses_instance,
        theorem2_gap,
        {**THEOREM2, "own": True},
        {
            "quantifier: signs may differ": {"same": False},
        },
        "sharpest",
    ),
    made(
        "theorem2.bounded-set",
        DATA,
        losses_instance,
        theorem2_gap,
        THEOREM2,
        {
            "constant one per cent smaller": SMALLER,
            "signs may change": {"same": False},
        },
    ),
    made("theorem2.two-epsilon", DATA, losses_instance, two_epsilon_gap, {**TWO, "root": False}),
    made(
        "theorem2.two-epsilon",
        DATA,
        losses_instance,
        two_epsilon_gap,
        TWO,
        {
            "one per cent smaller": SMALLER,
            "without the root": {"root": False},
            "as printed": {"root": False},
        },
        "corrected",
    ),
    made("theorem2.inference", DATA, losses_instance, face_gap, {**FACE, "printed": True}),
    made(
        "theorem2.inference",
        DATA + " on both sides of a face",
        losses_instance,
        face_gap,
        FACE,
        {
            "half the jump": {"size": 0.5},
            "a jump of the other sign": {"size": -1.0},
            "the others continuous even where theta_j = 0": {"others_continuous": True},
            "old wording: the others are continuous": {"others_continuous": True},
        },
        "corrected",
    ),
)

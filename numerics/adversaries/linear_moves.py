"""Adversaries of Lemma 2's proof: the L2 attack of the linear model, its Jacobian, and how fast it moves."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.interior import central
from numerics.adversaries.linear import l2_attack, lemma2_gap, lemma2_pairs
from numerics.adversaries.maxima import ANY
from numerics.adversaries.smooth import NOWHERE, bounded, equal, largest, worst


def weight_instance(rng: np.random.Generator) -> Instance:
    """A weight of 1 to 5 coordinates, a label, a radius, and points to compare with."""
    d = int(rng.integers(1, 6))
    return {
        "theta": rng.standard_normal(d) * 10 ** rng.uniform(-1, 1),
        "y": int(rng.choice([-1, 1])),
        "epsilon": float(10 ** rng.uniform(-1, 1)),
        "rest": rng.standard_normal((10, d)),
    }


def attack_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The formula of the L2 attack: in the ball, better than other points of it, and strictly than those apart."""
    theta, epsilon = instance["theta"], abs(instance["epsilon"])
    size = float(np.linalg.norm(theta))
    if not 1e-3 < size < 1e3:
        return NOWHERE
    y = instance["y"]
    delta = -sentence.sign * (y if sentence.label else 1) * epsilon * theta * sentence.reach
    delta = delta / size if sentence.normalised else delta
    rivals = [*instance["rest"], *(delta / epsilon + 0.1 * instance["rest"]), -y * theta]
    rivals = [r * epsilon / np.linalg.norm(r) for r in rivals]
    gain = -y * float(theta @ delta)
    best = max(-y * float(theta @ r) for r in rivals)
    return worst(
        Gap(float(np.linalg.norm(delta)), epsilon, 1e-9 * epsilon), Gap(best, gain, 1e-10 * epsilon * size)
    )


def off_origin_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """As printed: one constant for all theta != 0, against the ratio of a pair scaled towards 0. As corrected: pairs
    of the ball of radius r around theta_0, near its point closest to the origin."""
    one, epsilon = instance["theta"], abs(instance["epsilon"])
    size = float(np.linalg.norm(one))
    if size < 1e-6:
        return NOWHERE
    if sentence.printed:
        near = one * 1e-6 / size
        way = float(np.linalg.norm(l2_attack(near, epsilon) - l2_attack(-near, epsilon)))
        return Gap(way / 2e-6, ANY)
    r = 0.7 * size
    ends = []
    for part in instance["rest"][:2]:
        v = -one / size * r * (1 - 1e-6) + part * 1e-4 * r
        ends.append(one + v * min(1.0, r / float(np.linalg.norm(v))))
    left = float(np.linalg.norm(l2_attack(ends[0], epsilon) - l2_attack(ends[1], epsilon)))
    constant = sentence.factor * epsilon / (size - (r if sentence.radius else 0.0))
    right = constant * float(np.linalg.norm(ends[0] - ends[1]))
    return Gap(left, right, 1e-9 * (left + right) + 1e-13 * epsilon)


def jacobian_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The Jacobian of the L2 attack by differences: against Eq. (32), its eigenvalues, norm, or the other label's."""
    theta, epsilon = instance["theta"], abs(instance["epsilon"])
    size, d = float(np.linalg.norm(theta)), theta.size
    if not 1e-3 < size < 1e3 or d < sentence.least or (sentence.most and d > sentence.most):
        return NOWHERE
    found = central(lambda t: l2_attack(t, epsilon), theta, 1e-5 * size)
    rate, error = epsilon / size, 1e-7 * epsilon / size
    if sentence.what == "matrix":
        unit = theta / size
        power = sentence.power
        formula = (
            -sentence.sign * epsilon / size**power * (np.eye(d) - sentence.factor * np.outer(unit, unit))
        )
        return equal(found, formula, error)
    if sentence.what == "label":
        other = central(lambda t: -l2_attack(t, epsilon), theta, 1e-5 * size)
        ways = [instance["rest"][0], theta]
        distance = float(np.linalg.norm(l2_attack(ways[0], epsilon) - l2_attack(ways[1], epsilon)))
        return worst(
            equal(other, -sentence.sign * found, error),
            equal(
                float(np.linalg.norm(-l2_attack(ways[0], epsilon) + l2_attack(ways[1], epsilon))),
                sentence.factor * distance,
                1e-9 * epsilon,
            ),
        )
    if sentence.what == "values":
        values = np.sort(np.linalg.eigvalsh((found + found.T) / 2))
        named = np.full(d, -sentence.sign * sentence.factor * rate)
        named[-1] = 0.0
        if sentence.power == 2:  # the two exchanged
            named = np.where(named == 0, -rate, 0.0)
        return worst(equal(values, np.sort(named), error), equal(found, found.T, error))
    return equal(largest(found), sentence.factor * rate * size ** (1 - sentence.power), error)


def segment_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The distance of the attacks against the largest Jacobian on the set times that of the weights: the segment, or
    all ||theta|| >= theta_min, where for d = 1 it is 0."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    way = other - one
    at = float(np.clip(-(one @ way) / max(float(way @ way), 1e-300), 0, 1))
    least = float(np.linalg.norm(one + at * way))
    ends = min(float(np.linalg.norm(one)), float(np.linalg.norm(other)))
    if least < 1e-6 * ends and sentence.segment:
        return NOWHERE
    jacobian = 0.0 if one.size == 1 else epsilon / (least if sentence.segment else ends)
    left = float(np.linalg.norm(l2_attack(one, epsilon) - l2_attack(other, epsilon)))
    right = sentence.factor * jacobian * float(np.linalg.norm(way))
    return Gap(left, right, 1e-9 * (left + right) + 1e-13 * epsilon)


def made(
    claim: str, how: str, draw, gap, sentence, twins=None, reading: str = "printed", moved=None
) -> Adversary:
    """An adversary of this file."""
    return Adversary(
        claim=claim,
        reading=reading,
        how=how,
        draw=draw,
        gap=gap,
        sentence=sentence,
        twins=twins or {},
        admit=bounded,
        moved=moved,
    )


BALL = {"sign": 1, "label": True, "normalised": True, "reach": 1.0}
JACOBIAN = {"what": "matrix", "sign": 1, "factor": 1.0, "power": 1, "least": 1, "most": 0}
NORM, LINE = {**JACOBIAN, "what": "norm", "least": 2}, {**JACOBIAN, "what": "norm", "most": 1}
WEIGHTS = "weights of 1 to 5 coordinates"
BY_DIFFERENCES = WEIGHTS + "; the Jacobian by differences"
PAIRS = "pairs of weights, d = 1 to 5, near, far and opposite; the distance of their attacks"
LEMMA2 = {"factor": 1.0, "power": 1, "bounded_below": True}
SEGMENT = {"factor": 1.0, "segment": True}
OFF = {"factor": 1.0, "radius": True, "printed": False}
SMALLER = {"factor": 0.99}
FORGOTTEN = {"bounded_below": False}
ADVERSARIES = (
    made(
        "lemma2.attack",
        WEIGHTS + "; rival points of the ball",
        weight_instance,
        attack_gap,
        BALL,
        {
            "along theta instead of against it": {"sign": -1},
            "theta not normalised": {"normalised": False},
            "the label forgotten": {"label": False},
            "one per cent short of the sphere": {"reach": 0.99},
        },
    ),
    made("lemma2.bounded-set", PAIRS, lemma2_pairs, lemma2_gap, {**LEMMA2, "bounded_below": False}),
    made(
        "lemma2.bounded-set",
        PAIRS,
        lemma2_pairs,
        lemma2_gap,
        LEMMA2,
        {
            "constant one per cent smaller": SMALLER,
            "no lower bound on theta": FORGOTTEN,
        },
        "corrected",
    ),
    made("lemma2.off-the-origin", PAIRS, weight_instance, off_origin_gap, {**OFF, "printed": True}),
    made(
        "lemma2.off-the-origin",
        PAIRS + " in a ball",
        weight_instance,
        off_origin_gap,
        OFF,
        {
            "constant one per cent smaller": SMALLER,
            "the radius forgotten": {"radius": False},
        },
        "corrected",
    ),
    made(
        "lemma2.label",
        BY_DIFFERENCES,
        weight_instance,
        jacobian_gap,
        {**JACOBIAN, "what": "label", "least": 2},
        {
            "the same Jacobian": {"sign": -1},
            "distances one per cent larger": {"factor": 1.01},
        },
    ),
    made(
        "lemma2.eq32",
        BY_DIFFERENCES,
        weight_instance,
        jacobian_gap,
        JACOBIAN,
        {
            "sign flipped (the case y = -1)": {"sign": -1},
            "projector one per cent off": {"factor": 1.01},
            "one power of the norm too many": {"power": 2},
        },
    ),
    made(
        "lemma2.eigenvalues",
        BY_DIFFERENCES,
        weight_instance,
        jacobian_gap,
        {**JACOBIAN, "what": "values"},
        {
            "one per cent larger": {"factor": 1.01},
            "the two exchanged": {"power": 2},
            "sign flipped": {"sign": -1},
        },
    ),
    made(
        "lemma2.spectral-norm",
        BY_DIFFERENCES,
        weight_instance,
        jacobian_gap,
        NORM,
        {
            "one per cent smaller": SMALLER,
            "without the norm of theta": {"power": 0},
        },
    ),
    made("lemma2.spectral-norm-line", BY_DIFFERENCES, weight_instance, jacobian_gap, {**NORM, "least": 1}),
    made(
        "lemma2.spectral-norm-line",
        BY_DIFFERENCES,
        weight_instance,
        jacobian_gap,
        {**LINE, "factor": 0.0},
        {
            "as for d >= 2": {"factor": 1.0},
            "a hundredth of it": {"factor": 0.01},
        },
        "corrected",
    ),
    made("lemma2.jacobian-bound", PAIRS, lemma2_pairs, segment_gap, {**SEGMENT, "segment": False}),
    made(
        "lemma2.jacobian-bound",
        PAIRS,
        lemma2_pairs,
        segment_gap,
        SEGMENT,
        {
            "constant one per cent smaller": SMALLER,
            "a segment that may come near the origin": {"segment": False},
        },
        "corrected",
    ),
)

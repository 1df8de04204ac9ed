"""Adversaries of Lemma 3 and of what Section 3.1 says of both constraints: corners, sides and spheres."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Gap, Instance
from numerics.adversaries.linear import l2_attack
from numerics.adversaries.linear_moves import WEIGHTS, made, weight_instance
from numerics.adversaries.lp_attacks import best_corner, signs_instance
from numerics.adversaries.maxima import ANY
from numerics.adversaries.smooth import NOWHERE, equal, worst


def corner_attack_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The formula of the box attack against the best of all corners, by the loss taken off the margin."""
    theta, epsilon, y = instance["theta"], abs(instance["epsilon"]), instance["y"]
    delta = -sentence.sign * (y if sentence.label else 1) * epsilon * np.sign(theta) * sentence.reach
    best = best_corner(y * theta, epsilon)
    size = epsilon * float(np.sum(np.abs(theta)))
    return worst(
        Gap(-y * float(theta @ best), -y * float(theta @ delta), 1e-10 * size),
        Gap(float(np.max(np.abs(delta))), epsilon, 1e-9 * epsilon),
    )


def flips_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """k flipped signs against 2 epsilon sqrt(k) and (epsilon/theta_min) times the distance, theta_min the least of the
    weights that flip; as printed, that some ratio passes 1e3 where one sign differs."""
    one, other, epsilon = instance["one"], instance["other"], abs(instance["epsilon"])
    if np.min(np.abs(np.concatenate([one, other]))) < 1e-9:
        return NOWHERE
    flips = one * other < 0
    way = float(np.linalg.norm(best_corner(one, epsilon) - best_corner(other, epsilon)))
    apart = float(np.linalg.norm(one - other))
    if sentence.printed:
        return Gap(ANY, way / apart) if flips.any() else NOWHERE
    if not flips.any():
        return equal(way, 0.0, 1e-12 * epsilon)
    least = float(np.min(np.abs(np.concatenate([one[flips], other[flips]]))))
    if sentence.any_size:
        least = max(least, 1.0)
    return worst(
        equal(way, sentence.step * 2 * epsilon * np.sqrt(int(flips.sum())), 1e-9 * epsilon),
        Gap(way, sentence.constant * epsilon / least * apart, 1e-9 * (way + epsilon)),
    )


def flip_pairs(rng: np.random.Generator) -> Instance:
    """As `signs_instance`, often with the second weight the mirror image of the first, where the constant is met."""
    instance = signs_instance(rng)
    if rng.random() < 0.4:
        size = float(10 ** rng.uniform(-2, 1))
        instance["one"] = np.sign(instance["one"]) * size
        instance["other"] = instance["one"] * rng.choice([-1, 1], instance["one"].size)
    return instance


def same_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Two weights of equal signs, zeros among them: their attacks -epsilon sign(theta), or any two maximisers."""
    signs, epsilon = np.sign(instance["theta"]), abs(instance["epsilon"])
    sizes = np.abs(instance["rest"][:2]) + 0.01
    if sentence.zeros:
        signs = signs * (instance["rest"][2] > 0)
    one, other = signs * sizes[0], signs * sizes[1]
    if sentence.differ:
        other = -other
    ends = [-epsilon * np.sign(t) for t in (one, other)]
    if sentence.any:  # a coordinate of weight 0 may lie anywhere
        ends = [
            np.where(t == 0, epsilon * np.tanh(r), e)
            for t, r, e in zip((one, other), instance["rest"][3:5], ends, strict=True)
        ]
    return equal(float(np.linalg.norm(ends[0] - ends[1])), sentence.distance * epsilon, 1e-12 * epsilon)


def monotone_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """log(1 + exp(-a - s)) at two s, the sign's differences off 0, and its jump at 0."""
    a, low, high = float(instance["rest"][0, 0]), *np.sort(instance["rest"][1:3, 0])
    ends = [float(np.logaddexp(0, -a - s)) for s in (low, high)]
    t = instance["theta"][np.abs(instance["theta"]) > 1e-3]
    still = float(np.max(np.abs(np.sign(t + 1e-6) - np.sign(t - 1e-6)), initial=0.0))
    jump = float(np.sign(1e-12) - np.sign(-1e-12))
    return worst(
        Gap(sentence.direction * ends[1], sentence.direction * ends[0], 1e-12),
        equal(still, 0.0, 1e-12),
        equal(jump, sentence.jump, 1e-12),
    )


def across_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Around (w, 0, ...): the ratios of distances of (w, t) and (w, -t), t -> 0: bounded for L2 by epsilon/|w|, beyond
    every bound for L_infinity; the corners are a side apart, the L2 attacks on the sphere."""
    w, epsilon = abs(instance["theta"][0]) + 0.1, abs(instance["epsilon"])
    t = 1e-7 * w
    pair = [np.array([w, side * t]) for side in (1, -1)]
    balls = float(np.linalg.norm(l2_attack(pair[0], epsilon) - l2_attack(pair[1], epsilon)))
    boxes = float(np.linalg.norm(best_corner(pair[0], epsilon) - best_corner(pair[1], epsilon)))
    parts = {
        "l2": Gap(balls / (2 * t), sentence.l2 * epsilon / w, 1e-6 * epsilon / w),
        "l2 moves": equal(balls / (2 * t), sentence.l2 * epsilon / w, 1e-6 * epsilon / w),
        "box": Gap(ANY * epsilon / w, boxes / (2 * t)),
        "bounded": Gap(boxes / (2 * t), ANY * epsilon / w),
        "side": equal(boxes, sentence.side * epsilon, 1e-9 * epsilon),
        "circle": equal(
            float(np.linalg.norm(l2_attack(instance["theta"], epsilon))),
            sentence.radius * epsilon * (np.linalg.norm(instance["theta"]) if sentence.grows else 1.0),
            1e-9 * epsilon,
        ),
    }
    return worst(*(parts[name] for name in sentence.parts))


def family_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """On the open orthant, scaled to 0: the box attack stands still, and the L2 attack has ratios beyond 1e3; as
    printed, it has not."""
    d, epsilon = max(2, instance["theta"].size), abs(instance["epsilon"])
    one, other = (np.abs(np.resize(r, d)) + 0.01 for r in instance["rest"][:2])
    one, other = one * 1e-7, other * 1e-7
    apart = float(np.linalg.norm(one - other))
    balls = float(np.linalg.norm(l2_attack(one, epsilon) - l2_attack(other, epsilon)))
    boxes = float(np.linalg.norm(best_corner(one, epsilon) - best_corner(other, epsilon)))
    if d > instance["theta"].size or balls < 1e-3 * epsilon:
        return NOWHERE
    if sentence.printed:
        return Gap(balls / apart, ANY)
    return worst(equal(boxes, sentence.moves * epsilon, 1e-12), Gap(ANY, balls / apart))


BOX = {"sign": 1, "label": True, "reach": 1.0}
SAME = {"zeros": True, "differ": False, "any": False, "distance": 0.0}
FLIPS = {"step": 1.0, "constant": 1.0, "any_size": False}
ACROSS = {"l2": 1.0, "side": 2.0, "radius": 1.0, "grows": False, "parts": ("l2", "box")}
CORNERS = "pairs of weights of 1 to 5 coordinates; attacks by all corners"
ADVERSARIES = (
    made(
        "lemma3.attack",
        CORNERS,
        weight_instance,
        corner_attack_gap,
        BOX,
        {
            "along the signs": {"sign": -1},
            "the label forgotten": {"label": False},
            "one per cent short of the face": {"reach": 0.99},
        },
    ),
    made("lemma3", CORNERS, flip_pairs, flips_gap, {**FLIPS, "printed": True}),
    made(
        "lemma3",
        CORNERS,
        flip_pairs,
        flips_gap,
        {**FLIPS, "printed": False},
        {
            "a step one per cent smaller": {"step": 0.99},
            "half the constant": {"constant": 0.5},
            "weights that flip at any size": {"any_size": True},
        },
        "corrected",
    ),
    made(
        "lemma3.same-signs",
        WEIGHTS + " of equal signs, zeros too",
        weight_instance,
        same_gap,
        SAME,
        {
            "a hundredth of epsilon": {"distance": 0.01},
            "opposite signs": {"differ": True},
        },
    ),
    made("lemma3.any-maximiser", WEIGHTS + ", zeros too", weight_instance, same_gap, {**SAME, "any": True}),
    made(
        "lemma3.any-maximiser",
        WEIGHTS,
        weight_instance,
        same_gap,
        {**SAME, "any": True, "zeros": False},
        {
            "a weight of zero allowed": {"zeros": True},
            "a distance of one": {"distance": 1.0},
        },
        "corrected",
    ),
    made(
        "lemma3.bounded-set",
        WEIGHTS + " of equal signs",
        weight_instance,
        same_gap,
        {**SAME, "zeros": False},
        {
            "a sign may change": {"differ": True},
            "attacks that do move": {"distance": 0.1},
        },
    ),
    made(
        "lemma3.monotone",
        "losses at two shifts, signs at and off 0",
        weight_instance,
        monotone_gap,
        {"direction": 1, "jump": 2.0},
        {"increasing": {"direction": -1}, "a continuous sign": {"jump": 0.0}},
    ),
    made(
        "sec31.smaller-set",
        CORNERS,
        weight_instance,
        across_gap,
        {**ACROSS, "parts": ("l2 moves", "box")},
        {
            "L_infinity attacks Lipschitz around (1, 0)": {"parts": ("bounded",)},
            "twice the ratio for L2": {"l2": 2.0},
        },
    ),
    made("sec31.smaller-family", CORNERS, weight_instance, family_gap, {"printed": True, "moves": 0.0}),
    made(
        "sec31.smaller-family",
        CORNERS,
        weight_instance,
        family_gap,
        {"printed": False, "moves": 0.0},
        {
            "L_infinity attacks that move": {"moves": 1.0},
        },
        "corrected",
    ),
    made(
        "sec31.depends",
        CORNERS,
        weight_instance,
        across_gap,
        {**ACROSS, "parts": ("l2 moves", "box")},
        {
            "bounded for both": {"parts": ("l2", "bounded")},
            "an L2 attack that stands still": {"l2": 0.0},
        },
    ),
    made(
        "sec31.circle",
        WEIGHTS,
        weight_instance,
        across_gap,
        {**ACROSS, "parts": ("circle", "l2")},
        {
            "a radius one per cent smaller": {"radius": 0.99},
            "a radius that grows with theta": {"grows": True},
        },
    ),
    made(
        "sec31.corner",
        CORNERS,
        weight_instance,
        across_gap,
        {**ACROSS, "parts": ("side",)},
        {
            "half the side": {"side": 1.0},
            "the diagonal": {"side": 2 * np.sqrt(2)},
            "a side one per cent longer": {"side": 2.02},
        },
    ),
)

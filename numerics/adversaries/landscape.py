"""Adversaries of Sections 3.2.2 and 3.2.3: flattened losses, several maxima, projections, roughness."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.box import onto_l1
from numerics.adversaries.interior import along
from numerics.adversaries.lagrangian import bend_of_norm, norm, normal, second
from numerics.adversaries.maxima import ANY, smooth_gap, well_attack, wells_instance
from numerics.adversaries.smooth import NOWHERE, bounded, equal, interior_instance, largest, worst


def parabola_instance(rng: np.random.Generator) -> Instance:
    """C_tt theta^2/2 + C_tx theta x - c x^2/2, a smaller c, and a factor k < 1."""
    return {
        "own": float(10 ** rng.uniform(-1, 1)),
        "mixed": float(10 ** rng.uniform(-1, 1)),
        "c": float(10 ** rng.uniform(-1, 1)),
        "flatter": float(rng.uniform(0.05, 0.95)),
        "k": float(rng.uniform(0.05, 0.95)),
    }


def constant(own: float, mixed: float, c: float) -> float:
    """The Lipschitz constant of the adversarial loss' gradient, from its gradients at two parameters; the attacks by
    Newton's method, which needs one step."""
    theta = 0.37
    attacks = [(mixed * t) / c for t in (theta, -theta)]
    slopes = [mixed * x + own * t for x, t in zip(attacks, (theta, -theta), strict=True)]
    return (slopes[0] - slopes[1]) / (2 * theta)


def flatten_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The constant before and after flattening: by a smaller c alone, or by a factor on the loss."""
    own, mixed, c, k = (abs(instance[name]) for name in ("own", "mixed", "c", "k"))
    flatter = min(abs(instance["flatter"]), 0.95)
    before = constant(own, mixed, c)
    scaled = constant(k * own, k * mixed, k * c)
    if sentence.printed:
        return Gap(before, scaled, 1e-9 * before) if k < 1 else NOWHERE
    formula = own + sentence.factor * (mixed**2 * c if sentence.numerator else mixed**2 / c)
    after = constant(own, mixed * (1 if sentence.fixed else flatter), flatter * c)
    near = 1e-9 * (before + after + formula)
    return worst(equal(before, formula, near), Gap(before, after, near), equal(scaled, k * before, near))


def matrices(rng: np.random.Generator) -> Instance:
    """|H| and a smaller one, of size 1 to 4, and B; half the time the part that shrinks is not in the range of B."""
    d, m = int(rng.integers(1, 5)), int(rng.integers(1, 3))
    less, b = rng.standard_normal((d, d)), rng.standard_normal((d, m))
    root = rng.standard_normal((d, d))
    if rng.random() < 0.5 and d > 1:
        less, root = np.diag(np.eye(1, d)[0]) * less, np.diag(np.diag(root))
        b[0] = 0
    return {"root": root, "less": less, "b": b}


def bound_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The largest eigenvalue of B^T |H|^{-1} B before and after |H| shrinks, and that no direction loses."""
    d, b = len(instance["root"]), instance["b"]
    after = instance["root"] @ instance["root"].T + 0.3 * np.eye(d)
    before = after + instance["less"] @ instance["less"].T
    grown = [b.T @ np.linalg.solve(h, b) for h in (before, after)]
    change = np.linalg.eigvalsh(grown[1] - grown[0])
    top = [float(np.linalg.eigvalsh(g)[-1]) for g in grown]
    c = [float(np.linalg.eigvalsh(h)[0]) for h in (before, after)]
    error = 1e-9 * (1 + top[1])
    if sentence.growth is not None:
        if c[1] > 0.99 * c[0] and sentence.growth == 1.0:
            return NOWHERE  # the bound C_theta_x^2/c does not grow
        return Gap(sentence.growth * top[0] + (1e-6 if sentence.growth == 1.0 else 0.0), top[1], error)
    return Gap(0.0, float(change[0]), error)


def norm_instance(rng: np.random.Generator) -> Instance:
    """A point of 2 to 4 coordinates, p from 1.2 to 8, the first coordinate 0 now and then."""
    d = int(rng.integers(2, 5))
    v = rng.choice([-1, 1], d) * rng.uniform(0.5, 2, d)
    p = float(rng.choice([2.0, 2.5, 3.0, 4.0, 8.0, rng.uniform(1.2, 2)]))
    if rng.random() < 0.3:
        v[0] = 0.0
    return {"v": v, "p": p}


def twice_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Second differences of ||v||_p at two sizes against the closed form, or against each other at v = 0."""
    p = 2.0 if sentence.euclidean else instance["p"]
    v = instance["v"] * (0 if sentence.centre else 1)
    if p < 2 and np.min(np.abs(v)) < 0.3 and not sentence.planes:
        return NOWHERE
    if sentence.centre or (p < 2 and np.min(np.abs(v)) < 0.3):
        found = [second(lambda at: norm(at, p), v, s) for s in (1e-3, 1e-5)]
        return equal(found[0], found[1], 0.1 * largest(found[0]))
    found = [second(lambda at: norm(at, p), v, s) for s in (1e-3, 5e-4, 2.5e-4)]
    safe = np.where(v == 0, 1e-300, v)
    formula = sentence.factor * (
        bend_of_norm(safe, p) if p > 2 else bend_of_norm(np.where(v == 0, 1e-12, v), p)
    )
    error = 8 * float(np.linalg.norm(found[2] - found[1])) + 1e-7
    return equal(found[2], formula, error)


def corner_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The one-sided slopes of ||v||_infinity along a largest coordinate, where two are largest: they differ by 1."""
    v = np.abs(instance["v"]) / np.max(np.abs(instance["v"]))
    v[int(np.argmax(v))] = 1.0
    if sentence.tie:
        v[:2] = 1.0
    way, size, s = np.eye(v.size)[int(np.argmax(v))], float(np.max(v)), 1e-6
    if np.sort(v)[-2] > 1 - 1e-4 and not sentence.tie:
        return NOWHERE
    right, left = (float(np.max(np.abs(v + side * s * way)) - size) / (side * s) for side in (1, -1))
    return equal(right - left, sentence.jump, 1e-6)


def several_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Two wells of equal height: the gradient's jump at theta = 0, and that it passes every ratio."""
    if instance["tilt"] or not instance["a"] or not instance["b"]:
        return NOWHERE
    s = 1e-9
    slopes = [instance["b"] * well_attack(instance, t) for t in (s, -s)]
    jump = 2 * instance["a"] * instance["b"]
    return worst(equal(slopes[0] - slopes[1], sentence.factor * jump, 1e-6 * jump), Gap(ANY, jump / (2 * s)))


def broken_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Existence: l = theta x - k (x^2 - a^2)^2, whose maximum at x < 0 meets a singular second derivative at some
    theta: the least |l_xx| on the branch, followed until it ends."""
    k, a = abs(instance["k"]), abs(instance["a"]) or 1.0
    x = -np.linspace(a, 0.0, 4001)
    bend = -4 * k * (3 * x**2 - a**2) if sentence.depends else np.full_like(x, -8 * k * a**2)
    theta = 4 * k * x * (x**2 - a**2)  # where x is stationary: it moves with theta until l_xx = 0
    live = np.concatenate([[True], np.cumprod(np.diff(theta) > 0) > 0])
    return Gap(float(np.min(np.abs(bend[live]))), 1e-2 * k * a**2)


def linear_instance(rng: np.random.Generator) -> Instance:
    """An input, a label, a radius, and the other weight, in two dimensions; theta = (+-t, w) with t = 1e-8."""
    return {
        "x": rng.standard_normal(2),
        "y": int(rng.choice([-1, 1])),
        "epsilon": float(10 ** rng.uniform(-1, 0.5)),
        "w": float(rng.choice([-1, 1]) * 10 ** rng.uniform(-0.5, 0.5)),
    }


def gradient(x: np.ndarray, y: int, theta: np.ndarray, delta: np.ndarray) -> np.ndarray:
    """-y sigmoid(-m) (x + delta), the gradient in theta of the logistic loss at the attacked input."""
    m = y * float(theta @ (x + delta))
    return -y * (x + delta) / (1 + np.exp(m))


def jump(instance: Instance, kind: str) -> float:
    """How far the gradients at (t, w) and (-t, w) are apart, t = 1e-8."""
    x, y, epsilon = instance["x"], instance["y"], abs(instance["epsilon"])
    found = []
    for t in (1e-8, -1e-8):
        theta = np.array([t, instance["w"]])
        slope = -y * theta  # of the margin, against the attack
        # The corner is also PGD's first step of size epsilon from 0, along the sign of the loss' gradient.
        l2, corner = slope / np.linalg.norm(slope), np.sign(slope)
        delta = epsilon * (l2 if kind == "l2" else corner)
        found.append(gradient(x, y, theta, delta))
    return float(np.linalg.norm(found[0] - found[1]))


def more_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The jump at (0, w): of L_infinity against 2 epsilon sigmoid of the worst margin, and of L2 against 0."""
    epsilon, x, y = abs(instance["epsilon"]), instance["x"], instance["y"]
    worst_margin = y * x[1] * instance["w"] - epsilon * abs(instance["w"])
    size = 2 * epsilon / (1 + np.exp(worst_margin))
    near = 1e-6 * (1 + epsilon + float(np.linalg.norm(x)))
    return worst(
        equal(jump(instance, "box"), sentence.box * size, near),
        equal(jump(instance, "l2"), sentence.l2 * size, near * 10 / abs(instance["w"])),
    )


def pgd_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """One step of PGD from delta = 0: the gradient's ratio of distances across theta_1 = 0 passes 1e3."""
    found = jump(instance, "box")
    return (
        Gap(ANY, found / 2e-8) if sentence.jumps else Gap(found, 0.0, 1e-6 * (1 + abs(instance["epsilon"])))
    )


def pairs(rng: np.random.Generator) -> Instance:
    """Two points of 1 to 5 coordinates, near or far, and a radius."""
    d = int(rng.integers(1, 6))
    one = rng.standard_normal(d) * 3
    return {
        "one": one,
        "other": one + rng.standard_normal(d) * 10 ** rng.uniform(-8, 0.5),
        "r": float(10 ** rng.uniform(-1, 1)),
    }


def projection_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The distance of the projections onto box, L2 and L1 ball against that of the points; the sign's jump."""
    one, other, r = instance["one"], instance["other"], abs(instance["r"])
    apart = float(np.linalg.norm(one - other))
    ends = []
    for kind in ("box", "l2", "l1"):
        both = []
        for v in (one, other):
            if kind == "box":
                both.append(np.clip(v, -r, r))
            elif kind == "l2":
                both.append(v * min(1.0, r / max(float(np.linalg.norm(v)), 1e-300)))
            else:
                both.append(onto_l1(v, r))
        ends.append(float(np.linalg.norm(both[0] - both[1])))
    if sentence.printed:
        return Gap(ANY, max(ends) / apart)
    sign = float(np.sign(1e-12) - np.sign(-1e-12))
    return worst(
        *(Gap(way, sentence.factor * apart, 1e-14 * (1 + r) + 1e-12 * apart) for way in ends),
        equal(sign, sentence.sign, 1e-12),
    )


def branch_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """As the sentence on smoothness along the branch of a local maximum, with one constant."""
    if along(instance) is None:
        return NOWHERE
    return smooth_gap(instance, SimpleNamespace(factor=sentence.factor, power=2, sign=1))


def unit_normal_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Part of the sharper sentence on norms: as `twice_gap`; the gradient there by differences as well."""
    gap = twice_gap(instance, sentence)
    v, p = instance["v"], instance["p"]
    if np.min(np.abs(v)) < 0.3:
        return gap
    s = 1e-6
    found = np.array([(norm(v + e, p) - norm(v - e, p)) / (2 * s) for e in np.eye(v.size) * s])
    return worst(gap, equal(found, normal(v, p), 1e-7))


FLAT = {"factor": 1.0, "fixed": True, "numerator": False}
TWICE = {"factor": 1.0, "centre": False, "planes": False}
PARABOLAS = "C_tt theta^2/2 + C_tx theta x - c x^2/2, all over two decades; gradients at two parameters"
SHRUNK = "definite matrices of size 1 to 4 and smaller ones; eigenvalues of B^T |H|^-1 B"
NORMS = "points of 2 to 4 coordinates, p from 1.2 to 8; second differences of the norm"
ACROSS = "the linear model in two dimensions, attacks on both sides of theta_1 = 0"
POINTS = "pairs of points near and far; projections onto boxes, L2 and L1 balls"
ADVERSARIES = (
    Adversary(
        claim="sec322.flatten",
        how=PARABOLAS,
        draw=parabola_instance,
        gap=flatten_gap,
        sentence={**FLAT, "printed": True},
    ),
    Adversary(
        claim="sec322.flatten",
        reading="corrected",
        how=PARABOLAS,
        draw=parabola_instance,
        gap=flatten_gap,
        admit=bounded,
        sentence={**FLAT, "printed": False},
        twins={
            "C_theta_x not held fixed": {"fixed": False},
            "one per cent smaller": {"factor": 0.99},
            "c in the numerator": {"numerator": True},
        },
    ),
    Adversary(
        claim="sec322.flatten-bound", how=SHRUNK, draw=matrices, gap=bound_gap, sentence={"growth": 1.0}
    ),
    Adversary(
        claim="sec322.flatten-bound",
        reading="corrected",
        how=SHRUNK,
        draw=matrices,
        gap=bound_gap,
        admit=bounded,
        sentence={"growth": None},
        twins={
            "the bound's growth taken for the constant's": {"growth": 1.0},
            "growth by one per cent at least": {"growth": 1.01},
        },
    ),
    Adversary(
        claim="sec322.twice-differentiable",
        how=NORMS,
        draw=norm_instance,
        gap=twice_gap,
        moved=(),
        sentence={**TWICE, "euclidean": True},
        twins={"at x' = x as well": {"centre": True}, "curvature one per cent off": {"factor": 1.01}},
    ),
    Adversary(
        claim="sec322.twice-differentiable",
        reading="sharpest",
        how=NORMS,
        draw=norm_instance,
        gap=unit_normal_gap,
        moved=(),
        sentence={**TWICE, "euclidean": False},
        twins={"quantifier: for 1 < p < 2 on the coordinate planes too": {"planes": True}},
    ),
    Adversary(
        claim="sec322.infinity-norm",
        how="points of 2 to 4 coordinates with two largest; one-sided differences",
        draw=norm_instance,
        gap=corner_gap,
        moved=(),
        sentence={"tie": True, "jump": 1.0},
        twins={"at a point with one largest coordinate": {"tie": False}, "jump one half": {"jump": 0.5}},
    ),
    Adversary(
        claim="sec323.several-maxima",
        how="two wells of equal height; attacks by the roots of the derivative at theta = 1e-9 and -1e-9",
        draw=wells_instance,
        gap=several_gap,
        moved=(),
        sentence={"factor": 1.0},
        twins={"no jump": {"factor": 0.0}, "jump one half": {"factor": 0.5}},
    ),
    Adversary(
        claim="sec323.local-branch",
        how="quartic losses; grad_theta l at both ends of the branch of a local maximum",
        draw=interior_instance,
        gap=branch_gap,
        admit=bounded,
        sentence={"factor": 1.0},
        twins={"one per cent smaller": {"factor": 0.99}},
    ),
    Adversary(
        claim="sec323.broken",
        how="two wells on the line; the least second derivative on the branch of one, until it ends",
        draw=wells_instance,
        gap=broken_gap,
        moved=(),
        sentence={"depends": True},
        twins={"a Hessian that does not depend on theta": {"depends": False}},
    ),
    Adversary(
        claim="sec323.more-often",
        how=ACROSS,
        draw=linear_instance,
        gap=more_gap,
        moved=(),
        sentence={"box": 1.0, "l2": 0.0},
        twins={"no jump under L_infinity": {"box": 0.0}, "a jump under L2": {"l2": 1.0}},
    ),
    Adversary(
        claim="sec323.projection",
        how=POINTS,
        draw=pairs,
        gap=projection_gap,
        sentence={"factor": 1.0, "sign": 2.0, "printed": True},
    ),
    Adversary(
        claim="sec323.projection",
        reading="corrected",
        how=POINTS,
        draw=pairs,
        gap=projection_gap,
        admit=bounded,
        sentence={"factor": 1.0, "sign": 2.0, "printed": False},
        twins={"constant one per cent smaller": {"factor": 0.99}, "continuous sign": {"sign": 0.0}},
    ),
    Adversary(
        claim="sec323.pgd-conjecture",
        how=ACROSS + ", one step of PGD from 0",
        draw=linear_instance,
        gap=pgd_gap,
        moved=(),
        sentence={"jumps": True},
        twins={"no jump": {"jumps": False}},
    ),
)

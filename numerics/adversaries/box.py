"""Adversaries of what holds on boxes and convex sets: strongly concave losses, and corners of L_infinity balls."""

from __future__ import annotations

from itertools import product
from types import SimpleNamespace

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.interior import along, eq39_gap, lemma4_gap
from numerics.adversaries.smooth import (
    NOWHERE,
    bounded,
    equal,
    interior_instance,
    largest,
    loss_of,
    worst,
)

ROUNDING = 1e-10
ANY = 1000.0  # a ratio of distances above this stands for "no finite constant"
SETS = ("box", "quartic", "l1", "l2", "interval")


def concave_instance(rng: np.random.Generator) -> Instance:
    """b(theta).x - x.A x/2 with A >= c I, on a box, an L1 or L2 ball, or a half-line; two parameters, near or far."""
    d, m, where = int(rng.integers(1, 4)), int(rng.integers(1, 4)), str(rng.choice(SETS))
    c = float(10 ** rng.uniform(-1, 1))
    root = rng.standard_normal((d, d)) * (rng.random() < 0.5)
    one = rng.standard_normal(m)
    matrix = rng.standard_normal((d, m)) * 10 ** rng.uniform(-1, 1)
    unit = np.linalg.svd(matrix)[2][0] if rng.random() < 0.6 else rng.standard_normal(m)
    return {
        "set": where,
        "c": c,
        "root": root,
        "matrix": matrix,
        "own": rng.standard_normal((m, m)) * float(rng.choice([0.0, 1.0])),
        "shift": rng.standard_normal(d) * float(rng.choice([0.0, 3.0])),
        "one": one,
        "other": one + unit * 10 ** rng.uniform(-3, 1),
        "radius": float(10 ** rng.uniform(-1, 2)),
        "fourth": np.abs(rng.standard_normal(d)),
    }


def quadratic(instance: Instance) -> tuple[np.ndarray, float]:
    """A and its smallest eigenvalue; a multiple of I where the set is a ball of L1 or L2."""
    c, root = abs(instance["c"]), instance["root"]
    plain = instance["set"] in ("l1", "l2", "quartic")
    matrix = c * np.eye(len(root)) + (0 if plain else root @ root.T)
    return matrix, float(np.linalg.eigvalsh(matrix)[0])


def maximiser(instance: Instance, theta: np.ndarray) -> np.ndarray:
    """The maximiser of b.x - x.A x/2 over the set, exactly: by its faces, or by a projection."""
    b = instance["matrix"] @ theta + instance["shift"]
    a, c = quadratic(instance)
    r = abs(instance["radius"])
    if instance["set"] == "l2":
        x = b / c
        return x * min(1.0, r / max(float(np.linalg.norm(x)), 1e-300))
    if instance["set"] == "l1":
        return onto_l1(b / c, r)
    if instance["set"] == "quartic":
        return np.clip(
            [root_of(bi, c, qi) for bi, qi in zip(b, np.abs(instance["fourth"]), strict=True)], -r, r
        )
    ends = (-r, r) if instance["set"] == "box" else (0.0, np.inf)
    return on_faces(a, b, ends)


def root_of(b: float, c: float, q: float) -> float:
    """The x with b = c x + q x^3: Newton's method on a convex branch, from beyond the root."""
    x = min(abs(b) / c, (abs(b) / q) ** (1 / 3) if q else np.inf)
    for _ in range(60):
        step = (c * x + q * x**3 - abs(b)) / (c + 3 * q * x**2)
        x -= step
        if abs(step) < 1e-15 * (1 + x):
            break
    return float(np.copysign(x, b))


def onto_l1(x: np.ndarray, r: float) -> np.ndarray:
    """The nearest point of the L1 ball: the sizes lowered by one number, and cut at 0."""
    if np.sum(np.abs(x)) <= r:
        return x
    sizes = np.sort(np.abs(x))[::-1]
    cuts = (np.cumsum(sizes) - r) / np.arange(1, x.size + 1)
    cut = cuts[np.nonzero(sizes > cuts)[0][-1]]
    return np.sign(x) * np.maximum(np.abs(x) - cut, 0)


def on_faces(a: np.ndarray, b: np.ndarray, ends: tuple[float, float]) -> np.ndarray:
    """The best of the stationary points of all faces of the box that lie in it."""
    d, best, value = b.size, None, -np.inf
    for sides in product((0, 1, 2), repeat=d):
        at = np.array([ends[s - 1] if s else 0.0 for s in sides])
        if not np.all(np.isfinite(at)):
            continue
        free = np.array(sides) == 0
        if free.any():
            at[free] = np.linalg.solve(a[np.ix_(free, free)], b[free] - a[np.ix_(free, ~free)] @ at[~free])
        if np.any(at < ends[0] - 1e-12) or np.any(at > ends[1] + 1e-12):
            continue
        here = float(b @ at - at @ a @ at / 2)
        if here > value:
            best, value = at, here
    assert best is not None
    return best


def concave_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The distance of the maximisers against C_theta_x/c; without a modulus, or on a set of two points, a jump."""
    one, other = instance["one"], instance["other"]
    if not sentence.modulus or not sentence.convex:
        return Gap(2.0, ANY * 1e-6)  # theta x on [-1, 1], or on {-1, 1} with -x^2/2: theta = +-5e-7
    bound = sentence.factor * largest(instance["matrix"]) / quadratic(instance)[1]
    right = bound * float(np.linalg.norm(one - other))
    ends = maximiser(instance, one), maximiser(instance, other)
    left = float(np.linalg.norm(ends[0] - ends[1]))
    sizes = float(np.linalg.norm(ends[0])) + bound * float(np.linalg.norm(one)) + 1
    return Gap(left, right, ROUNDING * (left + right) + 1e-13 * sizes)


def concave_smooth_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """grad_theta l = B^T x' + E theta at two parameters against C_theta_theta + C_theta_x^2/c."""
    if not sentence.convex:
        return Gap(2.0, ANY * 1e-6)
    one, other, matrix = instance["one"], instance["other"], instance["matrix"]
    own = (instance["own"] + instance["own"].T) / 2
    slopes = [matrix.T @ maximiser(instance, at) + own @ at for at in (one, other)]
    rate = largest(own) + largest(matrix) ** 2 / quadratic(instance)[1]
    right = sentence.factor * rate * float(np.linalg.norm(one - other))
    left = float(np.linalg.norm(slopes[0] - slopes[1]))
    sizes = float(np.linalg.norm(slopes[0])) + rate * (1 + float(np.linalg.norm(one)))
    return Gap(left, right, ROUNDING * (right + left) + 1e-13 * sizes)


def unique_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Two points of the set and their middle: strong concavity puts the middle c/8 |x - y|^2 above the mean, so that
    two maximisers would not be maximisers."""
    if not sentence.convex:
        return Gap(2.0, 1.0)  # -x^2/2 on {-1, 1} has two maximisers
    a, c = quadratic(instance)
    b = instance["shift"]
    d = b.size
    x, y = np.resize(instance["one"], d), np.resize(instance["other"], d)
    if not sentence.modulus:
        a = a * 0
    middle = (x + y) / 2
    values = [float(b @ at - at @ a @ at / 2) for at in (x, y, middle)]
    lifted = sentence.factor * c / 8 * float(np.sum((x - y) ** 2))
    return Gap((values[0] + values[1]) / 2 + lifted, values[2], 1e-10 * (sum(map(abs, values)) + lifted))


def face_instance(rng: np.random.Generator) -> Instance:
    """As `interior_instance`, with the last inputs held at a face of a box by gradients of size `pull`."""
    instance = interior_instance(rng)
    d = instance["u"].shape[1]
    held = int(rng.integers(0, d + 1))
    if held < d and rng.random() < 0.5:
        instance["bilinear"][d - held :] = 0
    return {**instance, "held": held, "pull": float(10 ** rng.uniform(-1, 1))}


def free_part(instance: Instance) -> Instance:
    """The loss as a function of the free inputs, the held ones at their face (0 in these coordinates)."""
    free = instance["u"].shape[1] - instance["held"]
    return {
        **instance,
        "u": instance["u"][:, :free],
        "bilinear": instance["bilinear"][:free],
        "push": np.zeros(free),
    }


def active_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The maximum on its face, followed by Newton's method in the free inputs, against C_theta_x/c_F and the formula of
    its derivative; the held inputs keep their place while their gradients keep their sign."""
    if not sentence.multipliers:
        return Gap(1.0, 0.0)  # theta x - x^2/2 on x <= 0: x' = theta for theta < 0, which D x'_A = 0 denies
    if not sentence.definite:
        return Gap((1e-9) ** (1 / 3), ANY * 1e-9)  # theta x - x^4/4: x' = theta^(1/3)
    part, whole = free_part(instance), loss_of(instance)
    free = part["u"].shape[1]
    if free == 0:
        return Gap(0.0 if sentence.corners else 1e-3, 0.0)
    found = along(part)
    if found is None:
        return NOWHERE
    for x, theta in zip(found.ends, (-part["theta"], part["theta"]), strict=True):
        rest = whole.grad(np.concatenate([x, np.zeros(instance["held"])]), theta)[free:]
        if np.any(np.abs(rest) >= abs(instance["pull"])):
            return NOWHERE
    zero = np.zeros(whole.u.shape[1])
    hessian = whole.hessian(zero, 0 * part["theta"])
    inner = float(np.linalg.eigvalsh(hessian[:free, :free])[-1])
    moved = lemma4_gap(part, SimpleNamespace(**{**vars(sentence), "power": 1, "convex": True}))
    return worst(
        moved,
        eq39_gap(part, SimpleNamespace(factor=1.0, sign=sentence.sign, inverted=True)),
        Gap(inner, float(np.linalg.eigvalsh(hessian)[-1]), 1e-9 * largest(hessian)),
    )


def cannot_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """As printed: no constant serves near a corner, so that some ratio passes 1e3, against what is found there."""
    part = free_part(instance)
    if part["u"].shape[1] == 0:
        return Gap(ANY, 0.0)
    found = along(part)
    if found is None:
        return NOWHERE
    apart = 2 * float(np.linalg.norm(part["theta"]))
    return Gap(ANY, float(np.linalg.norm(found.ends[1] - found.ends[0])) / apart + found.moves[1], 0.0)


def clipped_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """theta.x - |x|^2/2 over |x_i| <= epsilon: the gradient x' of the adversarial loss, coordinate by coordinate by
    `on_faces`, at two parameters; as printed, no constant serves."""
    d = min(instance["one"].size, 3)
    one, other = instance["one"][:d], instance["other"][:d]
    r = abs(instance["radius"])
    ends = [on_faces(np.eye(d), at, (-r, r)) for at in (one, other)]
    left, apart = float(np.linalg.norm(ends[0] - ends[1])), float(np.linalg.norm(one - other))
    if sentence.printed:
        return Gap(ANY, left / apart)
    return worst(
        Gap(left, sentence.factor * apart, ROUNDING * (left + apart)),
        equal(ends[0], np.clip(one, -r, r), ROUNDING * (1 + r)),
    )


CONCAVE = "strongly concave losses on boxes, half-lines, L1 and L2 balls; maximisers by faces and projections"
FACES = "quartic losses with inputs held at faces of a box; the free inputs followed by Newton's method"
FORMULA = {
    "factor": 1.0,
    "sign": 1,
    "at_the_point": False,
    "multipliers": True,
    "definite": True,
    "corners": True,
}
ADVERSARIES = (
    Adversary(
        claim="beyond.strongly-concave",
        how=CONCAVE,
        draw=concave_instance,
        gap=concave_gap,
        admit=bounded,
        sentence={"factor": 1.0, "modulus": True, "convex": True},
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "concave without a modulus": {"modulus": False},
            "K not convex": {"convex": False},
        },
    ),
    Adversary(
        claim="beyond.strongly-concave-unique",
        how="quadratic losses and pairs of points; the value at their middle",
        draw=concave_instance,
        gap=unique_gap,
        admit=bounded,
        sentence={"factor": 1.0, "modulus": True, "convex": True},
        twins={
            "modulus one per cent larger": {"factor": 1.01},
            "concave only": {"modulus": False},
            "midpoint outside the set": {"convex": False},
        },
    ),
    Adversary(
        claim="beyond.strongly-concave-smooth",
        how=CONCAVE,
        draw=concave_instance,
        gap=concave_smooth_gap,
        admit=bounded,
        sentence={"factor": 1.0, "convex": True},
        twins={"one per cent smaller": {"factor": 0.99}, "K not convex": {"convex": False}},
    ),
    Adversary(
        claim="beyond.active-set",
        how=FACES,
        draw=face_instance,
        gap=active_gap,
        admit=bounded,
        sentence=FORMULA,
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "sign dropped": {"sign": -1},
            "multipliers allowed to vanish": {"multipliers": False},
            "H_FF only semidefinite": {"definite": False},
            "c_F read at x* alone": {"at_the_point": True},
            "old wording: hypotheses at x* alone": {"at_the_point": True},
        },
    ),
    Adversary(
        claim="sec322.infinity-cannot",
        how=FACES,
        draw=face_instance,
        gap=cannot_gap,
        sentence={},
    ),
    Adversary(
        claim="sec322.infinity-cannot",
        reading="corrected",
        how=FACES,
        draw=face_instance,
        gap=active_gap,
        admit=bounded,
        sentence=FORMULA,
        twins={"sign dropped": {"sign": -1}, "corner attacks move": {"corners": False}},
    ),
    Adversary(
        claim="sec322.caused-by-constraints",
        how="theta.x - |x|^2/2 on boxes; its maximisers by faces at two parameters",
        draw=concave_instance,
        gap=clipped_gap,
        sentence={"factor": 1.0, "printed": True},
    ),
    Adversary(
        claim="sec322.caused-by-constraints",
        reading="corrected",
        how="theta.x - |x|^2/2 on boxes; its maximisers by faces at two parameters",
        draw=concave_instance,
        gap=clipped_gap,
        admit=bounded,
        sentence={"factor": 1.0, "printed": False},
        twins={"constant one per cent smaller": {"factor": 0.99}},
    ),
)

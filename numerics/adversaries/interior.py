"""Adversaries of Lemma 4 and its proof: how fast a local maximum inside the ball moves with the parameters."""

from __future__ import annotations

from types import SimpleNamespace
from typing import NamedTuple

import numpy as np

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.smooth import (
    NOWHERE,
    bounded,
    branch,
    draw_loss,
    equal,
    interior_instance,
    largest,
    loss_of,
    over_grid,
    stationary,
    worst,
)

ROUNDING = 1e-11
STEPS = 4  # grid points of the branch on each side of theta = 0
SCALES = (1e-1, 1e-2, 1e-3)  # "near theta" is a family that shrinks to it


class Along(NamedTuple):
    """What is read off the branch from -theta to theta: both ends of it, the largest sigma_1(B), 1/c, sigma_1(D g),
    sigma_1 of grad_theta^2 l, each with what the grid may miss, and 1/c at the middle."""

    ends: tuple[np.ndarray, np.ndarray]
    mixed: tuple[float, float]
    inverse: tuple[float, float]
    moves: tuple[float, float]
    own: tuple[float, float]
    slopes: tuple[np.ndarray, np.ndarray]
    middle: float


def along(instance: Instance) -> Along | None:
    """The branch through x = 0 at theta = 0, to both sides; None where it ends."""
    loss, theta = loss_of(instance), instance["theta"]
    grid = np.linspace(0, 1, STEPS + 1)
    start = np.zeros(loss.u.shape[1])
    right = branch(loss, [s * theta for s in grid], start)
    left = branch(loss, [-s * theta for s in grid], start)
    if right is None or left is None:
        return None
    points = [(x, -s * theta) for x, s in zip(left[:0:-1], grid[:0:-1], strict=True)]
    points += [(x, s * theta) for x, s in zip(right, grid, strict=True)]
    hessians = [loss.hessian(*at) for at in points]
    mixed = [loss.mixed(*at) for at in points]
    inverse = [-1 / float(np.linalg.eigvalsh(h)[-1]) for h in hessians]
    moves = [largest(np.linalg.solve(h, b)) for h, b in zip(hessians, mixed, strict=True)]
    own = [largest(loss.theta_hessian(*at)) for at in points]
    return Along(
        (left[-1], right[-1]),
        over_grid([largest(b) for b in mixed]),
        over_grid(inverse),
        over_grid(moves),
        over_grid(own),
        (loss.theta_grad(*points[0]), loss.theta_grad(*points[-1])),
        inverse[STEPS],
    )


def lemma4_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """How far the maximum moves from -theta to theta, against factor C_theta_x / c^power |2 theta|, with C_theta_x and
    c the best on the branch between them."""
    if not sentence.convex:
        return around_gap(instance)
    found = along(instance)
    if found is None:
        return NOWHERE
    apart = 2 * float(np.linalg.norm(instance["theta"]))
    inverse, missed = (found.middle, 0.0) if sentence.at_the_point else found.inverse
    if sentence.power != 1:
        inverse, missed = inverse**sentence.power, 3 * missed * inverse ** (sentence.power - 1)
    right = sentence.factor * found.mixed[0] * inverse * apart
    error = (found.mixed[1] * inverse + (found.mixed[0] + found.mixed[1]) * missed) * apart
    if sentence.at_the_point:
        error = found.mixed[1] * inverse * apart
    ways = (
        found.ends[1] - found.ends[0],
        2 * found.ends[1],
        2 * found.ends[0],
    )  # x' is 0 half-way, at theta = 0
    moved = max(float(np.linalg.norm(way)) for way in ways)
    return Gap(moved, right, error + ROUNDING * (moved + right))


def around_gap(instance: Instance) -> Gap:
    """The loss -(x - angle(theta))^2/2 on the ring |theta| >= 1 cut open: C_theta_x = c = 1 on it, and the two edges of
    the cut are close."""
    opening = 0.1 + min(float(np.linalg.norm(instance["theta"])), 1.0)
    return Gap(2 * np.pi - opening, 2 * float(np.sin(opening / 2)), ROUNDING)


def eq41_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Both inequalities: by the largest derivative of the branch, and that by C_theta_x/c."""
    if not sentence.convex:
        return around_gap(instance)
    found = along(instance)
    if found is None:
        return NOWHERE
    apart = 2 * float(np.linalg.norm(instance["theta"]))
    moved = float(np.linalg.norm(found.ends[1] - found.ends[0]))
    first = sentence.first * found.moves[0] * apart
    second = sentence.second * found.mixed[0] * found.inverse[0]
    return worst(
        Gap(moved, first, found.moves[1] * apart + ROUNDING * (moved + first)),
        Gap(found.moves[0], second, ROUNDING * (second + found.moves[0])),
    )


def eq39_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The derivative of the branch at a random point, by central differences of Newton's solutions, against the
    formula."""
    loss, theta = loss_of(instance), instance["theta"]
    x = stationary(loss, theta, np.zeros(loss.u.shape[1]))
    if x is None:
        return NOWHERE
    h, b = loss.hessian(x, theta), loss.mixed(x, theta)
    formula = sentence.factor * (-sentence.sign * np.linalg.solve(h, b) if sentence.inverted else -(h @ b))
    found = []
    for size in (2e-4, 1e-4):
        columns = []
        for unit in np.eye(theta.size) * size:
            ends = [stationary(loss, theta + side * unit, x) for side in (1, -1)]
            if ends[0] is None or ends[1] is None:
                return NOWHERE
            columns.append((ends[0] - ends[1]) / (2 * size))
        found.append(np.array(columns).T)
    error = 2 * float(np.linalg.norm(found[1] - found[0])) + 1e-8 * (1 + float(np.linalg.norm(x)))
    return equal(found[1], formula, error)


def matrices(rng: np.random.Generator) -> Instance:
    """A negative definite matrix of size 1 to 5 with eigenvalues over two decades, and a matrix beside it."""
    d, m = int(rng.integers(1, 6)), int(rng.integers(1, 5))
    turn = np.linalg.qr(rng.standard_normal((d, d)))[0]
    values = -(10 ** rng.uniform(-1, 1, d))
    return {
        "turn": turn,
        "values": values,
        "b": rng.standard_normal((d, m)),
        "skew": float(rng.uniform(0.5, 5)),
    }


def inverse_norm_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """det H != 0, sigma_1(-H^-1) = 1/min sigma_i = 1/min |lambda_i| <= 1/c, and the product."""
    turn = np.linalg.qr(instance["turn"])[0]
    middle = np.diag(-np.abs(instance["values"]))
    c = float(np.min(np.abs(instance["values"])))
    if not sentence.normal:
        middle = middle + instance["skew"] * c * np.triu(np.ones_like(middle), 1)
    h = turn @ middle @ turn.T
    inverse = np.linalg.inv(h)
    norm, b = largest(inverse), instance["b"]
    smallest = float(np.linalg.svd(h)[1][-1])
    bound = sentence.factor / c**sentence.power
    return worst(
        Gap(norm, bound, 1e-10 * (norm + bound)),
        Gap(norm * smallest, 1.0, 1e-9),
        Gap(1.0, norm * smallest, 1e-9),
        Gap(largest(inverse @ b), norm * largest(b), 1e-10 * norm * largest(b)),
    )


def waves(rng: np.random.Generator) -> Instance:
    """f(t) = A sin(t), taken in each coordinate: its Lipschitz constant is sigma_1(A), met at 0; t is near 0 or far."""
    m, k = int(rng.integers(2, 5)), int(rng.integers(1, 5))
    matrix = rng.standard_normal((k, m)) * 10 ** rng.uniform(-1, 2)
    return {"matrix": matrix, "t": rng.standard_normal(m) * 10 ** rng.uniform(-4, 0.5)}


def central(function, at: np.ndarray, size: float = 1e-5) -> np.ndarray:
    """The derivative by central differences, one column for each coordinate."""
    sides = [(function(at + e) - function(at - e)) / (2 * size) for e in np.eye(at.size) * size]
    return np.array(sides).T


def eq40_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The derivative by differences against the Lipschitz constant, of an open set or of an axis."""
    matrix = instance["matrix"]
    c = largest(matrix) if sentence.open else largest(matrix[:, :1])
    found = largest(central(lambda t: matrix @ np.sin(t), instance["t"]))
    return Gap(found, sentence.factor * c, 1e-8 * (1 + largest(matrix)))


def mixed_partials_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """l = theta . A sin(x): both orders of the mixed derivative, each by differences of a gradient, and the bound; or
    x^3 theta/(x^2 + theta^2), whose grad_x is not C^1."""
    if not sentence.smooth:
        inner, outer = 1e-6, 1e-3

        def loss(x: float, t: float) -> float:
            return x**3 * t / (x * x + t * t) if x or t else 0.0

        one = (loss(outer, inner) - loss(outer, -inner)) / (2 * inner * outer)
        other = (loss(inner, outer) - loss(-inner, outer)) / (2 * inner * outer)
        return equal(one, other, 1e-3)
    matrix, x = instance["matrix"], instance["t"]
    theta = np.cos(np.arange(matrix.shape[0]))
    first = central(lambda at: matrix @ np.sin(at), x)
    second = central(lambda at: (matrix.T @ at) * np.cos(x), theta).T
    error = 1e-7 * (1 + largest(matrix))
    bound = sentence.factor * largest(matrix)
    return worst(equal(largest(first), largest(second), error), Gap(largest(first), bound, error))


def pointed(rng: np.random.Generator) -> Instance:
    """x.B theta + p(x): C_theta_x = sigma_1(B) at every x, while the curvature changes with x; `share` is c'/c."""
    d, m = int(rng.integers(1, 4)), int(rng.integers(1, 3))
    instance = draw_loss(rng, d, m, float(10 ** rng.uniform(-1, 1)), False)
    instance["w"] = 0 * instance["w"]
    unit = np.linalg.svd(instance["bilinear"])[2][0]
    size = 0.3 * abs(instance["coef"][0, 0]) / largest(instance["bilinear"])
    return {**instance, "theta": unit * size * rng.choice([-1, 1]), "share": float(rng.uniform(0.9, 0.999))}


def at_the_point_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """ "In some neighbourhood" fails where the ratio of distances exceeds the constant at every scale: the smallest
    ratio over theta, theta/10, ... against 1."""
    loss, theta = loss_of(instance), instance["theta"]
    zero = np.zeros(loss.u.shape[1])
    c = -float(np.linalg.eigvalsh(loss.hessian(zero, 0 * theta))[-1])
    if c <= 0:
        return NOWHERE
    if sentence.below:
        c *= instance["share"]
    bound = sentence.factor * largest(instance["bilinear"]) / c**sentence.power
    ratios = []
    for scale in SCALES if not sentence.below else (*SCALES, 1e-5, 1e-6):
        found = branch(loss, [s * scale * theta for s in np.linspace(0, 1, STEPS)], zero)
        if found is None:
            return NOWHERE
        ratios.append(float(np.linalg.norm(found[-1]) / np.linalg.norm(scale * theta)) / bound)
    return Gap(min(ratios), 1.0, 1e-6)


LEMMA4 = {"factor": 1.0, "power": 1, "at_the_point": False, "convex": True}
ADVERSARIES = (
    Adversary(
        claim="lemma4",
        how="quartic losses in 1 to 4 inputs and 1 to 3 parameters; a local maximum followed by Newton's method",
        draw=interior_instance,
        gap=lemma4_gap,
        admit=bounded,
        sentence=LEMMA4,
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "c squared": {"power": 2},
            "c read at x* alone": {"at_the_point": True},
            "U not convex": {"convex": False},
        },
    ),
    Adversary(
        claim="lemma4.eq39",
        how="quartic losses; the branch's derivative by differences of Newton's solutions",
        draw=interior_instance,
        gap=eq39_gap,
        admit=bounded,
        sentence={"factor": 1.0, "sign": 1, "inverted": True},
        twins={
            "sign dropped": {"sign": -1},
            "Hessian not inverted": {"inverted": False},
            "one per cent off": {"factor": 1.01},
        },
    ),
    Adversary(
        claim="lemma4.inverse-norm",
        how="symmetric matrices of size 1 to 5 with random spectra; their inverses' norms by SVD",
        draw=matrices,
        gap=inverse_norm_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 1, "normal": True},
        twins={
            "one per cent smaller": {"factor": 0.99},
            "a matrix that is not normal": {"normal": False},
            "c squared": {"power": 2},
        },
    ),
    Adversary(
        claim="lemma4.eq40",
        how="maps A sin(t) with the known constant sigma_1(A); derivatives by differences",
        draw=waves,
        gap=eq40_gap,
        sentence={"factor": 1.0, "open": True},
        twins={
            "one per cent smaller": {"factor": 0.99},
            "a set without interior (f = 100 theta_2 on an axis)": {"open": False},
        },
    ),
    Adversary(
        claim="lemma4.eq41",
        how="quartic losses; the maximum's way along a segment against its derivative and C_theta_x/c there",
        draw=interior_instance,
        gap=eq41_gap,
        admit=bounded,
        sentence={"first": 1.0, "second": 1.0, "convex": True},
        twins={
            "first constant one per cent smaller": {"first": 0.99},
            "second constant one per cent smaller": {"second": 0.99},
            "an open set that is not convex": {"convex": False},
        },
    ),
    Adversary(
        claim="lemma4.mixed-partials",
        how="theta.A sin(x); both orders of the mixed derivative by differences of gradients",
        draw=waves,
        gap=mixed_partials_gap,
        sentence={"factor": 1.0, "smooth": True},
        twins={
            "grad_x l not C^1: x^3 theta/(x^2 + theta^2)": {"smooth": False},
            "constant one per cent smaller": {"factor": 0.99},
        },
    ),
    Adversary(
        claim="lemma4.at-the-point",
        how="x.B theta + quartics in x; a maximum followed over shrinking neighbourhoods of theta = 0",
        draw=pointed,
        gap=at_the_point_gap,
        moved=("coef", "bilinear", "theta"),
        sentence={"factor": 1.0, "power": 1, "below": False},
        twins={"c squared": {"power": 2}},
    ),
    Adversary(
        claim="lemma4.at-the-point",
        reading="corrected",
        how="x.B theta + quartics in x, c' from 0.9 c to c; shrinking neighbourhoods of theta = 0",
        draw=pointed,
        gap=at_the_point_gap,
        moved=("coef", "bilinear", "theta"),
        sentence={"factor": 1.0, "power": 1, "below": True},
        twins={
            "constant one per cent smaller": {"factor": 0.99},
            "c squared": {"power": 2},
            "quantifier: for c itself, old wording of the reading at the point": {"below": False},
        },
    ),
)

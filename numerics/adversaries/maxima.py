"""Adversaries of Section 3.2.1's prose: local maxima inside the ball, and how smooth they make the loss."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy.optimize import minimize_scalar

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.interior import LEMMA4, ROUNDING, along, lemma4_gap
from numerics.adversaries.smooth import (
    NOWHERE,
    bounded,
    draw_loss,
    equal,
    interior_instance,
    largest,
    loss_of,
    stationary,
    worst,
)

ANY = 1000.0  # a ratio of distances above this stands for "no finite constant"
NEAR = (1e-6, 1e-8, 1e-10)  # theta = +-s: a family that shrinks to 0


def wells_instance(rng: np.random.Generator) -> Instance:
    """b theta x + q theta^2/2 - k (x^2 - a^2)^2 on |x| <= e, e beyond every maximum: one degenerate maximum (a = 0),
    two, or, with tilt, one and a lower one."""
    return {
        "a": float(rng.choice([0.0, 10 ** rng.uniform(-1, 0.5)])),
        "b": float(rng.choice([0.0, 10 ** rng.uniform(-1, 1)])),
        "k": float(10 ** rng.uniform(-1, 1)),
        "q": float(rng.uniform(-2, 2)),
        "tilt": float(rng.choice([0.0, 0.1])),
    }


def well_attack(instance: Instance, theta: float) -> float:
    """The maximiser over the whole line, among the roots of the derivative."""
    a, k = instance["a"], instance["k"]
    slope = instance["b"] * theta + instance["tilt"]
    roots = np.roots([-4 * k, 0.0, 4 * k * a * a, slope])
    real = roots[np.abs(roots.imag) < 1e-6 * (1 + np.abs(roots))].real
    values = slope * real - k * (real**2 - a * a) ** 2
    return float(real[int(np.argmax(values))])


def wells_ratio(instance: Instance) -> float:
    """The smallest, over the shrinking family, of |gradient(s) - gradient(-s)| / 2 s for the adversarial loss."""
    ratios = []
    for s in NEAR:
        slopes = [instance["b"] * well_attack(instance, t) + instance["q"] * t for t in (s, -s)]
        ratios.append(abs(slopes[0] - slopes[1]) / (2 * s))
    return min(ratios)


def optimum_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The maximiser over all x at theta = s and -s, s -> 0, against C_theta_x/c = b/(8 k a^2), c at the maximum itself:
    "near theta" fails where every s exceeds it."""
    a, b, k = instance["a"], instance["b"], instance["k"]
    if a == 0 or b == 0 or instance["tilt"]:
        return NOWHERE
    ratios = [abs(well_attack(instance, s) - well_attack(instance, -s)) / (2 * s) for s in NEAR]
    return Gap(min(ratios), sentence.factor * b / (8 * k * a * a), 1e-6 * min(ratios))


def continued_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """As Lemma 4; with the optimum in place of the continued maximum, two wells of equal height."""
    if sentence.optimal:
        wells = {"a": 1.0, "b": 1.0, "k": abs(float(instance["coef"][0, 0])), "q": 0.0, "tilt": 0.0}
        return optimum_gap(wells, sentence)
    return lemma4_gap(instance, sentence)


def line_instance(rng: np.random.Generator) -> Instance:
    """A quartic on [-1, 1]."""
    return {"p": rng.standard_normal(5) * 10 ** rng.uniform(-1, 0.5, 5)}


def stationary_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The derivative at the maximiser of a quartic on [-1, 1], found by values alone."""
    p = instance["p"]
    grid = np.linspace(-1, 1, 201)
    at = grid[int(np.argmax(np.polyval(p, grid)))]
    ends = (max(at - 0.02, -1.0), min(at + 0.02, 1.0))
    found = minimize_scalar(
        lambda x: -np.polyval(p, x), bounds=ends, method="bounded", options={"xatol": 1e-10}
    )
    x = max((float(found.x), *ends), key=lambda x: float(np.polyval(p, x)))
    if abs(x) > 1 - 1e-6 and not sentence.boundary:
        return NOWHERE
    error = 3e-6 * float(np.sum(np.abs(p))) * 12
    return equal(abs(float(np.polyval(np.polyder(p), x))), sentence.level, error)


def linear_boundary_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Where projected gradient ascent ends that starts inside the L2 ball, for theta.x: how far from the sphere."""
    theta, x = instance["theta"] * sentence.weight, instance["x"] / (1 + np.linalg.norm(instance["x"]))
    size = float(np.linalg.norm(theta)) or 1.0
    for _ in range(30):
        x = x + theta / size
        x = x / max(1.0, float(np.linalg.norm(x)))
    length = float(np.linalg.norm(x))
    return Gap(length, 1 - 1e-6, 1e-9) if sentence.excluded else Gap(1.0, length, 1e-9)


def weight_instance(rng: np.random.Generator) -> Instance:
    """A weight of any length and a start inside the ball, 1 to 5 inputs."""
    d = int(rng.integers(1, 6))
    return {"theta": rng.standard_normal(d) * 10 ** rng.uniform(-3, 3), "x": rng.standard_normal(d)}


def peak_instance(rng: np.random.Generator) -> Instance:
    """A quartic loss of any signature, stationary at 0, and -k x^4 - h x^2 with h = 0 now and then."""
    d = int(rng.integers(1, 4))
    instance = draw_loss(rng, d, 1, float(10 ** rng.uniform(-1, 1)), False)
    h = float(rng.choice([0.0, 10 ** rng.uniform(-2, 1)]))
    return {**instance, "h": h, "k": float(10 ** rng.uniform(-1, 1)), "slope": rng.standard_normal(d)}


def sufficient_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The rise of the loss near the point over the distance squared, at every scale, in its Hessian's directions."""
    push = instance["slope"] if not sentence.stationary else 0 * instance["push"]
    loss = loss_of({**instance, "push": push})
    theta = np.zeros(1)
    h = loss.hessian(np.zeros(push.size), theta)
    values, vectors = np.linalg.eigh(h)
    if not sentence.definite:
        return Gap(1e-9, 0.0)  # x^3 at x = 1e-3: semidefinite, and above 0 on one side
    if values[-1] > -0.05 * largest(h):
        return NOWHERE
    ways = [*vectors.T, *(-vectors.T), *np.eye(push.size), push / (np.linalg.norm(push) or 1.0)]
    risen = [max(loss.value(s * way, theta) / s**2 for way in ways) for s in (1e-2, 1e-3, 1e-4)]
    return Gap(min(risen), 0.0, 1e-7 * largest(h))


def expected_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The curvature at the maximum of -k x^4 - h x^2, by differences: below 0 as printed, at most 0 as corrected."""
    k, h = abs(instance["k"]), abs(instance["h"])
    s = 1e-4
    bend = 2 * (-k * s**4 - h * s**2) / s**2
    if sentence.negative:
        return Gap(1e-6, -bend)
    both = SimpleNamespace(stationary=sentence.stationary, definite=True)
    return worst(Gap(bend, 0.0, 1e-9), sufficient_gap(instance, both))


def smooth_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """grad_theta l at both ends of the branch against C_theta_theta + C_theta_x^2/c."""
    found = along(instance)
    if found is None:
        return NOWHERE
    apart = 2 * float(np.linalg.norm(instance["theta"]))
    mixed, inverse, own = found.mixed, found.inverse, found.own
    square = mixed[0] ** sentence.power
    missed = (mixed[0] + mixed[1]) ** sentence.power - square
    rate = own[0] + sentence.sign * square * inverse[0]
    error = own[1] + missed * inverse[0] + (square + missed) * inverse[1]
    change = float(np.linalg.norm(found.slopes[1] - found.slopes[0]))
    right = sentence.factor * rate * apart
    return Gap(change, right, error * apart + ROUNDING * (change + abs(right)))


def schur_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Differences of grad_theta l along the branch against l_tt + B^T |H|^{-1} B, and the size of what is added."""
    loss, theta = loss_of(instance), instance["theta"]
    x = stationary(loss, theta, np.zeros(loss.u.shape[1]))
    if x is None:
        return NOWHERE
    h, b = loss.hessian(x, theta), loss.mixed(x, theta)
    grown = -b.T @ np.linalg.solve(h, b)
    formula = loss.theta_hessian(x, theta) + sentence.sign * grown
    found = []
    for size in (2e-4, 1e-4):
        rows = []
        for unit in np.eye(theta.size) * size:
            ends = [stationary(loss, theta + side * unit, x) for side in (1, -1)]
            if ends[0] is None or ends[1] is None:
                return NOWHERE
            slopes = [loss.theta_grad(ends[0], theta + unit), loss.theta_grad(ends[1], theta - unit)]
            rows.append((slopes[0] - slopes[1]) / (2 * size))
        found.append(np.array(rows))
    scale = 1 + largest(b) + largest(formula)
    error = 2 * float(np.linalg.norm(found[1] - found[0])) + 1e-8 * scale
    c = -float(np.linalg.eigvalsh(h)[-1])
    values = np.linalg.eigvalsh((grown + grown.T) / 2)
    bound = sentence.factor * largest(b) ** sentence.power / c
    return worst(
        equal(found[1], formula, error),
        Gap(float(values[-1]), bound, 1e-9 * (bound + largest(grown))),
        Gap(0.0, float(values[0]), 1e-9 * (1 + largest(grown))),
    )


def constraints_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Smooth where the maximiser is unique and not degenerate; otherwise a ratio of distances that passes 1e3."""
    if sentence.kind == "nondegenerate":
        return smooth_gap(instance, SimpleNamespace(factor=sentence.factor, power=2, sign=1))
    a = 0.0 if sentence.kind == "degenerate" else 1.0
    b = 0.0 if sentence.kind == "rough" else 1.0
    wells = {"a": a, "b": b, "k": abs(float(instance["coef"][0, 0])), "q": 1.0, "tilt": 0.0}
    ratio = wells_ratio(wells)
    return Gap(ANY, ratio, 1e-6) if sentence.kind == "rough" else Gap(ratio, ANY, 1e-6)


def inactive_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """No constraint active: the gradient's ratio of distances against 1e3, which no finite constant survives."""
    return Gap(wells_ratio(instance), ANY, 1e-6)


def broken_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Existence: a maximum that is inside the unit ball at theta and leaves it at some multiple up to 10 of theta."""
    found = along({**instance, "theta": instance["theta"] / (1 + np.linalg.norm(instance["theta"]))})
    if found is None:
        return Gap(0.0, 0.0)
    start = float(np.linalg.norm(found.ends[1]))
    radius = start * 1.01
    loss, theta = loss_of(instance), instance["theta"] / (1 + np.linalg.norm(instance["theta"]))
    grown = [stationary(loss, s * theta, found.ends[1]) for s in (1.05, 1.5, 3.0)]
    best = max((float(np.linalg.norm(x)) for x in grown if x is not None), default=0.0)
    return Gap(sentence.factor * radius, best) if start > 0 and best > 0 else Gap(0.0, 0.0)


BRANCH = "quartic losses in 1 to 4 inputs and 1 to 3 parameters; a local maximum followed by Newton's method"
WELLS = "two wells and flat tops on the line, their maximiser by the roots of the derivative, theta -> 0"
ADVERSARIES = (
    Adversary(
        claim="lemma4.global-optimum",
        how=WELLS,
        draw=wells_instance,
        gap=optimum_gap,
        sentence={"factor": 1.0},
    ),
    Adversary(
        claim="lemma4.global-optimum",
        reading="corrected",
        how=BRANCH,
        draw=interior_instance,
        gap=continued_gap,
        admit=bounded,
        sentence={**LEMMA4, "optimal": False},
        twins={
            "the optimal attack after all": {"optimal": True},
            "constant one per cent smaller": {"factor": 0.99},
            "quantifier: c read at x* alone": {"at_the_point": True},
        },
    ),
    Adversary(
        claim="sec321.stationary",
        how="quartics on [-1, 1]; the maximiser by values alone",
        draw=line_instance,
        gap=stationary_gap,
        admit=bounded,
        sentence={"boundary": False, "level": 0.0},
        twins={"on the boundary as well": {"boundary": True}, "gradient one": {"level": 1.0}},
    ),
    Adversary(
        claim="sec321.linear-boundary",
        how="linear losses, 1 to 5 inputs; gradient ascent with projection from inside",
        draw=weight_instance,
        gap=linear_boundary_gap,
        admit=bounded,
        sentence={"weight": 1.0, "excluded": False},
        twins={"theta = 0 admitted": {"weight": 0.0}, "boundary points excluded too": {"excluded": True}},
    ),
    Adversary(
        claim="sec321.sufficient",
        how="quartic losses of any signature; values near a stationary point",
        draw=peak_instance,
        gap=sufficient_gap,
        admit=bounded,
        sentence={"stationary": True, "definite": True},
        twins={"semidefinite only (x^3 at 0)": {"definite": False}, "not stationary": {"stationary": False}},
    ),
    Adversary(
        claim="sec321.expected-c",
        how="-k x^4 - h x^2 with h = 0 now and then",
        draw=peak_instance,
        gap=expected_gap,
        sentence={"negative": True, "stationary": True},
    ),
    Adversary(
        claim="sec321.expected-c",
        reading="corrected",
        how="-k x^4 - h x^2 and quartic losses; values near a stationary point",
        draw=peak_instance,
        gap=expected_gap,
        admit=bounded,
        sentence={"negative": False, "stationary": True},
        twins={
            "negative eigenvalues necessary": {"negative": True},
            "sufficient without stationarity": {"stationary": False},
        },
    ),
    Adversary(
        claim="sec321.easily-broken",
        how=BRANCH + "; theta grown until the maximum leaves the ball",
        draw=interior_instance,
        gap=broken_gap,
        moved=(),
        sentence={"factor": 1.0},
        twins={"radius two": {"factor": 20.0}},
    ),
    Adversary(
        claim="sec321.smooth",
        how=BRANCH + "; grad_theta l at both ends",
        draw=interior_instance,
        gap=smooth_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 2, "sign": 1},
        twins={
            "one per cent smaller": {"factor": 0.99},
            "C_theta_x not squared": {"power": 1},
            "minus for plus": {"sign": -1},
        },
    ),
    Adversary(
        claim="sec321.smooth",
        reading="sharpest",
        how=BRANCH + "; differences of grad_theta l",
        draw=interior_instance,
        gap=schur_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 2, "sign": 1},
        twins={"minus for plus": {"sign": -1}},
    ),
    Adversary(
        claim="beyond.schur-hessian",
        how=BRANCH + "; differences of grad_theta l",
        draw=interior_instance,
        gap=schur_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 2, "sign": 1},
        twins={
            "sign flipped": {"sign": -1},
            "growth one per cent less": {"factor": 0.99},
            "C_thetax not squared": {"power": 1},
        },
    ),
    Adversary(
        claim="sec321.caused-by-constraints",
        how=WELLS,
        draw=wells_instance,
        gap=inactive_gap,
        sentence={},
    ),
    Adversary(
        claim="sec321.caused-by-constraints",
        reading="corrected",
        how=BRANCH + "; grad_theta l at both ends",
        draw=interior_instance,
        gap=constraints_gap,
        admit=bounded,
        sentence={"kind": "nondegenerate", "factor": 1.0},
        twins={
            "a degenerate maximum allowed": {"kind": "degenerate"},
            "two maximisers allowed": {"kind": "double"},
            "a degenerate or a second maximiser always makes it rough": {"kind": "rough"},
            "old wording: a degenerate or a second maximiser makes it non-smooth": {"kind": "rough"},
            "one per cent smaller": {"factor": 0.99},
        },
    ),
)

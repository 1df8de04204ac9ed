"""Adversaries of Section 3.2.2's Lagrangian: stationary points, bordered Hessian, and its determinant."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
from scipy.optimize import minimize_scalar

from numerics.adversaries.adversary import Adversary, Gap, Instance
from numerics.adversaries.smooth import NOWHERE, Loss, bounded, draw_loss, equal, largest, loss_of, worst
from numerics.adversaries.sphere import block, bordered, placed, sphere_instance, tangents

POWERS = (1.3, 1.5, 2.0, 2.5, 3.0, 6.0)


def norm(v: np.ndarray, p: float) -> float:
    """||v||_p."""
    return float(np.sum(np.abs(v) ** p) ** (1 / p))


def normal(v: np.ndarray, p: float) -> np.ndarray:
    """grad ||v||_p, for v != 0 and 1 < p < infinity."""
    return np.sign(v) * (np.abs(v) / norm(v, p)) ** (p - 1)


def bend_of_norm(v: np.ndarray, p: float) -> np.ndarray:
    """grad^2 ||v||_p where it exists."""
    size, n = norm(v, p), normal(v, p)
    return (p - 1) / size * (np.diag((np.abs(v) / size) ** (p - 2)) - np.outer(n, n))


def second(function, at: np.ndarray, size: float) -> np.ndarray:
    """The Hessian by second differences of values alone."""
    k, out = at.size, np.zeros((at.size, at.size))
    steps = np.eye(k) * size
    for i in range(k):
        for j in range(i + 1):
            ends = [
                function(at + a * steps[i] + b * steps[j]) for a, b in ((1, 1), (1, -1), (-1, 1), (-1, -1))
            ]
            out[i, j] = out[j, i] = (ends[0] - ends[1] - ends[2] + ends[3]) / (4 * size**2)
    return out


def point_instance(rng: np.random.Generator) -> Instance:
    """A loss in 1 to 3 inputs, a point v = x' - x off the coordinate planes, p, a multiplier and a radius."""
    d = int(rng.integers(1, 4))
    instance = draw_loss(rng, d, 1, float(10 ** rng.uniform(-1, 0.5)), False)
    v = rng.choice([-1, 1], d) * rng.uniform(0.5, 2, d)
    p = float(rng.choice(POWERS))
    return {
        **instance,
        "v": v,
        "p": p,
        "mu": float(rng.uniform(0.3, 3)),
        "epsilon": float(rng.uniform(0.1, 3)),
    }


def hessian_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """Second differences of J in (mu, v) against the blocks that the sentence gives, and the spectra of both signs."""
    loss, v, mu, epsilon = loss_of(instance), instance["v"], instance["mu"], instance["epsilon"]
    p, theta = 2.0 if sentence.euclidean else instance["p"], np.zeros(1)
    if np.min(np.abs(v)) < 0.3:
        return NOWHERE

    def j(at: np.ndarray) -> float:
        return loss.value(at[1:], theta) - at[0] * (norm(at[1:], p) - epsilon)

    at = np.concatenate([[mu], v])
    fine, coarse = second(j, at, 5e-4), second(j, at, 1e-3)
    size, n = norm(v, p), normal(v, p)
    curvature = bend_of_norm(v, p)
    if sentence.euclidean:
        curvature = sentence.identity * np.eye(v.size) / size
        curvature = curvature - sentence.outer * np.outer(v, v) / size**sentence.power
    whole = np.zeros((v.size + 1, v.size + 1))
    whole[0, 0] = sentence.corner
    whole[0, 1:] = whole[1:, 0] = sentence.border * n
    whole[1:, 1:] = sentence.block * (loss.hessian(v, theta) - sentence.sign * mu * curvature)
    error = 4 * float(np.linalg.norm(fine - coarse)) + 1e-8 * (1 + abs(j(at)) + largest(fine))
    gap = equal(fine, whole, error)
    turned = whole.copy()
    turned[0, 1:] = turned[1:, 0] = -turned[0, 1:]
    spectra = [np.linalg.eigvalsh(one) for one in (whole, turned)]
    return worst(gap, equal(spectra[0], spectra[1], 1e-9 * (1 + largest(whole))))


def determinant_instance(rng: np.random.Generator) -> Instance:
    """A symmetric matrix of size 1 to 5 and a normal of any length."""
    d = int(rng.integers(1, 6))
    root = rng.standard_normal((d, d)) * 10 ** rng.uniform(-1, 1)
    return {"root": root, "n": rng.standard_normal(d) * 10 ** rng.uniform(-1, 1)}


def determinant_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The determinant of the bordered matrix, either sign of the border, against -|n|^2 that of the tangent block."""
    h, n = (instance["root"] + instance["root"].T) / 2, instance["n"]
    base = tangents(n)
    inner = float(np.linalg.det(base.T @ h @ base)) if base.shape[1] else 1.0
    right = -sentence.factor * float(np.linalg.norm(n)) ** sentence.power * inner
    gaps = []
    for side in (1, -1):
        whole = np.block([[np.zeros((1, 1)), side * n[None, :]], [side * n[:, None], h]])
        left = float(np.linalg.det(whole))
        scale = float(np.prod(np.linalg.norm(whole, axis=1)))
        gaps.append(equal(left, right, 1e-11 * scale))
    return worst(*gaps)


def sign_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The determinant's sign at a maximum on the sphere, against that which the sentence names."""
    loss, centre, epsilon = placed(instance)
    d = centre.size
    zero, none = np.zeros(d), 0 * instance["theta"]
    whole = bordered(loss, zero, none, abs(instance["mu"]), centre)
    base = tangents(-centre / epsilon)
    inner = base.T @ whole[1:, 1:] @ base
    if d > 1 and np.linalg.eigvalsh(inner)[-1] > -1e-6 * largest(whole):
        return NOWHERE
    det = float(np.linalg.det(whole))
    side = {"even": (-1) ** d, "positive": 1, "negative": -1, "odd": (-1) ** (d + 1)}[sentence.sign]
    line = [equal(det, -1.0, 1e-9 * largest(whole))] if d == 1 and sentence.sign == "even" else []
    return worst(Gap(0.0, side * det, 1e-12 * abs(det)), *line)


def stationary_instance(rng: np.random.Generator) -> Instance:
    """A stationary point of J on the sphere of a quadratic loss of any signature, multipliers of either sign."""
    d = int(rng.integers(2, 5))
    n = rng.standard_normal(d)
    root = rng.standard_normal((d, d))
    definite = -root @ root.T / 2 if rng.random() < 0.5 else root
    side = float(rng.choice([-1, 1]))
    return {
        "n": n / np.linalg.norm(n),
        "root": definite,
        "mu": side * rng.uniform(0.2, 2),
        "epsilon": rng.uniform(0.3, 3),
    }


def sufficient_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The loss at points of the ball near a stationary point, above its value there, over the square of the distance:
    at every scale, along the tangent Hessian's top direction and inwards."""
    n = instance["n"] / np.linalg.norm(instance["n"])
    h, mu, epsilon = (instance["root"] + instance["root"].T) / 2, instance["mu"], abs(instance["epsilon"])
    base, d = tangents(n), n.size
    curved = h - mu / epsilon * (np.eye(d) - np.outer(n, n))
    values, vectors = np.linalg.eigh(base.T @ curved @ base)
    whole = np.block([[np.zeros((1, 1)), -n[None, :]], [-n[:, None], curved]])
    det = float(np.linalg.det(whole))
    margin = 0.05 * largest(curved)
    meant = {
        "determinant": det > 1e-3,
        "sign": (-1) ** d * det > 1e-3,
        "tangent": mu > 0.05 and values[-1] < -margin,
        "either": values[-1] < -margin,
        "semidefinite": mu > 0.05 and values[-1] <= 0,
    }[sentence.condition]
    if (
        sentence.condition == "semidefinite"
    ):  # h loses its top tangent part: flat to second order, and x^4 rises
        return Gap(0.1 * 1e-2**4, 0.0)
    if not meant or abs(mu) < 0.05:
        return NOWHERE
    top = base @ vectors[:, -1]
    risen = []
    for s in (1e-2, 1e-3, 1e-4):
        points = [epsilon * (n * np.cos(s * a) + top * np.sin(s * a)) - epsilon * n for a in (1.0, -1.0)]
        points.append(-s * epsilon * n)
        points.extend(points[0] * 0.5 + points[2] * 0.5 * s for _ in (0,))
        risen.append(max((mu * n @ x + x @ h @ x / 2) / s**2 for x in points))
    return Gap(min(risen), 0.0, 1e-7 * (1 + largest(h) + abs(mu)) * epsilon**2)


def round_instance(rng: np.random.Generator) -> Instance:
    """A loss in two inputs on an L_p disc around 0; now and then the maximum of -|x - x*|^2/2 with x* on its edge."""
    instance = draw_loss(rng, 2, 1, float(10 ** rng.uniform(-1, 0)), False)
    p, epsilon, angle = (
        float(rng.choice(POWERS[1:])),
        float(10 ** rng.uniform(-0.5, 0.5)),
        rng.uniform(0, 6.28),
    )
    way = np.array([np.cos(angle), np.sin(angle)])
    instance["push"] = rng.standard_normal(2) * 10 ** rng.uniform(-0.5, 1)
    touching = bool(rng.random() < 0.3)
    if touching:
        instance.update({"u": np.eye(2), "w": np.zeros((2, 1)), "coef": np.tile([-1.0, 0, 0], (2, 1))})
        instance["push"] = epsilon * way / norm(way, p)
    return {**instance, "p": p, "epsilon": epsilon, "touching": touching}


def edge_maximum(loss: Loss, p: float, epsilon: float) -> np.ndarray | None:
    """The best point of the edge, by values alone, if the loss does not rise from there inwards."""
    angles = np.linspace(0, 2 * np.pi, 181)
    ways = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    points = epsilon * ways / (np.sum(np.abs(ways) ** p, axis=1) ** (1 / p))[:, None]
    z = points @ loss.u.T
    a, b, c = loss.coef.T
    values = np.sum(z * z * (a / 2 + z * (b / 6 + z * c / 24)), axis=1) + points @ loss.push
    best = angles[int(np.argmax(values))]

    def at(angle: float) -> np.ndarray:
        way = np.array([np.cos(angle), np.sin(angle)])
        return epsilon * way / norm(way, p)

    theta = np.zeros(1)
    step = angles[1]
    found = minimize_scalar(
        lambda t: -loss.value(at(t), theta),
        bounds=(best - step, best + step),
        method="bounded",
        options={"xatol": 1e-9},
    )
    x = at(float(found.x))
    here = loss.value(x, theta)
    return None if any(loss.value((1 - s) * x, theta) > here + 1e-12 * abs(here) for s in (1e-2, 1e-3)) else x


def multiplier_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """At the maximum of the disc, found by values: the gradient's part along the edge, and its multiplier."""
    loss, p, epsilon = loss_of(instance), instance["p"], abs(instance["epsilon"])
    if sentence.inside:
        return Gap(0.5 * epsilon, 0.0)  # -|x - x*|^2/2 with |x*| = epsilon/2: the constraint of J is not met
    if instance["touching"]:
        x: np.ndarray | None = instance["push"]
    else:
        x = edge_maximum(loss, p, epsilon)
    if x is None:
        return NOWHERE
    theta, n = np.zeros(1), normal(x, p)
    grad = loss.grad(x, theta)
    mu = float(grad @ n / (n @ n))
    rest = float(np.linalg.norm(grad - mu * n))
    error = 2e-4 * (float(np.linalg.norm(grad)) + largest(loss.hessian(x, theta)) * epsilon)
    signs = {
        "at least 0": Gap(0.0, mu, error),
        "at most 0": Gap(mu, 0.0, error),
        "above 0": Gap(1e-2, mu, error),
    }
    parts = [equal(rest, sentence.along, error), signs[sentence.multiplier]]
    parts.append(equal(float(np.linalg.norm(grad)), mu * float(np.linalg.norm(n)), error))
    return worst(*parts) if not sentence.only else signs["above 0"]


def flat_gap(instance: Instance, sentence: SimpleNamespace) -> Gap:
    """The second derivative of l along great circles at the maximum, by differences, against t.H t - mu/epsilon; as
    printed, c of a loss flattened by 1e-6 is below a hundredth."""
    loss, centre, epsilon = placed(instance)
    d, mu, theta = centre.size, abs(instance["mu"]), 0 * instance["theta"]
    n, zero = -centre / epsilon, np.zeros(centre.size)
    if d < 2:
        return NOWHERE
    if sentence.printed:
        flat = Loss(loss.u, loss.w, 1e-6 * loss.coef, loss.bilinear, loss.push)
        c = float(np.linalg.svd(bordered(flat, zero, theta, mu, centre))[1][-1])
        return Gap(c, 1e-2, 1e-9) if largest(flat.hessian(zero, theta)) < 1e-4 else NOWHERE
    t = tangents(n)[:, 0]

    def on_circle(s: float) -> float:
        return loss.value(epsilon * (n * np.cos(s / epsilon) + t * np.sin(s / epsilon)) - epsilon * n, theta)

    sizes = (2e-3 * epsilon, 1e-3 * epsilon)
    found = [(on_circle(s) + on_circle(-s) - 2 * on_circle(0.0)) / s**2 for s in sizes]
    formula = float(t @ loss.hessian(zero, theta) @ t) - sentence.factor * mu / epsilon**sentence.power
    exact = float(t @ block(loss, zero, theta, mu, centre) @ t)
    error = 2 * abs(found[1] - found[0]) + 1e-9 * (1 + abs(exact)) * (1 + mu / epsilon)
    return equal(found[1], formula, error)


PLAIN = {"border": -1, "corner": 0.0, "sign": 1, "block": 1.0, "identity": 1.0, "outer": 1, "power": 3}
LP, L2 = {**PLAIN, "euclidean": False}, {**PLAIN, "euclidean": True}
MULTIPLIER = {"multiplier": "at least 0", "along": 0.0, "inside": False, "only": False}
DIFFERENCES = "losses in 1 to 3 inputs, p from 1.3 to 6; second differences of values of J"
DISC = "losses on L_p discs, p from 1.5 to 6; the maximum of the edge by values alone"
MAXIMA = "maxima on spheres in 1 to 4 inputs; the sign of the bordered determinant"
NEARBY = "stationary points on spheres in 2 to 4 inputs, every signature; values at points of the ball nearby"
ADVERSARIES = (
    Adversary(
        claim="eq22", how=DIFFERENCES, draw=point_instance, gap=hessian_gap, sentence={**LP, "border": 1}
    ),
    Adversary(
        claim="eq22",
        reading="corrected",
        how=DIFFERENCES,
        draw=point_instance,
        gap=hessian_gap,
        moved=("v", "mu", "coef"),
        sentence=LP,
        twins={
            "border as printed": {"border": 1},
            "plus mu in the block": {"sign": -1},
            "corner one": {"corner": 1.0},
            "block one per cent off": {"block": 1.01},
        },
    ),
    Adversary(
        claim="eq43", how=DIFFERENCES, draw=point_instance, gap=hessian_gap, sentence={**L2, "border": 1}
    ),
    Adversary(
        claim="eq43",
        reading="corrected",
        how=DIFFERENCES,
        draw=point_instance,
        gap=hessian_gap,
        moved=("v", "mu", "coef"),
        sentence=L2,
        twins={
            "border as printed": {"border": 1},
            "square for cube": {"power": 2},
            "outer product subtracted": {"outer": -1},
            "identity one per cent off": {"identity": 1.01},
        },
    ),
    Adversary(
        claim="lemma5.determinant",
        how="symmetric matrices of size 1 to 5, normals of any length; determinants by elimination",
        draw=determinant_instance,
        gap=determinant_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 2},
        twins={
            "sign flipped": {"factor": -1.0},
            "length not squared": {"power": 1},
            "one per cent off": {"factor": 1.01},
        },
    ),
    Adversary(
        claim="lemma5.odd-dimension",
        how=MAXIMA,
        draw=sphere_instance,
        gap=sign_gap,
        sentence={"sign": "positive"},
    ),
    Adversary(
        claim="lemma5.odd-dimension",
        reading="corrected",
        how=MAXIMA,
        draw=sphere_instance,
        gap=sign_gap,
        admit=bounded,
        sentence={"sign": "even"},
        twins={
            "positive in every dimension": {"sign": "positive"},
            "negative in every dimension": {"sign": "negative"},
            "sign (-1)^(d+1)": {"sign": "odd"},
        },
    ),
    Adversary(
        claim="sec322.determinant-sufficient",
        how=NEARBY,
        draw=stationary_instance,
        gap=sufficient_gap,
        sentence={"condition": "determinant"},
    ),
    Adversary(
        claim="sec322.determinant-sufficient",
        reading="corrected",
        how=NEARBY,
        draw=stationary_instance,
        gap=sufficient_gap,
        admit=bounded,
        sentence={"condition": "tangent"},
        twins={
            "det > 0": {"condition": "determinant"},
            "the sign (-1)^d of a maximum": {"condition": "sign"},
            "tangent Hessian only semidefinite": {"condition": "semidefinite"},
            "multiplier of either sign": {"condition": "either"},
        },
    ),
    Adversary(
        claim="eq20.stationary",
        how=DISC,
        draw=round_instance,
        gap=multiplier_gap,
        moved=(),
        sentence=MULTIPLIER,
        twins={
            "multiplier of the other sign": {"multiplier": "at most 0"},
            "multiplier always positive": {"multiplier": "above 0"},
            "attack inside": {"inside": True},
            "tangential gradient one": {"along": 1.0},
        },
    ),
    Adversary(
        claim="eq20.active-gradient",
        how=DISC,
        draw=round_instance,
        gap=multiplier_gap,
        moved=(),
        sentence={**MULTIPLIER, "only": True},
    ),
    Adversary(
        claim="eq20.active-gradient",
        reading="corrected",
        how=DISC,
        draw=round_instance,
        gap=multiplier_gap,
        moved=(),
        sentence=MULTIPLIER,
        twins={"never zero": {"only": True}, "negative length": {"multiplier": "at most 0"}},
    ),
    Adversary(
        claim="sec322.flatten-boundary",
        how="maxima on spheres; the bordered matrix of the loss flattened by 1e-6",
        draw=sphere_instance,
        gap=flat_gap,
        sentence={"factor": 1.0, "power": 1, "printed": True},
    ),
    Adversary(
        claim="sec322.flatten-boundary",
        reading="corrected",
        how="maxima on spheres; second differences along great circles",
        draw=sphere_instance,
        gap=flat_gap,
        admit=bounded,
        sentence={"factor": 1.0, "power": 1, "printed": False},
        twins={
            "curvature one per cent larger": {"factor": 1.01},
            "curvature one per cent smaller": {"factor": 0.99},
            "epsilon squared": {"power": 2},
        },
    ),
)

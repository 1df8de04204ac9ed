"""The lines of `results/bounds.md` on EntropySGD: Theorem 3, Sec. 2.2, and the global constants of `theory/`."""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache, partial
from itertools import pairwise

import jax
import jax.numpy as jnp
import numpy as np

from numerics.admissible import Box
from numerics.bounds.case import NOTHING, Case, from_theory
from numerics.bounds.fixtures import fig2, five_points
from numerics.falsifier import Worst
from numerics.local_entropy import local_entropy_surface
from numerics.norms import Array
from numerics.problem import Problem
from numerics.surfaces import Surface, square_axes
from numerics.tradeoff import GRID, covariance_norm, largest, lipschitz_constant, spectral_norm

Line = Callable[[Array], Array]


def surface_cases() -> list[Case]:
    """Theorem 3 on the adversarial losses of Fig. 2(g), (h): the Hessian of -F is measured on [-2, 2]^2."""
    return [
        theorem3_case("l2.gamma1", fig2("l2"), 1.0, "L2, Fig. 2(g)"),
        theorem3_case("linf.gamma1", fig2("linf"), 1.0, "L-inf, Fig. 2(h)"),
        theorem3_case("linf.gamma10", fig2("linf"), 10.0, "L-inf, Fig. 2(h)"),
        theorem3_case("data.gamma1", five_points(2), 1.0, "L-inf, 5 points, d = 2"),
    ]


def theorem3_case(name: str, problem: Problem, gamma: float, loss: str) -> Case:
    """gamma + gamma^2 sup ||Sigma||_F of Eq. (23), with the supremum over the square, and our global constant."""
    return Case(
        id=f"theorem3.{name}",
        statement="Theorem 3, Eq. (23)",
        claim="beyond.entropy-adversarial-logistic",
        what=f"-grad F, {loss}, gamma = {gamma:g}",
        where="|theta_i| <= 2",
        search=partial(steepest_curvature, problem, gamma),
        paper=lambda a, b: from_theory(
            "theorem3", gamma=gamma, **{"||Sigma||_F": largest_covariance(problem, gamma)}
        ),
        printed="gamma + gamma^2 sup ||Sigma||_F",
        ours=from_theory("beyond.entropy-adversarial-logistic", G=lipschitz_constant(problem), gamma=gamma),
        sharp="(G/2)(sqrt(G^2 + 4 gamma) - G), G = max ||x_n|| + eps (L-inf: eps sqrt(d)), on all of R^m",
    )


def steepest_curvature(problem: Problem, gamma: float) -> Worst:
    """The theta of the square with the largest sigma_1(-Hess F)."""
    peak = largest(problem, square(problem, gamma), spectral_norm, gamma=gamma, gain=0.0)
    values, vectors = np.linalg.eigh(peak.hessian)
    lead = int(np.argmax(np.abs(values)))
    ratio = float(abs(values[lead]))
    return Worst("limit", ratio, ratio, 0.0, peak.theta, peak.theta, vectors[:, lead], np.zeros(0), 0)


def largest_covariance(problem: Problem, gamma: float) -> float:
    """sup ||Sigma_theta||_F over the square."""
    spread = partial(covariance_norm, precision=gamma)
    return largest(problem, square(problem, gamma), spread, gamma=gamma, gain=0.0).value


@cache
def square(problem: Problem, gamma: float) -> Surface:
    """-F on the grid of [-2, 2]^2 where the search begins."""
    return local_entropy_surface(problem, square_axes(GRID), gamma=gamma)


def line_cases() -> list[Case]:
    """Losses of one weight that attain the constants, or refute Sec. 2.2's; -F by Gauss-Legendre panels."""

    def well(t: Array) -> Array:
        return t**2 / 2 + math.log(16) - jnp.log(1 + 2 * t**2 + 2 * t**4)

    return [
        Case(
            id="eq11.smaller-constant",
            statement="Sec. 2.2, last paragraph",
            claim="eq11.smaller-constant",
            what="-F', L = t^2/2 + log 16 - log(1 + 2 t^2 + 2 t^4), gamma = 9",
            where="|theta| <= 2",
            mapping=line_gradient(well, 9.0),
            admissible=Box([-2], [2]),
            stages=("limit",),
            paper=3.0,  # |L''| is largest at 0, where L'' = 1 - 4
            printed="smaller than C, the constant of grad L",
            ours=-from_theory("beyond.entropy-smooth", "lower", C=3.0, gamma=9.0, beta=1.0),
            sharp="gamma C/(gamma - C)",
        ),
        Case(
            id="entropy.smooth.lower",
            statement="beyond Sec. 2.2",
            claim="beyond.entropy-smooth",
            what="-F', L = -t^2/2 (C = 1), gamma = 2",
            where="|theta| <= 1",
            mapping=line_gradient(lambda t: -(t**2) / 2, 2.0),
            admissible=Box([-1], [1]),
            stages=("limit",),
            says=NOTHING,
            ours=-from_theory("beyond.entropy-smooth", "lower", C=1.0, gamma=2.0, beta=1.0),
            sharp="gamma C/(gamma - C)",
        ),
        Case(
            id="entropy.smooth.convex",
            statement="Sec. 2.2, corrected for convex L",
            claim="eq11.smaller-constant",
            what="-F', L = 3 t^2/2, gamma = 2",
            where="|theta| <= 2",
            mapping=line_gradient(lambda t: 1.5 * t**2, 2.0),
            admissible=Box([-2], [2]),
            stages=("limit",),
            paper=3.0,
            printed="smaller than C, the constant of grad L",
            ours=from_theory("eq11.smaller-constant", "constant", "corrected", C=3.0, gamma=2.0),
            sharp="gamma C/(gamma + C)",
        ),
        Case(
            id="entropy.weakly-convex",
            statement="beyond Theorem 3",
            claim="beyond.entropy-weakly-convex",
            what="-F', L = |t| - t^2/2, gamma = 2",
            where="|theta| <= 6",
            mapping=line_gradient(lambda t: jnp.abs(t) - t**2 / 2, 2.0, reach=26.0),
            admissible=Box([-6], [6]),
            stages=("limit",),
            says=NOTHING,
            ours=-from_theory("beyond.entropy-weakly-convex", "lower", rho=1.0, gamma=2.0, beta=1.0),
            sharp="gamma rho/(gamma - rho)",
        ),
        hill_case(),
        Case(
            id="entropy.convex-lipschitz",
            statement="beyond Theorem 3",
            claim="beyond.entropy-adversarial-logistic",
            what="-F', L = 20 |t|, gamma = 1",
            where="|theta| <= 2",
            mapping=line_gradient(lambda t: 20 * jnp.abs(t), 1.0),
            admissible=Box([-2], [2]),
            stages=("limit",),
            paper=from_theory("theorem3", gamma=1.0, **{"||Sigma||_F": 1.0}),
            printed="gamma + gamma^2 sup Var, Var < 1/gamma",
            ours=from_theory("beyond.entropy-adversarial-logistic", G=20.0, gamma=1.0),
            sharp="(G/2)(sqrt(G^2 + 4 gamma) - G)",
        ),
        Case(
            id="entropy.value",
            statement="beyond Theorem 3",
            claim="beyond.entropy-lipschitz",
            what="-F itself, L = 2 |t|, gamma = 1, beta = 1",
            where="|theta| <= 12",
            mapping=line_value(lambda t: 2 * jnp.abs(t), 1.0, reach=24.0),
            admissible=Box([-12], [12]),
            stages=("limit",),
            says=NOTHING,
            ours=from_theory("beyond.entropy-lipschitz", "gradient", G=2.0, beta=1.0),
            sharp="beta G",
        ),
        frobenius_case(4, 3.0, 1.0),
    ]


def hill_case() -> Case:
    """A hill that is G-Lipschitz and non-negative: -F bends down as fast as beyond.entropy-lipschitz allows, nearly."""
    slope, gamma = 6.0, 1.0
    hill = line_gradient(
        lambda t: slope * jnp.maximum(12 - jnp.abs(t), 0.0), gamma, reach=26.0, kinks=(-12, 0, 12)
    )
    return Case(
        id="entropy.lipschitz",
        statement="Theorem 3, Eq. (23)",
        claim="beyond.entropy-lipschitz",
        what="-F', L = 6 max(12 - |t|, 0), gamma = 1",
        where="|theta| <= 2",
        mapping=hill,
        admissible=Box([-2], [2]),
        stages=("limit",),
        paper=lambda a, b: from_theory("theorem3", gamma=gamma, **{"||Sigma||_F": variance(hill, a, gamma)}),
        printed="gamma + gamma^2 sup Var",
        ours=-from_theory("beyond.entropy-lipschitz", "lower", G=slope, gamma=gamma, beta=1.0),
        sharp="(G/2)(sqrt(G^2 + 4 gamma) + G)",
    )


def frobenius_case(m: int, k: float, gamma: float) -> Case:
    """L = k ||theta||^2/2 in m dimensions: a product of lines, so that -grad F acts on each weight alone."""
    line = line_gradient(lambda t: k * t**2 / 2, gamma)
    return Case(
        id="theorem3.frobenius",
        statement="Theorem 3, Eq. (23)",
        claim="beyond.theorem3-frobenius",
        what=f"-grad F, L = 3 ||theta||^2/2, m = {m}, gamma = {gamma:g}",
        where="|theta_i| <= 2",
        mapping=lambda theta: jax.vmap(lambda t: line(t[None])[0])(theta),
        admissible=Box(np.full(m, -2.0), np.full(m, 2.0)),
        stages=("limit",),
        paper=from_theory("beyond.theorem3-frobenius", "printed", gamma=gamma, k=k, m=m),
        printed="gamma + gamma^2 sup ||Sigma||_F",
        ours=from_theory("beyond.theorem3-frobenius", "true", gamma=gamma, k=k),
        sharp="gamma k/(gamma + k)",
    )


def line_value(loss: Line, gamma: float, reach: float = 14.0, kinks: tuple[float, ...] = (0.0,)) -> Line:
    """theta, shape (1,), to -F(theta) of Eq. (10) at beta = 1 with theta' on [-reach, reach] (see `line_nodes`)."""
    nodes, weights = line_nodes(gamma, reach, kinks)

    def value(theta: Array) -> Array:
        exponent = -loss(jnp.asarray(nodes)) - gamma / 2 * (theta[0] - nodes) ** 2
        return -jax.scipy.special.logsumexp(exponent, b=weights)

    return value


def line_gradient(loss: Line, gamma: float, reach: float = 14.0, kinks: tuple[float, ...] = (0.0,)) -> Line:
    """theta, shape (1,), to -F'(theta) = gamma (theta - E[theta']), shape (1,) (Eq. 11), E by quadrature."""
    nodes, weights = line_nodes(gamma, reach, kinks)

    def gradient(theta: Array) -> Array:
        exponent = -loss(jnp.asarray(nodes)) - gamma / 2 * (theta[0] - nodes) ** 2
        share = jax.nn.softmax(exponent + jnp.log(weights))
        return gamma * (theta - jnp.sum(share * nodes))

    return gradient


def line_nodes(gamma: float, reach: float, kinks: tuple[float, ...]) -> tuple[np.ndarray, np.ndarray]:
    """Gauss-Legendre nodes and weights on [-reach, reach]: 16 a panel, panels end at the kinks, each half a standard
    deviation of the Gaussian wide, at most."""
    ends = np.array([-reach, *kinks, reach])
    panels = [
        np.linspace(low, high, 1 + math.ceil((high - low) * 2 * math.sqrt(gamma)))
        for low, high in pairwise(ends)
    ]
    edges = np.unique(np.concatenate(panels))
    x, w = np.polynomial.legendre.leggauss(16)
    half = np.diff(edges) / 2
    nodes = (edges[:-1] + half)[:, None] + half[:, None] * x
    return nodes.ravel(), (half[:, None] * w).ravel()


def variance(gradient: Line, theta: np.ndarray, gamma: float) -> float:
    """The variance of p_theta in one dimension from -F'' = gamma - gamma^2 Var (Eq. 53)."""
    _, bend = jax.jvp(gradient, (jnp.asarray(theta),), (jnp.ones(1),))
    return float((gamma - bend[0]) / gamma**2)

"""The lines of `results/bounds.md` on Assumption 1 and Proposition 1, Eqs. (5) to (9)."""

from __future__ import annotations

import math
from functools import partial

import jax
import numpy as np

from numerics.admissible import AdmissibleSet, AwayFromAxes, Shell, ball
from numerics.autodiff import jax_loss
from numerics.bounds.case import NOTHING, Case, from_theory
from numerics.bounds.fixtures import DATA, EPSILON, LENGTH, apart, fig2, five_points, mixed_constant
from numerics.bounds.maps import bilinear_gradient, logistic, logistic_gradient
from numerics.norms import euclidean_radius
from numerics.problem import Problem


def assumption_cases() -> list[Case]:
    """Eqs. (5)-(7): the smallest constants of the logistic loss on ||x|| <= R, ||theta|| <= B."""
    R, B = 1.5, 2.0
    x, theta, line = ball([0, 0, 0], R), ball([0, 0, 0], B), ball([0], 40)
    where = f"||x|| <= R = {R:g}, ||theta|| <= B = {B:g}, d = 3"

    def of_x(x: jax.Array, theta: jax.Array) -> jax.Array:
        return logistic_gradient(theta, x)

    def smallest(
        name: str, claim: str, equation: str, mapping, sets: tuple, where: str, ours: float, sharp: str
    ) -> Case:
        admissible, context = sets
        return Case(
            id=f"assumption1.{name}",
            statement=f"Assumption 1, {equation}",
            claim=claim,
            what={logistic: "theta -> l(x, theta)", of_x: "x -> grad_theta l(x, theta)"}.get(
                mapping, "theta -> grad_theta l(x, theta)"
            ),
            where=where,
            mapping=mapping,
            admissible=admissible,
            context=context,
            stages=("limit",),
            says=NOTHING,
            ours=ours,
            sharp=sharp,
        )

    claim = "beyond.c-theta"
    largest = "max over |u| <= B R of the norm of the mixed derivative"
    pair = ball([0, 0], 1), ball([0, 0], 50)
    return [
        smallest(
            "c-theta",
            claim,
            "Eq. (5)",
            logistic,
            (theta, x),
            where,
            from_theory(claim, R=R, B=B),
            "R sigmoid(B R)",
        ),
        smallest(
            "c-theta-theta",
            "beyond.c-theta-theta",
            "Eq. (6)",
            logistic_gradient,
            (theta, x),
            where,
            from_theory("beyond.c-theta-theta", R=R),
            "R^2/4",
        ),
        smallest(
            "c-theta-x",
            "beyond.c-theta-x",
            "Eq. (7)",
            of_x,
            (x, theta),
            where,
            mixed_constant(B * R),
            largest,
        ),
        smallest(
            "c-theta-x-line",
            "beyond.c-theta-x-line",
            "Eq. (7), d = 1",
            of_x,
            (line, line),
            "|x|, |theta| <= 40, d = 1",
            from_theory("beyond.c-theta-x-line", "value", v=swish_root()),
            "1/2 + v/4, v tanh(v/2) = 2",
        ),
        smallest(
            "c-theta-x-unbounded",
            "beyond.c-theta-x-unbounded",
            "Eq. (7), large theta",
            of_x,
            pair,
            "||x|| <= R = 1, ||theta|| <= B = 50, d = 2: no constant serves all theta",
            mixed_constant(50.0),
            f"{largest}, about B R/4",
        ),
    ]


def proposition_cases() -> list[Case]:
    """Eqs. (8) and (9)."""
    corner = LENGTH + EPSILON * math.sqrt(2)
    farthest = float(np.linalg.norm(np.abs(DATA) + EPSILON, axis=1).max())
    return [
        eq8_case("l2", fig2("l2"), LENGTH + EPSILON, "L2, Fig. 2's point"),
        eq8_case("linf", fig2("linf"), corner, "L-inf, Fig. 2's point"),
        eq8_case("data", five_points(), farthest, "L-inf, 5 points, d = 3"),
        eq9_bilinear_case(2.0, 2, "p2"),
        eq9_bilinear_case(3.0, 3, "p3"),
        eq9_bilinear_case(np.inf, 2, "pinf"),
        eq9_logistic_case(),
    ]


def eq8_case(name: str, problem: Problem, reach: float, loss: str) -> Case:
    """|L_eps(a) - L_eps(b)| <= C_theta ||a - b||, with C_theta of all attacked inputs, ||x'|| <= reach."""
    bound = 2.0
    constant = from_theory("beyond.c-theta", R=reach, B=bound)
    return Case(
        id=f"prop1.eq8.{name}",
        statement="Proposition 1, Eq. (8)",
        claim="prop1.eq8",
        what=f"L_eps, {loss}",
        where=f"||theta|| <= B = {bound:g}",
        mapping=jax_loss(problem),
        admissible=ball(np.zeros(problem.dimension), bound),
        stages=("limit",),
        paper=constant,
        printed="C_theta",
        ours=constant,
        sharp="R' sigmoid(B R'), R' = max ||x'||",
    )


def eq9_bilinear_case(p: float, d: int, name: str) -> Case:
    """Eq. (9) for l = ||theta||^2/2 + theta.x, with C_thetatheta = C_thetax = 1."""
    mapping = partial(bilinear_gradient, smooth=1.0, cross=1.0, epsilon=EPSILON, p=p)
    what = f"grad L_eps, l = ||theta||^2/2 + theta.x, p = {p:g}"
    return eq9_case(
        name, what, f"||theta|| = 2, d = {d}", mapping, Shell(np.zeros(d), 2, 2), 1.0, 1.0, EPSILON, p
    )


def eq9_logistic_case() -> Case:
    """The paper's own model with the smallest C_thetatheta and C_thetax of ||theta|| <= B: opposite signs refute it."""
    x, epsilon, most = np.array([0.3, -0.2, 0.1]), 1.0, 0.05
    bound = most * math.sqrt(3)
    problem = Problem(x[None], np.ones(1), epsilon, np.inf)
    reach = float(np.linalg.norm(np.abs(x) + epsilon))
    smooth, cross = from_theory("beyond.c-theta-theta", R=reach), mixed_constant(bound * reach)
    what = "grad L_eps, logistic, x = (0.3, -0.2, 0.1), eps = 1, p = inf"
    where = f"0.001 <= |theta_i| <= {most:g}, d = 3"
    mapping, signs = jax.grad(jax_loss(problem)), AwayFromAxes(3, 1e-3, most)
    return eq9_case("logistic", what, where, mapping, signs, smooth, cross, epsilon, np.inf)


def eq9_case(
    name: str,
    what: str,
    where: str,
    mapping,
    admissible: AdmissibleSet,
    smooth: float,
    cross: float,
    epsilon: float,
    p: float,
) -> Case:
    """Eq. (9) as printed, and with the Euclidean width of the L_p ball in place of 2 epsilon."""
    printed = from_theory("prop1.eq9", "small_p" if p <= 2 else "large_p", C_thetax=cross, epsilon=epsilon)
    width = euclidean_radius(p, admissible.dimension)
    return Case(
        id=f"prop1.eq9.{name}",
        statement="Proposition 1, Eq. (9)",
        claim="prop1.eq9",
        what=what,
        where=where,
        mapping=mapping,
        admissible=admissible,
        stages=("pair",),
        paper=lambda a, b: smooth + printed / apart(a, b),
        printed="C_tt + 2 eps C_tx/|a - b|",
        ours=lambda a, b: smooth + printed * width / apart(a, b),
        sharp="C_tt + 2 eps d^max(0, 1/2 - 1/p) C_tx/|a - b|",
    )


def swish_root() -> float:
    """The positive root v of v tanh(v/2) = 2, by Newton's method (claim beyond.c-theta-x-line)."""
    v = 2.4
    for _ in range(50):
        slope = math.tanh(v / 2) + v / 2 / math.cosh(v / 2) ** 2
        v -= (v * math.tanh(v / 2) - 2) / slope
    return v

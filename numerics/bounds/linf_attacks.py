"""The lines of `results/bounds.md` on Lemma 3 and Theorem 2, L-infinity and other L_p attacks of the linear model."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from numerics.admissible import AdmissibleSet, AwayFromAxes, HalfSpace, Shell, ball, orthant
from numerics.autodiff import jax_loss
from numerics.bounds.case import NO, NOTHING, Case, from_theory
from numerics.bounds.fixtures import DATA, EPSILON, LENGTH, THETA_MIN, apart, fig2, five_points
from numerics.bounds.maps import linear_shift
from numerics.norms import dual_exponent
from numerics.problem import Problem

# No sign is 0 in the paper's statements, so the orthants are kept this far from their faces.
FACE = 1e-9


def lemma3_cases() -> list[Case]:
    """Lemma 3 and the last step of the proof of Theorem 2."""
    away = from_theory("lemma3", "constant", "corrected", epsilon=EPSILON, theta_min=THETA_MIN)
    first = "Lemma 3, first sentence"

    def attack(
        name: str, statement: str, claim: str, where: str, admissible: AdmissibleSet, **others
    ) -> Case:
        return Case(
            id=name,
            statement=statement,
            claim=claim,
            what="L-inf attack x'(theta), linear model",
            where=where,
            mapping=partial(linear_shift, epsilon=EPSILON, p=np.inf),
            admissible=admissible,
            stages=("pair",),
            **others,
        )

    def flips(a: jax.Array, b: jax.Array) -> jax.Array:
        return 2 * EPSILON * jnp.sqrt(jnp.sum(jnp.sign(a) != jnp.sign(b))) / apart(a, b)

    def no_constant(name: str, where: str, admissible: AdmissibleSet, ours: float, sharp: str) -> Case:
        words = {"says": NO, "printed": "not Lipschitz", "ours": ours, "sharp": sharp}
        return attack(name, first, "lemma3", where, admissible, **words)

    two = from_theory("theorem2.two-epsilon", "bound", epsilon=EPSILON)
    root = from_theory("theorem2.two-epsilon", "bound", "corrected", epsilon=EPSILON, d=3)
    signs = "all |theta_i| >= theta_min = 1/2, signs differ"
    return [
        attack(
            "lemma3.same-signs",
            "Lemma 3, Eq. (17)",
            "lemma3.same-signs",
            "theta_1 > 0, theta_2 < 0, theta_3 > 0",
            orthant([1, -1, 1], FACE, 3),
            paper=0.0,
            printed="0",
            ours=0.0,
            sharp="0",
        ),
        no_constant(
            "lemma3.away.d1", f"{signs}, d = 1", AwayFromAxes(1, THETA_MIN, 3), away, "eps/theta_min"
        ),
        no_constant(
            "lemma3.away.d3", f"{signs}, d = 3", AwayFromAxes(3, THETA_MIN, 3), away, "eps/theta_min"
        ),
        attack(
            "lemma3.flips",
            "Lemma 3, sharpened",
            "beyond.k-flips",
            "k signs differ, no theta_i = 0, d = 4",
            AwayFromAxes(4, THETA_MIN, 3),
            says=NOTHING,
            ours=flips,
            sharp="2 eps sqrt(k)/|a - b|, equal for every pair",
        ),
        no_constant(
            "lemma3.across-an-axis",
            "theta near (0, 1), on both sides of theta_1 = 0",
            ball([0, 1], 0.5),
            math.inf,
            "none: a jump of 2 eps",
        ),
        attack(
            "theorem2.two-epsilon",
            "Theorem 2, last step of the proof",
            "theorem2.two-epsilon",
            "no theta_i = 0, d = 3",
            AwayFromAxes(3, THETA_MIN, 3),
            paper=lambda a, b: two / apart(a, b),
            printed="2 eps/|a - b|",
            ours=lambda a, b: root / apart(a, b),
            sharp="2 eps sqrt(d)/|a - b|",
        ),
    ]


def theorem2_cases() -> list[Case]:
    """Theorem 2: on an orthant, away from the axes, and across one."""
    data = five_points()
    signs = np.array([1.0, 1.0, -1.0])
    smooth = from_theory("theorem2", "constant", "sharpest", R=LENGTH, d=2, epsilon=EPSILON)
    last = "Theorem 2, last step of the proof"
    zero = Problem(np.zeros((1, 1)), np.ones(1), 1.0, np.inf)

    def gradient(
        name: str, what: str, where: str, problem: Problem, admissible: AdmissibleSet, **others
    ) -> Case:
        return Case(
            id=f"theorem2.{name}",
            what=f"grad L_eps, {what}",
            where=where,
            mapping=jax.grad(jax_loss(problem)),
            admissible=admissible,
            **{"statement": "Theorem 2, Eq. (18)", "claim": "theorem2", "stages": ("limit",), **others},
        )

    unsure = {"statement": last, "claim": "theorem2.inference", "says": NO, "printed": "not Lipschitz"}
    return [
        gradient(
            "fig2",
            "L-inf, Fig. 2's point",
            "theta_1 > 0 > theta_2",
            fig2("linf"),
            orthant([1, -1], FACE, 3),
            paper=smooth,
            printed="C_tt",
            ours=smooth,
            sharp="(R + eps sqrt(d))^2/4",
        ),
        gradient(
            "data",
            "L-inf, 5 points, d = 3",
            "theta_1 > 0, theta_2 > 0 > theta_3",
            data,
            orthant(signs, FACE, 3),
            paper=from_theory(
                "beyond.c-theta-theta", R=float(np.linalg.norm(np.abs(DATA) + EPSILON, axis=1).max())
            ),
            printed="C_tt = max ||x'||^2/4 over all the boxes",
            ours=orthant_constant(data, signs),
            sharp="sigma_1(mean of x'_n x'_n^T)/4, x'_n the orthant's corners",
        ),
        gradient(
            "away",
            "L-inf, x = 0, eps = 1, d = 1",
            "1 <= |theta| <= 3, both signs",
            zero,
            Shell([0], 1, 3),
            **unsure,
            stages=("pair",),
            ours=1 / (1 + math.exp(-1)),
            sharp="sigmoid(1)",
        ),
        gradient(
            "across-an-axis",
            "L-inf, Fig. 2's point",
            "theta near (0, 1), on both sides of theta_1 = 0",
            fig2("linf"),
            ball([0, 1], 0.5),
            **unsure,
            stages=("pair",),
            ours=math.inf,
            sharp="none: a jump of 2 eps sigmoid(c)",
        ),
    ]


def lp_cases() -> list[Case]:
    """Other L_p attacks: Lipschitz for 1 < p <= 2, on half spaces in ||theta||_q >= theta_min, and for no other p."""

    def attack(p: float, claim: str, where: str, admissible: AdmissibleSet, ours: float, sharp: str) -> Case:
        return Case(
            id=f"lp.p{p:g}",
            statement="beyond Lemmas 2 and 3",
            claim=claim,
            what=f"L_p attack x'(theta), linear model, p = {p:g}",
            where=f"{where}, d = {admissible.dimension}",
            mapping=partial(linear_shift, epsilon=EPSILON, p=p),
            admissible=admissible,
            stages=("pair",) if math.isinf(ours) else ("limit",),
            says=NOTHING,
            ours=ours,
            sharp=sharp,
        )

    def below_two(p: float, d: int) -> Case:
        normal = np.zeros(d)
        normal[:2] = 2 ** (-1 / p)  # ||normal||_p = 1, along the theta that attains the constant
        h = dual_exponent(p) - 1
        ours = from_theory("beyond.p-below-2", h=h, epsilon=EPSILON, theta_min=THETA_MIN)
        where = "(theta_1 + theta_2) 2^(-1/p) >= theta_min = 1/2"
        half = HalfSpace(normal, THETA_MIN, 2.0)
        return attack(p, "beyond.p-below-2", where, half, ours, "(q - 1) 2^(2/q - 1) eps/theta_min")

    axis, tie = (
        "theta near (1, 0), on both sides of theta_2 = 0",
        "theta near (1, 1), on both sides of theta_1 = theta_2",
    )
    return [
        below_two(1.5, 2),
        below_two(1.2, 3),
        attack(3.0, "beyond.p-above-2", axis, ball([1, 0], 0.5), math.inf, "none: moves like |t|^(1/2)"),
        attack(1.0, "beyond.p-1", tie, ball([1, 1], 0.5), math.inf, "none: a jump of sqrt(2) eps"),
    ]


def orthant_constant(problem: Problem, signs: np.ndarray) -> float:
    """sigma_1 of the mean of x'_n x'_n^T/4 for the corners x'_n of the orthant, where L_eps is the standard loss.

    It bounds the Hessian, mean of s_n (1 - s_n) x'_n x'_n^T with s_n in (0, 1), and is its norm at theta -> 0.
    """
    attacked = problem.X - problem.epsilon * problem.y[:, None] * signs
    return float(np.linalg.norm(attacked.T @ attacked / len(attacked), 2) / 4)

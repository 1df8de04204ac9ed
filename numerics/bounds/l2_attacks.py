"""The lines of `results/bounds.md` on Lemma 2 and Theorem 1: L2 attacks of the linear model."""

from __future__ import annotations

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from numerics.admissible import AdmissibleSet, Box, LevelSet, Shell, ball
from numerics.autodiff import jax_loss
from numerics.bounds.case import NOTHING, SOME, Case, from_theory
from numerics.bounds.fixtures import EPSILON, LENGTH, THETA_MIN, apart, fig2, mixed_constant
from numerics.bounds.maps import bilinear_gradient, linear_shift, logistic

PAPER = "C_tt + eps C_tx/theta_min"


def lemma2_cases() -> list[Case]:
    """Lemma 2 in three dimensions, its exact form, and its last sentence."""
    lemma = from_theory("lemma2", epsilon=EPSILON, theta_min=THETA_MIN)
    away = f"||theta|| >= theta_min = {THETA_MIN:g}"
    last = "Lemma 2, last sentence"

    def exact(a: jax.Array, b: jax.Array) -> jax.Array:
        one, other = jnp.linalg.norm(a), jnp.linalg.norm(b)
        return EPSILON * jnp.sqrt((1 - ((one - other) / apart(a, b)) ** 2) / (one * other))

    def attack(name: str, where: str, admissible: AdmissibleSet, **others) -> Case:
        return Case(
            id=f"lemma2.{name}",
            what="L2 attack x'(theta), linear model",
            where=f"{where}, d = {admissible.dimension}",
            mapping=partial(linear_shift, epsilon=EPSILON, p=2.0),
            admissible=admissible,
            stages=("pair",),
            **{
                "statement": "Lemma 2, Eq. (15)",
                "claim": "lemma2",
                "printed": "eps/theta_min",
                "paper": lemma,
                **others,
            },
        )

    sharp = "eps sqrt((1 - (|a| - |b|)^2/|a - b|^2)/(|a||b|)), equal for every pair"
    nowhere = "none: eps/theta_min grows as theta_min -> 0"
    return [
        *(
            attack(f"d{d}", away, Shell(np.zeros(d), THETA_MIN, 3), ours=lemma, sharp="eps/theta_min")
            for d in (1, 2, 5)
        ),
        attack(
            "exact",
            away,
            Shell(np.zeros(3), THETA_MIN, 3),
            statement="Lemma 2, sharpened",
            says=NOTHING,
            printed="",
            ours=exact,
            sharp=sharp,
        ),
        attack(
            "off-the-origin",
            "0 < ||theta|| <= 1",
            ball([0, 0], 1),
            statement=last,
            claim="lemma2.bounded-set",
            says=SOME,
            ours=math.inf,
            sharp=nowhere,
        ),
    ]


def theorem1_cases() -> list[Case]:
    """Theorem 1 with the smallest C_tt and C_tx of the set: for Fig. 2's point, for the worst point, and where it is
    attained; near the origin; and on a level set."""
    box, B, reach = Box([THETA_MIN, -3], [3, 3]), math.hypot(3, 3), LENGTH + EPSILON
    where = "theta_1 in [1/2, 3], theta_2 in [-3, 3]"
    paper = printed_constant(reach, B, THETA_MIN)
    ours = from_theory(
        "theorem1", "constant", "sharpest", R=LENGTH, B=B, epsilon=EPSILON, theta_min=THETA_MIN
    )
    fig2_gradient = jax.grad(jax_loss(fig2("l2")))

    def smooth(name: str, what: str, where: str, mapping, admissible: AdmissibleSet, **others) -> Case:
        return Case(
            id=f"theorem1.{name}",
            what=f"grad L_eps, {what}",
            where=where,
            mapping=mapping,
            admissible=admissible,
            printed=PAPER,
            **{"statement": "Theorem 1, Eq. (16)", "claim": "theorem1", "stages": ("limit",), **others},
        )

    sharp = "(R + eps)^2/4 + sigmoid(B (R + eps)) eps/theta_min"
    return [
        smooth("fig2", "L2, Fig. 2's point", where, fig2_gradient, box, paper=paper, ours=ours, sharp=sharp),
        smooth(
            "any-point",
            "L2, any x with ||x|| <= R = sqrt 2",
            where,
            worst_gradient,
            box,
            context=ball([0, 0], LENGTH),
            paper=paper,
            ours=ours,
            sharp=sharp,
        ),
        smooth(
            "attained",
            "L2, l = theta^2/2 + theta x, d = 1",
            "|theta| >= theta_min = 1/2",
            partial(bilinear_gradient, smooth=1.0, cross=1.0, epsilon=EPSILON, p=2.0),
            Shell([0], THETA_MIN, 3),
            stages=("pair",),
            paper=1 + EPSILON / THETA_MIN,
            ours=1 + EPSILON / THETA_MIN,
            sharp=PAPER,
        ),
        smooth(
            "off-the-origin",
            "L2, Fig. 2's point",
            "0 < ||theta|| <= 1",
            fig2_gradient,
            ball([0, 0], 1),
            statement="Theorem 1, last sentence",
            claim="theorem1.bounded-set",
            stages=("pair",),
            says=SOME,
            ours=math.inf,
            sharp="none: the gradient jumps by eps at 0 (beyond.origin-jump)",
        ),
        level_set_case(smooth, fig2_gradient),
    ]


def level_set_case(smooth, gradient) -> Case:
    """The set of Eq. (4) for theta^0 = (-1, 1): theta_min follows from the loss there (beyond.theta-min)."""
    problem, reach, spare = fig2("l2"), LENGTH + EPSILON, LENGTH - EPSILON
    level = float(problem.loss([-1.0, 1.0]))
    least = from_theory("beyond.theta-min", "theta_min", L_0=level, w=spare)
    return smooth(
        "level-set",
        "L2, Fig. 2's point",
        "L_eps(theta) <= L_eps(-1, 1), |theta_i| <= 6",
        gradient,
        LevelSet(problem.loss, level, np.array([-3.0, 3.0]), Box([-6, -6], [6, 6])),
        statement="Theorem 1 on the set of Eq. (4)",
        claim="beyond.level-set",
        paper=printed_constant(reach, math.hypot(6, 6), least),
        ours=from_theory("beyond.level-set", R=LENGTH, epsilon=EPSILON, L_0=level, w=spare),
        sharp="(R + eps)^2/4 + eps (1 - exp(-L_0)) (||xbar|| - eps)/(-log(exp(L_0) - 1))",
    )


def printed_constant(reach: float, bound: float, theta_min: float) -> float:
    """Theorem 1's constant with the smallest C_tt and C_tx for ||x'|| <= reach and ||theta|| <= bound."""
    smooth = from_theory("beyond.c-theta-theta", R=reach)
    cross = mixed_constant(bound * reach)
    return from_theory(
        "theorem1", C_theta_theta=smooth, C_theta_x=cross, epsilon=EPSILON, theta_min=theta_min
    )


def worst_gradient(theta: jax.Array, x: jax.Array) -> jax.Array:
    """The gradient of log(1 + exp(-theta.x + eps ||theta||)), the L2 adversarial loss of one point at y = 1."""
    return jax.grad(lambda t: logistic(t, x - EPSILON * t / jnp.linalg.norm(t)))(theta)

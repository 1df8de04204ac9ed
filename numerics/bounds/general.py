"""The lines of `results/bounds.md` on general losses: Lemmas 1, 4 and 5 and what `theory/` adds to them (Sec. 3.2)."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np

from numerics.admissible import Box, DefiniteMatrices, Product, Segment, Shell, ball
from numerics.bounds.case import NO, NOTHING, Case, from_theory
from numerics.bounds.maps import ball_attack, sphere_constants
from numerics.problem import SWISH_MINIMISER

CURVATURES = (0.5, 3.0)  # the range of -grad_x^2 l in the families of quadratic losses


def lemma1_cases() -> list[Case]:
    """Lemma 1 for attacks inside the ball, and what Proposition 1 is said to prove."""
    low, high = CURVATURES

    def lemma1_gradient(theta: jax.Array, c: jax.Array) -> jax.Array:
        A, h = c[:4].reshape(2, 2), c[4:]
        return A @ theta + theta / h

    lemma = from_theory("lemma1", C_thetatheta=2.0, C_thetax=1.0, C=1 / low)
    return [
        Case(
            id="lemma1",
            statement="Lemma 1",
            claim="lemma1",
            what="grad L_eps, l = theta.A theta/2 + theta.x - x.H x/2, attack inside",
            where="|A| <= C_tt = 2, eigenvalues of H in [c, 3], c = 1/2, d = 2",
            mapping=lemma1_gradient,
            admissible=ball([0, 0], 1),
            context=Product(DefiniteMatrices(2, -2, 2), Box([low, low], [high, high])),
            stages=("limit",),
            paper=lemma,
            printed="C_tt + C C_tx",
            ours=lemma,
            sharp="C_tt + C C_tx, C = 1/c",
        ),
        Case(
            id="prop1.inference",
            statement="Sec. 2.1, below Proposition 1",
            claim="prop1.inference",
            what="grad L_eps, l = theta.x - ||x||^2/2, L-inf",
            where="||theta|| <= 3, eps = 0.6, d = 2",
            mapping=lambda theta: jnp.clip(theta, -0.6, 0.6),
            admissible=ball([0, 0], 3),
            stages=("pair",),
            says=NO,
            printed="not smooth, because of 2 eps C_tx in Eq. (9)",
            ours=1.0,
            sharp="1",
        ),
    ]


def lemma4_cases() -> list[Case]:
    """Lemma 4: attacks inside the ball."""
    low, high = CURVATURES

    lemma = from_theory("lemma4", C_theta_x=1.0, c=low)
    return [
        Case(
            id="lemma4",
            statement="Lemma 4, Eq. (19)",
            claim="lemma4",
            what="x'(theta) = H^-1 theta, l = theta.x - x.H x/2",
            where="eigenvalues of H in [c, 3], c = 1/2, d = 3",
            mapping=lambda theta, h: jnp.linalg.solve(h.reshape(3, 3), theta),
            admissible=ball([0, 0, 0], 1),
            context=DefiniteMatrices(3, low, high),
            stages=("pair",),
            paper=lemma,
            printed="C_tx/c",
            ours=lemma,
            sharp="C_tx/c",
        ),
        Case(
            id="lemma4.swish",
            statement="Lemma 4, Eq. (19)",
            claim="lemma4",
            what="attack inside, one-layer swish, x' = u*/theta, d = 1",
            where="1 <= theta <= 3",
            mapping=lambda theta: SWISH_MINIMISER / theta,
            admissible=Box([1], [3]),
            stages=("limit",),
            # With l = g(theta x) and g'(u*) = 0: C_tx = |u* g''(u*)| along the branch and c = theta_min^2 |g''(u*)|;
            # g''(u*) cancels.
            paper=from_theory("lemma4", C_theta_x=abs(SWISH_MINIMISER), c=1.0),
            printed="C_tx/c along the branch",
            ours=abs(SWISH_MINIMISER),
            sharp="|u*|/theta_min^2",
        ),
    ]


def boundary_cases() -> list[Case]:
    """Lemma 5: attacks on the sphere."""
    saddle, mixed, theta = np.array([1.0, -1.0]), np.array([0.5, 2.0, -0.3]), np.array([3.0, 1.0, 2.0])
    tangent, bordered = sphere_constants(theta, mixed)
    return [
        Case(
            id="lemma5.no-complementarity",
            statement="Lemma 5, Eq. (21)",
            claim="lemma5",
            what="L2 attack, l = theta.x - x_1^2/4 - x_2^2/2, eps = 1",
            where="from (1/4, 0) to (1/2, 0), where mu = 0",
            mapping=lambda theta: ball_attack(theta, jnp.array([0.5, 1.0]), 1.0),
            admissible=Segment([0.25, 0], [0.5, 0]),
            stages=("pair",),
            paper=from_theory("lemma5", C_theta_x=1.0, c=0.75),
            printed="C_tx/c, c = 3/4",
            ours=from_theory("beyond.strongly-concave", C_theta_x=1.0, c=0.5),
            sharp="C_tx/c, c the concavity of the loss (beyond.strongly-concave)",
        ),
        Case(
            id="lemma5.linear",
            statement="Lemma 5, Eq. (21)",
            claim="lemma5",
            what="L2 attack, l = 3 theta.x, eps = 6, d = 2",
            where="1 <= ||theta|| <= 3",
            mapping=lambda theta: ball_attack(3 * theta, jnp.zeros(2), 6.0),
            admissible=Shell([0, 0], 1, 3),
            stages=("pair",),
            paper=from_theory("lemma5", C_theta_x=3.0, c=0.5),
            printed="C_tx/c, c = min(1, 3 ||theta||/eps)",
            ours=from_theory("lemma2", epsilon=6.0, theta_min=1.0),
            sharp="eps/theta_min",
        ),
        Case(
            id="lemma5.scaled",
            statement="Lemma 5, Eq. (21)",
            claim="beyond.scale",
            what="L2 attack, l = 100 theta.x, eps = 1, d = 2",
            where="1 <= ||theta|| <= 3",
            mapping=lambda theta: ball_attack(100 * theta, jnp.zeros(2), 1.0),
            admissible=Shell([0, 0], 1, 3),
            stages=("pair",),
            paper=from_theory("lemma5", C_theta_x=100.0, c=1.0),
            printed="C_tx/c, c = 1",
            ours=from_theory("lemma2", epsilon=1.0, theta_min=1.0),
            sharp="eps/theta_min",
        ),
        Case(
            id="lemma5.tangent",
            statement="Lemma 5, sharpened",
            claim="beyond.tangent",
            what="L2 attack, l = theta.x - x.H x/2, H = diag(1/2, 2, -0.3), eps = 1",
            where="at theta = (3, 1, 2), b -> a",
            mapping=lambda theta: ball_attack(theta, mixed, 1.0),
            admissible=Box(theta, theta),
            stages=("limit",),
            paper=bordered,
            printed="C_tx/c, c = min sigma_i of the bordered Hessian (d = 3: for the corrected lemma)",
            ours=tangent,
            sharp="C_tangent/c_T",
        ),
        small_epsilon_case("small-epsilon", "beyond.small-epsilon", saddle, g=2.0),
        small_epsilon_case("small-epsilon.centre", "beyond.small-epsilon-centre", saddle, g_0=3.0),
    ]


def small_epsilon_case(name: str, claim: str, bend: np.ndarray, **slope: float) -> Case:
    """l = theta.x + (x_2^2 - x_1^2)/2 with eps = 1: M = 1, C_tx = 1, and the gradient at least 3 - 1 in the ball."""
    return Case(
        id=name,
        statement="beyond Lemma 5",
        claim=claim,
        what="L2 attack, l = theta.x + (x_2^2 - x_1^2)/2, eps = 1",
        where="3 <= ||theta|| <= 6",
        mapping=lambda theta: ball_attack(theta, bend, 1.0),
        admissible=Shell([0, 0], 3, 6),
        stages=("limit",),
        says=NOTHING,
        ours=from_theory(claim, C_theta_x=1.0, epsilon=1.0, M=1.0, **slope),
        sharp="eps C_tx/(g - eps M)" if "g" in slope else "eps C_tx/(||grad_x l(x)|| - 2 eps M)",
    )


def concave_cases() -> list[Case]:
    """Strongly concave losses under any convex constraint, and the active coordinates of the L-inf ball."""
    low, high = CURVATURES
    bends = Box([low, low], [high, high])

    constant = from_theory("beyond.strongly-concave", C_theta_x=1.0, c=low)

    def family(name: str, what: str, mapping, constant, claim: str, sharp: str, **other) -> Case:
        return Case(
            id=name,
            statement="beyond Lemma 4",
            claim=claim,
            what=what,
            where="||theta|| <= 4, H diagonal in [c, 3], c = 1/2, d = 2",
            mapping=mapping,
            admissible=ball([0, 0], 4),
            context=bends,
            stages=("pair",),
            says=NOTHING,
            ours=constant,
            sharp=sharp,
            **other,
        )

    return [
        family(
            "strongly-concave.ball",
            "L2 attack, l = theta.x - x.H x/2, eps = 1",
            lambda theta, h: ball_attack(theta, h, 1.0),
            constant,
            "beyond.strongly-concave",
            "C_tx/c",
        ),
        family(
            "strongly-concave.box",
            "L-inf attack, l = theta.x - x.H x/2, eps = 1",
            lambda theta, h: jnp.clip(theta / h, -1, 1),
            constant,
            "beyond.strongly-concave",
            "C_tx/c",
        ),
        family(
            "strongly-concave.smooth",
            "grad L_eps, l = ||theta||^2/2 + theta.x - x.H x/2, L2, eps = 1",
            lambda theta, h: theta + ball_attack(theta, h, 1.0),
            from_theory("beyond.strongly-concave-smooth", C_theta_theta=1.0, C_theta_x=1.0, c=low),
            "beyond.strongly-concave-smooth",
            "C_tt + C_tx^2/c",
        ),
        Case(
            id="active-set",
            statement="beyond Lemma 5 (L-inf)",
            claim="beyond.active-set",
            what="L-inf attack, l = 3 theta_1 x_1 - x_1^2 + 4 x_2, eps = 1",
            where="|theta_1| <= 0.6: x_2' = 1 active, x_1' free",
            mapping=lambda theta: jnp.stack([jnp.clip(1.5 * theta[0], -1, 1), 1.0 + 0 * theta[0]]),
            admissible=Box([-0.6], [0.6]),
            stages=("pair",),
            says=NOTHING,
            ours=from_theory("beyond.active-set", C_theta_x=3.0, c_F=2.0),
            sharp="C_tx/c_F",
        ),
    ]

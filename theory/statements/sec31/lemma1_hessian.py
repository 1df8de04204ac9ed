"""Beyond Lemma 1 (Eq. 25): the exact Hessian of adversarial loss at an attack inside the ball."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Twin
from theory.statements.sec31.lemma1 import C_TX, LOSS, THETA, B, H, X

# The blocks l_thetatheta, l_thetax, l_xx^-1 and l_xtheta of the Hessian of l, of any sizes.
NAMES = sp.symbols("P Q R S", commutative=False)
P, Q, R, S = NAMES


def schur_complement(stated: SimpleNamespace) -> Iterator[Fact]:
    """The Hessian of l_eps at an attack inside the ball, in blocks of any size, from D_x' = -l_xx^-1
    l_xtheta.
    """
    tt, xt, tx, inverse, xx = sp.symbols("l_tt l_xt l_tx l_xx^-1 l_xx", commutative=False)
    moved = -inverse * xt
    yield identity(
        "derivative of grad_theta l(x'(theta), theta)",
        tt + tx * moved,
        stated.hessian.subs(dict(zip(NAMES, (tt, tx, inverse, xt), strict=True))),
        method="noncommutative block algebra",
    )
    # The same matrix as the maximum over z of the second-order expansion [v; z]^T l'' [v; z].
    v, vt, z, zt = sp.symbols("v v^T z z^T", commutative=False)
    best, best_t = moved * v, -vt * tx * inverse
    expansion = vt * tt * v + vt * tx * z + zt * xt * v + zt * xx * z
    yield identity(
        "implicit function theorem: at z = D x' v both halves of the expansion's gradient in z vanish",
        sp.Matrix(
            [
                sp.expand(xt * v + xx * best).subs(xx * inverse, 1),
                sp.expand(vt * tx + best_t * xx).subs(inverse * xx, 1),
            ]
        ),
        sp.zeros(2, 1),
        method="noncommutative block algebra",
    )
    value = sp.expand(expansion.subs({z: best, zt: best_t})).subs(inverse * xx * inverse, inverse)
    yield identity(
        "second route: the value of the quadratic expansion at its maximiser z = D x' v",
        value,
        sp.expand(vt * stated.hessian.subs(dict(zip(NAMES, (tt, tx, inverse, xt), strict=True))) * v),
        method="noncommutative block algebra",
    )
    form = sp.Symbol("q", real=True)
    image, turned, length = sp.symbols("|w| |z| |v|", nonnegative=True)
    yield implies(
        "l_xx <= -c I: the added form q = <w, z> with w = l_xtheta v and z = -l_xx^-1 w has q >= c ||z||^2, "
        "so it is never negative and at most C_thetax^2/c ||v||^2",
        [sp.Ge(form, H * turned**2), sp.Le(form, image * turned), sp.Le(image, C_TX * length)],
        sp.And(sp.Le(form, stated.growth * length**2), sp.Ge(form, 0)),
        method="Rayleigh quotient and Cauchy-Schwarz, z3 on scalars",
    )
    (found,) = sp.solve(sp.diff(LOSS, X), X)
    yield identity(
        "attained by the model loss, whose l_xx is -c",
        sp.diff(LOSS.subs(X, found), THETA, 2) - sp.diff(LOSS, THETA, 2),
        stated.growth.subs(C_TX, B),
    )


CLAIMS = (
    Claim(
        id="beyond.schur-hessian",
        location="Sec. 3, Lemma 1, for attacks inside the ball",
        kind="beyond",
        title="The exact Hessian of adversarial loss inside the ball",
        statement="At an attack inside the ball with l_xx negative definite the Hessian of adversarial loss "
        "is l_thetatheta - l_thetax l_xx^-1 l_xtheta. It is l_thetatheta plus a positive semidefinite "
        "matrix of norm at most C_thetax^2/c where l_xx <= -c I.",
        latex=r"\nabla^2\ell_\varepsilon=\ell_{\theta\theta}-\ell_{\theta x}\ell_{xx}^{-1}\ell_{x\theta}",
        assumptions=("l is C^2, x'(theta) inside the ball, l_xx negative definite there",),
        cites=("implicit function theorem",),
        stated={"hessian": P - Q * R * S, "growth": C_TX**2 / H},
        check=schur_complement,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign flipped", {"hessian": P + Q * R * S}),
            Twin("growth one per cent less", {"growth": sp.Rational(99, 100) * C_TX**2 / H}),
            Twin("C_thetax not squared", {"growth": C_TX / H}),
        ),
        remark="The attack can only add curvature: Lemma 1 bounds the norm, this gives the matrix.",
    ),
)

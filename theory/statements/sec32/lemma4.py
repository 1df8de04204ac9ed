"""Lemma 4: an attack inside the feasible region is locally (C_theta_x/c)-Lipschitz (Eqs. 19, 38)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.sec32.branch_coordinates import lemma4_coordinates
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    THETA,
    X,
    curvature_bound,
    linearised,
    quadratic_example,
    segment_bound,
)
from theory.statements.sec32.lemma4_proof import around_a_slit
from theory.statements.sec32.lemma4_readings import at_the_point

H, B = sp.symbols("H B", commutative=False)
BOUND = CROSS / CURVATURE


def lemma(stated: SimpleNamespace) -> Iterator[Fact]:
    """Jacobian by implicit differentiation, its norm by Rayleigh and Cauchy-Schwarz, the mean value
    theorem, and a loss that attains."""
    yield linearised(
        -(H**-1) * B,
        H,
        B,
        "w = -H^{-1} B v solves H w + B v = 0, the derivative of grad_x l(x'(theta), theta) = 0 along v",
        shows=(
            "x* is interior, so grad_x l(x*, theta) = 0 (Fermat)",
            "H = grad_x^2 l <= -c I is invertible: near theta one C^1 branch x'(theta) solves grad_x l = 0 "
            "(implicit function theorem)",
            "and H < 0 stays true near x*, so the branch consists of strict local maxima",
            "differentiate along v, with w = D x'(theta) v and B = grad_theta grad_x l: H w + B v = 0",
        ),
    )
    yield from curvature_bound(
        BOUND,
        shows=("c |w|^2 <= -<w, H w> = <w, B v> <= |w| |B v| <= |w| C_theta_x |v|",),
    )
    yield from segment_bound(BOUND, stated.constant)
    slope, cross, curvature = quadratic_example()
    shown = (
        "the loss C_theta_x theta x - c x^2/2 has x' = C_theta_x theta/c (in d coordinates: in the first "
        "one)",
    )
    yield identity("its constant C_theta_x is that of Assumption 1", cross, CROSS, shows=shown)
    yield identity("its c is that of the lemma", curvature, CURVATURE)
    yield identity("the constant is attained: |D x'| of this loss equals it", slope, stated.constant)
    if not stated.along_branch:
        yield from at_the_point(SimpleNamespace(constant=stated.constant))
    if not stated.convex:
        yield around_a_slit(stated.constant)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="lemma4",
        location="Sec. 3.2.1, Lemma 4; App. A",
        kind="lemma",
        equations=(19, 38),
        title="Attacks inside the ball are locally (C_theta_x/c)-Lipschitz",
        statement="If grad_x l is C^1 and x* is a local maximum inside the feasible region with grad_x^2 l "
        "<= -c I, c > 0, then near theta the local maximum is a C^1 function x'(theta) with "
        "||x'(theta_1) - x'(theta_2)|| <= (C_theta_x/c) ||theta_1 - theta_2||.",
        latex=r"\|x'(\theta_1)-x'(\theta_2)\|\le\frac{C_{\theta "
        r"x}}{c}\|\theta_1-\theta_2\|\quad\forall\theta_1,\theta_2\in U",
        assumptions=(
            "grad_x l is C^1 in (x, theta); Assumption 1",
            "lambda_max(grad_x^2 l(x'(theta), theta)) <= -c at every theta in U, not only at the given one",
            "U is chosen convex, a ball for instance",
            "x'(theta) is the local maximum that continues x*, which need not stay the optimal attack",
        ),
        cites=("implicit function theorem", "mean value theorem"),
        stated={"constant": CROSS / CURVATURE, "along_branch": True, "convex": True},
        check=lemma,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = C_theta_x theta x - c x^2/2: x' = C_theta_x theta/c, so every pair of thetas attains "
            "the bound",
            attained=sp.solve(sp.diff(CROSS * THETA * X - CURVATURE * X**2 / 2, X), X)[0] / THETA,
            bound=CROSS / CURVATURE,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * CROSS / CURVATURE}),
            Twin(
                "constant one per cent larger (no longer attained)",
                {"constant": sp.Rational(101, 100) * CROSS / CURVATURE},
            ),
            Twin("c squared", {"constant": CROSS / CURVATURE**2}),
            Twin("c read at x* alone", {"along_branch": False}),
            Twin("U not convex", {"convex": False}),
        ),
        coordinates=lemma4_coordinates,
        remark="The Jacobian's exact norm is that of (grad_x^2 l)^{-1} grad_theta grad_x l; the lemma "
        "bounds it by the product of norms.",
    ),
)

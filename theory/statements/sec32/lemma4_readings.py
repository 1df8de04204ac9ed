"""Lemma 4 in two other readings (Eq. 19): c taken at the maximum alone, and the optimal in place of the
local attack."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.derivatives import mixed
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    THETA,
    X,
    curvature_bound,
    quadratic_example,
    segment_bound,
    sharp_implies,
    two_wells,
    two_wells_facts,
)


def at_the_point(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x - x^2/2 + x^3/6 on |x| <= 1 at theta = 0: H = -1 at x* = 0, but |H| shrinks along the
    branch."""
    s = sp.Symbol("s", positive=True)
    loss = THETA * X - X**2 / 2 + X**3 / 6
    theta = s - s**2 / 2
    yield identity(
        "x = s is stationary at theta = s - s^2/2",
        sp.diff(loss, X).subs({X: s, THETA: theta}),
        sp.Integer(0),
        dimension=(1,),
    )
    yield implies(
        "l is strictly concave in x on -1 <= x < 1, so x = s is the maximiser over |x| <= 1",
        [sp.Ge(X, -1), sp.Lt(X, 1)],
        sp.Lt(sp.diff(loss, X, 2), 0),
        dimension=(1,),
    )
    at_zero = {CROSS: mixed(loss, [X], [THETA])[0], CURVATURE: -sp.diff(loss, X, 2).subs(X, 0)}
    constant = stated.constant.subs(at_zero)
    yield identity("and C_theta_x/c is 1 at theta = 0", constant, sp.Integer(1), dimension=(1,))
    small = sp.Symbol("s", real=True)
    yield implies(
        "the attack s for theta = s - s^2/2 exceeds theta for every small s: no neighbourhood helps",
        [sp.Gt(small, 0), sp.Lt(small, 1)],
        sp.Gt(small, theta.subs(s, small)),
        dimension=(1,),
    )
    half = sp.Rational(1, 2)
    yield compare(
        "the attacks for theta = 0 and theta = 3/8 are within C_theta_x/c of each other's thetas",
        half,
        "<=",
        constant * theta.subs(s, half),
        point={"theta_1": 0, "theta_2": theta.subs(s, half), "x*": 0, "C_theta_x": 1, "c": 1},
        replay="l = theta x - x^2/2 + x^3/6 on |x| <= 1: theta = 0 has its maximum at x = 0, theta = 3/8 at "
        "x = 1/2 (3/8 - 1/2 + 1/8 = 0), and 1/2 > 3/8. The attack for theta = s - s^2/2 is s > theta "
        "for each 0 < s < 1, so no neighbourhood helps.",
        dimension=(1,),
    )


def a_little_less_curvature(stated: SimpleNamespace) -> Iterator[Fact]:
    """With any c' < c the neighbourhood can be chosen so that H <= -c' on the branch, and Lemma 4
    applies with c'."""
    smaller, top, change = sp.symbols("c' lambda_max change", real=True)
    yield from sharp_implies(
        "lambda_max = -c at x*, and it moves by at most c - c' in U (continuity, Weyl), so it is <= -c' "
        "there",
        [
            sp.Gt(smaller, 0),
            sp.Lt(smaller, CURVATURE),
            sp.Le(top, -CURVATURE + change),
            sp.Le(change, CURVATURE - smaller),
        ],
        top,
        -smaller,
        {CURVATURE: 3, smaller: 2, change: 1, top: -2},
    )
    positive = sp.Symbol("c'", positive=True)
    yield from segment_bound(CROSS / positive, stated.constant.subs(CURVATURE, positive))
    yield from curvature_bound(stated.constant.subs(CURVATURE, positive), curvature=positive)


def global_optimum(stated: SimpleNamespace) -> Iterator[Fact]:
    """Two equal maxima x = -1, 1 at theta = 0, both with H = -8: the optimal attack jumps although Lemma
    4's hypotheses hold."""
    yield from (fact.as_example() for fact in two_wells_facts())
    loss_curvature = sp.Integer(8)  # |12 x^2 - 4| >= 8 for |x| >= 1
    curvature = sp.diff(two_wells(), X, 2)
    yield implies(
        "H <= -8 at all these maxima",
        [sp.Ge(X**2, 1)],
        sp.Le(curvature, -loss_curvature),
        dimension=(1,),
    ).as_example()
    yield identity(
        "with equality at x = 1", curvature.subs(X, 1), -loss_curvature, dimension=(1,)
    ).as_example()
    if not stated.local:
        a = sp.Symbol("a", positive=True)
        yield limit(
            "theta = 4a(a^2 - 1) tends to 0 with a -> 1, so that theta and -theta enter every neighbourhood",
            4 * a * (a**2 - 1),
            a,
            1,
            0,
            dimension=(1,),
        )
        yield limit(
            "the optimal attacks a and -a for theta and -theta come together as theta -> 0, as under any "
            "Lipschitz constant they must",
            2 * a,
            a,
            1,
            0,
            dimension=(1,),
            replay="l = theta x - (x^2 - 1)^2 on |x| <= 2: for a > 1 and theta = 4a(a^2 - 1) the optimal "
            "attack is a, for -theta it is -a (l(a) - l(x) = (x - a)^2 ((x + a)^2 + 2(a^2 - 1)) > 0). As a "
            "-> 1 the two thetas meet at 0, where both maxima 1 and -1 have grad_x^2 l = -8, and the attacks "
            "stay 2 apart.",
        )
        return
    yield from curvature_bound(stated.constant)
    yield from segment_bound(CROSS / CURVATURE, stated.constant)
    yield identity("attained by C_theta_x theta x - c x^2/2", quadratic_example()[0], stated.constant)


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="lemma4.at-the-point",
        location="Sec. 3.2.1, Lemma 4",
        kind="reading",
        title="Lemma 4 with c taken at the maximum x* alone",
        statement="If lambda_max(grad_x^2 l(x*, theta)) = -c at the given theta, then in some neighbourhood "
        "U of theta the attack is (C_theta_x/c)-Lipschitz.",
        assumptions=("the lemma's c is read at the one point x*, as Sec. 3.2.1 writes it after the lemma",),
        stated={"constant": CROSS / CURVATURE},
        check=at_the_point,
        expected=Verdict.FALSE,
        sides=(sp.Rational(1, 2), sp.Rational(3, 8)),
        corrected=Reading(
            statement="For every c' < c there is a neighbourhood in which the attack is "
            "(C_theta_x/c')-Lipschitz.",
            latex=r"\forall c'<c\ \exists U:\ \|x'(\theta_1)-x'(\theta_2)\|\le\frac{C_{\theta "
            r"x}}{c'}\|\theta_1-\theta_2\|",
            check=a_little_less_curvature,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * CROSS / CURVATURE}),
            Twin("c squared", {"constant": CROSS / CURVATURE**2}),
        ),
    ),
    Claim(
        id="lemma4.global-optimum",
        location="Sec. 3.2.1, Lemma 4 ('the optimal adversarial example')",
        kind="reading",
        title="Lemma 4 read of the optimal, not the local, attack",
        statement="Under the hypotheses of Lemma 4 the optimal adversarial example (the maximiser of Eq. 1) "
        "is (C_theta_x/c)-Lipschitz near theta.",
        assumptions=(
            "'optimal' means globally optimal; the paper speaks of local optima elsewhere (Sec. 3.2, 3.2.3)",
        ),
        stated={"constant": CROSS / CURVATURE, "local": False},
        check=global_optimum,
        expected=Verdict.FALSE,
        sides=(2, 0),
        corrected=Reading(
            statement="The local maximum that continues x* is (C_theta_x/c)-Lipschitz.",
            stated={"local": True},
        ),
        cites=("implicit function theorem",),
        twins=(
            Twin("the optimal attack after all", {"local": False}),
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * CROSS / CURVATURE}),
        ),
    ),
)

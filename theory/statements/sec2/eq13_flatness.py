"""Eq. (13), again Eq. (75): the Hessian of a C_s-smooth function has a spectral norm of at most C_s."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.ledger.quoted import agrees

C = sp.Symbol("C_s", positive=True)
ONE, TWO, THREE = sp.symbols("theta_1 theta_2 theta_3", real=True)


def hessian_is_bounded(stated: SimpleNamespace) -> Iterator[Fact]:
    """||H v|| <= C_s for each unit v, from the difference quotients of the gradient along v; needs room to
    move along v.
    """
    if not stated.interior:
        loss = 50 * TWO**2
        on_axis = [sp.diff(loss, s).subs(TWO, 0) for s in (ONE, TWO)]
        moved = sp.Matrix(on_axis) - sp.Matrix(on_axis).subs(ONE, THREE)
        yield compare(
            "on Theta = {theta_2 = 0} the Hessian's norm is at most the Lipschitz constant of the gradient "
            "on Theta",
            sp.hessian(loss, (ONE, TWO)).norm(2),
            "<=",
            moved.norm(),
            point={"L": "50 theta_2^2", "Theta": "{theta_2 = 0}", "C_s": 0},
            replay="On the axis the gradient is (0, 100 theta_2) = 0 everywhere, so it is 0-Lipschitz; the "
            "Hessian is diag(0, 100).",
            dimension=(2,),
        )
    space = Space(
        "change", "rest"
    )  # t H v is the change of the gradient from theta to theta + t v, minus a remainder
    change, rest = space.vectors()
    slack, t, size = sp.symbols("delta t |Hv|", positive=True)
    yield implies(
        "||remainder|| <= delta t, which differentiability gives for every delta > 0 at small t: ||H v|| <= "
        "C_s + delta",
        [
            *space.gram_conditions(),
            sp.Le(space.length("change"), stated.bound * t),
            sp.Le(space.length("rest"), slack * t),
            sp.Eq((t * size) ** 2, sp.expand(space.inner(change - rest, change - rest))),
        ],
        sp.Le(size, stated.bound + slack),
        method="Gram reduction, z3 on nonlinear real arithmetic",
    )
    yield implies(
        "an upper bound for every delta > 0, e.g. half the excess, is a bound for delta = 0",
        [sp.Or(sp.Le(size, stated.bound), sp.Le(size, stated.bound + (size - stated.bound) / 2))],
        sp.Le(size, stated.bound),
        method="scalar reduction, z3",
    )
    gradient = sp.diff(C * ONE**2 / 2, ONE)
    yield identity(
        "attained for every C_s: L = C_s ||theta||^2/2, Hessian C_s I, gradient moving by C_s per unit "
        "length",
        sp.diff(gradient, ONE),
        stated.bound,
    )
    yield identity(
        "whose gradient is C_s-Lipschitz, not better", gradient.subs(ONE, 2) - gradient.subs(ONE, 1), C
    )


def smallest_constant(stated: SimpleNamespace) -> Iterator[Fact]:
    """The other direction: on a convex set the gradient changes by the integral of H(a + s(b - a))(b - a)."""
    s, distance, sup = sp.symbols("s D sup_sigma", positive=True)
    yield identity(
        "||grad L(b) - grad L(a)|| <= int_0^1 ||H(a + s(b - a))|| ||b - a|| ds <= (sup sigma_1) ||b - a||",
        sp.integrate(sup * distance, (s, 0, 1)),
        sup * distance,
        method="mean value inequality under the integral, sympy integral",
    )
    low, high = sp.symbols("C_min sup_H", positive=True)
    yield implies(
        "with Eq. (13) for the smallest constant C_min: sup sigma_1 = C_min",
        [sp.Le(low, high), sp.Le(high, low)],
        sp.Eq(low, high),
    )
    if not stated.convex:
        yield compare(
            "on the open set 1 < |theta| < 2 the supremum of sigma_1 is a Lipschitz constant of the gradient "
            "of |theta|",
            sp.Integer(2),
            "<=",
            sp.diff(sp.Abs(ONE), ONE, 2).subs(ONE, sp.Rational(3, 2)) * 3,
            point={"L": "|theta|", "theta_1": "3/2", "theta_2": "-3/2"},
            replay="the gradient is 1 at 3/2 and -1 at -3/2, the Hessian is 0 on the whole set.",
            dimension=(1,),
        )


def reference(stated: SimpleNamespace) -> Iterator[Fact]:
    """Sec. 2.3 cites the number of the appendix's copy of the inequality it has just displayed as Eq.
    (13).
    """
    yield agrees(
        "the sentence below Eq. (13) cites the equation above it",
        stated.cited,
        13,
        where="Sec. 2.3: the display is numbered (13), the next sentence says 'Equation (75) indicates'",
        replay="Eq. (75) is the same inequality, printed again in App. B.",
    )


CLAIMS = (
    Claim(
        id="eq13",
        location="Sec. 2.3; App. B",
        kind="equation",
        equations=(13, 75),
        title="Hessians of C_s-smooth functions are at most C_s",
        statement="If a C_s-Lipschitz gradient of L is everywhere differentiable, the largest singular "
        "value of the Hessian is at most C_s, for all theta. So a small C_s means small spectral norms of "
        "the Hessian.",
        latex=r"\sup_\theta\sigma_1(\nabla_\theta^2L(\theta))\le C_s",
        assumptions=("theta ranges over R^m or another open set (see the twin on an axis)",),
        stated={"bound": C, "interior": True},
        check=hessian_is_bounded,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="On a convex open set the supremum of sigma_1 is the smallest constant C_s.",
            latex=r"\sup_\theta\sigma_1(\nabla^2L(\theta))=\sup_{\theta_1\ne\theta_2}"
            r"\frac{\|\nabla L(\theta_1)-\nabla L(\theta_2)\|}{\|\theta_1-\theta_2\|}",
            stated={"convex": True},
            check=smallest_constant,
        ),
        tightness=Tightness(
            pair="L = C_s theta^2/2, any two parameters: the Hessian is C_s",
            attained=sp.diff(C * ONE**2 / 2, ONE, 2),
            bound=C,
        ),
        twins=(
            Twin("one per cent less", {"bound": sp.Rational(99, 100) * C}),
            Twin("one per cent more", {"bound": sp.Rational(101, 100) * C}),
            Twin("a set without interior", {"interior": False}),
            Twin("an open set that is not convex", {"convex": False}, of="sharpest"),
        ),
        remark="On a set that is not convex the supremum may be smaller than every constant C_s of "
        "Definition 1: on two far intervals with slopes 1 and -1 the Hessian is 0.",
    ),
    Claim(
        id="eq13.reference",
        location="Sec. 2.3, below Eq. (13)",
        kind="prose",
        equations=(13, 75),
        title="Sec. 2.3 cites Eq. (75) for Eq. (13)",
        statement="'Equation (75) indicates that smooth functions with small C_s tend to have small "
        "spectral norms of the Hessian matrices, i.e., flat loss landscapes.'",
        slip=True,
        stated={"cited": sp.Integer(75)},
        check=reference,
        expected=Verdict.TYPO,
        sides=(75, 13),
        corrected=Reading(
            statement="Equation (13) indicates it (Eq. (75) is its copy in App. B).",
            stated={"cited": sp.Integer(13)},
        ),
        twins=(Twin("Eq. (12)", {"cited": sp.Integer(12)}), Twin("Eq. (75)", {"cited": sp.Integer(75)})),
    ),
)

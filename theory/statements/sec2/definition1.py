"""Definition 1: Lipschitz continuity (Eq. 2) and smoothness (Eq. 3) on a set."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Twin

# A bound is an expression in the constant C and the distance D = ||theta_1 - theta_2||.
C, D = sp.symbols("C D", positive=True)
OTHER = sp.Symbol("C'", positive=True)
GRAM = "Gram reduction, z3 on nonlinear real arithmetic"


def at(bound: sp.Expr, constant: object, distance: object) -> sp.Expr:
    """The bound for another constant and another distance."""
    return bound.subs({C: constant, D: distance}, simultaneous=True)


def lipschitz_calculus(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (2) on linear functions f(theta) = <a, theta>, whose Lipschitz constant is ||a||, then sums and
    compositions.
    """
    space = Space("a", "u")
    a, u = space.vectors()
    length, gap, t = space.length("a"), space.length("u"), sp.Symbol("t", positive=True)
    yield implies(
        "f(theta) = <a, theta> meets Eq. (2) with C_l = ||a||, for all u = theta_1 - theta_2",
        space.gram_conditions(),
        sp.Le(space.inner(a, u) ** 2, at(stated.bound, length, gap) ** 2),
        method=GRAM,
    )
    yield identity(
        "with equality for u = t a",
        space.inner(a, t * a),
        at(stated.bound, length, sp.sqrt(space.inner(t * a, t * a))),
    )
    yield from _sums_and_compositions(stated.bound)


def smoothness_calculus(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (3) on quadratics +-(s/2) ||theta||^2, whose gradients are s-Lipschitz, then sums and the
    quadratic upper bound.
    """
    space = Space("u")
    (u,) = space.vectors()
    s, t, gap = sp.Symbol("s", positive=True), sp.Symbol("t", nonnegative=True), space.length("u")
    for sign in (1, -1):
        change = (sign * s) * u  # grad f(theta_1) - grad f(theta_2)
        yield identity(
            f"f(theta) = {sign}/2 s ||theta||^2 meets Eq. (3) with C_s = s, with equality for every pair",
            space.norm(change),
            at(stated.bound, s, gap),
        )
    # f(b) - f(a) - <grad f(a), b - a> is the integral over t of <grad f(a + t(b - a)) - grad f(a), b - a>.
    yield identity(
        "on a convex set Eq. (3) gives |f(b) - f(a) - <grad f(a), b - a>| <= (C_s/2) ||b - a||^2",
        sp.integrate(at(stated.bound, C, t * D) * D, (t, 0, 1)),
        C * D**2 / 2,
        method="Cauchy-Schwarz under the integral, sympy integral",
    )
    yield from _sums_and_compositions(stated.bound)


def _sums_and_compositions(bound: sp.Expr) -> Iterator[Fact]:
    """What the rest of the paper uses: constants add for sums, multiply for compositions, and 0 means
    constant.
    """
    yield identity(
        "the bounds of two functions add up to that of their sum (triangle inequality), with the sum of the "
        "constants",
        at(bound, C, D) + at(bound, OTHER, D),
        at(bound, C + OTHER, D),
    )
    yield identity("that of a composition is the product", at(bound, C, at(bound, OTHER, D)), C * OTHER * D)
    yield identity("the constant 0 is allowed and means that nothing changes", at(bound, 0, D), sp.Integer(0))


CLAIMS = (
    Claim(
        id="definition1.eq2",
        location="Sec. 2.1, Definition 1",
        kind="definition",
        equations=(2,),
        title="C_l-Lipschitz on a set",
        statement="f is C_l-Lipschitz on Theta if ||f(theta_1) - f(theta_2)|| <= C_l ||theta_1 - theta_2|| "
        "for all theta_1, theta_2 in Theta, with a constant 0 <= C_l < infinity.",
        latex=r"\|f(\theta_1)-f(\theta_2)\|\le C_l\|\theta_1-\theta_2\|\quad\forall\theta_1,\theta_2\in"
        r"\Theta",
        stated={"bound": C * D},
        check=lipschitz_calculus,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("one per cent more", {"bound": sp.Rational(101, 100) * C * D}),
            Twin("one per cent less", {"bound": sp.Rational(99, 100) * C * D}),
            Twin("distance squared", {"bound": C * D**2}),
            Twin("constant dropped", {"bound": D}),
        ),
        remark="Pinned by the constants it gives to linear functions, sums and compositions.",
    ),
    Claim(
        id="definition1.eq3",
        location="Sec. 2.1, Definition 1",
        kind="definition",
        equations=(3,),
        title="C_s-smooth on a set",
        statement="f is C_s-smooth on Theta if its gradient is C_s-Lipschitz on Theta, with a constant 0 <= "
        "C_s < infinity.",
        latex=r"\|\nabla_\theta f(\theta_1)-\nabla_\theta f(\theta_2)\|\le C_s\|\theta_1-\theta_2\|"
        r"\quad\forall\theta_1,\theta_2\in\Theta",
        assumptions=("f differentiable at every point of Theta",),
        stated={"bound": C * D},
        check=smoothness_calculus,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("one per cent more", {"bound": sp.Rational(101, 100) * C * D}),
            Twin("one per cent less", {"bound": sp.Rational(99, 100) * C * D}),
            Twin("distance squared", {"bound": C * D**2}),
            Twin("constant squared", {"bound": C**2 * D}),
        ),
        remark="Theta need not be convex or open. That matters for Eq. (4), Eq. (13) and the passage from "
        "Jacobians to Lipschitz constants in Lemma 2. The paper prints 'C_s-smooth on a Theta' for 'on a "
        "set Theta'.",
    ),
)

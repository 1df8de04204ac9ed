"""Eq. (20): the Lagrangian of the constrained attack, and the first-order conditions on the boundary."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec32.branches import THETA, X

LOSS, NORM = sp.symbols("l ||x'-x||", real=True)
MU, EPSILON = sp.Symbol("mu", real=True), sp.Symbol("epsilon", positive=True)


def definition(stated: SimpleNamespace) -> Iterator[Fact]:
    """What J must do: contain l itself, vanish in mu exactly on the sphere, bound l from above inside,
    and give Lemma 2's attack."""
    yield identity("dJ/dl = 1", sp.diff(stated.J, LOSS), sp.Integer(1))
    yield identity(
        "dJ/dmu = epsilon - ||x' - x||, zero exactly on the sphere", sp.diff(stated.J, MU), EPSILON - NORM
    )
    yield implies(
        "J >= l in the ball for mu >= 0, so the maximum of J bounds that of l",
        [sp.Ge(MU, 0), sp.Ge(NORM, 0), sp.Le(NORM, EPSILON)],
        sp.Ge(stated.J, LOSS),
    )
    space = Space("theta")
    (theta,) = space.vectors()
    multiplier = space.length("theta")
    slope = theta + sp.diff(stated.J, NORM).subs(MU, multiplier) * (theta / space.norm(theta))
    yield identity(
        "for l = <theta, x'> the L2 attack x + epsilon theta/||theta|| is stationary with mu = ||theta|| >= "
        "0",
        slope.coefficients.get("theta", sp.Integer(0)),
        sp.Integer(0),
        method="Gram reduction, sympy identity",
        shows=("grad_x J = grad_x l + (dJ/d||x'-x||) n with n = (x' - x)/||x' - x|| = theta/||theta||",),
    )


def stationary(stated: SimpleNamespace) -> Iterator[Fact]:
    """Along the tangential part q of grad_x l a curve on the sphere gains s|q|^2 - o(s); along -n a segment
    gains -s mu |n|^2 - o(s); every differentiable norm, all d."""
    space = Space("g", "n")
    g, n = space.vectors()
    normal = space.length("n")
    mu = space.product("g", "n") / normal**2
    yield identity(
        "q = g - mu n with mu = <g,n>/|n|^2 is orthogonal to n, so grad_x l = mu n + q",
        sp.expand(space.inner(g - mu * n, n)),
        sp.Integer(0),
        method="Gram reduction, sympy identity",
        shows=(
            "g = grad_x l, n = grad ||x' - x||_p at x*, not 0 (for p = 2 it has length 1)",
            "the sphere is a C^1 surface near x* with the normal n, so a curve on it starts with the velocity q",
        ),
    )
    tangential = sp.Symbol("|q|", nonnegative=True)
    step, around, inward = (
        sp.Symbol("s", positive=True),
        sp.Symbol("gain along q", real=True),
        sp.Symbol("gain along -n", real=True),
    )
    method = "first-order expansion, z3"
    yield implies(
        "a local maximum on the sphere has q = 0: else the curve gains s |q|^2/2 at least for small s",
        [sp.Or(sp.Eq(tangential, 0), sp.Ge(around, step * tangential**2 / 2)), sp.Le(around, 0)],
        sp.Eq(tangential, stated.tangential),
        method=method,
    )
    yield implies(
        "and mu >= 0, since the ball lies on the inner side: else the step -s n gains -s mu |n|^2/2 at least",
        [sp.Or(sp.Ge(MU, 0), sp.Ge(inward, -step * MU * normal**2 / 2)), sp.Le(inward, 0)],
        {">=": sp.Ge(MU, 0), ">": sp.Gt(MU, 0), "<=": sp.Le(MU, 0)}[stated.multiplier],
        method=method,
    )
    where = EPSILON if stated.boundary else NORM
    yield identity("dJ/dmu = 0 at x*", EPSILON - where, sp.Integer(0))


def active_gradient(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = -(x - theta)^2/2 on |x| <= 1 at theta = 1: the attack x* = 1 is on the boundary and the
    gradient is 0 there."""
    loss = -((X - THETA) ** 2) / 2
    yield implies(
        "x = 1 is the maximiser over |x| <= 1 at theta = 1",
        [sp.Ge(X, -1), sp.Lt(X, 1)],
        sp.Lt(loss.subs(THETA, 1), loss.subs({THETA: 1, X: 1})),
        dimension=(1,),
    )
    yield compare(
        "the gradient at the attack on the boundary is not zero",
        sp.Abs(sp.diff(loss, X).subs({THETA: 1, X: 1})),
        stated.relation,
        sp.Integer(0),
        point={"theta": 1, "x": 0, "epsilon": 1, "x*": 1},
        replay="l = -(x - 1)^2/2 on |x| <= 1 is largest at x = 1, a boundary point, and l' = -(x - 1) = 0 "
        "there.",
        dimension=(1,),
    )


def multiplier_is_the_length(stated: SimpleNamespace) -> Iterator[Fact]:
    """grad_x l = mu n with |n| = 1 and mu >= 0, so mu = |grad_x l|: zero happens (above), and nonzero
    means mu > 0; all d."""
    length = sp.Symbol("|grad_x l|", nonnegative=True)
    yield implies(
        "on the L2 sphere grad_x l != 0 is the same as mu > 0",
        [sp.Eq(length**2, MU**2), sp.Ge(MU, 0)],
        sp.Or(sp.And(sp.Gt(length, 0), sp.Gt(MU, 0)), sp.And(sp.Eq(length, 0), sp.Eq(MU, 0))),
    )
    yield from (fact.as_example() for fact in active_gradient(stated))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="eq20",
        location="Sec. 3.2.2, Eq. (20)",
        kind="definition",
        equations=(20,),
        title="Lagrangian of the constrained attack",
        statement="J(x', theta, mu) = l(x', theta) - mu (||x' - x||_p - epsilon).",
        latex=r"J(x',\theta,\mu)=\ell(x',\theta)-\mu(\|x'-x\|_p-\varepsilon)",
        assumptions=("mu >= 0 at a maximum, although the paper writes mu in R",),
        stated={"J": LOSS - MU * (NORM - EPSILON)},
        check=definition,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("plus sign", {"J": LOSS + MU * (NORM - EPSILON)}),
            Twin("epsilon one per cent off", {"J": LOSS - MU * (NORM - sp.Rational(101, 100) * EPSILON)}),
            Twin("epsilon added", {"J": LOSS - MU * (NORM + EPSILON)}),
        ),
    ),
    Claim(
        id="eq20.stationary",
        location="Sec. 3.2.2, after Eq. (20); App. A, proof of Lemma 5",
        kind="prose",
        title="A local maximum on the sphere is stationary for J",
        statement="The local maximum point of the problem satisfies grad J = 0 in (mu, x'); moreover mu >= "
        "0.",
        latex=r"\nabla_{\tilde x}J(\tilde x^*,\theta)=0,\quad\mu\ge0",
        assumptions=(
            "x* is on the boundary",
            "the norm is C^1 near x* - x (every 1 < p < infinity; corners of L_infinity are not covered)",
        ),
        stated={"tangential": sp.Integer(0), "multiplier": ">=", "boundary": True},
        check=stationary,
        expected=Verdict.TRUE,
        twins=(
            Twin("multiplier of the other sign", {"multiplier": "<="}),
            Twin("multiplier always positive", {"multiplier": ">"}),
            Twin("attack inside", {"boundary": False}),
            Twin("tangential gradient one", {"tangential": sp.Integer(1)}),
        ),
    ),
    Claim(
        id="eq20.active-gradient",
        location="Sec. 3.2.2, first paragraph",
        kind="reading",
        title="'With an active constraint grad_x l(x*) != 0'",
        statement="When the constraints of adversarial examples are active, grad_x l(x*, theta) != 0.",
        assumptions=(
            "active means that the attack is on the boundary (Fig. 1(c), the heading of Sec. 3.2.2)",
        ),
        stated={"relation": ">"},
        check=active_gradient,
        expected=Verdict.FALSE,
        sides=(0, 0),
        corrected=Reading(
            statement="On the boundary grad_x l = mu n with mu >= 0; it is nonzero exactly when mu > 0 "
            "(strict complementarity), and mu = 0 happens.",
            stated={"relation": "=="},
            check=multiplier_is_the_length,
        ),
        twins=(
            Twin("never zero", {"relation": ">"}),
            Twin("negative length", {"relation": "<"}),
        ),
        remark="Lemma 5 fails exactly at mu = 0; see lemma5.",
    ),
)

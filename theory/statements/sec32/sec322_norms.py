"""Which norms are twice differentiable, as Eq. (22) needs (Sec. 3.2.2, after Lemma 5)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec32.branches import larger, sharp_implies

RADIUS = sp.Symbol("|r|", positive=True)
EXPONENT = sp.Symbol("p", positive=True)


def twice_differentiable(stated: SimpleNamespace) -> Iterator[Fact]:
    """Second directional derivative of the Euclidean norm at r != 0, all d; at r = 0 the first one
    already jumps."""
    space = Space("r", "v")
    r, v = space.vectors()
    t = sp.Symbol("t", real=True)
    second = sp.diff(space.norm(r + t * v), t, 2).subs(t, 0)
    yield identity(
        "d^2/dt^2 ||r + t v|| at t = 0 exists for every r != 0",
        sp.simplify(second),
        (space.length("v") ** 2 - space.product("r", "v") ** 2 / RADIUS**2) * stated.curvature,
        method="directional derivative in Gram scalars, sympy identity",
    )
    if stated.at_zero:
        up, down = sp.limit(sp.Abs(t) / t, t, 0, "+"), sp.limit(sp.Abs(t) / t, t, 0, "-")
        yield compare("the one-sided slopes of ||t e_1|| at 0 agree", up, "==", down)


def finite_p(stated: SimpleNamespace) -> Iterator[Fact]:
    """||r||_p is a smooth function of sum |r_i|^p > 0, so all hangs on |t|^p: its second derivative at
    0+ and its value at 0."""
    t = sp.Symbol("t", positive=True)
    above = sp.Symbol("q", positive=True)
    second = sp.diff(t**EXPONENT, t, 2)
    yield identity(
        "the second derivative of t^p, t > 0",
        second,
        EXPONENT * (EXPONENT - 1) * t ** (EXPONENT - stated.order),
    )
    yield limit("it tends to 0 at t = 0 for p = 2 + q", second.subs(EXPONENT, 2 + above), t, 0, 0)
    yield limit(
        "the difference quotient p t^(p-1)/t of the first derivative does so too",
        sp.diff(t**EXPONENT, t).subs(EXPONENT, 2 + above) / t,
        t,
        0,
        0,
    )
    half = sp.Rational(1, 2)
    yield limit("it is unbounded for p = 3/2", second.subs(EXPONENT, 2 - half), t, 0, sp.oo)
    yield from twice_differentiable(SimpleNamespace(curvature=1 / RADIUS, at_zero=False))
    if stated.below_two:
        yield limit("it stays bounded for p = 3/2", second.subs(EXPONENT, 2 - half), t, 0, 0)


def infinity_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    """At (1, 1) the slopes of max(|x_1|, |x_2|) along e_1 differ; where one coordinate is largest it is
    linear nearby."""
    t = sp.Symbol("t", real=True)
    along = larger(1 + t, sp.Integer(1) if stated.tie else sp.Rational(1, 2))
    right = sp.limit((along - 1) / t, t, 0, "+")
    left = sp.limit((along - 1) / t, t, 0, "-")
    yield compare(
        "the slope of the L_infinity norm along e_1 jumps at the point", right - left, ">", sp.Integer(0)
    )
    yield identity("by the stated amount", right - left, stated.jump)
    one, other, step = (
        sp.Symbol("|r_1|", positive=True),
        sp.Symbol("|r_i|", nonnegative=True),
        sp.Symbol("|v|", nonnegative=True),
    )
    yield from sharp_implies(
        "where |r_1| is the only largest coordinate it stays so within (|r_1| - |r_i|)/2, and the norm is "
        "the linear function s_1 r_1",
        [sp.Lt(other, one), sp.Le(2 * step, one - other)],
        other + step,
        one - step,
        {one: 3, other: 1, step: 1},
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec322.twice-differentiable",
        location="Sec. 3.2.2, after Eq. (22)",
        kind="prose",
        title="||x' - x||_2 is twice differentiable",
        statement="To compute Eq. (22), ||x' - x||_p should be twice differentiable, which is satisfied "
        "when p = 2.",
        assumptions=("x' != x, as on the boundary of the ball",),
        stated={"curvature": 1 / RADIUS, "at_zero": False},
        check=twice_differentiable,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="On the sphere it is satisfied for every 2 <= p < infinity, and for 1 < p < 2 off the "
            "coordinate hyperplanes.",
            stated={"order": sp.Integer(2), "below_two": False},
            check=finite_p,
        ),
        twins=(
            Twin("for 1 < p < 2 on the hyperplanes too", {"below_two": True}, of="sharpest"),
            Twin("at x' = x as well", {"at_zero": True}),
            Twin("curvature one per cent off", {"curvature": sp.Rational(101, 100) / RADIUS}),
        ),
    ),
    Claim(
        id="sec322.infinity-norm",
        location="Sec. 3.2.2, after Eq. (22)",
        kind="prose",
        title="||x' - x||_infinity is not twice differentiable",
        statement="||x' - x||_infinity is not twice differentiable.",
        assumptions=(
            "read of the function: not at every point; where one coordinate is largest it is linear, hence "
            "smooth",
            "d >= 2",
        ),
        stated={"tie": True, "jump": sp.Integer(1)},
        check=infinity_norm,
        expected=Verdict.TRUE,
        twins=(
            Twin("at a point with one largest coordinate", {"tie": False}),
            Twin("jump one half", {"jump": sp.Rational(1, 2)}),
        ),
    ),
)

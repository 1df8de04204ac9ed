"""The Euclidean radius of the L_p ball, max(1, d^(1/2 - 1/p)) epsilon, for every p and d: serves
Proposition 1 (Eq. 9).
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from theory.calculus.steps import average, positive
from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact
from theory.deciders.reals import implies

P, d = sp.symbols("p d", positive=True)
K = sp.Symbol("k", positive=True)
Z, U = sp.symbols("z u", positive=True)


def euclidean_radius() -> Iterator[Fact]:
    """sum a_i^2 <= epsilon^2 d^(1 - 2/p) for p >= 2, and <= epsilon^2 for p <= 2, on the L_p ball.

    With u_i = |a_i|^p/epsilon^p the sum of the u_i is at most 1 and a_i^2 = epsilon^2 u_i^(2/p): one scalar
    inequality a coordinate, a tangent for p > 2 and a chord for p < 2, then a sum over the coordinates.
    """
    yield from _above_two()
    yield from _below_two()
    side, radius = sp.symbols("a epsilon", real=True)
    yield implies(
        "p = infinity: |a_i| <= epsilon gives a_i^2 <= epsilon^2",
        [sp.Ge(radius, 0), sp.Le(side, radius), sp.Ge(side, -radius)],
        sp.Le(side**2, radius**2),
        method="sum over coordinates, z3 on one coordinate",
    )
    yield average("p = infinity: d such coordinates give a sum of at most d epsilon^2")
    yield limit(
        "the exponent 1/2 - 1/p tends to 1/2",
        sp.Rational(1, 2) - 1 / P,
        P,
        sp.oo,
        sp.Rational(1, 2),
        direction="-",
    )


def attack_on_the_diagonal() -> Iterator[Fact]:
    """theta = (1, ..., 1): sum a_i <= epsilon d^(1 - 1/p), attained at epsilon d^(-1/p) (1, ..., 1), which
    is thus an attack.
    """
    radius, exponent = sp.Symbol("epsilon", positive=True), 1 + K
    yield from _tangent("r = 1/p = 1/(1 + k)")
    yield identity(
        "so sum a_i <= epsilon d^(-1/p) sum (d u_i)^(1/p) <= epsilon d^(1 - 1/p), the value at epsilon "
        "d^(-1/p) (1, ..., 1)",
        radius * d ** (1 - 1 / exponent),
        d * (radius * d ** (-1 / exponent)),
    )


def _above_two() -> Iterator[Fact]:
    """p = 2 + 2k: the tangent inequality with r = 2/p."""
    yield from _tangent("r = 2/p = 1/(1 + k)")
    radius, exponent = sp.Symbol("epsilon", positive=True), 2 + 2 * K
    yield identity(
        "so sum a_i^2 = epsilon^2 d^(-r) sum (d u_i)^r <= epsilon^2 d^(1-r) with r = 2/p",
        radius**2 * d ** (-1 / (1 + K)) * d,
        radius**2 * d ** (1 - 2 / exponent),
    )
    point = radius * d ** (-1 / exponent)
    yield identity(
        "attained on the sphere: d (epsilon d^(-1/p))^p = epsilon^p", d * point**exponent, radius**exponent
    )


def _tangent(which: str) -> Iterator[Fact]:
    """For 0 < r < 1, written r = 1/(1 + k): z^r lies below its tangent at z = 1; then the sum over z_i = d
    u_i.
    """
    r = 1 / (1 + K)
    above = 1 + r * (Z - 1) - Z**r
    yield identity(f"{which}: the tangent 1 + r(z - 1) meets z^r at z = 1", above.subs(Z, 1), sp.Integer(0))
    yield identity(f"{which}: with the same slope", sp.diff(above, Z).subs(Z, 1), sp.Integer(0))
    yield positive(f"{which}: the gap is convex in z > 0, so z^r <= 1 + r(z - 1)", sp.diff(above, Z, 2))
    total, mass, rate, count = sp.symbols("sum_z^r sum_u r d", positive=True)
    yield implies(
        f"{which}: summed over z_i = d u_i, sum (d u_i)^r <= d + r (d sum u_i - d) <= d",
        [sp.Le(mass, 1), sp.Le(total, count + rate * (count * mass - count))],
        sp.Le(total, count),
        method="sum over coordinates, z3 on the totals",
    )


def _below_two() -> Iterator[Fact]:
    """p = 2/(1 + k), so 2/p = 1 + k > 1: u^(1+k) lies below its chord u on [0, 1]."""
    below = U ** (1 + K) - U
    yield identity("p < 2: u^(2/p) meets the chord u at u = 1", below.subs(U, 1), sp.Integer(0))
    yield limit("p < 2: and at u = 0", below, U, 0, 0)
    yield positive(
        "p < 2: it is convex, so u^(2/p) <= u on [0, 1] and sum a_i^2 <= epsilon^2", sp.diff(below, U, 2)
    )

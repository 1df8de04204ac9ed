"""Losses whose -F of EntropySGD is under control: a smooth double well, caps of curvature -gamma (Theorem
3).
"""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from theory.calculus.gibbs import GAMMA, X, line_integral
from theory.deciders.exact import identity
from theory.deciders.facts import Fact
from theory.deciders.reals import implies

THETA = sp.Symbol("theta", real=True)
RADIUS = sp.Symbol("R", positive=True)
CAP_VARIANCE = GAMMA * RADIUS**4 / (3 * (GAMMA * RADIUS**2 + 1))  # a lower bound, see caps


def double_well(gamma: sp.Expr, curvature: sp.Expr, slope: sp.Expr) -> sp.Expr:
    """-F(THETA) for m = 1 and L = (curvature/2) x^2 - log cosh(slope x), all three positive.

    L is smooth and at least -slope^2/(2 curvature); e^(-L) is the mean of two Gaussian exponentials, hence
    e^F of two Gaussian integrals.
    """
    wells = (
        line_integral(
            sp.Rational(1, 2), -curvature * X**2 / 2 + side * slope * X - gamma / 2 * (THETA - X) ** 2
        )
        for side in (1, -1)
    )
    return -sp.log(sp.Add(*wells))


def caps(variance: sp.Expr) -> Iterator[Fact]:
    """Var(theta') >= variance at the centre c of a cap L = (gamma/2)(R^2 - (x - c)^2), |x - c| <= R.

    Consecutive caps between 3^k and 3^(k+1), have c = 2*3^k and R = 3^k; elsewhere L >= 0 suffices.
    """
    left = sp.Symbol("3^k", positive=True)
    cap = GAMMA / 2 * (X - left) * (3 * left - X)
    yield identity(
        "at theta = 2*3^k the exponent L + (gamma/2)(x - theta)^2 is the constant gamma R^2/2 on the cap, "
        "R = 3^k: p_theta is uniform there",
        cap + GAMMA / 2 * (X - 2 * left) ** 2,
        GAMMA * left**2 / 2,
        dimension=(1,),
    )
    yield identity(
        "so the variance on the cap is R^2/3",
        sp.integrate(X**2 / (2 * RADIUS), (X, -RADIUS, RADIUS)),
        RADIUS**2 / 3,
        dimension=(1,),
    )
    yield identity(
        "each tail, where L >= 0, has at most the mass exp(-gamma R^2/2)/(gamma R), as 1 <= h/R there",
        sp.integrate(X / RADIUS * sp.exp(-GAMMA * X**2 / 2), (X, RADIUS, sp.oo)),
        sp.exp(-GAMMA * RADIUS**2 / 2) / (GAMMA * RADIUS),
        dimension=(1,),
    )
    tails, share = sp.symbols("tails share", positive=True)
    yield implies(
        f"the cap holds a share of at least gamma R^2/(gamma R^2 + 1), so that Var >= share R^2/3 >= "
        f"{variance}",
        [tails * GAMMA * RADIUS <= 2, sp.Eq(share * (2 * RADIUS + tails), 2 * RADIUS)],
        sp.Ge(share * RADIUS**2 / 3, variance),
        dimension=(1,),
        method="law of total variance, z3",
    )
    yield identity(
        "with equality where the tails are as heavy as they can be",
        RADIUS**2 / 3 * 2 * RADIUS / (2 * RADIUS + 2 / (GAMMA * RADIUS)),
        variance,
        dimension=(1,),
    )

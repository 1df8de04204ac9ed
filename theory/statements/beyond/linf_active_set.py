"""Beyond the paper: L_infinity attacks by active sets; D x' on the free coordinates, constant at
corners, Lipschitz with C_theta_x/c_F."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.conditions import attack_jacobian, box_conditions
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    curvature_bound,
    linearised,
    segment_bound,
    sharp_implies,
    smaller,
)
from theory.statements.sec32.lemma4_readings import at_the_point

H_FF, B_F = sp.symbols("H_FF B_F", commutative=False)
FREE_CURVATURE = sp.Symbol("c_F", positive=True)


def active_set(stated: SimpleNamespace) -> Iterator[Fact]:
    """Freeze the active coordinates and solve grad_F l = 0 for the free ones; the multipliers stay
    positive nearby; all d."""
    yield linearised(
        -stated.inverse * B_F,
        H_FF,
        B_F,
        "x_A = x + epsilon s_A stays, and D x'_F = -H_FF^{-1} B_F solves the derivative of grad_F l = 0",
        shows=("active coordinates: s_i dl/dx_i > 0 is an open condition, so they stay at their faces",),
    )
    yield from curvature_bound(
        CROSS / FREE_CURVATURE,
        CROSS,
        FREE_CURVATURE,
        operator="H_FF",
        shows=("H_FF <= -c_F I at every theta of U, on the branch: so |D x'| <= C_theta_x/c_F all over U",),
    )
    yield from segment_bound(CROSS / FREE_CURVATURE, CROSS / FREE_CURVATURE)
    yield from second_order(positive=True, definite=True)
    yield from corner(stated.constant)


def second_order(positive: bool, definite: bool) -> Iterator[Fact]:
    """A step p = (p_A, p_F) into the box has s_i p_i <= 0 on A, so <grad l, p> <= -g |p_A| with g = min
    s_i dl/dx_i; all d."""
    active, free, bound, radius, remainder = (
        sp.Symbol(n, nonnegative=True) for n in ("|p_A|", "|p_F|", "M", "r", "rho")
    )
    g = sp.Symbol("g", positive=True) if positive else sp.Symbol("g", nonnegative=True)
    k = FREE_CURVATURE if definite else sp.Symbol("c_F", nonnegative=True)
    change = sp.Symbol("l(x*+p)-l(x*)", real=True)
    limits = (k if definite else sp.Integer(1), g if positive else sp.Integer(1))
    yield implies(
        "every small step into the box lowers the loss: x* is a strict local maximum",
        [
            sp.Gt(active + free, 0),
            sp.Le(active, radius),
            sp.Le(free, radius),
            sp.Le(radius, 1),
            *(sp.Le(small, limit) for small in (4 * bound * radius, 4 * remainder) for limit in limits),
            sp.Le(
                change,
                -g * active
                + bound * active**2 / 2
                + bound * active * free
                - k * free**2 / 2
                + remainder * (active**2 + free**2),
            ),
        ],
        sp.Lt(change, 0),
        method="second-order expansion in scalars, z3 on nonlinear real arithmetic",
    )


def corner(constant: sp.Expr) -> Iterator[Fact]:
    """At a corner nothing is free: for each i the sign of dl/dx_i fixes x_i, whatever theta does nearby;
    coordinatewise, all d."""
    side, slope, moved, change = (
        sp.Symbol(n, real=True) for n in ("s_i", "dl/dx_i", "x'_i change", "dl/dx_i change")
    )
    yield implies(
        "with s_i dl/dx_i > 0 and a smaller change of dl/dx_i, the face s_i stays the right one: a change "
        "of x'_i is zero",
        [
            sp.Eq(side**2, 1),
            sp.Gt(side * slope, 0),
            sp.Lt(change**2, slope**2),
            sp.Or(
                sp.And(sp.Gt(side * (slope + change), 0), sp.Eq(moved, 0)), sp.Le(side * (slope + change), 0)
            ),
        ],
        sp.Le(moved**2, constant**2),
        method="one scalar inequality for every coordinate, z3",
    )
    yield identity("the Lipschitz constant at a corner", constant, sp.Integer(0))


def theorem(stated: SimpleNamespace) -> Iterator[Fact]:
    """The argument, the hypotheses it needs, interlacing, and a loss with one free and one active
    coordinate that attains the constant."""
    yield from second_order(stated.strict_complementarity, stated.definite)
    yield from active_set(SimpleNamespace(inverse=stated.inverse, constant=sp.Integer(0)))
    top, rayleigh = sp.symbols("lambda_max(H) u^T_H_u", real=True)
    yield from sharp_implies(
        "c_F >= c: the top eigenvector u of H_FF, padded by zeros, is a vector for H, so -c_F <= "
        "lambda_max(H)",
        [sp.Eq(-FREE_CURVATURE, rayleigh), sp.Le(rayleigh, top)],
        -top,
        FREE_CURVATURE,
        {FREE_CURVATURE: 2, rayleigh: -2, top: -2},
    )
    slope, cross, curvature = example()
    yield identity(
        "the constant is attained by l = 3 theta_1 x_1 - x_1^2 + 4 x_2 on |x_i| <= 1 (any d >= 1: more "
        "active coordinates)",
        slope,
        stated.constant.subs({CROSS: cross, FREE_CURVATURE: curvature}),
    )
    if not stated.strict_complementarity:
        yield kink()
    if not stated.along_branch:
        yield from at_the_point(SimpleNamespace(constant=stated.constant.subs(FREE_CURVATURE, CURVATURE)))


def example() -> tuple[sp.Expr, sp.Expr, sp.Expr]:
    """|D x'|, C_theta_x and c_F of l = 3 theta_1 x_1 - x_1^2 + 4 x_2 at theta_1 = 1/3, x' = (1/2, 1),
    epsilon = 1, by calculus."""
    x, theta = sp.symbols("x1:3", real=True), sp.symbols("theta1:2", real=True)
    loss = 3 * theta[0] * x[0] - x[0] ** 2 + 4 * x[1]
    at = {theta[0]: sp.Rational(1, 3), x[0]: sp.Rational(1, 2), x[1]: 1}
    conditions = box_conditions(loss, x, [0, 0], 1, at)
    if conditions.strict_local_maximum is not True or conditions.active != {1: 1}:
        raise ArithmeticError("the example must be a strict local maximum with coordinate 2 active")
    moved = attack_jacobian(loss, x, theta, case="box", active=conditions.active, at=at)
    return moved.norm(), sp.Integer(3), -conditions.reduced_hessian[0]


def kink() -> Fact:
    """Without strict complementarity: l = theta x - x^2/2 on |x| <= 1 at theta = 1 has slope 1 on one
    side and 0 on the other."""
    t = sp.Symbol("t", positive=True)
    left = sp.limit((1 - smaller(sp.Integer(1), 1 - t)) / t, t, 0, "+")
    right = sp.limit((smaller(sp.Integer(1), 1 + t) - 1) / t, t, 0, "+")
    return compare("clip(theta) has one slope at theta = 1", left, "==", right, dimension=(1,))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="beyond.active-set",
        location="beyond Sec. 3.2.2 (L_infinity)",
        kind="beyond",
        title="L_infinity attacks: C^1 on the free coordinates",
        statement="Let x* satisfy s_i dl/dx_i > 0 on its active coordinates A, grad_F l = 0 and H_FF < 0 "
        "on the free ones. Then near theta the strict local maximum that continues x* is C^1 with D x'_A "
        "= 0, D x'_F = -H_FF^{-1} B_F; at a corner it does not move. On a convex neighbourhood U of theta "
        "along which H_FF <= -c_F I, at every theta of U and not only at x*, it is "
        "(C_theta_x/c_F)-Lipschitz. If H <= -c I there, then H_FF <= -c I.",
        latex=r"D_\theta x'_A=0,\quad D_\theta x'_F=-H_{FF}^{-1}B_F,\quad\sigma_1(D_\theta x')\le C_{\theta "
        r"x}/c_F",
        assumptions=("grad_x l is C^1 in (x, theta)", "strict complementarity on the active coordinates"),
        cites=("implicit function theorem", "mean value theorem"),
        stated={
            "inverse": H_FF**-1,
            "constant": CROSS / FREE_CURVATURE,
            "strict_complementarity": True,
            "definite": True,
            "along_branch": True,
        },
        check=theorem,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = 3 theta_1 x_1 - x_1^2 + 4 x_2 on |x_i| <= 1: x' = (3 theta_1/2, 1) near theta_1 = "
            "1/3, C_theta_x = 3, c_F = 2",
            attained=sp.diff(sp.Rational(3, 2) * sp.Symbol("theta_1"), sp.Symbol("theta_1")),
            bound=sp.Integer(3) / 2,
        ),
        twins=(
            Twin(
                "constant one per cent smaller", {"constant": sp.Rational(99, 100) * CROSS / FREE_CURVATURE}
            ),
            Twin("sign dropped", {"inverse": -(H_FF**-1)}),
            Twin("multipliers allowed to vanish", {"strict_complementarity": False}),
            Twin("H_FF only semidefinite", {"definite": False}),
            Twin("c_F read at x* alone", {"along_branch": False}),
        ),
        remark="With c_F read at x* alone any c' < c_F serves in some neighbourhood, c_F itself in none: l = "
        "theta_1 x_1 - x_1^2/2 + x_1^3/6 + 4 x_2 on |x_i| <= 1 (claim lemma4.at-the-point, with an active "
        "coordinate added).",
    ),
)

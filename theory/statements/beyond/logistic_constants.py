"""Beyond the paper: the exact C_theta, C_theta_theta and C_theta_x of Assumption 1 for the logistic linear
model on balls."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.linear import DIRECTIONAL, GRAM, LABELS, logistic, once, sigmoid, signed
from theory.deciders.balls import certify
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Tightness, Twin

RADIUS, BOUND = sp.symbols("R B", positive=True)  # ||x|| <= R, ||theta|| <= B
REACH = sp.Symbol("T", positive=True)  # B R, the largest |theta^T x|
U = sp.Symbol("u", real=True)  # the margin y theta^T x
SHARE = sp.Symbol("s", positive=True)  # sigmoid(u), between 0 and 1


def gradient_length(stated: SimpleNamespace) -> Iterator[Fact]:
    """||grad_theta l|| = sigmoid(-u) ||x||, largest where both factors are."""
    space = Space("theta", "x", "v")
    theta, x, v = space.vectors()
    t = sp.Symbol("t", real=True)
    for label in LABELS:
        margin = label * space.inner(theta + t * v, x)
        yield identity(
            f"y = {label}: grad_theta l = -y sigmoid(-u) x",
            sp.diff(logistic(margin), t).subs(t, 0),
            -label * sigmoid(-margin.subs(t, 0)) * space.inner(x, v),
            method=DIRECTIONAL,
        )
    number = sp.Symbol("n", real=True)
    yield signed(
        "sigmoid increases, so that -u <= B R gives sigmoid(-u) <= sigmoid(B R)",
        sp.diff(sigmoid(number), number),
    )
    yield implies(
        "-u <= ||theta|| ||x|| <= B R (Cauchy-Schwarz)",
        [
            *space.gram_conditions(("theta", "x")),
            sp.Le(space.length("theta"), BOUND),
            sp.Le(space.length("x"), RADIUS),
        ],
        sp.Le(-space.product("theta", "x"), BOUND * RADIUS),
        method=GRAM,
    )
    yield identity(
        "attained at x = -y (R/B) theta, ||theta|| = B", sigmoid(BOUND * RADIUS) * RADIUS, stated.constant
    )
    yield limit("without a bound on theta", stated.constant, BOUND, sp.oo, RADIUS, direction="-")


def hessian_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    """The Hessian in theta along v is s(u) s(-u) <x, v>^2, largest at u = 0 and v along x."""
    along = sp.Symbol("<x,v>", real=True)
    t = sp.Symbol("t", real=True)
    for label in LABELS:
        bend = sp.diff(logistic(U + label * t * along), t, 2).subs(t, 0)
        yield identity(f"y = {label}: second derivative along v", bend, sigmoid(U) * sigmoid(-U) * along**2)
    free = sp.Symbol("s", real=True)
    yield identity(
        "s (1 - s) = 1/4 - (s - 1/2)^2 is largest at s = 1/2",
        free * (1 - free),
        sp.Rational(1, 4) - (free - sp.Rational(1, 2)) ** 2,
    )
    yield identity(
        "attained at theta = 0, ||x|| = R, v = x/R",
        (sigmoid(U) * sigmoid(-U)).subs(U, 0) * RADIUS**2,
        stated.constant,
    )


def mixed_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    """The mixed derivative is -y s(-u) (I - s(u) X theta^T), X = y x; its norm from the plane of X and theta,
    the rest being fixed."""
    yield from mixed_derivative()
    plane = in_the_plane()
    s, u, reach = SHARE, U, REACH
    gram = plane.T * plane
    yield identity(
        "on the plane of X and theta: trace of M^T M", gram.trace(), 2 - 2 * s * u + s**2 * reach**2
    )
    yield identity("and determinant of M", plane.det(), 1 - s * u)
    yield identity(
        "vectors orthogonal to theta are fixed: in the plane the second column",
        plane[:, 1],
        sp.Matrix([0, 1]),
    )
    root = sp.Symbol("root", nonnegative=True)  # sqrt(s^2 T^2 + 4 - 4 s u)
    square = s**2 * reach**2 + 4 - 4 * s * u
    value = stated.largest.subs(sp.sqrt(square), root)
    yield identity(
        "the stated number uses this root alone", value.subs(root, sp.sqrt(square)), stated.largest
    )
    characteristic = value**4 - gram.trace() * value**2 + plane.det() ** 2
    yield identity(
        "its square is an eigenvalue of M^T M",
        sp.rem(sp.expand(characteristic), root**2 - sp.expand(square), root),
        sp.Integer(0),
        shows=("with root^2 = s^2 T^2 + 4 - 4 s u",),
    )
    yield identity(
        "and the larger one: twice the square exceeds the trace by s T root >= 0",
        sp.rem(sp.expand(2 * value**2 - gram.trace()), root**2 - sp.expand(square), root),
        s * reach * root,
    )
    yield identity(
        "root^2 = (2 - s u)^2 + s^2 (T^2 - u^2) >= 0", square, (2 - s * u) ** 2 + s**2 * (reach**2 - u**2)
    )
    positive = sp.Symbol("root", positive=True)
    growth = sp.diff(stated.largest, reach).subs(sp.sqrt(square), positive)
    yield signed("it grows with T = ||x|| ||theta|| at fixed u", growth)


@once
def mixed_derivative() -> Iterator[Fact]:
    """d/dx of grad_theta l along v, for both labels and in every dimension, with u = y <theta, x>."""
    space = Space("theta", "x", "v")
    theta, x, v = space.vectors()
    t = sp.Symbol("t", real=True)
    for label in LABELS:
        moved = x + t * v
        slope = (-label * sigmoid(-label * space.inner(theta, moved))) * moved
        derived = slope.map(lambda value: sp.diff(value, t).subs(t, 0))
        margin = label * space.product("theta", "x")
        printed = (-label * sigmoid(-margin)) * (v - (sigmoid(margin) * space.inner(theta, v)) * (label * x))
        for name in space.names:
            yield identity(
                f"y = {label}: derivative of grad_theta l in x along v, {name}-component",
                derived.coefficients.get(name, sp.Integer(0)),
                printed.coefficients.get(name, sp.Integer(0)),
                method=DIRECTIONAL,
            )


def in_the_plane() -> sp.Matrix:
    """I - s X theta^T in an orthonormal basis whose first vector is theta/||theta||; ||X|| ||theta|| = T,
    <theta, X> = u."""
    across = sp.sqrt(REACH**2 - U**2)  # ||theta|| times the part of X orthogonal to theta
    return sp.Matrix([[1 - SHARE * U, 0], [-SHARE * across, 1]])


def profile(reach: object) -> sp.Expr:
    """sigmoid(-u) times the largest singular value, as a function of the margin u alone, at ||x|| ||theta|| =
    reach."""
    s = sigmoid(U)
    return sigmoid(-U) * (s * reach + sp.sqrt(s**2 * sp.sympify(reach) ** 2 + 4 - 4 * s * U)) / 2


def enclosed(stated: SimpleNamespace) -> Iterator[Fact]:
    """T = 1: the profile decreases on [-1, 1], so its maximum is at u = -1; T = 4: two-sided bounds of the
    maximum over [-4, 4]."""
    one = {U: (-1, 1)}
    yield certify("T = 1: the profile decreases on the whole interval", -sp.diff(profile(1), U), one)
    at_end = sp.simplify(sp.sqrt(sp.factor((2 * LARGEST - SHARE * REACH).subs({REACH: 1, U: -1}) ** 2)))
    yield identity(
        "T = 1: so the maximum is the value at u = -1, sigmoid(1) (1 + s), s = sigmoid(-1)",
        sigmoid(1) * ((SHARE + at_end) / 2).subs(SHARE, sigmoid(-1)),
        stated.at_one,
    )
    yield certify(f"T = 4: the profile stays below {stated.above}", stated.above - profile(4), {U: (-4, 4)})
    yield compare(
        f"T = 4: and exceeds {stated.below} at u = -41/50",
        profile(4).subs(U, -sp.Rational(41, 50)),
        ">",
        stated.below,
        point={"T": 4, "u": "-41/50"},
    )
    yield compare(
        "the two bounds are within one thousandth", stated.above - stated.below, "<=", sp.Rational(1, 1000)
    )


def unbounded(stated: SimpleNamespace) -> Iterator[Fact]:
    """At u = 0, theta orthogonal to x (d >= 2), the profile grows like T/4."""
    at_zero = sp.simplify(profile(REACH).subs(U, 0))
    root = sp.Symbol("root", positive=True)  # sqrt(T^2 + 16)
    yield implies(
        "C_theta_x at theta orthogonal to x is at least (rate) T",
        [sp.Eq(root**2, REACH**2 + 16)],
        sp.Ge(at_zero.subs(sp.sqrt(REACH**2 + 16), root), stated.rate * REACH),
    )
    yield limit(
        "C_theta_x/T at theta orthogonal to x, as ||theta|| -> infinity",
        at_zero / REACH,
        REACH,
        sp.oo,
        stated.rate,
        direction="-",
    )
    yield limit("so it is unbounded", at_zero, REACH, sp.oo, sp.oo, direction="-")
    yield from (fact.as_example() for fact in bounded_on_a_ray(stated.on_every_unbounded_set))


def bounded_on_a_ray(unbounded_too: bool) -> Iterator[Fact]:
    """theta = (t, 0), t >= 0, and x in the disc of radius 1 around (3, 0): the mixed derivative's norm, at most
    sigmoid(-u) (1 + T), stays below 1."""
    one, other, factor = sp.symbols("x_1 x_2 e^u", real=True)
    plane = (2,)
    yield implies(
        "in that disc ||x||^2 <= (9/8) x_1^2, so that T = t ||x|| and u = t x_1 have T^2 <= (9/8) u^2",
        [sp.Le((one - 3) ** 2 + other**2, 1)],
        sp.Le(one**2 + other**2, sp.Rational(9, 8) * one**2),
        dimension=plane,
    )
    size, length = sp.Symbol("u", nonnegative=True), sp.Symbol("T", nonnegative=True)
    yield implies(
        "there the norm, at most (1 + s T)/(1 + e^u) with s < 1, is below 1, as e^u >= 1 + u + u^2/2",
        [sp.Le(length**2, sp.Rational(9, 8) * size**2), sp.Ge(factor, 1 + size + size**2 / 2)],
        sp.Lt((1 + length) / (1 + factor), 1),
        dimension=plane,
        shows=("||I - s X theta^T|| <= 1 + s T, sigmoid(-u) = 1/(1 + e^u)",),
    )
    yield limit(
        "and as t -> infinity it tends to " + ("infinity" if unbounded_too else "0"),
        (1 + 3 * size / (2 * sp.sqrt(2))) / (1 + sp.exp(size)),
        size,
        sp.oo,
        sp.oo if unbounded_too else 0,
        direction="-",
        dimension=plane,
    )


LESS, MORE = sp.Rational(99, 100), sp.Rational(101, 100)
LENGTH = RADIUS / (1 + sp.exp(-BOUND * RADIUS))
LARGEST = (SHARE * REACH + sp.sqrt(SHARE**2 * REACH**2 + 4 - 4 * SHARE * U)) / 2
PLACE = "beyond Assumption 1"
MEAN_VALUE = ("mean value inequality (the balls are convex)",)

CLAIMS = (
    Claim(
        id="beyond.c-theta",
        location=PLACE + ", Eq. (5)",
        kind="beyond",
        title="C_theta = R sigmoid(B R), exactly",
        statement="For the logistic loss with ||x|| <= R and ||theta|| <= B the smallest C_theta of Eq. (5) "
        "is R sigmoid(B R); without a bound on theta it is R.",
        latex=r"C_\theta=R\,\sigma(BR)",
        assumptions=("logistic loss of the linear model", "all x of the ball, attacked ones included"),
        stated={"constant": LENGTH},
        check=gradient_length,
        expected=Verdict.TRUE,
        cites=MEAN_VALUE,
        tightness=Tightness(
            pair="d = 1, y = 1, x = -R, theta near B: the slope of log(1 + exp(R theta)) at theta = B",
            attained=sp.diff(logistic(-RADIUS * BOUND), BOUND),
            bound=LENGTH,
        ),
        twins=(
            Twin("one per cent smaller", {"constant": LESS * LENGTH}),
            Twin("half of R, the value at theta = 0", {"constant": RADIUS / 2}),
            Twin("the sign of the exponent", {"constant": RADIUS / (1 + sp.exp(BOUND * RADIUS))}),
        ),
    ),
    Claim(
        id="beyond.c-theta-theta",
        location=PLACE + ", Eq. (6)",
        kind="beyond",
        title="C_theta_theta = R^2/4, exactly",
        statement="For the logistic loss with ||x|| <= R the smallest C_theta_theta of Eq. (6) is R^2/4, on "
        "any ball of theta around 0.",
        latex=r"C_{\theta\theta}=R^2/4",
        assumptions=("logistic loss of the linear model",),
        stated={"constant": RADIUS**2 / 4},
        check=hessian_norm,
        expected=Verdict.TRUE,
        cites=MEAN_VALUE,
        tightness=Tightness(
            pair="d = 1, x = R, theta near 0: the second derivative of log(1 + exp(-R theta)) at theta = 0",
            attained=sp.diff(logistic(RADIUS * U), U, 2).subs(U, 0),
            bound=RADIUS**2 / 4,
        ),
        twins=(
            Twin("one per cent smaller", {"constant": LESS * RADIUS**2 / 4}),
            Twin("R in place of its square", {"constant": RADIUS / 4}),
        ),
    ),
    Claim(
        id="beyond.c-theta-x",
        location=PLACE + ", Eq. (7)",
        kind="beyond",
        title="The mixed derivative's norm, exactly",
        statement="For d >= 2 the mixed derivative at margin u = y theta^T x with ||x|| ||theta|| = T has "
        "the norm sigmoid(-u) (s T + sqrt(s^2 T^2 + 4 - 4 s u))/2, s = sigmoid(u); it grows with T, so that "
        "on ||x|| <= R, ||theta|| <= B the smallest C_theta_x is its maximum over |u| <= T = B R.",
        latex=r"C_{\theta x}=\max_{|u|\le BR}\sigma(-u)\,\tfrac12\left(sT+\sqrt{s^2T^2+4-4su}\right),\quad "
        r"s=\sigma(u)",
        assumptions=("logistic loss of the linear model", "d >= 2", "|u| <= T"),
        stated={"largest": LARGEST},
        check=mixed_norm,
        expected=Verdict.TRUE,
        cites=MEAN_VALUE,
        twins=(
            Twin("one per cent smaller", {"largest": LESS * LARGEST}),
            Twin("the smaller singular value", {"largest": LARGEST - SHARE * REACH}),
            Twin("the crude bound 1 + s T", {"largest": 1 + SHARE * REACH}),
        ),
        remark="Values: claim beyond.c-theta-x-values. For d = 1 only u = T and u = -T occur at given T: "
        "claim beyond.c-theta-x-line.",
    ),
    Claim(
        id="beyond.c-theta-x-values",
        location=PLACE + ", Eq. (7)",
        kind="beyond",
        title="C_theta_x at B R = 1 and at B R = 4",
        statement="At B R = 1 the smallest C_theta_x is sigmoid(1) (1 + sigmoid(-1)) = 0.9276..., attained "
        "at x = -y R theta/||theta||; at B R = 4 it lies between 1.309 and 1.310.",
        assumptions=("the formula of claim beyond.c-theta-x",),
        stated={
            "at_one": sp.E / (1 + sp.E) * (1 + 1 / (1 + sp.E)),
            "below": sp.Rational(1309, 1000),
            "above": sp.Rational(1310, 1000),
        },
        check=enclosed,
        expected=Verdict.TRUE,
        twins=(
            Twin("an upper bound one per cent smaller", {"above": LESS * sp.Rational(1310, 1000)}),
            Twin("a lower bound one per cent larger", {"below": MORE * sp.Rational(1309, 1000)}),
            Twin("the value at u = 1", {"at_one": 1 / (1 + sp.E) * (1 - sp.E / (1 + sp.E))}),
        ),
    ),
    Claim(
        id="beyond.c-theta-x-unbounded",
        location=PLACE + ", Eq. (7)",
        kind="beyond",
        title="No C_theta_x for all theta, d >= 2",
        statement="For d >= 2 and x != 0 the logistic loss has no finite C_theta_x for all theta: at theta "
        "orthogonal to x it is at least ||x|| ||theta||/4. So where the inputs fill a ball around 0, "
        "Assumption 1 holds on bounded sets of theta alone. Where they do not, it may hold on unbounded ones: "
        "on theta = (t, 0), t >= 0, and x in the disc of radius 1 around (3, 0), the mixed derivative stays "
        "below 1.",
        latex=r"\sup_\theta C_{\theta x}=\infty\quad(d\ge2)",
        assumptions=("logistic loss of the linear model", "d >= 2"),
        stated={"rate": sp.Rational(1, 4), "on_every_unbounded_set": False},
        check=unbounded,
        expected=Verdict.TRUE,
        twins=(
            Twin("twice the rate", {"rate": sp.Rational(1, 2)}),
            Twin("no growth", {"rate": sp.Integer(0)}),
            Twin("unbounded on every unbounded set of theta", {"on_every_unbounded_set": True}),
        ),
        remark="For inputs all around 0 Theorem 1 therefore needs bounded theta as well, through C_theta_x; its "
        "sharpening for the logistic loss does not.",
    ),
)

"""The linear logistic model of Sec. 3.1 in vectors without coordinates: what Lemmas 2-3 and Theorems 1-2
share.

The loss is `log(1 + exp(-m))` of the margin `m = y <theta, x + delta>`; it decreases with the margin, so the
attack makes
the margin as small as the ball allows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache, wraps

import sympy as sp

from theory.deciders.exact import identity, limit
from theory.deciders.facts import ALL, Dimension, Fact, Grade, Witness, asked
from theory.deciders.reals import implies
from theory.deciders.vectors import Space, Vector

EPSILON, THETA_MIN = sp.symbols("epsilon theta_min", positive=True)
NORM = sp.Symbol("|theta|", positive=True)  # the same symbol as Space("theta").length("theta")
LABEL = sp.Symbol("y", real=True)
LABELS = (1, -1)
MARGIN = sp.Symbol("m", real=True)
GRAM = "Gram reduction, z3 on nonlinear real arithmetic"
DIRECTIONAL = "directional derivative in Gram scalars, sympy identity"


def once(argument: Callable[[], Iterator[Fact]]) -> Callable[[], tuple[Fact, ...]]:
    """The facts of an argument without data, checked once a process: several claims and all their twins share
    them."""

    @cache
    @wraps(argument)
    def checked() -> tuple[Fact, ...]:
        return tuple(argument())

    return checked


def logistic(margin: sp.Expr) -> sp.Expr:
    """`log(1 + exp(-margin))`, the loss of Sec. 3.1 as a function of the margin."""
    return sp.log(1 + sp.exp(-margin))


def sigmoid(number: sp.Expr) -> sp.Expr:
    """`1/(1 + exp(-number))`; the slope of `logistic` at the margin m is `-sigmoid(-m)`."""
    return 1 / (1 + sp.exp(-number))


def attack(space: Space, theta: Vector, label: int = 1) -> Vector:
    """`x'(theta) - x = -y epsilon theta/||theta||`, the L2 attack in any dimension (derived in claim
    lemma2.attack)."""
    return (-label * EPSILON / space.norm(theta)) * theta


def worst_margin(space: Space, theta: Vector, x: Vector, label: int) -> sp.Expr:
    """`y <theta, x> - epsilon ||theta||`, the margin of the L2 attack (claim lemma2.attack)."""
    return label * space.inner(theta, x) - EPSILON * space.norm(theta)


@asked
def signed(
    says: str,
    expression: sp.Expr,
    *,
    strict: bool = True,
    dimension: Dimension = ALL,
    shows: tuple[str, ...] = (),
) -> Fact:
    """Whether expression > 0 (`strict`) or >= 0 for all values of its symbols, as their sign assumptions
    settle it."""
    holds = expression.is_positive if strict else expression.is_nonnegative
    fails = expression.is_nonpositive if strict else expression.is_negative
    lines = (*shows, f"{expression} {'>' if strict else '>='} 0")
    if not (holds or fails):
        return Fact(says, None, Grade.NONE, "signs of the factors", dimension, lines)
    witness = None if holds else Witness({}, expression, ">" if strict else ">=", sp.Integer(0))
    return Fact(says, bool(holds), Grade.PROVED, "signs of the factors", dimension, lines, witness)


def unbounded(
    says: str, gap: sp.Expr, apart: sp.Expr, step: sp.Symbol, rate: sp.Expr, *, dimension: Dimension = ALL
) -> Fact:
    """Whether gap/apart grows like rate/step as step -> 0+; the rate is positive, so that no constant bounds
    the ratio (undecided where its sign is not plain)."""
    if not sp.sympify(rate).is_positive:
        return Fact(says, None, Grade.NONE, "sign of the rate", dimension, (f"rate = {rate}",))
    return limit(
        f"{says}: its product with {step} tends to {rate}",
        step * gap / apart,
        step,
        0,
        rate,
        dimension=dimension,
    )


def decreasing_loss() -> Fact:
    """The loss falls strictly as the margin grows: its slope is -sigmoid(-m) < 0."""
    return signed(
        "the loss log(1 + exp(-m)) decreases strictly with the margin m",
        -sp.diff(logistic(MARGIN), MARGIN),
        shows=(f"d/dm log(1 + exp(-m)) = {sp.diff(logistic(MARGIN), MARGIN)}",),
    )


@once
def envelope() -> Iterator[Fact]:
    """The gradient of the adversarial loss is the gradient of the loss at the attack held fixed (first line
    of Eq. (14)).

    Derived for the L2 attack of the linear model, along an arbitrary direction v, for both labels and in
    every dimension.
    """
    space = Space("theta", "x", "v")
    theta, x, v = space.vectors()
    t = sp.Symbol("t", real=True)
    for label in LABELS:
        moving = sp.diff(worst_margin(space, theta + t * v, x, label), t).subs(t, 0)
        attacked = x + attack(space, theta, label)
        frozen = sp.diff(label * space.inner(theta + t * v, attacked), t).subs(t, 0)
        yield identity(
            f"y = {label}: the margin of the attack has the same derivative along v as the margin at fixed "
            "x'",
            moving,
            frozen,
            method=DIRECTIONAL,
            shows=(f"d/dt [y <theta + t v, x> - epsilon ||theta + t v||] = {sp.simplify(moving)}",),
        )


@once
def second_derivative() -> Iterator[Fact]:
    """d^2/dt^2 of the L2 adversarial loss along v: `s(m) s(-m) <g, v>^2 + s(-m) (epsilon/||theta||)(|v|^2 -
    <n, v>^2)`.

    Here m is the margin of the attack, `g = y x - epsilon n` its gradient, `n = theta/||theta||`, and s the
    logistic sigmoid.
    Both labels, every dimension.
    """
    space = Space("theta", "x", "v")
    theta, x, v = space.vectors()
    t = sp.Symbol("t", real=True)
    n = theta / space.length("theta")
    for label in LABELS:
        margin = worst_margin(space, theta + t * v, x, label)
        slope, bend = (sp.diff(margin, t, order).subs(t, 0) for order in (1, 2))
        # The margin at t = 0 is kept as one symbol: only its first two derivatives matter for the second one
        # of the loss.
        along = logistic(MARGIN + slope * t + bend * t**2 / 2)
        g = label * x - EPSILON * n
        curved = sigmoid(MARGIN) * sigmoid(-MARGIN) * space.inner(g, v) ** 2
        turned = sigmoid(-MARGIN) * EPSILON / space.length("theta")
        turned *= space.inner(v, v) - space.inner(n, v) ** 2
        yield identity(
            f"y = {label}: second derivative of the adversarial loss along v",
            sp.diff(along, t, 2).subs(t, 0),
            curved + turned,
            method=DIRECTIONAL,
            shows=("= s(m) s(-m) <g, v>^2 + s(-m) (epsilon/||theta||) (|v|^2 - <n, v>^2)",),
        )


def curvature(
    says: str, constant: sp.Expr, share: sp.Expr, lower: sp.Expr, radius: sp.Expr
) -> Iterator[Fact]:
    """That `constant` bounds the second derivative above along every unit v where s(-m) <= share and
    ||theta|| >= lower.

    `radius` is the longest ||x||. The constant put together from the suprema of the factors must equal the
    one given.
    """
    yield from second_derivative()
    s = sp.Symbol("s", real=True)
    yield identity(
        "s(m) s(-m) = 1/4 - (s(m) - 1/2)^2 <= 1/4",
        s * (1 - s),
        sp.Rational(1, 4) - (s - sp.Rational(1, 2)) ** 2,
    )
    yield identity("s(m) + s(-m) = 1", sigmoid(MARGIN) + sigmoid(-MARGIN), sp.Integer(1))
    x_length, theta_length = sp.symbols("|x| |theta|", nonnegative=True)
    n_x, n_v, v_v, g_v, g_g, quarter, part = sp.symbols("nx nv vv gv gg p q", real=True)
    reach = sp.Symbol("R", nonnegative=True)
    yield implies(
        "|g| <= |x| + epsilon for g = y x - epsilon n, |n| = 1",
        [sp.Le(n_x**2, x_length**2), sp.Eq(g_g, x_length**2 - 2 * EPSILON * n_x + EPSILON**2)],
        sp.Le(g_g, (x_length + EPSILON) ** 2),
        method=GRAM,
    )
    yield implies(
        "the two terms are at most (R + epsilon)^2/4 and q epsilon/||theta|| for |v| = 1",
        [
            sp.Eq(v_v, 1),
            sp.Le(g_v**2, g_g * v_v),
            sp.Le(g_g, (reach + EPSILON) ** 2),
            sp.Ge(quarter, 0),
            sp.Le(quarter, sp.Rational(1, 4)),
            sp.Ge(part, 0),
            sp.Gt(theta_length, 0),
        ],
        sp.And(
            sp.Le(quarter * g_v**2, (reach + EPSILON) ** 2 / 4),
            sp.Le(part * EPSILON * (v_v - n_v**2), part * EPSILON),
        ),
        method=GRAM,
    )
    yield identity(
        says,
        (radius + EPSILON) ** 2 * sp.Max(*_quarter()) + share * EPSILON / lower,
        constant,
        method="sum of the suprema of the two terms",
    )


def _quarter() -> list[sp.Expr]:
    """The values of s (1 - s) at the critical point and at the ends of [0, 1]; the largest is its maximum
    there."""
    s = sp.Symbol("s", real=True)
    product = s * (1 - s)
    return [product.subs(s, value) for value in (*sp.solve(sp.diff(product, s), s), 0, 1)]

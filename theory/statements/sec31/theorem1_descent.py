"""What Sec. 3.1 concludes from Theorem 1: gradient descent from L_epsilon(theta_0) < L_epsilon(0), and the
comparison of constants."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.linear import EPSILON, GRAM, MARGIN, THETA_MIN, logistic, once, sigmoid, signed
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec31.theorem1 import BOUND, C_TT, C_TX, REACH, WEIGHT, between_any_two

LEVEL, START = sp.symbols("L L_0", real=True)  # L_epsilon(theta) and L_epsilon(theta_0)
AT_ZERO = sp.Symbol("L(0)", real=True)
SIZE = sp.Symbol("|theta|", nonnegative=True)  # theta = 0 is not excluded beforehand
CENTRE = sp.Symbol("|xbar|", nonnegative=True)  # xbar = mean of y_n x_n
LARGEST_MEAN = SIZE * (CENTRE - EPSILON)


def level_set(stated: SimpleNamespace) -> Iterator[Fact]:
    """From the tangent of the loss at 0 to a positive distance of the level set from the origin; then its
    convexity."""
    yield identity(
        "L_epsilon(0) = log(1 + exp(0)) for every data set", logistic(sp.Integer(0)), stated.at_zero
    )
    yield from tangent_at_zero()
    yield from mean_margin()
    reached = sp.Lt(START, AT_ZERO) if stated.strictly_below else sp.Le(START, AT_ZERO)
    mean = sp.Symbol("M", real=True)
    yield implies(
        "so L_epsilon(theta) <= L_epsilon(theta_0) keeps theta away from 0: "
        "||theta|| (|xbar| - epsilon) >= 2 (L(0) - L_0) > 0",
        [reached, sp.Le(LEVEL, START), sp.Ge(LEVEL, tangent(mean, AT_ZERO)), sp.Le(mean, LARGEST_MEAN)],
        sp.And(sp.Le(tangent(LARGEST_MEAN, AT_ZERO), START), sp.Gt(SIZE, 0), sp.Gt(CENTRE, EPSILON)),
    )
    yield signed(
        "the loss is convex in the margin, so L_epsilon, a mean of maxima of convex functions, is convex and "
        "its level sets are",
        sp.factor(sp.diff(logistic(MARGIN), MARGIN, 2)),
    )
    spare = sp.Symbol("h", positive=True)  # log 2 - L_0
    room = sp.Symbol("w", positive=True)  # |xbar| - epsilon
    names = {CENTRE: room + EPSILON, START: sp.log(2) - spare}
    yield from between_any_two(stated.smooth.subs(names), sp.Integer(1), 2 * spare / room)
    if stated.by_theorem_1:
        yield from mixed_derivative_on_the_level_set()
    far = sp.simplify(logistic(2 * WEIGHT - WEIGHT))
    yield limit(
        "the level set may be unbounded: d = 1, x = 2, epsilon = 1, theta -> infinity",
        far,
        WEIGHT,
        sp.oo,
        0,
        direction="-",
    )


def mixed_derivative_on_the_level_set() -> Iterator[Fact]:
    """x = (2, 0), epsilon = 1, L_0 = log(1 + 1/e): the level set is 2 theta_1 - |theta| >= 1, and C_theta_x at the
    attack on its boundary grows with |theta|."""
    length = sp.Symbol("|theta|", positive=True)
    yield implies(
        "x = (2, 0), epsilon = 1: for every |theta| >= 1 a theta with theta_1 = (1 + |theta|)/2 has the attacked "
        "margin 2 theta_1 - |theta| = 1, the loss L_0 = log(1 + 1/e) < log 2, and an attacked input |x'| >= 1",
        [sp.Ge(length, 1)],
        sp.And(sp.Le((1 + length) / 2, length), sp.Eq(2 * (1 + length) / 2 - length, 1)),
        dimension=(2,),
    )
    yield limit(
        "there the mixed derivative, of norm at least sigmoid(-1) (sigmoid(1) |x'| |theta| - 1), stays bounded by "
        "a constant C_theta_x as |theta| -> infinity",
        sigmoid(-1) * (sigmoid(1) * length - 1),
        length,
        sp.oo,
        C_TX,
        direction="-",
        dimension=(2,),
    )


def tangent(margin: sp.Expr, at_zero: sp.Expr) -> sp.Expr:
    """The tangent of the loss at the margin 0, `at_zero - margin/2`."""
    return at_zero - margin / 2


@once
def tangent_at_zero() -> Iterator[Fact]:
    """log(1 + exp(-m)) >= log 2 - m/2, because the difference is log cosh(m/2)."""
    yield identity(
        "(1 + exp(-m)) exp(m/2) = 2 cosh(m/2)",
        sp.expand((1 + sp.exp(-MARGIN)) * sp.exp(-tangent(MARGIN, sp.Integer(0)))),
        (2 * sp.cosh(MARGIN / 2)).rewrite(sp.exp),
        shows=("log(1 + exp(-m)) = log 2 - m/2 + log cosh(m/2)",),
    )
    yield identity(
        "cosh(m/2) = 1 + 2 sinh(m/4)^2 >= 1",
        sp.cosh(MARGIN / 2).rewrite(sp.exp),
        sp.expand((1 + 2 * sp.sinh(MARGIN / 4) ** 2).rewrite(sp.exp)),
    )


@once
def mean_margin() -> Iterator[Fact]:
    """The mean of the attacked margins, <theta, xbar> - epsilon ||theta||, is at most ||theta|| (|xbar| -
    epsilon)."""
    space = Space("theta", "xbar", known={("theta", "theta"): SIZE**2, ("xbar", "xbar"): CENTRE**2})
    product = space.product("theta", "xbar")
    mean = product - EPSILON * SIZE
    yield implies(
        "the mean margin <theta, xbar> - epsilon ||theta|| is at most ||theta|| (|xbar| - epsilon), "
        "xbar = mean of y_n x_n",
        space.gram_conditions(),
        sp.Le(mean, LARGEST_MEAN),
        method=GRAM,
    )
    yield identity("equality where theta points along xbar", mean.subs(product, SIZE * CENTRE), LARGEST_MEAN)


def larger_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    """The two constants of Theorem 1 and of standard training, as numbers."""
    yield identity(
        "the difference of the constants is epsilon C_theta_x/theta_min",
        stated.adversarial - stated.standard,
        EPSILON * C_TX / THETA_MIN,
    )
    yield implies(
        "it is positive",
        [sp.Gt(C_TX, 0)] if stated.inputs_matter else [],
        sp.Gt(stated.adversarial, stated.standard),
    )


def larger_need(stated: SimpleNamespace) -> Iterator[Fact]:
    """Second derivatives in one weight theta >= 1, epsilon = 1, y = 1: with one sample at x = 1, then with
    one at x = 0."""
    for point, relation in ((1, stated.at_one), (0, stated.at_zero)):
        adversarial, standard = (
            sp.diff(logistic(WEIGHT * point - WEIGHT * epsilon), WEIGHT, 2).subs(WEIGHT, 1)
            for epsilon in (1, 0)
        )
        yield compare(
            f"x = {point}: second derivative at theta = 1, adversarial {relation} standard",
            sp.simplify(adversarial),
            relation,
            sp.simplify(standard),
            point={"d": 1, "N": 1, "x": point, "y": 1, "epsilon": 1, "theta": ">= 1"},
            replay="l_epsilon(theta) = log(1 + exp(-(1 - 1) theta)) = log 2 is constant on theta >= 1, so "
            "its gradient has the Lipschitz constant 0; log(1 + exp(-theta)) has the second derivative e/(1 "
            "+ e)^2 at theta = 1.",
            dimension=(1,),
        )
    always = sp.diff(logistic(WEIGHT - WEIGHT), WEIGHT, 2)
    yield identity("x = 1: the adversarial second derivative is 0 for every theta > 0", always, sp.Integer(0))
    yield identity(
        "x = 0: the standard second derivative is 0 for every theta",
        sp.diff(logistic(0 * WEIGHT), WEIGHT, 2),
        sp.Integer(0),
    )


CLAIMS = (
    Claim(
        id="theorem1.descent",
        location="Sec. 3.1, after Theorem 1",
        kind="prose",
        title="A start below L_epsilon(0) lets descent work",
        statement="From Eq. (4), if L_epsilon(theta_0) < L_epsilon(0), a gradient method is effective in this "
        "case.",
        latex=r"L_\varepsilon(\theta_0)<L_\varepsilon(0)\ \Rightarrow\ \|\theta\|\ge"
        r"\frac{2(\log2-L_\varepsilon(\theta_0))}{\|\bar x\|-\varepsilon}\ \text{on the level set}",
        assumptions=(
            "read as: the gradient satisfies Eq. (4) on the level set of theta_0, which keeps the distance 2 (log "
            "2 - L_0)/(||xbar|| - epsilon) from the origin, with C_s = (R + epsilon)^2/4 + epsilon (||xbar|| - "
            "epsilon)/(2 (log 2 - L_0)), L_0 = L_epsilon(theta_0); so that descent with a step below 2/C_s "
            "converges to stationarity",
            "any data set, ||x_n|| <= R, with mean xbar of y_n x_n",
        ),
        stated={
            "at_zero": sp.log(2),
            "strictly_below": True,
            "smooth": (REACH + EPSILON) ** 2 / 4 + EPSILON * (CENTRE - EPSILON) / (2 * (sp.log(2) - START)),
            "by_theorem_1": False,
        },
        check=level_set,
        expected=Verdict.TRUE,
        cites=(
            "a maximum of convex functions is convex",
            "convergence of gradient descent for a Lipschitz gradient (claim eq4)",
            "mean value inequality",
        ),
        twins=(
            Twin("a start at the level of theta = 0", {"strictly_below": False}),
            Twin("L_epsilon(0) = log 3", {"at_zero": sp.log(3)}),
            Twin("by Theorem 1, with a finite C_theta_x on the level set", {"by_theorem_1": True}),
        ),
        remark="Such a start exists only if ||xbar|| > epsilon. The level set is convex but may be "
        "unbounded (separable data), which the sentence after Eq. (4) assumes away and the argument does "
        "not need. Theorem 1 itself does not give this: its C_theta_x is infinite on an unbounded level set "
        "for d >= 2 (x = (2, 0), epsilon = 1), so the sharpened theorem is used. A smaller constant: claims "
        "beyond.theta-min and beyond.level-set.",
    ),
    Claim(
        id="theorem1.larger",
        location="Sec. 3.1, after Theorem 1",
        kind="prose",
        title="The constant of Theorem 1 is larger than C_theta_theta",
        statement="The Lipschitz constant C_theta_theta + epsilon C_theta_x/theta_min is larger than that "
        "for standard training, C_theta_theta.",
        latex=r"C_{\theta\theta}+\frac{\varepsilon C_{\theta x}}{\theta_{\min}}>C_{\theta\theta}",
        assumptions=(
            "the two constants compared as numbers, with the same C_theta_theta",
            "epsilon > 0 and C_theta_x > 0",
        ),
        stated={"adversarial": BOUND, "standard": C_TT, "inputs_matter": True},
        check=larger_bound,
        expected=Verdict.TRUE,
        twins=(
            Twin("the reverse order", {"adversarial": C_TT, "standard": BOUND}),
            Twin("a loss whose gradient ignores the input (C_theta_x = 0)", {"inputs_matter": False}),
        ),
    ),
    Claim(
        id="theorem1.larger-need",
        location="Sec. 3.1, after Theorem 1",
        kind="reading",
        title="Adversarial training needs a larger constant",
        statement="The smallest Lipschitz constant of the adversarial gradient is larger than that of the "
        "standard gradient.",
        assumptions=(
            "the sentence read about the smallest constants rather than the two bounds",
            "logistic loss, theta >= 1",
        ),
        stated={"at_one": ">", "at_zero": ">"},
        check=larger_need,
        expected=Verdict.FALSE,
        sides=(0, sp.E / (1 + sp.E) ** 2),
        corrected=Reading(
            statement="It can be smaller as well as larger: with d = 1, epsilon = 1 and theta >= 1 it is 0 "
            "against at least e/(1 + e)^2 for the sample x = 1, and at least e/(1 + e)^2 against 0 for the "
            "sample x = 0.",
            stated={"at_one": "<"},
        ),
        twins=(
            Twin("larger at x = 1", {"at_one": ">"}),
            Twin("smaller at x = 0", {"at_zero": "<"}),
        ),
    ),
)

"""Beyond the paper: the theta_min of Theorem 1 from the loss at the start, and the smoothness constant that
follows on the level set."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import worst_margin
from theory.calculus.linear import EPSILON, GRAM, MARGIN, curvature, logistic, once, sigmoid, signed
from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.sec31.theorem1 import REACH
from theory.statements.sec31.theorem1_descent import (
    AT_ZERO,
    CENTRE,
    LARGEST_MEAN,
    mean_margin,
    tangent,
    tangent_at_zero,
)

SPARE = sp.Symbol("w", positive=True)  # |xbar| - epsilon, or its counterpart for L_infinity
LEVEL = sp.Symbol("L_0", positive=True)


def inverse_loss(level: sp.Expr) -> sp.Expr:
    """The margin m with log(1 + exp(-m)) = level, `-log(exp(level) - 1)`; positive if and only if level < log
    2."""
    return -sp.log(sp.exp(level) - 1)


@once
def jensen() -> Iterator[Fact]:
    """The loss is convex and decreasing in the margin: L_epsilon(theta) is at least the loss of the mean
    margin."""
    yield signed("the loss is convex in the margin (Jensen)", sp.factor(sp.diff(logistic(MARGIN), MARGIN, 2)))
    yield signed("the loss decreases in the margin", -sp.diff(logistic(MARGIN), MARGIN))


def invert(stated: SimpleNamespace) -> Iterator[Fact]:
    """The stated bound is where the loss of the largest possible mean margin, ||theta|| w, equals L_0."""
    yield identity(
        "the loss at the margin (stated theta_min) w is L_0",
        sp.simplify(logistic(stated.theta_min * SPARE)),
        LEVEL,
        shows=(
            "log(1 + exp(-||theta|| w)) <= L_epsilon(theta) <= L_0, and the left side decreases in ||theta||",
        ),
    )


def from_the_start(stated: SimpleNamespace) -> Iterator[Fact]:
    """Jensen, Cauchy-Schwarz for the mean margin, inversion of the loss; then the sample at which all three
    are equalities."""
    yield from jensen()
    yield from mean_margin()
    yield from tangent_at_zero()
    yield from invert(stated)
    length = sp.Symbol("t", positive=True)
    yield identity(
        "one sample with x = (|xbar|, 0, ...) and theta = (t, 0, ...) has the margin t w exactly",
        worst_margin([length], [SPARE + EPSILON], 1, EPSILON, 2),
        length * SPARE,
    )
    low, mean = sp.symbols("L M", real=True)
    yield implies(
        "a start below log 2 needs |xbar| > epsilon",
        [sp.Lt(low, AT_ZERO), sp.Ge(low, tangent(mean, AT_ZERO)), sp.Le(mean, LARGEST_MEAN)],
        sp.Gt(CENTRE, EPSILON) if stated.needs_margin else sp.Le(CENTRE, EPSILON),
        shows=("L(0) = log 2 and log(1 + exp(-m)) >= log 2 - m/2 (claim theorem1.descent)",),
    )


def from_the_start_box(stated: SimpleNamespace) -> Iterator[Fact]:
    """The same for L_infinity: coordinatewise first, then Cauchy-Schwarz with the soft-thresholded mean."""
    yield from jensen()
    weight, mean, cut = sp.symbols("a b P", nonnegative=True)  # |theta_i|, |xbar_i|, (|xbar_i| - epsilon)_+
    product = sp.Symbol("c", real=True)  # theta_i xbar_i
    yield implies(
        "each coordinate: theta_i xbar_i - epsilon |theta_i| <= |theta_i| (|xbar_i| - epsilon)_+",
        [sp.Le(product, weight * mean), sp.Ge(cut, mean - EPSILON)],
        sp.Le(product - EPSILON * weight, weight * cut),
        method="one scalar inequality shared by all coordinates, z3 on nonlinear real arithmetic",
    )
    space = Space("a", "P")
    yield implies(
        "sum over coordinates: <|theta|, P> <= ||theta|| w with w = ||P||, P_i = (|xbar_i| - epsilon)_+",
        space.gram_conditions(),
        sp.Le(space.product("a", "P"), space.length("a") * space.length("P")),
        method=GRAM,
    )
    yield from invert(stated)
    yield identity(
        "equality for theta_i = sign(xbar_i) P_i where P_i > 0: the coordinate gives P_i^2",
        (cut * (cut + EPSILON) - EPSILON * cut),
        cut**2,
        method="one scalar identity shared by all coordinates",
    )


def on_the_level_set(stated: SimpleNamespace) -> Iterator[Fact]:
    """The curvature of Theorem 1's sharpening, with the share of the turning term bounded by the loss
    itself."""
    yield identity(
        "sigmoid(-m) = 1 - exp(-loss), a concave function of the loss",
        sigmoid(-MARGIN),
        1 - sp.exp(-logistic(MARGIN)),
        shows=(
            "so the mean of sigmoid(-m_n) is at most 1 - exp(-L_epsilon(theta)) <= 1 - exp(-L_0) (Jensen)",
        ),
    )
    loss = sp.Symbol("l", positive=True)
    yield signed("1 - exp(-l) is concave in l", -sp.diff(1 - sp.exp(-loss), loss, 2))
    lower = inverse_loss(LEVEL) / SPARE
    yield from invert(SimpleNamespace(theta_min=lower))
    yield from curvature(
        "the constant is (R + epsilon)^2/4 + (1 - exp(-L_0)) epsilon/theta_min with theta_min from the start",
        stated.constant,
        share=1 - sp.exp(-LEVEL),
        lower=lower,
        radius=REACH,
    )


PER_CENT_MORE = sp.Rational(101, 100)
SHARP = inverse_loss(LEVEL) / SPARE
SMOOTH = (REACH + EPSILON) ** 2 / 4 + EPSILON * (1 - sp.exp(-LEVEL)) * SPARE / inverse_loss(LEVEL)
JENSEN = ("Jensen's inequality",)

CLAIMS = (
    Claim(
        id="beyond.theta-min",
        location="beyond Sec. 3.1, Theorem 1",
        kind="beyond",
        title="theta_min from the starting loss, L2",
        statement="If L_epsilon(theta_0) = L_0 < log 2 then ||xbar|| > epsilon for the mean xbar of y_n "
        "x_n, and every theta with L_epsilon(theta) <= L_0 has ||theta|| >= -log(exp(L_0) - 1)/(||xbar|| - "
        "epsilon).",
        latex=r"\theta_{\min}=\frac{-\log(e^{L_0}-1)}{\|\bar x\|_2-\varepsilon}",
        assumptions=("logistic loss, L2 attacks", "L_0 < log 2", "w = ||xbar|| - epsilon"),
        stated={"theta_min": SHARP, "needs_margin": True},
        check=from_the_start,
        expected=Verdict.TRUE,
        cites=JENSEN,
        tightness=Tightness(
            pair="N = 1, d = 1, x = 3, y = 1, epsilon = 1, theta_0 = 2: w = 2, L_0 = log(1 + exp(-4)), and "
            "the bound is 2",
            attained=sp.Integer(2),
            bound=SHARP.subs({LEVEL: logistic(sp.Integer(2 * 3 - 2)), SPARE: 3 - 1}),
        ),
        twins=(
            Twin("one per cent more", {"theta_min": PER_CENT_MORE * SHARP}),
            Twin("epsilon not taken off", {"theta_min": inverse_loss(LEVEL) / (SPARE + EPSILON)}),
            Twin("a mean within epsilon of 0", {"needs_margin": False}),
        ),
        remark="A weaker bound without a logarithm of a difference: 2 (log 2 - L_0)/(||xbar|| - epsilon), "
        "claim theorem1.descent. By Hoelder's inequality the same holds for L_p attacks with ||theta||_q "
        "and ||xbar||_p.",
    ),
    Claim(
        id="beyond.theta-min-box",
        location="beyond Sec. 3.1, Theorem 2",
        kind="beyond",
        title="theta_min from the starting loss, L_infinity",
        statement="For L_infinity attacks every theta with L_epsilon(theta) <= L_0 < log 2 has ||theta||_2 "
        ">= -log(exp(L_0) - 1)/w, where w is the L2 norm of the soft-thresholded mean (|xbar_i| - "
        "epsilon)_+.",
        latex=r"\|\theta\|_2\ge\frac{-\log(e^{L_0}-1)}{\|(|\bar x|-\varepsilon)_+\|_2}",
        assumptions=("logistic loss, L_infinity attacks", "L_0 < log 2, which makes w > 0"),
        stated={"theta_min": SHARP},
        check=from_the_start_box,
        expected=Verdict.TRUE,
        cites=JENSEN,
        tightness=Tightness(
            pair="N = 1, d = 2, x = (3, 1), y = 1, epsilon = 1, theta_0 = (2, 0): w = 2, "
            "L_0 = log(1 + exp(-4)), ||theta_0|| = 2",
            attained=sp.Matrix([2, 0]).norm(),
            bound=SHARP.subs(
                {LEVEL: logistic(sp.Integer(2 * 3 - 2)), SPARE: sp.Matrix([3 - 1, 1 - 1]).norm()}
            ),
        ),
        twins=(
            Twin("one per cent more", {"theta_min": PER_CENT_MORE * SHARP}),
            Twin("sign of the logarithm", {"theta_min": -SHARP}),
        ),
        remark="The origin is avoided, the faces theta_i = 0 are not: Theorem 2 still needs one orthant.",
    ),
    Claim(
        id="beyond.level-set",
        location="beyond Sec. 3.1, Theorem 1",
        kind="beyond",
        title="Explicit smoothness on the level set, L2",
        statement="On the convex set L_epsilon(theta) <= L_0 < log 2 the gradient of the L2 adversarial "
        "logistic loss has the Lipschitz constant (R + epsilon)^2/4 + epsilon (1 - exp(-L_0)) (||xbar|| - "
        "epsilon)/(-log(exp(L_0) - 1)), where ||x_n|| <= R.",
        latex=r"\frac{(R+\varepsilon)^2}{4}+\varepsilon\,(1-e^{-L_0})\,\frac{\|\bar x\|-\varepsilon}{-"
        r"\log(e^{L_0}-1)}",
        assumptions=(
            "logistic loss, L2 attacks",
            "L_0 = L_epsilon(theta_0) < log 2",
            "w = ||xbar|| - epsilon",
            "any d and N",
        ),
        stated={"constant": SMOOTH},
        check=on_the_level_set,
        expected=Verdict.TRUE,
        cites=(*JENSEN, "mean value inequality"),
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * SMOOTH}),
            Twin("a quarter forgotten", {"constant": SMOOTH + sp.Rational(3, 4) * (REACH + EPSILON) ** 2}),
        ),
        remark="Everything in it is known before training starts; no C_theta_x occurs, which "
        "may be infinite on an unbounded level set (claim theorem1.descent).",
    ),
)

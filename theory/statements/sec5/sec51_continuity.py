"""Sec. 5.1 and App. C on Fig. 2(a)-(c), (g), (h) and Figs. 4, 5: where the linear model's adversarial losses
are continuous.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space, Vector
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import differs

EPSILON, T, W, X = sp.symbols("epsilon t w X", positive=True)
S, REST, FEATURE = sp.symbols("s c x_i", real=True)
GAMMA = sp.Symbol("gamma", positive=True)
SIGMOID = 1 / (1 + sp.exp(-REST))
DATA = {"x": "(-1, 1)", "y": 1, "epsilon": sp.Rational(3, 5)}


def l2_exponent(space: Space, theta: Vector, x: Vector) -> sp.Expr:
    """-theta.(x + delta) at the L2 attack delta = -epsilon theta/||theta|| (y = 1), in Gram scalars."""
    attacked = x - (EPSILON / space.norm(theta)) * theta
    return sp.expand(-space.inner(theta, attacked))


def l2_ray(side: int) -> sp.Expr:
    """The L2 adversarial loss at theta = side t v, t > 0, for a unit vector v with <v, x> = s; any
    dimension.
    """
    space = Space("v", "x", known={("v", "v"): 1, ("v", "x"): S})
    v, x = space.vectors()
    return sp.log(1 + sp.exp(l2_exponent(space, (side * T) * v, x)))


def linf_ray(side: int, rest: sp.Expr = REST, feature: sp.Expr = FEATURE) -> sp.Expr:
    """The L-infinity adversarial loss as a function of theta_i = side t alone; `rest` is the exponent at
    theta_i = 0.
    """
    return sp.log(1 + sp.exp(rest - side * T * feature + EPSILON * T))


def jump(ray: Callable[[int], sp.Expr]) -> sp.Expr:
    """The jump at t = 0 of the derivative along a line, from the loss on its two rays."""
    right, left = (sp.diff(ray(side), T).subs(T, 0) for side in (1, -1))
    return sp.simplify(right + left)


def l2_jumps(stated: SimpleNamespace) -> Iterator[Fact]:
    """The limit of the loss along the ray theta = (0, t), with the data of Fig. 2, against the value
    there.
    """
    ray = l2_ray(1).subs({S: 1, EPSILON: DATA["epsilon"]})  # <v, x> = 1 for v = (0, 1)
    value = sp.log(1 + sp.exp(sp.Rational(-2, 5) * T))
    yield identity("along (0, t) the loss is log(1 + e^(-2t/5))", ray, value, dimension=(2,))
    yield differs(
        "the loss has along the ray another limit than its value there",
        sp.limit(ray, T, stated.distance, "+"),
        value.subs(T, stated.distance),
        point={**DATA, "theta": f"(0, t), t -> {stated.distance}"},
        replay="At theta = 0 every delta gives log(1 + e^0) = log 2; along theta = (0, t) the attacked "
        "exponent is -t + (3/5) t, which tends to 0, and the loss to log 2.",
        dimension=(2,),
    )


def linf_jumps(stated: SimpleNamespace) -> Iterator[Fact]:
    """The limit of the loss for theta = (theta_1, 1), with the data of Fig. 2, against the value there."""
    ray = linf_ray(1, -1 + DATA["epsilon"], sp.Integer(-1)).subs(EPSILON, DATA["epsilon"])
    value = sp.log(1 + sp.exp(sp.Rational(8, 5) * T - sp.Rational(2, 5)))
    yield identity("along (t, 1) the loss is log(1 + e^(8t/5 - 2/5))", ray, value, dimension=(2,))
    yield differs(
        "the loss has for theta_1 -> 0 another limit at theta = (0, 1) than its value there",
        sp.limit(ray, T, stated.theta_1, "+"),
        value.subs(T, stated.theta_1),
        point={**DATA, "theta": f"(t, 1), t -> {stated.theta_1}"},
        replay="The exponent is theta_1 - theta_2 + (3/5)(|theta_1| + |theta_2|): at (0, 1) it is -2/5, and "
        "at (t, 1) it is -2/5 + t + (3/5)|t|.",
        dimension=(2,),
    )


def softplus_slope() -> Iterator[Fact]:
    """The slope of u -> log(1 + e^u) is w/(1 + w) with w = e^u, so it lies between 0 and 1."""
    u, w = sp.symbols("u w", real=True)
    share = w / (1 + w)
    slope = sp.diff(sp.log(1 + sp.exp(u)), u)
    yield identity("the slope of log(1 + e^u) is w/(1 + w), w = e^u", slope, share.subs(w, sp.exp(u)))
    yield implies("that slope lies in (0, 1)", [sp.Gt(w, 0)], sp.And(sp.Gt(share, 0), sp.Lt(share, 1)))


def within(value: sp.Expr, bound: sp.Expr) -> sp.Basic:
    """|value| <= bound."""
    return sp.And(sp.Le(value, bound), sp.Ge(value, -bound))


def l2_lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """||x|| + epsilon bounds every slope of the loss (so it is continuous), is sharp, and the gradient jumps
    at 0.
    """
    yield from softplus_slope()
    space = Space("a", "b")
    a, b = space.vectors()
    length_a, length_b = space.length("a"), space.length("b")
    yield implies(
        "| ||a|| - ||b|| | <= ||a - b||",
        space.gram_conditions(),
        sp.Le((length_a - length_b) ** 2, space.inner(a - b, a - b)),
        method="Gram reduction, z3 on nonlinear real arithmetic",
    )
    product, lengths, gap = (
        sp.Symbol("p", real=True),
        sp.Symbol("r", real=True),
        sp.Symbol("n", positive=True),
    )
    yield implies(
        f"the exponents of a and b differ by at most ({stated.constant}) ||a - b||",
        [sp.Le(product, X * gap), sp.Ge(product, -X * gap), sp.Le(lengths, gap), sp.Ge(lengths, -gap)],
        within(-product + EPSILON * lengths, stated.constant * gap),
        method="z3 with p = <a - b, x> (Cauchy-Schwarz), r = ||a|| - ||b||, n = ||a - b||",
    )
    along = l2_ray(1).subs(S, -X)
    yield limit(
        "along theta = -t x/||x|| the slope tends to that constant",
        sp.diff(along, T),
        T,
        sp.oo,
        stated.constant,
    )
    yield identity(
        "at theta = 0 the derivative along v jumps, for every unit v, by the stated amount",
        jump(l2_ray),
        stated.jump,
    )


def linf_lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """Coordinate by coordinate the exponent moves by at most (|x_i| + epsilon)|a_i - b_i|; its i-th
    derivative jumps at 0.
    """
    yield from softplus_slope()
    p, q = sp.symbols("p q", real=True)
    size_p, size_q, gap = sp.symbols("P Q n", nonnegative=True)
    yield implies(
        f"one coordinate changes the exponent by at most ({stated.constant}) |a_i - b_i|",
        [
            sp.Eq(size_p**2, p**2),
            sp.Eq(size_q**2, q**2),
            sp.Eq(gap**2, (p - q) ** 2),
            sp.Le(FEATURE, X),
            sp.Ge(FEATURE, -X),
        ],
        within(-(p - q) * FEATURE + EPSILON * (size_p - size_q), stated.constant * gap),
        method="z3 on one coordinate, summed over the coordinates (all share ||x||_inf = X)",
    )
    along = linf_ray(1, sp.Integer(0), -X)
    yield limit(
        "along theta_i -> oo with x_i = -X the slope tends to that constant",
        sp.diff(along, T),
        T,
        sp.oo,
        stated.constant,
    )
    yield identity(
        "where theta_i = 0 the i-th derivative jumps by the stated amount", jump(linf_ray), stated.jump
    )


def entropy_smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """The adversarial losses are convex, so the variances of p_theta lie in [0, 1/gamma], and so do the
    curvatures of -F in [0, gamma].
    """
    one, two, middle, upper_one, upper_two = sp.symbols("f_1 f_2 f_m M_1 M_2", real=True)
    yield implies(
        "a maximum M of convex functions is convex: the one that attains it in the middle is below the chord",
        [sp.Le(2 * middle, one + two), sp.Le(one, upper_one), sp.Le(two, upper_two)],
        sp.Le(2 * middle, upper_one + upper_two),
    )
    u = sp.Symbol("u", real=True)
    yield identity(
        "each log(1 + exp(-y theta.(x + delta))) is convex in theta: its second derivative in the "
        "exponent is w/(1 + w)^2 > 0",
        sp.diff(sp.log(1 + sp.exp(u)), u, 2),
        (W / (1 + W) ** 2).subs(W, sp.exp(u)),
    )
    variance = sp.Symbol("variance", real=True)
    curvature = GAMMA - GAMMA**2 * variance
    yield implies(
        f"the curvatures of -F lie in [{stated.low}, {stated.high}]",
        [sp.Ge(variance, 0), sp.Le(variance * GAMMA, 1)],
        sp.And(sp.Ge(curvature, stated.low), sp.Le(curvature, stated.high)),
        method="z3 on one eigenvalue of gamma I - gamma^2 Sigma",
    )
    yield identity("variance 0 gives the upper bound", curvature.subs(variance, 0), stated.high)
    yield identity(
        "variance 1/gamma (L constant) gives the lower", curvature.subs(variance, 1 / GAMMA), stated.low
    )


CLAIMS = (
    Claim(
        id="sec51.l2-not-continuous",
        location="Sec. 5.1, first paragraph; App. C, first paragraph",
        kind="prose",
        title="The L2 adversarial loss is not continuous at theta = 0",
        statement="The adversarial loss of the linear model with the L2 constraint is not continuous at "
        "theta = 0.",
        latex=r"\lim_{\theta\to 0}\ell_\varepsilon(\theta)\ne\ell_\varepsilon(0)",
        assumptions=("linear logistic model", "continuity of the loss itself, as the sentence says"),
        stated={"distance": sp.Integer(0)},
        check=l2_jumps,
        expected=Verdict.FALSE,
        group="continuity of the adversarial loss",
        sides=(sp.log(2), sp.log(2)),
        corrected=Reading(
            statement="The loss is continuous everywhere, indeed (||x|| + epsilon)-Lipschitz, and that "
            "constant is sharp. It is its gradient that is not continuous at theta = 0: the "
            "derivative along every unit v jumps by epsilon.",
            latex=r"|\ell_\varepsilon(a)-\ell_\varepsilon(b)|\le(\|x\|+\varepsilon)\|a-b\|,\quad "
            r"\partial_v\ell_\varepsilon(0^+)-\partial_v\ell_\varepsilon(0^-)=\varepsilon",
            stated={"constant": X + EPSILON, "jump": EPSILON},
            check=l2_lipschitz,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * (X + EPSILON)}),
            Twin(
                "constant one per cent larger, so not sharp",
                {"constant": sp.Rational(101, 100) * (X + EPSILON)},
            ),
            Twin("no jump of the gradient", {"jump": sp.Integer(0)}),
            Twin("jump twice as large", {"jump": 2 * EPSILON}),
        ),
        remark="Eq. (8) already says that the adversarial loss is Lipschitz, and the caption of Fig. 4 "
        "says it rightly (the gradient is not smooth). The average over a data set has the same "
        "jump, epsilon: at theta = 0 every sigmoid is 1/2.",
    ),
    Claim(
        id="sec51.linf-not-continuous",
        location="Sec. 5.1, first paragraph; App. C, first paragraph",
        kind="prose",
        title="The L-infinity loss is not continuous where theta_i = 0",
        statement="The adversarial loss of the linear model with the L-infinity constraint is not "
        "continuous where theta_i = 0.",
        latex=r"\lim_{\theta_i\to 0}\ell_\varepsilon(\theta)\ne\ell_\varepsilon(\theta)|_{\theta_i=0}",
        assumptions=("linear logistic model", "continuity of the loss itself, as the sentence says"),
        stated={"theta_1": sp.Integer(0)},
        check=linf_jumps,
        expected=Verdict.FALSE,
        group="continuity of the adversarial loss",
        sides=(sp.log(1 + sp.exp(sp.Rational(-2, 5))), sp.log(1 + sp.exp(sp.Rational(-2, 5)))),
        corrected=Reading(
            statement="The loss is continuous everywhere: |l(a) - l(b)| <= (||x||_inf + epsilon) ||a - "
            "b||_1, a sharp constant. Its gradient is not: where theta_i = 0 the i-th "
            "derivative jumps by 2 epsilon sigmoid(c), c the attacked exponent there.",
            latex=r"|\ell_\varepsilon(a)-\ell_\varepsilon(b)|\le(\|x\|_\infty+\varepsilon)\|a-b\|_1,\quad "
            r"\partial_i\ell_\varepsilon(0^+)-\partial_i\ell_\varepsilon(0^-)=2\varepsilon\,\sigma(c)",
            stated={"constant": X + EPSILON, "jump": 2 * EPSILON * SIGMOID},
            check=linf_lipschitz,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * (X + EPSILON)}),
            Twin(
                "constant one per cent larger, so not sharp",
                {"constant": sp.Rational(101, 100) * (X + EPSILON)},
            ),
            Twin("jump half as large", {"jump": EPSILON * SIGMOID}),
            Twin("no jump of the gradient", {"jump": sp.Integer(0)}),
        ),
        remark="c = -y theta.x + epsilon ||theta||_1 at theta_i = 0 is any real number, so the argument "
        "covers all d and all values of the other coordinates. An average over data has the "
        "average jump, which is positive: the kinks never cancel.",
    ),
    Claim(
        id="sec51.ensgd-smooth",
        location="Sec. 5.1, last paragraph; App. C; Sec. 6",
        kind="prose",
        title="EntropySGD's loss of these problems is smooth",
        statement="In contrast to Figs. 2(b), (c) and 4, the losses of EntropySGD for the linear model "
        "are smooth; EntropySGD smoothens non-smooth functions.",
        latex=r"0\preceq-\nabla^2F\preceq\gamma I",
        assumptions=(
            "linear logistic model, either constraint",
            "beta = 1, -nabla^2 F = gamma I - gamma^2 Sigma (Eq. 53)",
        ),
        cites=("Brascamp and Lieb (1976): variance at most 1/gamma when L is convex",),
        stated={"low": sp.Integer(0), "high": GAMMA},
        check=entropy_smooth,
        expected=Verdict.TRUE,
        twins=(
            Twin("upper bound one per cent smaller", {"high": sp.Rational(99, 100) * GAMMA}),
            Twin("curvature bounded away from 0", {"low": GAMMA / 100}),
            Twin("a negative upper bound", {"high": -GAMMA}),
        ),
        remark="Theorem 3's bound gamma + gamma^2 sup ||Sigma||_F is not needed here: the losses are "
        "convex, so gamma alone is enough.",
    ),
    Claim(
        id="sec51.ensgd-almost-same",
        location="Sec. 5.1, last paragraph; App. C",
        kind="prose",
        title="-F is almost equally smooth for L2 and L-infinity",
        statement="Although the smoothness of the adversarial losses with L2 and L-infinity constraints "
        "is different, that of their -F is almost the same.",
        assumptions=("read off surface plots; the gamma of Figs. 2 and 5 is not printed",),
        cites=("Brascamp and Lieb (1976)",),
        stated={"low": sp.Integer(0), "high": GAMMA},
        check=entropy_smooth,
        empirical=True,
        expected=Verdict.EMPIRICAL,
        twins=(Twin("upper bound one per cent smaller", {"high": sp.Rational(99, 100) * GAMMA}),),
        remark="What can be proved: both losses are convex, so both Hessians of -F lie between 0 and "
        "gamma I.",
    ),
)

"""Proposition 1 (Eqs. 8, 9): adversarial loss is Lipschitz; what its gradient obeys in the L_p ball; what
that proves.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.steps import average, sum_of_two
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec2.definition1 import C, D, at
from theory.statements.sec2.lp_width import P, attack_on_the_diagonal, d, euclidean_radius

EPSILON, C_TT, C_TX = sp.symbols("epsilon C_thetatheta C_thetax", positive=True)
THETA, DELTA = sp.symbols("theta delta", real=True)
CORNER = {
    "p": "infinity",
    "d": 2,
    "epsilon": 1,
    "x": "(0, 0)",
    "l": "theta.x",
    "theta_1": "(1, 1)",
    "theta_2": "(-1, -1)",
}


def loss_is_lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (8): each maximiser is a competitor for the other parameter; then the mean over the data."""
    # l_ij is the loss of theta_j at the attack x_i' on theta_i.
    l11, l12, l21, l22 = sp.symbols("l_11 l_12 l_21 l_22", real=True)
    gap = l11 - l22
    one_step = C * D  # Eq. (5)
    yield implies(
        "|l_eps(theta_1) - l_eps(theta_2)| <= C_theta ||theta_1 - theta_2||, whatever the set of attacks",
        [
            sp.Le(l11 - l12, one_step),
            sp.Le(l22 - l21, one_step),
            sp.Le(l12, l22),
            sp.Le(l21, l11),
        ],
        sp.And(sp.Le(gap, stated.bound), sp.Ge(gap, -stated.bound)),
        method="scalar reduction, z3",
    )
    t = sp.Symbol("t", positive=True)
    yield identity("attained: l = C_theta theta_1, which no attack changes", C * t, at(stated.bound, C, t))
    yield average("the mean over the data keeps the bound")


def gradient_gap(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (9): the corner-to-corner pair first, then triangle, Assumption 1, and the Euclidean width of
    the L_p ball.
    """
    plus, minus = (linear_attack(theta, -1, 1, sp.oo) for theta in ([1, 1], [-1, -1]))
    corner = {EPSILON: 1, C_TX: 1, d: plus.rows}
    yield compare(
        "p = infinity: the gradient moves by at most the printed constant when C_thetatheta = 0",
        (plus - minus).norm(),
        "<=",
        sp.limit(stated.large_p.subs(corner), P, sp.oo, "-"),
        point=CORNER,
        replay="grad_theta l = x' is the corner (1, 1) for theta_1 and (-1, -1) for theta_2, 2 sqrt 2 "
        "apart; C_thetatheta = 0, C_thetax = 1, and 2 epsilon C_thetax = 2.",
        dimension=(2,),
    ).as_example()
    width = sp.Symbol("w", positive=True)
    yield sum_of_two(
        "Assumption 1: the gradients differ by at most C_thetatheta ||theta_1 - theta_2|| + C_thetax w, w "
        "the distance of the attacks",
        C_TT * D,
        C_TX * width,
        stated.slope * D + C_TX * width,
    )
    yield from euclidean_radius()
    k = sp.Symbol("k", positive=True)
    yield identity(
        "p <= 2: w <= 2 epsilon, attained by epsilon e_1 and -epsilon e_1",
        2 * EPSILON * C_TX,
        stated.small_p,
    )
    t = sp.Symbol("t", positive=True)
    yield identity(
        "p <= 2: l = C_thetatheta ||theta||^2/2 + C_thetax theta.x at theta_1 = t e_1 = -theta_2 attains "
        "the sum for every t",
        2 * C_TT * t + 2 * C_TX * EPSILON,
        stated.slope * 2 * t + stated.small_p,
    )
    yield identity(
        "p = 2 + 2k >= 2: w <= 2 epsilon d^(1/2 - 1/p), attained by epsilon d^(-1/p) (1, ..., 1) and its "
        f"negative; so C_thetax w is at most the stated {stated.large_p}, with equality",
        2 * C_TX * sp.sqrt(d * (EPSILON * d ** (-1 / (2 + 2 * k))) ** 2),
        stated.large_p.subs(P, 2 + 2 * k),
    )
    yield from attack_on_the_diagonal()
    yield identity(
        "p >= 2: the same loss at theta_1 = t(1, ..., 1) = -theta_2 attains the stated "
        f"({stated.slope}) ||theta_1 - theta_2|| + {stated.large_p} for every t",
        sp.sqrt(d * (2 * C_TT * t + 2 * C_TX * EPSILON * d ** (-1 / (2 + 2 * k))) ** 2),
        stated.slope * sp.sqrt(d * (2 * t) ** 2) + stated.large_p.subs(P, 2 + 2 * k),
    )
    yield average("the mean over the data keeps the bound")


def within_epsilon(stated: SimpleNamespace) -> Iterator[Fact]:
    """Sec. 3: the Euclidean distance of an attack from x."""
    corner = linear_attack([1, 1], -1, 1, sp.oo)
    yield compare(
        "p = infinity: ||x - x'|| is at most the printed radius",
        corner.norm(),
        "<=",
        sp.limit(stated.large_p.subs({EPSILON: 1, d: corner.rows}), P, sp.oo, "-"),
        point={"p": "infinity", "d": 2, "epsilon": 1, "x": "(0, 0)", "l": "theta.x", "theta": "(1, 1)"},
        replay="The attack is the corner x' = (1, 1) of the square, at the Euclidean distance sqrt 2 from "
        "the origin.",
        dimension=(2,),
    ).as_example()
    yield from euclidean_radius()
    k = sp.Symbol("k", positive=True)
    yield identity(
        f"p = 2 + 2k: the stated {stated.large_p} is the length of the farthest points epsilon d^(-1/p) (+-1, "
        "..., +-1)",
        sp.sqrt(d * (EPSILON * d ** (-1 / (2 + 2 * k))) ** 2),
        stated.large_p.subs(P, 2 + 2 * k),
    )
    yield identity("p <= 2: the farthest points +-epsilon e_i", EPSILON, stated.small_p)


def huber(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = b theta.x - ||x||^2/2 around x = 0, p = infinity, coordinate by coordinate: the attack is b theta
    clipped to [-eps, eps], the loss a smooth Huber function.
    """
    b = stated.coupling
    loss = b * THETA * DELTA - DELTA**2 / 2
    constant = 2 * EPSILON * sp.diff(loss, THETA, DELTA)
    yield identity("the constant term of Eq. (9) as printed is 2 epsilon", constant, 2 * EPSILON)
    for where, region, best in (
        ("|theta| <= epsilon: delta = theta", sp.Le(THETA**2, EPSILON**2), THETA),
        ("theta > epsilon: delta = epsilon", sp.Gt(THETA, EPSILON), EPSILON),
        ("theta < -epsilon: delta = -epsilon", sp.Lt(THETA, -EPSILON), -EPSILON),
    ):
        yield implies(
            f"{where} maximises its coordinate's share of the loss",
            [region, sp.Le(DELTA, EPSILON), sp.Ge(DELTA, -EPSILON)],
            sp.And(sp.Le(loss, loss.subs(DELTA, best)), sp.Le(best, EPSILON), sp.Ge(best, -EPSILON)),
            method="sum over coordinates, z3 on one coordinate",
        )
    one, two, t1, t2 = sp.symbols("grad_1 grad_2 theta_1 theta_2", real=True)
    clipped = [_clip(t1, one), _clip(t2, two)]
    yield implies(
        "each entry clip(theta_i, -epsilon, epsilon) of the gradient is 1-Lipschitz, so the gradient is: the "
        "adversarial loss is 1-smooth on all of R^d",
        clipped,
        sp.Le((one - two) ** 2, (t1 - t2) ** 2),
        method="sum over coordinates, z3 on one coordinate",
    )
    # The largest ratio of distances is 1: reached between -epsilon and epsilon, and never passed.
    yield compare(
        f"the largest ratio of |grad_1 - grad_2| to |theta_1 - theta_2| is {stated.relation} K = 2",
        sp.diff(loss.subs(DELTA, THETA), THETA, 2),
        stated.relation,
        sp.Integer(2),
        point={"x": 0, "l": "theta x - x^2/2", "epsilon": "any", "K": 2},
        replay="Not smooth means that for every K some pair has a ratio of |grad_1 - grad_2| to |theta_1 - "
        "theta_2| above K, so also for K = 2. But l_eps'(theta) = clip(theta, -epsilon, epsilon); the ratio "
        "is 1 for two parameters within [-epsilon, epsilon] and less otherwise, so no pair has one above 1, "
        "while the constant term of Eq. (9) is 2 epsilon > 0.",
        dimension=(1,),
    ).as_example()


def _clip(value: sp.Symbol, result: sp.Symbol) -> sp.Basic:
    return sp.Or(
        sp.And(sp.Ge(value, EPSILON), sp.Eq(result, EPSILON)),
        sp.And(sp.Le(value, -EPSILON), sp.Eq(result, -EPSILON)),
        sp.And(sp.Le(value, EPSILON), sp.Ge(value, -EPSILON), sp.Eq(result, value)),
    )


WIDTH = 2 * EPSILON * d ** (sp.Rational(1, 2) - 1 / P) * C_TX

CLAIMS = (
    Claim(
        id="prop1.eq8",
        location="Sec. 2.1, Proposition 1",
        kind="proposition",
        equations=(8,),
        title="Adversarial loss is C_theta-Lipschitz",
        statement="Under Assumption 1, |L_epsilon(theta_1) - L_epsilon(theta_2)| <= C_theta ||theta_1 - "
        "theta_2||, for every set of attacks.",
        latex=r"\|L_\varepsilon(\theta_1)-L_\varepsilon(\theta_2)\|\le C_\theta\|\theta_1-\theta_2\|",
        assumptions=("Eq. (5) at every x' of the balls", "maxima attained"),
        stated={"bound": C * D},
        check=loss_is_lipschitz,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = C_theta theta (d = m = 1): theta = 1 and theta = 0",
            attained=C * 1 - C * 0,
            bound=C * sp.Abs(1 - 0),
        ),
        twins=(
            Twin("one per cent less", {"bound": sp.Rational(99, 100) * C * D}),
            Twin("one per cent more", {"bound": sp.Rational(101, 100) * C * D}),
            Twin("distance squared", {"bound": C * D**2}),
        ),
        remark="So adversarial loss is continuous for every norm, whatever becomes of its gradient.",
    ),
    Claim(
        id="prop1.eq9",
        location="Sec. 2.1, Proposition 1; Sec. 3",
        kind="proposition",
        equations=(9,),
        title="The gradient moves by C_tt ||.|| + 2 eps C_tx at most",
        statement="Under Assumption 1, for attacks with ||delta||_p <= epsilon, ||grad L_eps(theta_1) - "
        "grad L_eps(theta_2)|| <= C_thetatheta ||theta_1 - theta_2|| + 2 epsilon C_thetax.",
        latex=r"\|\nabla L_\varepsilon(\theta_1)-\nabla L_\varepsilon(\theta_2)\|\le "
        r"C_{\theta\theta}\|\theta_1-\theta_2\|+2\varepsilon C_{\theta x}",
        assumptions=(
            "any p in [1, infinity], as in Eq. (1); ||.|| is Euclidean (footnote 1)",
            "grad L_eps at theta is grad_theta l at an attack on theta; at a kink, at any choice of one",
        ),
        stated={"slope": C_TT, "small_p": 2 * EPSILON * C_TX, "large_p": 2 * EPSILON * C_TX},
        check=gradient_gap,
        expected=Verdict.FALSE,
        group="Euclidean width of the attack ball",
        sides=(2 * sp.sqrt(2), 2),
        corrected=Reading(
            statement="The constant term is 2 epsilon C_thetax for p <= 2, and 2 epsilon d^(1/2 - 1/p) "
            "C_thetax for p >= 2, which is 2 epsilon sqrt(d) C_thetax for p = infinity. Both are attained, "
            "at every distance of theta_1 and theta_2.",
            latex=r"C_{\theta\theta}\|\theta_1-\theta_2\|+2\varepsilon\,d^{\max(0,\frac12-\frac1p)}C_{"
            r"\theta x}",
            stated={"large_p": WIDTH},
        ),
        tightness=Tightness(
            pair="p = infinity, d = 2, epsilon = 1, l = theta.x: theta_1 = (1, 1), theta_2 = (-1, -1), "
            "C_thetatheta = 0, C_thetax = 1",
            attained=(sp.Matrix([1, 1]) - sp.Matrix([-1, -1])).norm(),
            bound=2 * sp.sqrt(2),
        ),
        twins=(
            Twin("no power of d", {"large_p": 2 * EPSILON * C_TX}),
            Twin("one per cent less", {"large_p": sp.Rational(99, 100) * WIDTH}),
            Twin("one per cent more", {"large_p": sp.Rational(101, 100) * WIDTH}),
            Twin("epsilon for 2 epsilon, p <= 2", {"small_p": EPSILON * C_TX}),
            Twin("C_thetatheta one per cent less", {"slope": sp.Rational(99, 100) * C_TT}),
        ),
        remark="The L-infinity ball of radius epsilon has the Euclidean diameter 2 epsilon sqrt(d): for a "
        "32x32 colour image 55 times the printed 2 epsilon. As printed the equation holds for p <= 2, and "
        "for every p if Eq. (7) measures x in the norm of the attack instead.",
    ),
    Claim(
        id="prop1.within-epsilon",
        location="Sec. 3, below Eq. (14)",
        kind="proof step",
        title="||x - x'|| <= epsilon",
        statement="Since ||x - x'|| <= epsilon, Eq. (9) follows from Eq. (14).",
        latex=r"\|x-x'\|\le\varepsilon",
        assumptions=(
            "attacks with ||delta||_p <= epsilon, any p in [1, infinity]; ||.|| is Euclidean (footnote 1)",
        ),
        stated={"small_p": EPSILON, "large_p": EPSILON},
        check=within_epsilon,
        expected=Verdict.FALSE,
        group="Euclidean width of the attack ball",
        sides=(sp.sqrt(2), 1),
        corrected=Reading(
            statement="||x - x'|| <= epsilon for p <= 2, and <= epsilon d^(1/2 - 1/p) for p >= 2; both "
            "attained.",
            latex=r"\|x-x'\|_2\le\varepsilon\,d^{\max(0,\frac12-\frac1p)}",
            stated={"large_p": EPSILON * d ** (sp.Rational(1, 2) - 1 / P)},
        ),
        tightness=Tightness(
            pair="p = infinity, d = 2, epsilon = 1: the corner x' = (1, 1) for x = (0, 0)",
            attained=sp.Matrix([1, 1]).norm(),
            bound=sp.sqrt(2),
        ),
        twins=(
            Twin("no power of d", {"large_p": EPSILON}),
            Twin("d^(1/p)", {"large_p": EPSILON * d ** (1 / P)}),
            Twin("one per cent less", {"small_p": sp.Rational(99, 100) * EPSILON}),
        ),
    ),
    Claim(
        id="prop1.inference",
        location="Sec. 2.1, below Proposition 1; Sec. 3",
        kind="reading",
        title="A constant term in Eq. (9) means a non-smooth loss",
        statement="Adversarial loss is not globally smooth, because Eq. (9) has a constant term.",
        latex=r"2\varepsilon C_{\theta x}>0\;\Rightarrow\;L_\varepsilon\text{ not smooth}",
        assumptions=(
            "the conclusion that the paper reports from Liu et al. (2020), read as an inference from Eq. (9) alone; "
            "the paper itself rejects it (claim prop1.not-a-proof)",
        ),
        stated={"relation": ">", "coupling": sp.Integer(1)},
        check=huber,
        expected=Verdict.FALSE,
        sides=(1, 2),
        corrected=Reading(
            statement="Eq. (9) is an upper bound and proves no non-smoothness: for l = theta.x - ||x||^2/2 "
            "around x = 0 its constant term is 2 epsilon, and the L-infinity adversarial loss is 1-smooth on "
            "all of R^d, for every d.",
            latex=r"\partial_i\ell_\varepsilon(\theta)=\min(\max(\theta_i,-\varepsilon),\varepsilon)",
            stated={"relation": "<="},
        ),
        twins=(
            Twin("non-smooth after all", {"relation": ">"}),
            Twin("coupling one per cent larger", {"coupling": sp.Rational(101, 100)}),
        ),
        remark="The paper says as much after Lemma 1 ('Proposition 1 does not prove non-smoothness'). "
        "Non-smooth losses exist too: l = theta x gives epsilon |theta|.",
    ),
    Claim(
        id="prop1.not-a-proof",
        location="Sec. 3, below Lemma 1",
        kind="prose",
        title="Proposition 1 does not prove non-smoothness",
        statement="Proposition 1 does not prove non-smoothness of adversarial loss if adversarial examples "
        "are functions of the parameter.",
        assumptions=("shown by l = theta.x - ||x||^2/2 around x = 0 and the L-infinity ball",),
        stated={"relation": "<=", "coupling": sp.Integer(1)},
        check=huber,
        expected=Verdict.TRUE,
        twins=(
            Twin("it does", {"relation": ">"}),
            Twin("coupling one per cent smaller", {"coupling": sp.Rational(99, 100)}),
        ),
    ),
)

"""Theorem 3, proof: which integrals have to converge, and their split by sign (Eqs. 56-60, 65, 66)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp
from sympy.logic.boolalg import And, Not, Or

from theory.calculus.gibbs import (
    E_A,
    E_AB,
    E_B,
    GAMMA,
    MASS,
    A,
    B,
    Moment,
    X,
    at_theta,
    expectation,
    line_integral,
)
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Grade, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin

THETA = sp.Symbol("theta", real=True)
PRIMED_I, PRIMED_J = sp.symbols("theta'_i theta'_j", real=True)
ANCHOR_I, ANCHOR_J = sp.symbols("theta_i theta_j", real=True)
WEIGHT = sp.Symbol("exp(-L)", positive=True)
GAUSS = sp.Symbol("exp(-gamma/2*|theta-theta'|^2)", positive=True)
CAP, VALUE = sp.Symbol("M", positive=True), sp.Symbol("I", real=True)
# Theta_+ and Theta_- of Eqs. (59), (60).
SAME_SIGN = Or(And(PRIMED_I >= 0, PRIMED_J >= 0), And(PRIMED_I < 0, PRIMED_J < 0))
OPPOSITE_SIGNS = Or(And(PRIMED_I >= 0, PRIMED_J < 0), And(PRIMED_I < 0, PRIMED_J >= 0))
MOMENTS = "moments of <theta', u>, <theta', v> in Gram scalars, sympy identity"
POINTWISE = "pointwise inequality, z3"


def covariance_entry(stated: SimpleNamespace) -> Iterator[Fact]:
    """The entry as the difference of two moments, and a bound on it from bounds on each."""
    yield identity(
        "E[(theta'_i - E theta'_i)(theta'_j - E theta'_j)] is the printed difference",
        expectation(sp.expand((A - E_A) * (B - E_B))),
        stated.entry,
        method=MOMENTS,
    )
    one, two = sp.symbols("M_1 M_2", nonnegative=True)
    product = sp.Symbol("E[a]*E[b]", real=True)
    entry = stated.entry.subs(E_A * E_B, product)
    yield implies(
        "|E[theta'_i theta'_j]| <= M_1 and |E[theta'_i] E[theta'_j]| <= M_2 give |Sigma_ij| <= M_1 + M_2 < "
        "oo",
        [one**2 >= E_AB**2, two**2 >= product**2],
        sp.Le(entry**2, (one + two) ** 2),
    )


def integrals(stated: SimpleNamespace) -> Iterator[Fact]:
    """The printed integrals are e^F times the moments of Eq. (56); dividing by e^F > 0 keeps them finite."""
    yield identity(
        "Eq. (57) is e^F E[theta'_i theta'_j]", at_theta(Moment(stated.second)), MASS * E_AB, method=MOMENTS
    )
    yield identity("Eq. (58) is e^F E[theta'_i]", at_theta(Moment(stated.first)), MASS * E_A, method=MOMENTS)
    quotient, least = sp.Symbol("E", real=True), sp.Symbol("e^F_least", positive=True)
    above_zero = [least <= MASS] if stated.mass_positive else []
    yield implies(
        "|integral| <= M and e^F >= a positive number give |E| <= M/that number",
        [sp.Eq(quotient * MASS, VALUE), VALUE**2 <= CAP**2, *above_zero],
        sp.Le((quotient * least) ** 2, CAP**2),
    )


def normaliser(stated: SimpleNamespace) -> Iterator[Fact]:
    """0 < e^F <= (2 pi/gamma)^(m/2) for 0 <= L < oo, with equality for L = 0."""
    yield implies(
        "0 < exp(-L) <= 1: the integrand, a product of exponentials and so positive, is at most the Gaussian",
        [stated.largest_weight >= WEIGHT],
        sp.Le(WEIGHT * GAUSS, GAUSS),
        method=POINTWISE,
    )
    yield identity(
        "each coordinate of the Gaussian integrates to the stated number, which L = 0 attains",
        line_integral(sp.Integer(1), -GAMMA / 2 * (THETA - X) ** 2),
        stated.coordinate,
    )


def split(stated: SimpleNamespace) -> Iterator[Fact]:
    """The two sets cover R^m without overlap, each integrand has one sign on its set; the signs add up."""
    yield exactly_one(stated.plus, stated.minus)
    yield implies("on Theta_+ the integrand is >= 0", [stated.plus], sp.Ge(stated.whole * WEIGHT * GAUSS, 0))
    yield implies(
        "on Theta_- the integrand of the second part is >= 0",
        [stated.minus],
        sp.Ge(stated.inner * WEIGHT * GAUSS, 0),
    )
    yield identity(
        "minus the second part's integrand is the whole one", stated.outer * stated.inner, stated.whole
    )


def exactly_one(plus: sp.Basic, minus: sp.Basic) -> Fact:
    """Whether every theta' lies in exactly one of two sets given by the signs of theta'_i and theta'_j."""
    says = "every theta' lies in exactly one of Theta_+ and Theta_-"
    condition = And(Or(plus, minus), Not(And(plus, minus)))
    if condition == sp.true:
        return Fact(says, True, Grade.PROVED, "sympy's logic of relations")
    return implies(says, [], condition, method="z3 on the signs of theta'_i, theta'_j")


def signs(stated: SimpleNamespace) -> Iterator[Fact]:
    """The sign of the product the print speaks of, on Theta_+."""
    at = {PRIMED_I: 1, PRIMED_J: 1, ANCHOR_I: 1, ANCHOR_J: -1}
    yield compare(
        "the product is >= 0 at theta' = (1, 1), theta = (1, -1)",
        stated.product.subs(at),
        ">=",
        sp.Integer(0),
        point={"theta'": "(1, 1) in Theta_+", "theta": "(1, -1)"},
        replay="theta' = (1, 1) lies in Theta_+, whatever theta is; for theta = (1, -1) the product "
        "theta_1 theta_2 is -1.",
        dimension=(2,),
    ).as_example()
    yield implies("the product is >= 0 on Theta_+", [SAME_SIGN], sp.Ge(stated.product, 0))


_PRODUCT_SPLIT = {
    "plus": SAME_SIGN,
    "minus": OPPOSITE_SIGNS,
    "whole": PRIMED_I * PRIMED_J,
    "inner": -PRIMED_I * PRIMED_J,
    "outer": sp.Integer(-1),
}


_MEAN_SPLIT = {
    "plus": PRIMED_I >= 0,
    "minus": PRIMED_I < 0,
    "whole": PRIMED_I,
    "inner": -PRIMED_I,
    "outer": sp.Integer(-1),
}


_ONE = sp.Integer(1)

CLAIMS = (
    Claim(
        id="theorem3.eq56",
        location="App. A, proof of Theorem 3, Eq. (56)",
        kind="proof step",
        equations=(56,),
        title="Entries of Sigma are finite",
        statement="-oo < [Sigma_theta]_ij = E[theta'_i theta'_j] - E[theta'_i] E[theta'_j] < oo; finite "
        "moments suffice.",
        latex=r"-\infty<[\Sigma_\theta]_{i,j}=\mathbb{E}_p[\theta'_i\theta'_j]-\mathbb{E}_p[\theta'_i]"
        r"\mathbb{E}_p[\theta'_j]<\infty",
        assumptions=("beta = 1, L >= 0 and finite",),
        stated={"entry": E_AB - E_A * E_B},
        check=covariance_entry,
        expected=Verdict.TRUE,
        twins=(
            Twin("plus in place of minus", {"entry": E_AB + E_A * E_B}),
            Twin("one mean only", {"entry": E_AB - E_A}),
        ),
    ),
    Claim(
        id="theorem3.eq57",
        location="App. A, proof of Theorem 3, Eqs. (57), (58)",
        kind="proof step",
        equations=(57, 58),
        title="It suffices that two integrals converge",
        statement="|E[theta'_i theta'_j]| < oo and |E[theta'_i] E[theta'_j]| < oo if the integrals (57) "
        "and (58) converge; the division by e^F is "
        "harmless because 0 < e^F < oo.",
        latex=r"\int\theta'_i\theta'_j\exp(\cdot)\,d\theta',\quad\int\theta'_i\exp(\cdot)\,d\theta'",
        assumptions=("beta = 1", "0 < e^F < oo (claim theorem3.normaliser)"),
        stated={"second": A * B, "first": A, "mass_positive": True},
        check=integrals,
        expected=Verdict.TRUE,
        twins=(
            Twin("theta'_i squared in Eq. (57)", {"second": A**2}),
            Twin("theta'_i - 1 in Eq. (58)", {"first": A - 1}),
            Twin("e^F not bounded away from 0", {"mass_positive": False}),
        ),
    ),
    Claim(
        id="theorem3.normaliser",
        location="App. A, proof of Theorem 3, after Eq. (58)",
        kind="proof step",
        title="0 < e^F < oo",
        statement="e^F is bounded as 0 < e^F < oo; in fact e^F <= (2 pi/gamma)^(m/2).",
        latex=r"0<e^F\le\left(\frac{2\pi}{\gamma}\right)^{m/2}",
        assumptions=("beta = 1, L >= 0 and finite (on a set of positive measure at least)",),
        stated={"largest_weight": _ONE, "coordinate": sp.sqrt(2 * sp.pi / GAMMA)},
        check=normaliser,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L = 0, m = 1, gamma = 2: the integral of exp(-x^2) is sqrt(pi)",
            attained=sp.sqrt(sp.pi),
            bound=sp.sqrt(2 * sp.pi / GAMMA).subs(GAMMA, 2),
        ),
        twins=(
            Twin("L >= -log 2 only", {"largest_weight": sp.Integer(2)}),
            Twin(
                "bound one per cent smaller",
                {"coordinate": sp.Rational(99, 100) * sp.sqrt(2 * sp.pi / GAMMA)},
            ),
        ),
    ),
    Claim(
        id="theorem3.eq59",
        location="App. A, proof of Theorem 3, Eqs. (59), (60)",
        kind="proof step",
        equations=(59, 60),
        title="Split by the sign of theta'_i theta'_j",
        statement="The integral of theta'_i theta'_j exp(...) is that over Theta_+ minus the integral of "
        "-theta'_i theta'_j exp(...) over Theta_-, "
        "both integrands being non-negative.",
        latex=r"\int\theta'_i\theta'_j\exp(\cdot)=\int_{\Theta_+}\theta'_i\theta'_j\exp(\cdot)-\int_{"
        r"\Theta_-}-\theta'_i\theta'_j\exp(\cdot)",
        assumptions=(
            "the sets are sets of theta' (claim theorem3.unprimed)",
            "for i = j the set Theta_- is empty",
        ),
        stated=_PRODUCT_SPLIT,
        check=split,
        expected=Verdict.TRUE,
        twins=(
            Twin("both parts added", {"outer": _ONE}),
            Twin("Theta_+ without its second piece", {"plus": And(PRIMED_I >= 0, PRIMED_J >= 0)}),
            Twin(
                "the boundary in both sets",
                {"minus": Or(And(PRIMED_I >= 0, PRIMED_J <= 0), And(PRIMED_I <= 0, PRIMED_J >= 0))},
            ),
        ),
    ),
    Claim(
        id="theorem3.unprimed",
        location="App. A, proof of Theorem 3, definitions of Theta_+ and Theta_-, after Eqs. (61) and (63)",
        kind="proof step",
        title="theta_i theta_j >= 0 for theta in Theta_+",
        statement="theta_i theta_j >= 0 for theta in Theta_+ = {theta | 0 <= theta'_i < oo, ...}.",
        latex=r"\theta_i\theta_j\ge0\ \text{for}\ \theta\in\Theta_+",
        assumptions=("theta is the fixed argument of F, theta' the variable of integration",),
        stated={"product": ANCHOR_I * ANCHOR_J},
        check=signs,
        expected=Verdict.TYPO,
        slip=True,
        sides=(-1, 0),
        corrected=Reading(
            statement="theta'_i theta'_j >= 0 for theta' in Theta_+ = {theta' | 0 <= theta'_i < oo, ...}, "
            "and <= 0 on Theta_-.",
            latex=r"\theta'_i\theta'_j\ge0\ \text{for}\ \theta'\in\Theta_+",
            stated={"product": PRIMED_I * PRIMED_J},
        ),
        twins=(
            Twin("sign flipped", {"product": -PRIMED_I * PRIMED_J}),
            Twin("one factor primed", {"product": PRIMED_I * ANCHOR_J}),
        ),
        remark="The second Theta_- (after Eq. (66)) also prints -oo <= theta'_i, which should be -oo < "
        "theta'_i.",
    ),
    Claim(
        id="theorem3.eq65",
        location="App. A, proof of Theorem 3, Eqs. (65), (66)",
        kind="proof step",
        equations=(65, 66),
        title="Split by the sign of theta'_i",
        statement="The integral of theta'_i exp(...) is that over theta'_i >= 0 minus the integral of "
        "-theta'_i exp(...) over theta'_i < 0.",
        latex=r"\int\theta'_i\exp(\cdot)=\int_{\Theta_+}\theta'_i\exp(\cdot)-\int_{\Theta_-}-\theta'_i\exp("
        r"\cdot)",
        assumptions=("Theta_- is read with -oo < theta'_i",),
        stated=_MEAN_SPLIT,
        check=split,
        expected=Verdict.TRUE,
        twins=(
            Twin("both parts added", {"outer": _ONE}),
            Twin("0 in both sets", {"minus": PRIMED_I <= 0}),
        ),
    ),
)

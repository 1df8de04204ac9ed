"""Theorem 3, proof: the split integrals are finite (Eqs. 61-64, 67-70), here with explicit bounds."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp
from sympy.logic.boolalg import And

from theory.calculus.gibbs import GAMMA, X, line_integral
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec4.theorem3_integrals import (
    ANCHOR_I,
    ANCHOR_J,
    CAP,
    OPPOSITE_SIGNS,
    POINTWISE,
    PRIMED_I,
    PRIMED_J,
    SAME_SIGN,
    THETA,
    VALUE,
    WEIGHT,
)

# The Gaussian's own integral (2 pi/gamma)^(m/2) is divided out of every bound; Z is e^F over it, at most 1.
Z = sp.Symbol("Z", positive=True)
PLUS, MINUS = sp.symbols("I_+ I_-", nonnegative=True)
SECOND = (ANCHOR_I**2 + ANCHOR_J**2) / 2 + 1 / GAMMA  # bounds the integrals of |theta'_i theta'_j|
FIRST = (1 + ANCHOR_I**2 + 1 / GAMMA) / 2  # bounds the integrals of |theta'_i|


def gaussian_moment(power: int) -> sp.Expr:
    """E x^power under N(theta, 1/gamma): one coordinate of the Gaussian exp(-(gamma/2)|theta - theta'|^2)."""
    exponent = -GAMMA / 2 * (THETA - X) ** 2
    return sp.simplify(line_integral(X**power, exponent) / line_integral(sp.Integer(1), exponent))


def dominated(stated: SimpleNamespace) -> Iterator[Fact]:
    """integrand exp(-L) <= integrand under the Gaussian, on the stated part of R^m, because 0 <= L."""
    yield implies(
        f"on this part {stated.integrand} exp(-L) <= ({stated.factor}) {stated.integrand} under the Gaussian",
        [stated.part, stated.largest_weight >= WEIGHT],
        sp.Le(stated.integrand * WEIGHT, stated.factor * stated.integrand),
        method=POINTWISE,
    )
    yield identity("equality for L = 0", stated.integrand, stated.factor * stated.integrand)
    magnitude = PRIMED_I * PRIMED_J if PRIMED_J in stated.integrand.free_symbols else PRIMED_I
    yield identity(f"the integrand is {magnitude} up to its sign", stated.integrand**2, magnitude**2)


def dominated_and_finite(stated: SimpleNamespace) -> Iterator[Fact]:
    """The same, and a bound on the Gaussian integral over (2 pi/gamma)^(m/2), from 2|pq| <= p^2 + q^2."""
    yield from dominated(stated)
    squares = (
        (PRIMED_I**2 + PRIMED_J**2) / 2
        if PRIMED_J in stated.integrand.free_symbols
        else (1 + PRIMED_I**2) / 2
    )
    yield implies(
        f"{stated.integrand} <= {squares}", [stated.part], sp.Le(stated.integrand, squares), method=POINTWISE
    )
    second = gaussian_moment(2)
    moments = {PRIMED_I**2: second.subs(THETA, ANCHOR_I), PRIMED_J**2: second.subs(THETA, ANCHOR_J)}
    yield identity("the Gaussian average of that is the stated bound", squares.subs(moments), stated.bound)


def both_parts(stated: SimpleNamespace) -> Iterator[Fact]:
    """A difference of two integrals between 0 and M lies between -M and M; both ends occur."""
    yield implies(
        "0 <= I_+ <= M and 0 <= I_- <= M give a finite difference",
        [PLUS <= CAP, MINUS <= CAP, sp.Eq(VALUE, PLUS - MINUS)],
        And(stated.upper >= VALUE, stated.lower <= VALUE),
    )
    ends = [(PLUS - MINUS).subs({PLUS: p, MINUS: q}) for p, q in ((CAP, 0), (0, CAP))]
    yield identity("I_- = 0 and I_+ = M", ends[0], stated.upper)
    yield identity("I_+ = 0 and I_- = M", ends[1], stated.lower)


def mixed_moment(stated: SimpleNamespace) -> Iterator[Fact]:
    """|E[theta'_i theta'_j]| <= the average of |theta'_i theta'_j| under the Gaussian over Z."""
    value, average = sp.Symbol("E[theta'_i theta'_j]", real=True), sp.Symbol("E_N", nonnegative=True)
    yield implies(
        "I_+ + I_- <= the Gaussian average, and E = (I_+ - I_-)/Z",
        [average >= PLUS + MINUS, average <= SECOND, sp.Eq(value * Z, PLUS - MINUS)],
        And(value <= stated.bound, value >= -stated.bound),
    )
    yield identity(
        "equality for i = j and L = 0",
        stated.bound.subs({Z: 1, ANCHOR_I: THETA, ANCHOR_J: THETA}),
        gaussian_moment(2),
    )


def product_of_means(stated: SimpleNamespace) -> Iterator[Fact]:
    """(E theta'_i)^2 <= E theta'_i^2 <= (theta_i^2 + 1/gamma)/Z, and the same for j."""
    variance = sp.Symbol("Var", nonnegative=True)
    squares, second = sp.symbols("E[theta'_i^2] E_N[theta'_i^2]", nonnegative=True)
    mean = sp.Symbol("E[theta'_i]", real=True)
    yield implies(
        "the square of the mean is at most the second moment, at most the Gaussian one over Z",
        [sp.Eq(variance, squares - mean**2), squares * Z <= second],
        sp.Le(mean**2, second / Z),
    )
    moment = gaussian_moment(2)
    yield identity(
        "so the product of two means has a square of at most the stated bound",
        moment.subs(THETA, ANCHOR_I) / Z * moment.subs(THETA, ANCHOR_J) / Z,
        stated.squared_bound,
    )


def gaussian(stated: SimpleNamespace) -> Iterator[Fact]:
    """Mean and variance of one coordinate of the density that exp(-(gamma/2)|theta - theta'|^2) gives."""
    spread = sp.simplify(gaussian_moment(2) - gaussian_moment(1) ** 2)
    yield compare(
        "at gamma = 4 the variance is the stated one",
        spread.subs(GAMMA, 4),
        "==",
        stated.variance.subs(GAMMA, 4),
        point={"gamma": 4, "m": 1},
        replay="the integral of x^2 exp(-2 x^2) over that of exp(-2 x^2) is 1/4.",
        dimension=(1,),
    ).as_example()
    method = "the density is a product over the coordinates, sympy identity"
    yield identity(
        "each coordinate's variance is the stated one for every gamma", spread, stated.variance, method=method
    )
    yield identity("each coordinate's mean is that of theta", gaussian_moment(1), THETA, method=method)


_ONE = sp.Integer(1)


_ON_PLUS = {"part": SAME_SIGN, "integrand": PRIMED_I * PRIMED_J, "largest_weight": _ONE, "factor": _ONE}


_ON_MINUS = {
    "part": OPPOSITE_SIGNS,
    "integrand": -PRIMED_I * PRIMED_J,
    "largest_weight": _ONE,
    "factor": _ONE,
}

CLAIMS = (
    Claim(
        id="theorem3.eq61",
        location="App. A, proof of Theorem 3, Eq. (61)",
        kind="proof step",
        equations=(61,),
        title="The positive part is at most its Gaussian one",
        statement="On Theta_+ the integral of theta'_i theta'_j exp(-L - (gamma/2)||theta - theta'||^2) is "
        "at most that without L, because "
        "0 <= exp(-L) <= 1 and theta'_i theta'_j >= 0.",
        latex=r"\int_{\Theta_+}\theta'_i\theta'_je^{-L(\theta')-\frac\gamma2\|\theta-\theta'\|^2}d\theta'"
        r"\le\int_{\Theta_+}\theta'_i\theta'_je^{-\frac\gamma2\|\theta-\theta'\|^2}d\theta'",
        assumptions=("L >= 0",),
        stated=_ON_PLUS,
        check=dominated,
        expected=Verdict.TRUE,
        twins=(
            Twin("L >= -log 2 only", {"largest_weight": sp.Integer(2)}),
            Twin("on Theta_-", {"part": OPPOSITE_SIGNS}),
            Twin("right side one per cent smaller", {"factor": sp.Rational(99, 100)}),
        ),
    ),
    Claim(
        id="theorem3.gaussian",
        location="App. A, proof of Theorem 3, after Eqs. (61) and (68)",
        kind="proof step",
        title="The Gaussian is N(theta, gamma I)",
        statement="The right hand side of Eq. (61) is a part of the covariance of the Gaussian N(theta, "
        "gamma I); likewise the mean after Eq. (68).",
        latex=r"\mathcal{N}(\theta,\gamma I)",
        assumptions=("N(mean, covariance)",),
        stated={"variance": GAMMA},
        check=gaussian,
        expected=Verdict.TYPO,
        slip=True,
        sides=(sp.Rational(1, 4), 4),
        corrected=Reading(
            statement="exp(-(gamma/2)||theta - theta'||^2) is, up to a factor, the density of N(theta, "
            "(1/gamma) I).",
            latex=r"\mathcal{N}(\theta,\gamma^{-1}I)",
            stated={"variance": 1 / GAMMA},
        ),
        twins=(
            Twin("variance 2/gamma", {"variance": 2 / GAMMA}),
            Twin("variance one per cent off", {"variance": sp.Rational(101, 100) / GAMMA}),
        ),
        remark="Finiteness, all that the proof needs, holds for either.",
    ),
    Claim(
        id="theorem3.eq62",
        location="App. A, proof of Theorem 3, Eq. (62)",
        kind="proof step",
        equations=(62,),
        title="The positive part is finite",
        statement="The positive part is finite for every theta: at most (2 pi/gamma)^(m/2) ((theta_i^2 + "
        "theta_j^2)/2 + 1/gamma).",
        latex=r"\int_{\Theta_+}\theta'_i\theta'_je^{-L-\frac\gamma2\|\theta-\theta'\|^2}d\theta'\le\left("
        r"\frac{2\pi}{\gamma}\right)^{m/2}\left(\frac{\theta_i^2+\theta_j^2}{2}+\frac1\gamma"
        r"\right)<\infty",
        assumptions=("L >= 0",),
        stated={**_ON_PLUS, "bound": SECOND},
        check=dominated_and_finite,
        expected=Verdict.TRUE,
        twins=(
            Twin("L >= -log 2 only", {"largest_weight": sp.Integer(2)}),
            Twin("gamma in place of 1/gamma", {"bound": (ANCHOR_I**2 + ANCHOR_J**2) / 2 + GAMMA}),
            Twin("bound one per cent smaller", {"bound": sp.Rational(99, 100) * SECOND}),
        ),
        remark="The paper claims finiteness only; the bound is ours.",
    ),
    Claim(
        id="theorem3.eq63",
        location="App. A, proof of Theorem 3, Eq. (63)",
        kind="proof step",
        equations=(63,),
        title="The negative part is finite",
        statement="The integral of -theta'_i theta'_j exp(...) over Theta_- is finite, with the same bound.",
        latex=r"\int_{\Theta_-}-\theta'_i\theta'_je^{-L-\frac\gamma2\|\theta-\theta'\|^2}d\theta'\le\int_{"
        r"\Theta_-}-\theta'_i\theta'_je^{-\frac\gamma2\|\theta-\theta'\|^2}d\theta'<\infty",
        assumptions=("L >= 0",),
        stated={**_ON_MINUS, "bound": SECOND},
        check=dominated_and_finite,
        expected=Verdict.TRUE,
        twins=(
            Twin("without the minus sign", {"integrand": PRIMED_I * PRIMED_J}),
            Twin("on Theta_+", {"part": SAME_SIGN}),
            Twin("bound one per cent smaller", {"bound": sp.Rational(99, 100) * SECOND}),
        ),
    ),
    Claim(
        id="theorem3.eq64",
        location="App. A, proof of Theorem 3, Eq. (64)",
        kind="proof step",
        equations=(64,),
        title="The integral of theta'_i theta'_j converges",
        statement="-oo < the integral of theta'_i theta'_j exp(...) < oo: with both parts in [0, M] it "
        "lies in [-M, M].",
        latex=r"-\infty<\int\theta'_i\theta'_j\exp(\cdot)\,d\theta'<\infty",
        assumptions=("Eqs. (59)-(63)",),
        stated={"upper": CAP, "lower": -CAP},
        check=both_parts,
        expected=Verdict.TRUE,
        twins=(
            Twin("upper end one per cent smaller", {"upper": sp.Rational(99, 100) * CAP}),
            Twin("lower end 0", {"lower": sp.Integer(0)}),
        ),
    ),
    Claim(
        id="theorem3.eq67",
        location="App. A, proof of Theorem 3, Eq. (67)",
        kind="proof step",
        equations=(67,),
        title="The positive part of the mean is finite",
        statement="The integral of theta'_i exp(...) over theta'_i >= 0 is at most the Gaussian one and "
        "finite.",
        latex=r"\int_{\Theta_+}\theta'_ie^{-L-\frac\gamma2\|\theta-\theta'\|^2}d\theta'\le\int_{\Theta_+}"
        r"\theta'_ie^{-\frac\gamma2\|\theta-\theta'\|^2}d\theta'<\infty",
        assumptions=("L >= 0",),
        stated={
            "part": PRIMED_I >= 0,
            "integrand": PRIMED_I,
            "largest_weight": _ONE,
            "factor": _ONE,
            "bound": FIRST,
        },
        check=dominated_and_finite,
        expected=Verdict.TRUE,
        twins=(
            Twin("L >= -log 2 only", {"largest_weight": sp.Integer(2)}),
            Twin("right side one per cent smaller", {"factor": sp.Rational(99, 100)}),
        ),
    ),
    Claim(
        id="theorem3.eq68",
        location="App. A, proof of Theorem 3, Eq. (68)",
        kind="proof step",
        equations=(68,),
        title="The negative part of the mean is finite",
        statement="The integral of -theta'_i exp(...) over theta'_i < 0 is at most the Gaussian one and "
        "finite.",
        latex=r"\int_{\Theta_-}-\theta'_ie^{-L-\frac\gamma2\|\theta-\theta'\|^2}d\theta'\le\int_{\Theta_-}-"
        r"\theta'_ie^{-\frac\gamma2\|\theta-\theta'\|^2}d\theta'<\infty",
        assumptions=("L >= 0",),
        stated={
            "part": PRIMED_I < 0,
            "integrand": -PRIMED_I,
            "largest_weight": _ONE,
            "factor": _ONE,
            "bound": FIRST,
        },
        check=dominated_and_finite,
        expected=Verdict.TRUE,
        twins=(
            Twin("without the minus sign", {"integrand": PRIMED_I}),
            Twin("right side one per cent smaller", {"factor": sp.Rational(99, 100)}),
        ),
    ),
    Claim(
        id="theorem3.eq69",
        location="App. A, proof of Theorem 3, Eq. (69)",
        kind="proof step",
        equations=(69,),
        title="|E[theta'_i theta'_j]| < oo",
        statement="|E[theta'_i theta'_j]| <= ((theta_i^2 + theta_j^2)/2 + 1/gamma)/Z < oo with Z = e^F "
        "(gamma/2 pi)^(m/2).",
        latex=r"|\mathbb{E}_p[\theta'_i\theta'_j]|\le\frac1Z\left(\frac{\theta_i^2+\theta_j^2}{2}+\frac1"
        r"\gamma\right)<\infty",
        assumptions=("beta = 1, L >= 0 and finite, so that 0 < Z <= 1",),
        stated={"bound": SECOND / Z},
        check=mixed_moment,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L = 0, i = j, theta_i = 0, gamma = 1: E[theta'_i^2] = 1",
            attained=sp.Integer(1),
            bound=(SECOND / Z).subs({Z: 1, ANCHOR_I: 0, ANCHOR_J: 0, GAMMA: 1}),
        ),
        twins=(
            Twin("bound one per cent smaller", {"bound": sp.Rational(99, 100) * SECOND / Z}),
            Twin("times Z in place of over Z", {"bound": SECOND * Z}),
        ),
    ),
    Claim(
        id="theorem3.eq70",
        location="App. A, proof of Theorem 3, Eq. (70)",
        kind="proof step",
        equations=(70,),
        title="|E[theta'_i] E[theta'_j]| < oo",
        statement="(E[theta'_i] E[theta'_j])^2 <= (theta_i^2 + 1/gamma)(theta_j^2 + 1/gamma)/Z^2 < oo.",
        latex=r"|\mathbb{E}_p[\theta'_i]\mathbb{E}_p[\theta'_j]|\le\frac1Z\sqrt{(\theta_i^2+\tfrac1\gamma)("
        r"\theta_j^2+\tfrac1\gamma)}<\infty",
        assumptions=("beta = 1, L >= 0 and finite, so that 0 < Z <= 1",),
        stated={"squared_bound": (ANCHOR_I**2 + 1 / GAMMA) * (ANCHOR_J**2 + 1 / GAMMA) / Z**2},
        check=product_of_means,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "gamma in place of 1/gamma",
                {"squared_bound": (ANCHOR_I**2 + GAMMA) * (ANCHOR_J**2 + GAMMA) / Z**2},
            ),
            Twin("without Z", {"squared_bound": (ANCHOR_I**2 + 1 / GAMMA) * (ANCHOR_J**2 + 1 / GAMMA)}),
        ),
    ),
)

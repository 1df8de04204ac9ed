"""Theorem 3, proof: expectations under p_theta, and the derivative of the gradient by lines (Eqs. 49-52)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import (
    ANALYTIC,
    BETA,
    E_A,
    E_AB,
    E_B,
    GAMMA,
    MASS,
    THETA_U,
    THETA_V,
    U_V,
    A,
    B,
    Moment,
    S,
    T,
    X,
    at_theta,
    derivative,
    line_integral,
    negative_log_mass,
)
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Reading, Twin

THETA = sp.Symbol("theta", real=True)
Z_STRAY, W_STRAY = sp.symbols("z w", real=True)
# The printed integrals; u and v are the axes i and j, so a = theta'_i, b = theta'_j, <u,v> = delta_ij.
FIRST = sp.Symbol("int a exp", real=True)
MOVED = sp.Symbol("int d/dtheta_j a exp", real=True)
PULLED = sp.Symbol("int -gamma(theta_j-b) a exp", real=True)
SLOPE_F = sp.Symbol("dF/dtheta_j", real=True)
MIXED = sp.Symbol("E[(theta_j-b) a]", real=True)
MEAN_SLOPE = sp.Symbol("dE[a]/dtheta_j", real=True)
RATIO_SLOPE = sp.Symbol("d(e^-F int a exp)/dtheta_j", real=True)
METHOD = "moments of <theta', u>, <theta', v> in Gram scalars, sympy identity"
ENTRIES = "u and v are arbitrary directions; for coordinate axes i and j, <u, v> = delta_ij"


def expectation_of(stated: SimpleNamespace) -> Iterator[Fact]:
    """The printed normaliser makes E[1] = 1, gives closed forms, and turns -dF/dtheta_j into Eq. (47)."""
    yield identity(
        "E[1] = 1",
        at_theta(Moment(sp.Integer(1))) * stated.factor,
        sp.Integer(1),
        method=METHOD,
    )
    quadratic = -(X**2) / 2 - GAMMA / 2 * (THETA - X) ** 2
    mass = sp.sqrt(2 * sp.pi / (GAMMA + 1)) * sp.exp(-GAMMA * THETA**2 / (2 * (GAMMA + 1)))
    centred = (X - GAMMA * THETA / (GAMMA + 1)) ** 2
    yield identity(
        "for L = theta^2/2 and its closed e^F, the variance comes out as 1/(gamma + 1)",
        line_integral(centred, quadratic) * stated.factor.subs(MASS, mass),
        1 / (GAMMA + 1),
    )
    integral = at_theta(Moment(sp.expand(-GAMMA * (THETA_U - A))))
    yield identity(
        "the derivative of the integral along u, times the factor, is -gamma (theta_i - E[theta'_i]) = "
        "dF/dtheta_i",
        integral * stated.factor,
        -at_theta(derivative(negative_log_mass(), S)).subs(BETA, 1),
        method=METHOD,
    )


def entry_begins(stated: SimpleNamespace) -> Iterator[Fact]:
    """The middle expression of Eq. (50) on L = theta^2/2 with gamma = 1, then both ends in general."""
    middle = stated.stray * (GAMMA * U_V - GAMMA * MEAN_SLOPE)
    integral = line_integral(sp.Integer(1), -(X**2) / 2 - (THETA - X) ** 2 / 2)
    second = sp.diff(-sp.expand_log(sp.log(integral), force=True), THETA, 2)
    mean = line_integral(X, -(X**2) / 2 - (THETA - X) ** 2 / 2) / integral
    values = {GAMMA: 1, U_V: 1, MEAN_SLOPE: sp.diff(sp.simplify(mean), THETA), Z_STRAY: 3, W_STRAY: 1}
    yield compare(
        "for L = theta^2/2, gamma = 1 the middle expression is -F''",
        middle.subs(values),
        "==",
        second,
        point={"L": "theta^2/2", "gamma": 1, "z": 3, "w": 1},
        replay="-F = theta^2/4 + const has the second derivative 1/2, and E[theta'] = theta/2, so the "
        "expression is (1 - 1/2) z w; z and w "
        "are defined nowhere.",
        dimension=(1,),
    ).as_example()
    gradient = sp.expand(stated.stray * GAMMA * (THETA_U + T * U_V - Moment(A) / Moment(sp.Integer(1))))
    yield identity(
        "-d2F/dtheta_j dtheta_i is the stated second expression, d/dtheta_j of gamma (theta_i - E[theta'_i]) times "
        f"{stated.stray}",
        at_theta(derivative(derivative(negative_log_mass(), S), T)).subs(BETA, 1),
        at_theta(derivative(gradient, T)).subs(BETA, 1),
        method=METHOD,
    )
    yield identity(
        "and this is the stated last one, gamma delta_ij - gamma dE[theta'_i]/dtheta_j",
        at_theta(derivative(gradient, T)).subs(BETA, 1),
        stated.last.subs(MEAN_SLOPE, _mean_slope()),
        method=METHOD,
    )


def _mean_slope() -> sp.Expr:
    return at_theta(derivative(Moment(A) / Moment(sp.Integer(1)), T)).subs(BETA, 1)


def entry_as_integrals(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (51) against the derivative of Eq. (47), with e^F the integral of Eq. (10)."""
    ratio = Moment(A) / Moment(sp.Integer(1))
    yield identity(
        "gamma delta_ij - gamma d/dtheta_j of e^(-F) times the integral of theta'_i exp(...) is the entry "
        "of -nabla^2 F",
        stated.entry.subs(RATIO_SLOPE, at_theta(derivative(ratio, T)).subs(BETA, 1)),
        at_theta(derivative(derivative(negative_log_mass(), S), T)).subs(BETA, 1),
        method=METHOD,
    )


def lines(stated: SimpleNamespace) -> Iterator[Fact]:
    """Each printed line of Eq. (52), its symbols replaced by moments, against the derivative itself."""
    derived = _mean_slope()
    meaning = {
        SLOPE_F: -at_theta(derivative(negative_log_mass(), T)).subs(BETA, 1),
        FIRST: at_theta(Moment(A)),
        MOVED: at_theta(derivative(Moment(A), T)).subs(BETA, 1),
        PULLED: at_theta(Moment(sp.expand(-GAMMA * (THETA_V - B) * A))),
        MIXED: at_theta(Moment(sp.expand((THETA_V - B) * A))) / MASS,
    }
    for number in range(1, 7):
        printed = getattr(stated, f"line{number}")
        yield identity(
            f"line {number} is d/dtheta_j of E[theta'_i]",
            sp.expand(printed.subs(meaning)),
            derived,
            method=METHOD,
            shows=(f"line {number}: {printed}",),
        )


_TWO_PARTS = -(MASS ** (-2)) * SLOPE_F * MASS * FIRST + MOVED / MASS
_FORCE = GAMMA * (THETA_V - E_B) * FIRST / MASS + PULLED / MASS
_MEANS = GAMMA * (THETA_V - E_B) * E_A - GAMMA * MIXED

CLAIMS = (
    Claim(
        id="theorem3.eq49",
        location="App. A, proof of Theorem 3, Eq. (49)",
        kind="equation",
        equations=(49,),
        title="Expectation under p_theta as a ratio of integrals",
        statement="E[f(theta')] = e^(-F) times the integral of f(theta') exp(-L(theta') - (gamma/2) "
        "||theta - theta'||^2).",
        latex=r"\mathbb{E}_{p_\theta}[f(\theta')]=\frac{1}{e^F}\int f(\theta')\exp\left(-L(\theta')-\tfrac{"
        r"\gamma}{2}\|\theta-\theta'\|_2^2\right)d\theta'",
        assumptions=("beta = 1", "f is integrable under p_theta"),
        cites=(ANALYTIC,),
        stated={"factor": 1 / MASS},
        check=expectation_of,
        expected=Verdict.TRUE,
        twins=(
            Twin("e^F in place of e^(-F)", {"factor": MASS}),
            Twin("e^(-2F)", {"factor": MASS**-2}),
            Twin("one per cent off", {"factor": sp.Rational(101, 100) / MASS}),
        ),
    ),
    Claim(
        id="theorem3.eq50",
        location="App. A, proof of Theorem 3, Eq. (50)",
        kind="equation",
        equations=(50,),
        title="Entry of the Hessian, with a stray factor zw",
        statement="-d2F/dtheta_j dtheta_i = d/dtheta_j gamma (theta_i - E[theta'_i]) z w = gamma delta_ij "
        "- gamma d/dtheta_j E[theta'_i].",
        latex=r"-\frac{\partial^2F}{\partial\theta_j\partial\theta_i}=\frac{\partial}{\partial\theta_j}"
        r"\gamma(\theta_i-\mathbb{E}[\theta'_i])zw"
        r"=\gamma\delta_{ij}-\gamma\frac{\partial}{\partial\theta_j}\mathbb{E}[\theta'_i]",
        assumptions=("beta = 1", ENTRIES, "z and w, defined nowhere, are read as factors"),
        cites=(ANALYTIC,),
        stated={"stray": Z_STRAY * W_STRAY, "last": GAMMA * U_V - GAMMA * MEAN_SLOPE},
        check=entry_begins,
        expected=Verdict.TYPO,
        slip=True,
        sides=(sp.Rational(3, 2), sp.Rational(1, 2)),
        corrected=Reading(
            statement="-d2F/dtheta_j dtheta_i = d/dtheta_j gamma (theta_i - E[theta'_i]) = gamma delta_ij "
            "- gamma d/dtheta_j E[theta'_i].",
            latex=r"-\frac{\partial^2F}{\partial\theta_j\partial\theta_i}=\frac{\partial}{\partial\theta_j}"
            r"\gamma(\theta_i-\mathbb{E}[\theta'_i])",
            stated={"stray": sp.Integer(1)},
        ),
        twins=(
            Twin("the product with zw = -1", {"stray": sp.Integer(-1)}),
            Twin("plus in the last expression", {"last": GAMMA * U_V + GAMMA * MEAN_SLOPE}),
            Twin("gamma^2 in the last term", {"last": GAMMA * U_V - GAMMA**2 * MEAN_SLOPE}),
        ),
    ),
    Claim(
        id="theorem3.eq51",
        location="App. A, proof of Theorem 3, Eq. (51)",
        kind="equation",
        equations=(51,),
        title="The same entry with the expectation written out",
        statement="-d2F/dtheta_j dtheta_i = gamma delta_ij - gamma d/dtheta_j [e^(-F) times the integral "
        "of theta'_i exp(...)].",
        latex=r"=\gamma\delta_{ij}-\gamma\frac{\partial}{\partial\theta_j}\frac{1}{e^F}\int\theta'_i\exp("
        r"\cdot)\,d\theta'",
        assumptions=("beta = 1", ENTRIES),
        cites=(ANALYTIC,),
        stated={"entry": GAMMA * U_V - GAMMA * RATIO_SLOPE},
        check=entry_as_integrals,
        expected=Verdict.TRUE,
        twins=(
            Twin("plus in place of minus", {"entry": GAMMA * U_V + GAMMA * RATIO_SLOPE}),
            Twin("gamma missing in front of the derivative", {"entry": GAMMA * U_V - RATIO_SLOPE}),
        ),
    ),
    Claim(
        id="theorem3.eq52",
        location="App. A, proof of Theorem 3, Eq. (52)",
        kind="proof step",
        equations=(52,),
        title="Derivative of the mean, in six lines",
        statement="d/dtheta_j of e^(-F) times the integral of theta'_i exp(...) equals each of the six "
        "lines, the last being "
        "gamma (E[theta'_j theta'_i] - E[theta'_j] E[theta'_i]).",
        latex=r"\frac{\partial}{\partial\theta_j}\mathbb{E}[\theta'_i]"
        r"=\gamma\left(\mathbb{E}[\theta'_j\theta'_i]-\mathbb{E}[\theta'_j]\mathbb{E}[\theta'_i]\right)",
        assumptions=(
            "beta = 1",
            ENTRIES,
            "in the second line d/dtheta_j acts on the whole integrand; theta'_i does not depend on theta_j",
        ),
        cites=(ANALYTIC,),
        stated={
            "line1": _TWO_PARTS,
            "line2": _FORCE,
            "line3": _MEANS,
            "line4": GAMMA * THETA_V * E_A - GAMMA * E_B * E_A - GAMMA * THETA_V * E_A + GAMMA * E_AB,
            "line5": -GAMMA * E_B * E_A + GAMMA * E_AB,
            "line6": GAMMA * (E_AB - E_B * E_A),
        },
        check=lines,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "first line, sign of the first term",
                {"line1": MASS**-2 * SLOPE_F * MASS * FIRST + MOVED / MASS},
            ),
            Twin(
                "first line, e^(-F) for e^(-2F)",
                {"line1": -(MASS**-1) * SLOPE_F * MASS * FIRST + MOVED / MASS},
            ),
            Twin(
                "second line, sign of the force",
                {"line2": GAMMA * (THETA_V - E_B) * FIRST / MASS - PULLED / MASS},
            ),
            Twin("third line, sign of the mean", {"line3": -GAMMA * (THETA_V - E_B) * E_A - GAMMA * MIXED}),
            Twin("fourth line, last sign", {"line4": -GAMMA * E_B * E_A - GAMMA * E_AB}),
            Twin(
                "fifth line, one per cent off",
                {"line5": -GAMMA * E_B * E_A + sp.Rational(101, 100) * GAMMA * E_AB},
            ),
            Twin("last line, covariance with a plus", {"line6": GAMMA * (E_AB + E_B * E_A)}),
        ),
    ),
)

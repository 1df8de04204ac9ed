"""Sec. 2.2: objective, gradient and density of EntropySGD (Eqs. 10-12, 47, 48), and the prose on them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import (
    ANALYTIC,
    BETA,
    BRASCAMP_LIEB,
    BY_PARTS,
    E_A,
    GAMMA,
    LOSS,
    MASS,
    SPACE,
    THETA_U,
    UNIT,
    Moment,
    S,
    T,
    X,
    at_theta,
    by_cumulants,
    derivative,
    exponent,
    line_integral,
    negative_log_mass,
    score_facts,
)
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin

THETA = sp.Symbol("theta", real=True)
SQUARE = sp.Symbol("|theta-theta'|^2", nonnegative=True)
K = sp.Symbol("k", positive=True)  # curvature of the loss k|theta|^2/2
SMOOTH = sp.Symbol("C", positive=True)  # Lipschitz constant of the loss's gradient
AT_NINE = sp.Rational(45, 14)  # |F''(0)| of the dented loss at gamma = 9


def objective(stated: SimpleNamespace) -> Iterator[Fact]:
    """The printed objective in closed form for two losses, its limit for a narrow scope, its finiteness."""
    quadratic = _objective_of(stated, K * X**2 / 2)
    flat = _objective_of(stated, sp.Integer(0))
    yield identity(
        "for L = 0 each of the m coordinates adds -(1/2) log(2 pi/(beta gamma)) to -F",
        flat,
        -sp.log(2 * sp.pi / (BETA * GAMMA)) / 2,
        method="Gaussian integral of one coordinate (the integrand is a product), sympy identity",
    )
    yield identity(
        "for L = k|theta|^2/2 each coordinate adds (1/2) log(beta (gamma + k)/(2 pi)) + beta gamma k "
        "theta^2/(2 (gamma + k))",
        quadratic,
        sp.log(BETA * (GAMMA + K) / (2 * sp.pi)) / 2 + BETA * GAMMA * K / (2 * (GAMMA + K)) * THETA**2,
        method="Gaussian integral of one coordinate (the integrand is a product), sympy identity",
    )
    yield limit(
        "for L = k theta^2/2, -F + (1/2) log(2 pi/(beta gamma)) tends to beta L as gamma grows",
        quadratic + sp.log(2 * sp.pi / (BETA * GAMMA)) / 2,
        GAMMA,
        sp.oo,
        BETA * K * THETA**2 / 2,
    )
    weight, gauss = sp.symbols("exp(-beta*L) exp(-beta*gamma/2*|.|^2)", positive=True)
    yield implies(
        "0 <= L makes the integrand positive and at most the Gaussian: 0 < e^F <= (2 pi/(beta gamma))^(m/2)",
        [sp.Le(weight, 1)],
        sp.And(sp.Gt(weight * gauss, 0), sp.Le(weight * gauss, gauss)),
    )


def _objective_of(stated: SimpleNamespace, loss: sp.Expr) -> sp.Expr:
    integral = line_integral(sp.Integer(1), stated.exponent.subs({LOSS: loss, SQUARE: (THETA - X) ** 2}))
    return sp.expand_log(stated.outside * sp.log(integral), force=True)


def gradient(stated: SimpleNamespace) -> Iterator[Fact]:
    """The derivative of -F along any direction u, by two routes and on quadratics, against the print."""
    derived = at_theta(derivative(negative_log_mass(), S)).subs(BETA, stated.beta)
    yield identity(
        "differentiating Eq. (10) under the integral along u gives the stated <-nabla F, u>",
        derived,
        stated.gradient,
        method="moments of <theta', u> in Gram scalars, sympy identity",
        shows=(f"<-nabla F, u> = {derived}   with a = <theta', u>",),
    )
    yield identity(
        "so does the cumulant generating function, after completing the square",
        by_cumulants()[0].subs(BETA, stated.beta),
        stated.gradient,
        method="cumulant generating function, sympy identity",
    )
    integral = line_integral(sp.Integer(1), -K * X**2 / 2 - GAMMA / 2 * (THETA - X) ** 2)
    yield identity(
        "for L = k|theta|^2/2, where E[theta'] = gamma theta/(gamma + k), it is the derivative of the "
        "closed form",
        sp.diff(-sp.expand_log(sp.log(integral), force=True), THETA),
        stated.gradient.subs({THETA_U: THETA, E_A: GAMMA * THETA / (GAMMA + K)}),
    )


def density(stated: SimpleNamespace) -> Iterator[Fact]:
    """The printed density is the integrand of Eq. (10) over e^F, of mass one; replayed on quadratics."""
    theta, other, _, _ = SPACE.vectors()
    printed = stated.exponent.subs(SQUARE, SPACE.inner(theta - other, theta - other))
    yield identity(
        "the exponent is the one in Eq. (10)",
        sp.expand(printed),
        exponent().subs({S: 0, T: 0, BETA: stated.beta}),
        method="Gram reduction, sympy identity",
    )
    yield identity(
        "its total mass, the integral of Eq. (10) over the normaliser, is one",
        at_theta(Moment(sp.Integer(1))) / stated.normaliser,
        sp.Integer(1),
    )
    of_one = stated.exponent.subs({LOSS: K * X**2 / 2, SQUARE: (THETA - X) ** 2})
    mass = sp.sqrt(2 * sp.pi / (GAMMA + K)) * sp.exp(-GAMMA * K * THETA**2 / (2 * (GAMMA + K)))
    yield identity(
        "for L = k theta^2/2 and the closed form of e^F its mean is gamma theta/(gamma + k)",
        line_integral(X, of_one) / stated.normaliser.subs(MASS, mass),
        GAMMA * THETA / (GAMMA + K),
    )


POLYNOMIAL = 1 + 2 * X**2 + 2 * X**4
DENTED = X**2 / 2 + sp.log(16) - sp.log(POLYNOMIAL)


def dented_loss() -> Iterator[Fact]:
    """L = theta^2/2 + log 16 - log(1 + 2 theta^2 + 2 theta^4) is non-negative and has sup |L''| = |L''(0)| = 3."""
    z = sp.Symbol("x^2/2", real=True)
    yield implies(
        "L >= 0, for 1 + 2 x^2 + 2 x^4 <= 16 (1 + x^2/2 + x^4/8) <= 16 exp(x^2/2)",
        [sp.Ge(z, 0)],
        sp.Le(sp.expand(POLYNOMIAL.subs(X, sp.sqrt(2 * z))), 16 * sp.series(sp.exp(z), z, 0, 3).removeO()),
    )
    curvature = sp.factor(sp.diff(DENTED, X, 2))
    u = X**2
    yield identity(
        "L'' + 3 = 8 u^2 (5 + 6 u + 2 u^2)/(1 + 2 u + 2 u^2)^2 with u = theta^2: >= 0, and 0 at theta = 0",
        curvature + 3,
        8 * u**2 * (5 + 6 * u + 2 * u**2) / POLYNOMIAL**2,
        dimension=(1,),
    )
    yield identity(
        "3 - L'' = (6 + 24 u + 8 u^2 + 8 u^4)/(1 + 2 u + 2 u^2)^2, which is > 0",
        3 - curvature,
        (6 + 24 * u + 8 * u**2 + 8 * u**4) / POLYNOMIAL**2,
        dimension=(1,),
    )
    yield implies(
        "so sup |L''| = |L''(0)| = 3 is the Lipschitz constant of nabla L: -3 <= L'' <= 3",
        [],
        sp.And(sp.Le(curvature, 3), sp.Ge(curvature, -3)),
        dimension=(1,),
    )


def dented_at_nine() -> Fact:
    """Its -F at gamma = 9 has the second derivative -45/14 at 0."""
    integral = line_integral(POLYNOMIAL / 16, -(X**2) / 2 - sp.Rational(9, 2) * (THETA - X) ** 2)
    entropy = sp.diff(-sp.expand_log(sp.log(integral), force=True), THETA, 2).subs(THETA, 0)
    return identity("-F''(0) = -45/14 at gamma = 9", sp.simplify(entropy), -AT_NINE, dimension=(1,))


def smaller_constant(stated: SimpleNamespace) -> Iterator[Fact]:
    """gamma = 9 and a smooth non-negative loss with sup |L''| = |L''(0)| = 3 whose -F''(0) is -45/14."""
    yield from dented_loss()
    yield dented_at_nine()
    yield compare(
        "the Lipschitz constant of -nabla F, at least |-F''(0)|, is smaller than that of nabla L, sup |L''| "
        "= |L''(0)|",
        AT_NINE,
        stated.relation,
        sp.Abs(sp.diff(DENTED, X, 2).subs(X, 0)),
        point={"L": "theta^2/2 + log 16 - log(1 + 2 theta^2 + 2 theta^4)", "gamma": 9, "theta": 0},
        replay="nabla L has the constant sup |L''| = 3: with u = theta^2, L'' = 1 - (4 + 16 u - 8 u^2 - 16 "
        "u^3)/(1 + 2 u + 2 u^2)^2, which is 1 - 4 = -3 at 0, while L'' + 3 = 8 u^2 (5 + 6 u + 2 u^2)/(1 + 2 "
        "u + 2 u^2)^2 >= 0 and 3 - L'' = (6 + 24 u + 8 u^2 + 8 u^4)/(1 + 2 u + 2 u^2)^2 > 0. The constant of "
        "-nabla F is at least |F''(0)|: e^F is proportional to exp(-9 theta^2/20) E[1 + 2 X^2 + 2 X^4] with "
        "X ~ N(9 theta/10, 1/10), and with mu = 9 theta/10 that expectation is 63/50 + (16/5) mu^2 + 2 mu^4. "
        "So -F''(0) = 9/10 - 2 (16/5)/(63/50) (9/10)^2 = 9/10 - 144/35 = -45/14, and 45/14 > 3.",
        dimension=(1,),
    )


def convex_smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """Var <theta', v> lies between 1/(gamma + C) and 1/gamma for a convex loss, -nabla^2 F accordingly."""
    yield from score_facts()
    variance, information = sp.symbols("Var E[v'(nabla^2V)v]", positive=True)
    curvature = GAMMA - GAMMA**2 * variance
    steepest = sp.diff(SMOOTH * X**2 / 2 + GAMMA / 2 * (THETA - X) ** 2, X, 2)
    yield implies(
        "with V = L + (gamma/2)|theta - .|^2, Cauchy-Schwarz on the two identities gives 1 <= Var "
        "E[v'(nabla^2 V)v], and nabla^2 V <= gamma + C: "
        f"-v'(nabla^2 F)v <= {stated.constant}",
        [sp.Le(UNIT**2, variance * information), sp.Le(information, steepest)],
        sp.Le(curvature, stated.constant),
    )
    yield implies(
        "Var <= 1/gamma (Brascamp-Lieb, for V is gamma-strongly convex) gives -v'(nabla^2 F)v >= 0",
        [sp.Le(GAMMA * variance, 1)],
        sp.Ge(curvature, 0),
    )
    yield identity(
        "L = C|theta|^2/2, for which Var = 1/(gamma + C), attains the constant",
        curvature.subs(variance, 1 / (GAMMA + SMOOTH)),
        stated.constant,
    )
    constant = sp.Symbol("constant", positive=True)
    yield implies(f"{stated.constant} < C", [sp.Eq(constant, stated.constant)], sp.Lt(constant, SMOOTH))


CLAIMS = (
    Claim(
        id="eq10",
        location="Sec. 2.2, Eq. (10)",
        kind="definition",
        equations=(10,),
        title="Objective of EntropySGD",
        statement="-F(theta) = -log of the integral over theta' of exp(-beta L(theta') - beta (gamma/2) "
        "||theta - theta'||^2).",
        latex=r"-F(\theta)=-\log\int\exp\left(-\beta L(\theta')-\beta\tfrac{\gamma}{2}\|\theta-\theta'"
        r"\|_2^2\right)d\theta'",
        assumptions=("beta, gamma > 0", "L is measurable and bounded below"),
        stated={"exponent": -BETA * LOSS - BETA * GAMMA / 2 * SQUARE, "outside": sp.Integer(-1)},
        check=objective,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("gamma in place of gamma/2", {"exponent": -BETA * LOSS - BETA * GAMMA * SQUARE}),
            Twin("F in place of -F", {"outside": sp.Integer(1)}),
            Twin("beta on the loss alone", {"exponent": -BETA * LOSS - GAMMA / 2 * SQUARE}),
        ),
        remark="Chaudhari et al. define F as log of the integral and minimise -F; the sign agrees.",
    ),
    Claim(
        id="eq11",
        location="Sec. 2.2, Eq. (11); App. A, Eq. (47)",
        kind="equation",
        equations=(11, 47),
        title="Gradient of EntropySGD's objective at beta = 1",
        statement="For beta = 1, -nabla F(theta) = gamma (theta - E[theta']) with theta' distributed by "
        "p_theta.",
        latex=r"-\nabla_\theta F(\theta)=\gamma(\theta-\mathbb{E}_{p_\theta(\theta')}[\theta'])",
        assumptions=("beta = 1", "L is measurable and bounded below, not necessarily continuous"),
        cites=(ANALYTIC,),
        stated={"gradient": GAMMA * (THETA_U - E_A), "beta": sp.Integer(1)},
        check=gradient,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign flipped", {"gradient": -GAMMA * (THETA_U - E_A)}),
            Twin("one per cent off", {"gradient": sp.Rational(101, 100) * GAMMA * (THETA_U - E_A)}),
            Twin("beta = 2 with the formula for beta = 1", {"beta": sp.Integer(2)}),
        ),
        remark="For general beta the factor is beta gamma (claim beyond.entropy-beta).",
    ),
    Claim(
        id="eq12",
        location="Sec. 2.2, Eq. (12); App. A, Eq. (48)",
        kind="definition",
        equations=(12, 48),
        title="Density of the inner variable",
        statement="p_theta(theta') = exp(-L(theta') - (gamma/2) ||theta - theta'||^2)/exp(F(theta, gamma)) "
        "is a probability density.",
        latex=r"p_\theta(\theta')=\frac{1}{\exp(F(\theta,\gamma))}\exp\left(-L(\theta')-\tfrac{\gamma}{2}\|"
        r"\theta-\theta'\|_2^2\right)",
        assumptions=(
            "beta = 1",
            "F is that of Eq. (10); the paper writes F(theta) and F(theta, gamma) for the same thing",
        ),
        stated={"exponent": -LOSS - GAMMA / 2 * SQUARE, "normaliser": MASS, "beta": sp.Integer(1)},
        check=density,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("divided by exp(-F)", {"normaliser": 1 / MASS}),
            Twin("gamma in place of gamma/2", {"exponent": -LOSS - GAMMA * SQUARE}),
            Twin("F taken at beta = 2", {"beta": sp.Integer(2)}),
        ),
        remark="The objective printed in Eq. (10) is -F, so that e^F, not e^(-F), is the integral: the "
        "normaliser is right.",
    ),
    Claim(
        id="eq11.smaller-constant",
        location="Sec. 2.2, last paragraph",
        kind="prose",
        title="EntropySGD lowers the constant of every smooth loss",
        statement="EntropySGD improves the smoothness of the smooth loss: the Lipschitz constant of -nabla "
        "F is smaller than that of nabla L "
        "when L is smooth (ascribed to Chaudhari et al.).",
        assumptions=("L is smooth and non-negative; no other condition is mentioned",),
        stated={"relation": "<"},
        check=smaller_constant,
        expected=Verdict.FALSE,
        sides=(sp.Rational(45, 14), 3),
        corrected=Reading(
            statement="If L is convex and nabla L is C-Lipschitz, then 0 <= -nabla^2 F <= gamma C/(gamma + "
            "C), so that the constant of -nabla F "
            "is at most gamma C/(gamma + C) < C; quadratic losses attain it.",
            latex=r"0\preceq-\nabla^2F\preceq\frac{\gamma C}{\gamma+C}I",
            stated={"constant": GAMMA * SMOOTH / (GAMMA + SMOOTH)},
            check=convex_smooth,
        ),
        cites=(ANALYTIC, BRASCAMP_LIEB, BY_PARTS),
        tightness=Tightness(
            pair="L = |theta|^2/2, gamma = 2: Var = 1/3 in each direction, -nabla^2 F = 2 - 4/3 = 2/3",
            attained=2 - 4 * sp.Rational(1, 3),
            bound=(GAMMA * SMOOTH / (GAMMA + SMOOTH)).subs({GAMMA: 2, SMOOTH: 1}),
        ),
        twins=(
            Twin(
                "constant one per cent smaller",
                {"constant": sp.Rational(99, 100) * GAMMA * SMOOTH / (GAMMA + SMOOTH)},
            ),
            Twin(
                "constant one per cent larger",
                {"constant": sp.Rational(101, 100) * GAMMA * SMOOTH / (GAMMA + SMOOTH)},
            ),
            Twin("no better than C itself", {"constant": SMOOTH}),
        ),
        remark="Smaller still: L = -theta^2/2 (not bounded below) with gamma = 2 has L'' = -1 and -F'' = "
        "-2. Chaudhari et al. assume that no "
        "eigenvalue of the Hessian of L lies in [-2 gamma - c, c]. Without convexity the constant may grow "
        "to gamma C/(gamma - C) "
        "(claim beyond.entropy-smooth).",
    ),
)

"""Beyond Theorem 3: general beta, its limit beta -> oo, and descent that needs no Lipschitz constant."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import (
    ANALYTIC,
    BETA,
    E_A,
    E_AA,
    E_AB,
    E_B,
    GAMMA,
    LOSS,
    SPECTRAL,
    THETA_U,
    U_V,
    S,
    T,
    X,
    at_theta,
    by_cumulants,
    derivative,
    exponent,
    line_integral,
    negative_log_mass,
    one_direction,
)
from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Twin
from theory.statements.sec4.theorem3 import EIGENVALUE, FROBENIUS, largest_at_most_frobenius

THETA = sp.Symbol("theta", real=True)
K, STEP = sp.symbols("k eta", positive=True)
COVARIANCE = sp.Symbol("u'Sigma v", real=True)
GAP = sp.Symbol("|theta-E|^2", nonnegative=True)
METHOD = "moments of <theta', u>, <theta', v> in Gram scalars, sympy identity"


def general_beta(stated: SimpleNamespace) -> Iterator[Fact]:
    """Gradient and Hessian at any beta, by two routes, and the rule that carries beta = 1 over to it."""
    first = derivative(negative_log_mass(), S)
    hessian = stated.hessian.subs(COVARIANCE, E_AB - E_A * E_B)
    yield identity("<-nabla F, u>", at_theta(first), stated.gradient, method=METHOD)
    yield identity("-u'(nabla^2 F)v", at_theta(derivative(first, T)), hessian, method=METHOD)
    cumulants = by_cumulants()
    yield identity(
        "the first cumulant agrees", cumulants[0], stated.gradient, method="cumulant generating function"
    )
    yield identity("the second cumulant agrees", cumulants[1], hessian, method="cumulant generating function")
    one = exponent().subs({S: 0, T: 0, BETA: 1})
    yield identity(
        "Eq. (10) at beta is Eq. (10) at beta = 1 with beta L for L and beta gamma for gamma",
        sp.expand(one.subs({LOSS: BETA * LOSS, GAMMA: BETA * GAMMA}, simultaneous=True)),
        exponent().subs({S: 0, T: 0}),
        method="Gram reduction, sympy identity",
    )


def theorem_at_beta(stated: SimpleNamespace) -> Iterator[Fact]:
    """Theorem 3 at any beta: the eigenvalues are beta gamma - beta^2 gamma^2 lambda."""
    eigenvalue = BETA * GAMMA - BETA**2 * GAMMA**2 * EIGENVALUE
    yield identity(
        "along a unit vector v, -v'(nabla^2 F)v = beta gamma - (beta gamma)^2 Var<theta', v>",
        one_direction(derivative(derivative(negative_log_mass(), S), T)),
        eigenvalue.subs(EIGENVALUE, E_AA - E_A**2),
        method=METHOD,
    )
    yield from largest_at_most_frobenius()
    yield implies(
        f"|eigenvalue| <= {stated.constant}",
        [sp.Le(EIGENVALUE, FROBENIUS)],
        sp.And(eigenvalue <= stated.constant, eigenvalue >= -stated.constant),
        method="mean value inequality, z3 on the eigenvalues",
    )
    top, norm = sp.symbols("lambda_max norm", positive=True)
    ends = [end.subs(EIGENVALUE, top) for end in stated.sharper]
    yield implies(
        "|eigenvalue| is at most the larger of the two ends as well",
        [sp.Le(EIGENVALUE, top), *(sp.Le(end, norm) for end in ends)],
        sp.And(eigenvalue <= norm, eigenvalue >= -norm),
        method="mean value inequality, z3 on the eigenvalues",
    )
    yield identity(
        "as the variance tends to 0 and at lambda_max these are the absolute values themselves",
        sp.Matrix([eigenvalue.subs(EIGENVALUE, 0), -eigenvalue.subs(EIGENVALUE, top)]),
        sp.Matrix(ends),
    )
    for end in (0, sp.oo):
        yield limit(
            f"for m = 1 the ratio of |F''| to the constant tends to 1 as the variance tends to {end}",
            (sp.Abs(eigenvalue) / stated.constant.subs(FROBENIUS, EIGENVALUE)).subs({GAMMA: 1, BETA: 2}),
            EIGENVALUE,
            end,
            1,
            dimension=(1,),
        ).as_example()


def cold(stated: SimpleNamespace) -> Iterator[Fact]:
    """-F/beta for L = k|theta|^2/2 as beta grows, against the minimum of L + (gamma/2)|theta - .|^2."""
    inner = K * X**2 / 2 + GAMMA / 2 * (THETA - X) ** 2
    (minimiser,) = sp.solve(sp.diff(inner, X), X)
    yield identity("the Moreau envelope of L", sp.factor(inner.subs(X, minimiser)), stated.envelope)
    integral = line_integral(sp.Integer(1), -BETA * inner)
    value = -sp.expand_log(sp.log(integral), force=True) / BETA
    yield limit("-F/beta tends to it as beta grows", sp.expand(value), BETA, sp.oo, stated.envelope)


def descent(stated: SimpleNamespace) -> Iterator[Fact]:
    """-F(theta + eta (E theta' - theta)) <= -F(theta) - decrease: Jensen's inequality and nothing else."""
    space = Space("theta", "theta'", "h")
    theta, other, h = space.vectors()
    moved, still = theta + h - other, theta - other
    change = GAMMA / 2 * (space.inner(moved, moved) - space.inner(still, still))
    yield identity(
        "the exponent changes by (gamma/2)|h|^2 + gamma <h, theta - theta'> when theta moves by h",
        sp.expand(change),
        sp.expand(GAMMA / 2 * space.inner(h, h) + GAMMA * space.inner(h, theta - other)),
        method="Gram reduction, sympy identity",
    )
    # Jensen: -log E exp(-change) <= E change, which is linear in theta'; so theta' becomes its mean, and then
    # h = -eta (theta - mean).
    mean_space = Space("gap")
    (gap,) = mean_space.vectors()
    step = -STEP * gap
    expected = GAMMA / 2 * mean_space.inner(step, step) + GAMMA * mean_space.inner(step, gap)
    yield identity(
        "so -F rises by at most E of that; with h = -eta (theta - E theta') this is minus the stated "
        "decrease",
        sp.factor(expected.subs(mean_space.length("gap"), sp.sqrt(GAP))),
        -stated.decrease,
        method="Jensen's inequality, Gram reduction",
    )
    decrease = sp.Symbol("decrease", real=True)
    yield implies(
        f"the decrease is >= 0 for 0 < eta <= {stated.largest_step}",
        [sp.Eq(decrease, stated.decrease), stated.largest_step >= STEP],
        decrease >= 0,
    )
    yield identity(
        "it vanishes at the largest step", stated.decrease.subs(STEP, stated.largest_step), sp.Integer(0)
    )
    flat = -sp.expand_log(
        sp.log(line_integral(sp.Integer(1), -K * X**2 / 2 - GAMMA / 2 * (THETA - X) ** 2)), force=True
    )
    mean = GAMMA * THETA / (GAMMA + K)
    true_decrease = flat - flat.subs(THETA, mean)
    promised = stated.decrease.subs({STEP: 1, GAP: (THETA - mean) ** 2})
    ratio = (2 * GAMMA + K) / (GAMMA + K)
    yield identity(
        "for L = k|theta|^2/2, eta = 1 the true decrease is (2 gamma + k)/(gamma + k) times the promised",
        sp.expand(true_decrease),
        ratio * promised,
    )
    yield limit("which tends to 1 as k grows: no larger decrease can be promised", ratio, K, sp.oo, 1)


_PRINTED = BETA * GAMMA + BETA**2 * GAMMA**2 * FROBENIUS
_LESS = sp.Rational(99, 100)

CLAIMS = (
    Claim(
        id="beyond.entropy-beta",
        location="extends Eqs. (11), (53) to any beta",
        kind="beyond",
        title="Gradient and Hessian of -F for any beta",
        statement="For any beta > 0, -nabla F = beta gamma (theta - E[theta']) and -nabla^2 F = beta gamma "
        "I - beta^2 gamma^2 Sigma_theta; Eq. (10) at beta is Eq. (10) at "
        "beta = 1 for the loss beta L and the scope beta gamma.",
        latex=r"-\nabla F=\beta\gamma(\theta-\mathbb{E}[\theta']),\quad-\nabla^2F=\beta\gamma I-\beta^2"
        r"\gamma^2\Sigma_\theta",
        assumptions=(
            "L is measurable and bounded below",
            "p_theta is proportional to the integrand of Eq. (10)",
        ),
        cites=(ANALYTIC,),
        stated={
            "gradient": BETA * GAMMA * (THETA_U - E_A),
            "hessian": BETA * GAMMA * U_V - BETA**2 * GAMMA**2 * COVARIANCE,
        },
        check=general_beta,
        expected=Verdict.TRUE,
        twins=(
            Twin("gradient as in Eq. (11)", {"gradient": GAMMA * (THETA_U - E_A)}),
            Twin("Hessian as in Eq. (53)", {"hessian": GAMMA * U_V - GAMMA**2 * COVARIANCE}),
            Twin("beta in place of beta^2", {"hessian": BETA * GAMMA * U_V - BETA * GAMMA**2 * COVARIANCE}),
        ),
    ),
    Claim(
        id="beyond.theorem3-beta",
        location="extends Theorem 3 to any beta",
        kind="beyond",
        title="Theorem 3 for any beta",
        statement="For L >= 0 and any beta > 0, -nabla F is (beta gamma + beta^2 gamma^2 sup "
        "||Sigma_theta||_F)-Lipschitz on convex sets, and "
        "max(beta gamma, beta^2 gamma^2 sup lambda_max - beta gamma) serves too.",
        latex=r"\beta\gamma+\beta^2\gamma^2\sup_\theta\|\Sigma_\theta\|_F",
        assumptions=("L >= 0 is measurable",),
        cites=(ANALYTIC, SPECTRAL, "mean value inequality"),
        stated={
            "constant": _PRINTED,
            "sharper": (BETA * GAMMA, BETA**2 * GAMMA**2 * EIGENVALUE - BETA * GAMMA),
        },
        check=theorem_at_beta,
        expected=Verdict.TRUE,
        twins=(
            Twin("constant one per cent smaller", {"constant": _LESS * _PRINTED}),
            Twin("the constant of beta = 1", {"constant": GAMMA + GAMMA**2 * FROBENIUS}),
            Twin("beta in place of beta^2", {"constant": BETA * GAMMA + BETA * GAMMA**2 * FROBENIUS}),
        ),
    ),
    Claim(
        id="beyond.entropy-cold",
        location="extends Eq. (10): beta -> oo",
        kind="beyond",
        title="For large beta, -F/beta is the Moreau envelope",
        statement="For L = k||theta||^2/2, -F/beta tends to the Moreau envelope min L(theta') + "
        "(gamma/2)||theta - theta'||^2 = gamma k ||theta||^2/(2 (gamma + k)) as "
        "beta grows.",
        latex=r"\lim_{\beta\to\infty}-\frac{F(\theta)}{\beta}=\min_{\theta'}L(\theta')+\tfrac\gamma2\|"
        r"\theta-\theta'\|^2",
        assumptions=(
            "stated for quadratic losses, coordinate by coordinate; for continuous losses by Laplace's "
            "method",
        ),
        stated={"envelope": GAMMA * K * THETA**2 / (2 * (GAMMA + K))},
        check=cold,
        expected=Verdict.TRUE,
        twins=(
            Twin("the loss itself", {"envelope": K * THETA**2 / 2}),
            Twin(
                "one per cent off",
                {"envelope": sp.Rational(101, 100) * GAMMA * K * THETA**2 / (2 * (GAMMA + K))},
            ),
        ),
    ),
    Claim(
        id="beyond.entropy-descent",
        location="replaces Theorem 3 as a reason for convergence",
        kind="beyond",
        title="The outer step descends for every L bounded below",
        statement="The step theta <- theta - eta (theta - E[theta']) lowers -F by gamma (eta - eta^2/2) "
        "||theta - E[theta']||^2 at least, for 0 < eta <= 2 and any measurable "
        "L bounded below: -F - (gamma/2)||.||^2 is concave, and descent needs no bound on Sigma.",
        latex=r"-F(\theta-\eta(\theta-\mathbb{E}\theta'))\le-F(\theta)-\gamma\left(\eta-\tfrac{\eta^2}2"
        r"\right)\|\theta-\mathbb{E}\theta'\|^2",
        assumptions=("beta = 1", "the mean E[theta'] is exact, not estimated by Langevin steps"),
        cites=("Jensen's inequality",),
        stated={"decrease": GAMMA * (STEP - STEP**2 / 2) * GAP, "largest_step": sp.Integer(2)},
        check=descent,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "one per cent more", {"decrease": sp.Rational(101, 100) * GAMMA * (STEP - STEP**2 / 2) * GAP}
            ),
            Twin("steps up to 3", {"largest_step": sp.Integer(3)}),
            Twin("eta^2 in place of eta^2/2", {"decrease": GAMMA * (STEP - STEP**2) * GAP}),
        ),
        remark="In terms of the gradient: eta = 1 is the gradient step of length 1/gamma, with a decrease "
        "of |nabla F|^2/(2 gamma). Summed over n steps from theta_0, some "
        "|nabla F|^2 is at most (2 gamma/n)(-F(theta_0) - inf(-F)), and inf(-F) >= -(m/2) log(2 pi/gamma) "
        "for L >= 0.",
    ),
)

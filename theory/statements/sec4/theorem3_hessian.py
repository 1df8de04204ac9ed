"""Theorem 3, proof: the Hessian gamma I - gamma^2 Sigma of -F and its spectral norm (Eqs. 53-55)."""

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
    SPECTRAL,
    U_V,
    A,
    S,
    T,
    X,
    at_theta,
    by_cumulants,
    derivative,
    expectation,
    line_integral,
    negative_log_mass,
)
from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec4.theorem3 import EIGENVALUE, FROBENIUS, exact_norm, largest_at_most_frobenius

THETA = sp.Symbol("theta", real=True)
K = sp.Symbol("k", positive=True)
COVARIANCE = sp.Symbol("u'Sigma v", real=True)
LARGEST = sp.Symbol("sigma_1(Sigma)", positive=True)
METHOD = "moments of <theta', u>, <theta', v> in Gram scalars, sympy identity"


def entry(stated: SimpleNamespace) -> Iterator[Fact]:
    """The bilinear form of -nabla^2 F along any u, v: twice by different routes, then on quadratic losses."""
    printed = stated.form.subs(COVARIANCE, E_AB - E_A * E_B)
    derived = at_theta(derivative(derivative(negative_log_mass(), S), T)).subs(BETA, stated.beta)
    yield identity(
        "differentiating Eq. (10) twice under the integral along u and v",
        derived,
        printed,
        method=METHOD,
        shows=(f"-u'(nabla^2 F)v = {derived}   with a = <theta', u>, b = <theta', v>",),
    )
    yield identity(
        "the second cumulant of (a, b), after completing the square",
        by_cumulants()[1].subs(BETA, stated.beta),
        printed,
        method="cumulant generating function, sympy identity",
    )
    integral = line_integral(sp.Integer(1), -K * X**2 / 2 - GAMMA / 2 * (THETA - X) ** 2)
    yield identity(
        "for L = k|theta|^2/2, where Sigma = I/(gamma + k), it is the second derivative of the closed form",
        sp.factor(sp.diff(-sp.expand_log(sp.log(integral), force=True), THETA, 2)),
        stated.form.subs({U_V: 1, COVARIANCE: 1 / (GAMMA + K)}),
    )


def covariance(stated: SimpleNamespace) -> Iterator[Fact]:
    """v'(E[theta' theta'^T] - E[theta'] E[theta'^T])v is the variance of <theta', v>, hence non-negative."""
    yield identity(
        "E(a - E a)^2 = E a^2 - (E a)^2 for a = <theta', v> and every direction v",
        expectation(sp.expand((A - E_A) ** 2)),
        stated.form,
        method=METHOD,
    )
    integral = line_integral(sp.Integer(1), -K * X**2 / 2 - GAMMA / 2 * (THETA - X) ** 2)
    moments = [
        sp.simplify(line_integral(X**power, -K * X**2 / 2 - GAMMA / 2 * (THETA - X) ** 2) / integral)
        for power in (1, 2)
    ]
    yield identity(
        "for L = k|theta|^2/2 it is 1/(gamma + k) in each direction",
        stated.form.subs({E_A: moments[0], E_AA: moments[1]}),
        1 / (GAMMA + K),
    )


def triangle(stated: SimpleNamespace) -> Iterator[Fact]:
    """Every eigenvalue gamma - gamma^2 lambda against the sum of the two norms, and that sum evaluated."""
    yield implies(
        "sigma_1(gamma I - gamma^2 Sigma) is at most the stated middle, and smaller, for Sigma is positive "
        "definite",
        [sp.Le(EIGENVALUE, LARGEST)],
        sp.And(
            sp.Lt(GAMMA - GAMMA**2 * EIGENVALUE, stated.middle),
            sp.Gt(GAMMA - GAMMA**2 * EIGENVALUE, -stated.middle),
        ),
        method="triangle inequality on the eigenvalues, z3",
    )
    yield identity(
        "gamma sigma_1(I) + sigma_1(-gamma^2 Sigma) is the stated right side",
        GAMMA * sp.Abs(sp.Integer(1)) + sp.Abs(-(GAMMA**2)) * LARGEST,
        stated.right,
    )
    yield identity("middle and right side are equal", stated.middle, stated.right)


def frobenius(stated: SimpleNamespace) -> Iterator[Fact]:
    """The step from the spectral to the Frobenius norm, with equality for m = 1."""
    yield from largest_at_most_frobenius()
    yield implies(
        f"{stated.left} <= {stated.right}",
        [sp.Le(LARGEST, FROBENIUS)],
        sp.Le(stated.left, stated.right),
    )
    yield identity(
        "equality for m = 1, where both norms are the variance",
        stated.left,
        stated.right.subs(FROBENIUS, LARGEST),
        dimension=(1,),
    ).as_example()
    yield identity("the left side is that of Eq. (54)", stated.left, GAMMA + GAMMA**2 * LARGEST)


CLAIMS = (
    Claim(
        id="theorem3.hessian-entry",
        location="App. A, proof of Theorem 3, after Eq. (52)",
        kind="proof step",
        title="Entries of the Hessian of -F",
        statement="-d2F/dtheta_j dtheta_i = gamma delta_ij - gamma^2 (E[theta'_j theta'_i] - E[theta'_j] "
        "E[theta'_i]).",
        latex=r"-\frac{\partial^2F}{\partial\theta_j\partial\theta_i}=\gamma\delta_{ij}"
        r"-\gamma^2(\mathbb{E}[\theta'_j\theta'_i]-\mathbb{E}[\theta'_j]\mathbb{E}[\theta'_i])",
        assumptions=("beta = 1",),
        cites=(ANALYTIC,),
        stated={"form": GAMMA * U_V - GAMMA**2 * COVARIANCE, "beta": sp.Integer(1)},
        check=entry,
        expected=Verdict.TRUE,
        twins=(
            Twin("plus in front of the covariance", {"form": GAMMA * U_V + GAMMA**2 * COVARIANCE}),
            Twin("gamma in place of gamma^2", {"form": GAMMA * U_V - GAMMA * COVARIANCE}),
        ),
    ),
    Claim(
        id="theorem3.covariance",
        location="App. A, proof of Theorem 3, before Eq. (53)",
        kind="proof step",
        title="The matrix of second moments is the covariance",
        statement="E[theta' theta'^T] - E[theta'] E[theta'^T] is the variance-covariance matrix of "
        "p_theta; it is positive definite.",
        latex=r"\Sigma_\theta=\mathbb{E}[\theta'\theta'^T]-\mathbb{E}[\theta']\mathbb{E}[\theta'^T]\succ0",
        assumptions=("definite because p_theta has a density: no linear form of theta' is constant",),
        stated={"form": E_AA - E_A**2},
        check=covariance,
        expected=Verdict.TRUE,
        twins=(
            Twin("plus in place of minus", {"form": E_AA + E_A**2}),
            Twin("mean not subtracted", {"form": E_AA}),
        ),
    ),
    Claim(
        id="theorem3.eq53",
        location="App. A, proof of Theorem 3, Eq. (53)",
        kind="equation",
        equations=(53,),
        title="Hessian of -F is gamma I - gamma^2 Sigma",
        statement="-nabla^2 F = gamma I - gamma^2 Sigma_theta.",
        latex=r"-\nabla_\theta^2F=\gamma I-\gamma^2\Sigma_\theta",
        assumptions=("beta = 1", "L is measurable and bounded below"),
        cites=(ANALYTIC,),
        stated={"form": GAMMA * U_V - GAMMA**2 * COVARIANCE, "beta": sp.Integer(1)},
        check=entry,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign of Sigma", {"form": GAMMA * U_V + GAMMA**2 * COVARIANCE}),
            Twin(
                "gamma I one per cent off",
                {"form": sp.Rational(101, 100) * GAMMA * U_V - GAMMA**2 * COVARIANCE},
            ),
            Twin("beta = 2 with the formula for beta = 1", {"beta": sp.Integer(2)}),
        ),
        remark="An identity of bilinear forms in arbitrary directions u, v, hence of matrices of any size. "
        "For general beta: "
        "beta gamma I - beta^2 gamma^2 Sigma (claim beyond.entropy-beta).",
    ),
    Claim(
        id="theorem3.eq54",
        location="App. A, proof of Theorem 3, Eq. (54)",
        kind="proof step",
        equations=(54,),
        title="Triangle inequality for the spectral norm",
        statement="sigma_1(gamma I - gamma^2 Sigma) <= gamma sigma_1(I) + sigma_1(-gamma^2 Sigma) = gamma "
        "+ gamma^2 sigma_1(Sigma).",
        latex=r"\sigma_1(\gamma I-\gamma^2\Sigma_\theta)\le\gamma\sigma_1(I)+\sigma_1(-\gamma^2\Sigma_"
        r"\theta)=\gamma+\gamma^2\sigma_1(\Sigma_\theta)",
        assumptions=("Sigma is symmetric and positive definite",),
        cites=(SPECTRAL,),
        stated={"middle": GAMMA + GAMMA**2 * LARGEST, "right": GAMMA + GAMMA**2 * LARGEST},
        check=triangle,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="sigma_1(gamma I - gamma^2 Sigma) = max(gamma - gamma^2 lambda_min, gamma^2 "
            "lambda_max - gamma).",
            latex=r"\max\left(\gamma-\gamma^2\lambda_{\min},\gamma^2\lambda_{\max}-\gamma\right)",
            stated={"lower": GAMMA - GAMMA**2 * EIGENVALUE, "upper": GAMMA**2 * EIGENVALUE - GAMMA},
            check=exact_norm,
        ),
        twins=(
            Twin(
                "constant one per cent smaller",
                dict.fromkeys(("middle", "right"), sp.Rational(99, 100) * (GAMMA + GAMMA**2 * LARGEST)),
            ),
            Twin(
                "difference in place of sum", dict.fromkeys(("middle", "right"), GAMMA - GAMMA**2 * LARGEST)
            ),
            Twin("gamma sigma_1(Sigma)", dict.fromkeys(("middle", "right"), GAMMA + GAMMA * LARGEST)),
            Twin("sharpened: the larger end without gamma", {"upper": GAMMA**2 * EIGENVALUE}, of="sharpest"),
        ),
        remark="Never an equality: the two terms have opposite signs, so the bound adds what in truth is "
        "subtracted. The first = of Eq. (54) "
        "is Eq. (53).",
    ),
    Claim(
        id="theorem3.eq55",
        location="App. A, proof of Theorem 3, Eq. (55)",
        kind="proof step",
        equations=(55,),
        title="Spectral norm at most Frobenius norm",
        statement="gamma + gamma^2 sigma_1(Sigma) <= gamma + gamma^2 ||Sigma||_F.",
        latex=r"\gamma+\gamma^2\sigma_1(\Sigma_\theta)\le\gamma+\gamma^2\|\Sigma_\theta\|_F",
        assumptions=("any dimension m; Sigma symmetric",),
        cites=(SPECTRAL,),
        stated={"left": GAMMA + GAMMA**2 * LARGEST, "right": GAMMA + GAMMA**2 * FROBENIUS},
        check=frobenius,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="m = 1: Sigma is a number, for example 1/2 for L = theta^2/2 and gamma = 1",
            attained=(GAMMA + GAMMA**2 * LARGEST).subs({GAMMA: 1, LARGEST: sp.Rational(1, 2)}),
            bound=(GAMMA + GAMMA**2 * FROBENIUS).subs({GAMMA: 1, FROBENIUS: sp.Rational(1, 2)}),
        ),
        twins=(
            Twin(
                "right side one per cent smaller",
                {"right": sp.Rational(99, 100) * (GAMMA + GAMMA**2 * FROBENIUS)},
            ),
            Twin("gamma ||Sigma||_F", {"right": GAMMA + GAMMA * FROBENIUS}),
        ),
    ),
)

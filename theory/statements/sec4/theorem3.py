"""Theorem 3: the Lipschitz constant of -nabla F (Eqs. 23, 46, 72), the set of its supremum, and its index."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import (
    ANALYTIC,
    BETA,
    E_A,
    E_AA,
    GAMMA,
    LOSS,
    SPECTRAL,
    S,
    T,
    X,
    by_cumulants,
    derivative,
    line_integral,
    negative_log_mass,
    one_direction,
)
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec4.entropy_examples import THETA, double_well

EIGENVALUE = sp.Symbol("lambda", positive=True)  # an eigenvalue of Sigma
FROBENIUS = sp.Symbol("||Sigma||_F", positive=True)
ANY = sp.Symbol("K", positive=True)  # any bound that someone might claim
CURVATURE = GAMMA - GAMMA**2 * EIGENVALUE  # an eigenvalue of -nabla^2 F at beta = 1
PRINTED = GAMMA + GAMMA**2 * FROBENIUS
# A smooth double well whose -F is elementary.
WELLS = "theta^2/2 + 18 - log cosh(6 theta)"


def lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """Mean value inequality, eigenvalues gamma - gamma^2 lambda of -nabla^2 F, and lambda <= ||Sigma||_F."""
    yield identity(
        "along a unit vector v, -v'(nabla^2 F)v = gamma - gamma^2 Var<theta', v>: the eigenvalues are "
        "gamma - gamma^2 lambda",
        one_direction(derivative(derivative(negative_log_mass(), S), T)).subs(BETA, 1),
        CURVATURE.subs(EIGENVALUE, E_AA - E_A**2),
        method="moments of <theta', v> in Gram scalars, sympy identity",
    )
    yield from largest_at_most_frobenius()
    yield implies(
        f"on the segment the spectral norm |gamma - gamma^2 lambda| is at most {stated.constant}, and with "
        f"it the Lipschitz ratio",
        [sp.Le(EIGENVALUE, FROBENIUS)],
        sp.And(stated.constant >= CURVATURE, -stated.constant <= CURVATURE),
        method="mean value inequality, z3 on the eigenvalues",
    )
    # For m = 1, where ||Sigma||_F = lambda, both coefficients are needed in the limit.
    alone = stated.constant.subs(FROBENIUS, EIGENVALUE)
    for end in (0, sp.oo):
        yield limit(
            f"for m = 1 the ratio of |F''| to the constant tends to 1 as the variance tends to {end}",
            sp.Abs(CURVATURE).subs(GAMMA, 1) / alone.subs(GAMMA, 1),
            EIGENVALUE,
            end,
            1,
            dimension=(1,),
        ).as_example()


def largest_at_most_frobenius() -> Iterator[Fact]:
    """lambda_1 <= ||Sigma||_F, for ||Sigma||_F^2 is the sum of the squared eigenvalues, in any dimension."""
    rest = sp.Symbol("lambda_2^2+...+lambda_m^2", nonnegative=True)
    yield implies(
        "spectral norm <= Frobenius norm",
        [sp.Eq(FROBENIUS**2, EIGENVALUE**2 + rest)],
        sp.Le(EIGENVALUE, FROBENIUS),
        method="sum of squared eigenvalues, z3",
    )


def exact_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    """The spectral norm of gamma I - gamma^2 Sigma, from the smallest and the largest eigenvalue of Sigma."""
    top, bottom = sp.symbols("lambda_1 lambda_m", positive=True)
    norm = sp.Symbol("norm", real=True)
    ends = (stated.lower.subs(EIGENVALUE, bottom), stated.upper.subs(EIGENVALUE, top))
    yield identity("at the smallest eigenvalue the Hessian's is", CURVATURE.subs(EIGENVALUE, bottom), ends[0])
    yield identity("at the largest it is, with the sign reversed,", -CURVATURE.subs(EIGENVALUE, top), ends[1])
    yield implies(
        "every eigenvalue of the Hessian is at most the larger of the two in absolute value",
        [bottom <= EIGENVALUE, top >= EIGENVALUE, norm >= ends[0], norm >= ends[1]],
        sp.And(norm >= CURVATURE, -norm <= CURVATURE),
        method="spectral mapping, z3",
    )
    yield implies(
        "and that is less than the printed constant",
        [sp.Le(top, FROBENIUS)],
        sp.And(sp.Lt(ends[0], PRINTED), sp.Lt(ends[1], PRINTED)),
    )


def over_the_set_alone(stated: SimpleNamespace) -> Iterator[Fact]:
    """Two points of a double well between which the mean of p_theta jumps while Sigma is small at both."""
    objective = double_well(sp.Integer(1), sp.Integer(1), sp.Integer(6))
    yield identity(
        "-F = theta^2/4 - log cosh(3 theta) + const, from the Gaussian integrals of the two wells",
        sp.diff(objective, THETA),
        sp.diff(THETA**2 / 4 - sp.log(sp.cosh(3 * THETA)), THETA).rewrite(sp.exp),
        dimension=(1,),
    )
    slope, curvature = sp.diff(objective, THETA), sp.diff(objective, THETA, 2)
    ends = (sp.log(2), -sp.log(2))
    spread = [sp.simplify(1 - curvature.subs(THETA, end)) for end in ends]
    yield identity("Sigma is the same at both points", spread[0], spread[1], dimension=(1,))
    yield compare(
        f"||nabla F(log 2) - nabla F(-log 2)|| <= ({stated.constant}) 2 log 2 with the supremum over these "
        f"two points",
        sp.Abs(sp.simplify(slope.subs(THETA, ends[0])) - sp.simplify(slope.subs(THETA, ends[1]))),
        "<=",
        stated.constant.subs({GAMMA: 1, FROBENIUS: spread[0]}) * 2 * sp.log(2),
        point={"gamma": 1, "L(theta)": WELLS, "Theta": "{log 2, -log 2}"},
        replay="-F' = theta/2 - 3 tanh(3 theta) and Sigma = 1/2 + 9/cosh(3 theta)^2. At theta = log 2: "
        "exp(3 theta) = 8, tanh = 63/65, "
        "1/cosh^2 = 256/4225. The gradients differ by 378/65 - log 2 = 5.12, the bound is (3/2 + "
        "2304/4225) 2 log 2 = 2.84.",
        dimension=(1,),
    )


def label(stated: SimpleNamespace) -> Iterator[Fact]:
    """The total mass that the density of L = 0 with gamma = 2 pi gives to [-1, 1], centred as printed."""
    exponent = (-LOSS - sp.pi * (stated.centre - X) ** 2).subs(LOSS, 0)
    mass = line_integral(sp.Integer(1), -sp.pi * (THETA - X) ** 2)
    yield compare(
        "p gives the interval [-1, 1] at most the mass one (theta = 0)",
        sp.integrate(sp.exp(exponent.subs(THETA, 0)), (X, -1, 1)) / mass,
        "<=",
        sp.Integer(1),
        point={"L": 0, "gamma": "2 pi", "theta": 0},
        replay="p_theta'(theta') has theta' also in the place of theta: the quadratic term vanishes, and "
        "exp(-L) = 1 has integral 2 "
        "over [-1, 1], while e^F = 1.",
        dimension=(1,),
    ).as_example()
    yield identity(
        f"the stated centre {stated.centre} gives the exponent of Eq. (10), whose integral is e^F, coordinate "
        "by coordinate",
        GAMMA * (stated.centre - X) ** 2,
        GAMMA * (THETA - X) ** 2,
        method="sum over coordinates, sympy identity",
    )


def hessian_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (72) from Eqs. (53)-(55), the Hessian taken from the cumulant generating function."""
    yield identity(
        "along a unit vector, -v'(nabla^2 F)v = gamma - gamma^2 Var<theta', v>",
        one_direction(by_cumulants()[1]).subs(BETA, 1),
        CURVATURE.subs(EIGENVALUE, E_AA - E_A**2),
        method="cumulant generating function, sympy identity",
    )
    yield from largest_at_most_frobenius()
    yield implies(
        f"|gamma - gamma^2 lambda| <= {stated.constant}",
        [sp.Le(EIGENVALUE, FROBENIUS)],
        sp.And(stated.constant >= CURVATURE, -stated.constant <= CURVATURE),
    )
    yield identity(
        "the constant is what the triangle inequality gives for m = 1: |gamma| + |-gamma^2 lambda|",
        stated.constant.subs(FROBENIUS, EIGENVALUE),
        sp.Add(*(sp.Abs(term) for term in CURVATURE.args)),
        dimension=(1,),
    ).as_example()


_THEOREM = (
    "For the non-negative loss L, ||nabla F(theta_1) - nabla F(theta_2)|| <= "
    "(gamma + gamma^2 sup ||Sigma_theta||_F) ||theta_1 - theta_2||"
)
_THEOREM_LATEX = (
    r"\|\nabla F(\theta_1)-\nabla F(\theta_2)\|\le"
    r"\left(\gamma+\gamma^2\sup_\theta\|\Sigma_\theta\|_F\right)\|\theta_1-\theta_2\|"
)


SHARP_TWINS = (
    Twin("sharpened: the larger end without gamma", {"upper": GAMMA**2 * EIGENVALUE}, of="sharpest"),
    Twin("sharpened: the smaller end with gamma once", {"lower": GAMMA - GAMMA * EIGENVALUE}, of="sharpest"),
)
CONSTANT_TWINS = (
    Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * PRINTED}),
    Twin("gamma in place of gamma^2", {"constant": GAMMA + GAMMA * FROBENIUS}),
    Twin("without the first gamma", {"constant": GAMMA**2 * FROBENIUS}),
    Twin("minus in place of plus", {"constant": GAMMA - GAMMA**2 * FROBENIUS}),
)

CLAIMS = (
    Claim(
        id="theorem3",
        location="Sec. 4, Theorem 3; App. A",
        kind="theorem",
        equations=(23, 46),
        title="-nabla F is (gamma + gamma^2 sup ||Sigma||_F)-Lipschitz",
        statement=f"{_THEOREM}, the supremum being over all theta, or over a convex set that contains both.",
        latex=_THEOREM_LATEX,
        assumptions=(
            "beta = 1",
            "L >= 0 is measurable; neither continuity nor smoothness is needed",
            "the supremum runs over the segment from theta_1 to theta_2 at least; where it is infinite the "
            "inequality says nothing",
        ),
        cites=(ANALYTIC, SPECTRAL, "mean value inequality"),
        stated={"constant": PRINTED},
        check=lipschitz,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="The Lipschitz constant on an open convex set is exactly the supremum over it of "
            "max(gamma - gamma^2 lambda_min(Sigma_theta), gamma^2 lambda_max(Sigma_theta) - gamma).",
            latex=r"\sup_\theta\max\left(\gamma-\gamma^2\lambda_{\min},\gamma^2\lambda_{\max}-\gamma\right)",
            stated={"lower": GAMMA - GAMMA**2 * EIGENVALUE, "upper": GAMMA**2 * EIGENVALUE - GAMMA},
            check=exact_norm,
        ),
        twins=(*CONSTANT_TWINS, *SHARP_TWINS),
        remark="The printed constant is never attained, for Sigma is positive definite; max(gamma, gamma^2 "
        "sup lambda_max - gamma) serves "
        "in its place. -nabla^2 F <= gamma I holds with no supremum at all. The main text cites Eq. (48) "
        "of the appendix for p_theta; "
        "its own Eq. (12) is the same.",
    ),
    Claim(
        id="theorem3.sup-over-the-set",
        location="Sec. 4, Theorem 3, Eq. (23) with its last sentence; App. A",
        kind="reading",
        title="The supremum over a bounded set serves that set",
        statement="On a bounded set Theta, -nabla F is Lipschitz with the constant gamma + gamma^2 sup "
        "||Sigma_theta||_F, the supremum "
        "being over theta in Theta.",
        latex=r"\sup_{\theta\in\Theta}\|\Sigma_\theta\|_F",
        assumptions=("beta = 1, L >= 0", "Theta is bounded but need not be convex"),
        stated={"constant": PRINTED},
        check=over_the_set_alone,
        expected=Verdict.FALSE,
        group="where the supremum of Sigma is taken",
        sides=(
            sp.Rational(378, 65) - sp.log(2),
            (sp.Rational(3, 2) + sp.Rational(2304, 4225)) * 2 * sp.log(2),
        ),
        corrected=Reading(
            statement="On a bounded set Theta the constant is gamma + gamma^2 sup ||Sigma_theta||_F with "
            "the supremum over the convex hull "
            "of Theta, which is bounded too.",
            latex=r"\sup_{\theta\in\operatorname{conv}\Theta}\|\Sigma_\theta\|_F",
            check=lipschitz,
        ),
        cites=(ANALYTIC, SPECTRAL, "mean value inequality"),
        twins=CONSTANT_TWINS[:2],
        remark="Some constant exists on every bounded set, convex or not (claim theorem3.bounded-set).",
    ),
    Claim(
        id="theorem3.label",
        location="Sec. 4, Theorem 3 and the paragraph after it; App. A",
        kind="prose",
        title="Sigma_theta' is the covariance of p_theta'(theta')",
        statement="Let Sigma_theta' be a variance-covariance matrix of p_theta'(theta') in Eq. (48).",
        latex=r"\Sigma_{\theta'}\ \text{of}\ p_{\theta'}(\theta')",
        assumptions=("the index of p is the point at which the quadratic of Eq. (48) is centred",),
        stated={"centre": X},
        check=label,
        expected=Verdict.TYPO,
        slip=True,
        sides=(2, 1),
        corrected=Reading(
            statement="Let Sigma_theta be the variance-covariance matrix of p_theta(theta'); the supremum "
            "in Eq. (23) is over theta.",
            latex=r"\Sigma_\theta\ \text{of}\ p_\theta(\theta')",
            stated={"centre": THETA},
        ),
        twins=(
            Twin("centred half way, at theta'/2", {"centre": X / 2}),
            Twin("centred at 99/100 theta'", {"centre": sp.Rational(99, 100) * X}),
        ),
        remark="Eq. (53) of the proof has the index right.",
    ),
    Claim(
        id="theorem3.eq72",
        location="App. A, proof of Theorem 3, Eq. (72)",
        kind="proof step",
        equations=(72,),
        title="sigma_1(-nabla^2 F) <= gamma + gamma^2 ||Sigma||_F",
        statement="sigma_1(-nabla^2 F) <= gamma + gamma^2 ||Sigma_theta||_F < oo.",
        latex=r"\sigma_1(-\nabla_\theta^2F)\le\gamma+\gamma^2\|\Sigma_\theta\|_F<\infty",
        assumptions=("beta = 1, L >= 0 and finite",),
        cites=(ANALYTIC, SPECTRAL),
        stated={"constant": PRINTED},
        check=hessian_bound,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="sigma_1(-nabla^2 F) = max(gamma - gamma^2 lambda_min(Sigma), gamma^2 "
            "lambda_max(Sigma) - gamma).",
            latex=r"\sigma_1(-\nabla^2F)=\max\left(\gamma-\gamma^2\lambda_{\min},\gamma^2\lambda_{\max}-"
            r"\gamma\right)",
            stated={"lower": GAMMA - GAMMA**2 * EIGENVALUE, "upper": GAMMA**2 * EIGENVALUE - GAMMA},
            check=exact_norm,
        ),
        twins=(*CONSTANT_TWINS, *SHARP_TWINS),
    ),
)

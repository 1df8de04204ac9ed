"""Beyond Theorem 3: constants on all of R^m for convex, weakly convex, smooth and Lipschitz losses, any
beta.
"""

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
    PREKOPA,
    THETA_U,
    UNIT,
    X,
    line_integral,
    score_facts,
)
from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.sec4.entropy_examples import THETA

VARIANCE = sp.Symbol("Var", positive=True)  # of <theta', v> for a unit vector v
CURVATURE = BETA * GAMMA - BETA**2 * GAMMA**2 * VARIANCE  # -v'(nabla^2 F)v, claim beyond.entropy-beta
RHO, SMOOTH, LIPSCHITZ = sp.symbols("rho C G", positive=True)
EXCESS = sp.Symbol("gamma-rho", positive=True)
K = sp.Symbol("k", positive=True)
# The root that the Lipschitz case needs: its square is G^2 + 4 gamma/beta.
ROOT = sp.sqrt(LIPSCHITZ**2 + 4 * GAMMA / BETA)
ROOT_NAME = sp.Symbol("r", positive=True)


def quadratic_curvature(curvature: sp.Expr, gamma: sp.Expr = GAMMA) -> sp.Expr:
    """-F'' for L = curvature theta^2/2, from the Gaussian integral of Eq. (10)."""
    integral = line_integral(
        sp.Integer(1), -BETA * curvature * X**2 / 2 - BETA * gamma / 2 * (THETA - X) ** 2
    )
    return sp.factor(sp.diff(-sp.expand_log(sp.log(integral), force=True), THETA, 2))


def convex(stated: SimpleNamespace) -> Iterator[Fact]:
    """Convex L: the exponent of Eq. (10) is jointly convex, so -F is convex; above, beta gamma."""
    yield from jointly_convex(sp.Integer(0), -stated.lower / BETA)
    yield from at_most_beta_gamma(stated.upper)
    yield identity("L = 0 attains the lower end", quadratic_curvature(sp.Integer(0)), stated.lower)


def jointly_convex(rho: sp.Expr, kappa: sp.Expr) -> Iterator[Fact]:
    """-(rho/2)|t|^2 + (gamma/2)|theta - t|^2 + (kappa/2)|theta|^2 >= 0 for all vectors, in any R^m."""
    space = Space("theta", "t")
    theta, t = space.vectors()
    form = (
        -rho * space.inner(t, t)
        + GAMMA * space.inner(theta - t, theta - t)
        + kappa * space.inner(theta, theta)
    )
    strict = [] if rho == 0 else [sp.Lt(rho, GAMMA)]
    value = sp.Symbol("form", real=True)
    yield implies(
        f"the quadratic form in (theta, theta') is positive semidefinite with kappa = {kappa}; Prekopa: -F "
        f"+ beta kappa |theta|^2/2 is convex",
        [*strict, *space.gram_conditions(), sp.Eq(value, sp.expand(form))],
        sp.Ge(value, 0),
        method="Gram reduction, z3; Prekopa's theorem",
    )


def at_most_beta_gamma(upper: sp.Expr) -> Iterator[Fact]:
    """-nabla^2 F <= beta gamma I for every L, approached by steep quadratics."""
    value = sp.Symbol("-v'(nabla^2F)v", real=True)
    yield implies(f"-v'(nabla^2 F)v <= {upper}, because Var >= 0", [sp.Eq(value, CURVATURE)], value <= upper)
    yield limit("L = k|theta|^2/2 comes as close as one likes", quadratic_curvature(K), K, sp.oo, upper)


def weakly_convex(stated: SimpleNamespace) -> Iterator[Fact]:
    """L + (rho/2)|.|^2 convex, rho < gamma."""
    yield from jointly_convex(RHO, sp.factor(-stated.lower / BETA))
    yield from at_most_beta_gamma(stated.upper)
    yield identity(
        "L = -(rho/2)|theta|^2 attains the lower end",
        quadratic_curvature(-RHO, RHO + EXCESS),
        stated.lower.subs(GAMMA, RHO + EXCESS),
    )


def smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """-C <= nabla^2 L <= C with C < gamma: the weakly convex bound below, the Cramer-Rao bound above."""
    yield from jointly_convex(SMOOTH, sp.factor(-stated.lower / BETA))
    yield from score_facts()
    information = sp.Symbol("E[v'(nabla^2V)v]", positive=True)
    steepest = sp.diff(BETA * (SMOOTH * X**2 / 2 + GAMMA / 2 * (THETA - X) ** 2), X, 2)
    yield implies(
        f"1 <= Var E[v'(nabla^2 V)v] with nabla^2 V <= beta (C + gamma) gives -v'(nabla^2 F)v <= "
        f"{stated.upper}",
        [sp.Le(UNIT**2, VARIANCE * information), sp.Le(information, steepest)],
        sp.Le(CURVATURE, stated.upper),
        method="integration by parts and Cauchy-Schwarz, z3",
    )
    yield identity("L = C|theta|^2/2 attains the upper end", quadratic_curvature(SMOOTH), stated.upper)
    yield identity(
        "L = -(C/2)|theta|^2 attains the lower end",
        quadratic_curvature(-SMOOTH, SMOOTH + EXCESS),
        stated.lower.subs(GAMMA, SMOOTH + EXCESS),
    )


def lipschitz_loss(stated: SimpleNamespace) -> Iterator[Fact]:
    """|nabla L| <= G: integration by parts ties the variance to a covariance that Cauchy-Schwarz bounds."""
    yield from score_facts()
    lower, upper = (end.subs(ROOT, ROOT_NAME) for end in (stated.lower, stated.upper))
    covariance, deviation = sp.Symbol("Cov(<theta',v>, D_vL)", real=True), sp.Symbol("sd", positive=True)
    yield implies(
        "beta (gamma Var + Cov(<theta', v>, D_v L)) = 1 and |Cov| <= G sd enclose -v'(nabla^2 F)v between "
        "the two ends",
        [
            sp.Eq(BETA * (GAMMA * deviation**2 + covariance), UNIT),
            sp.Le(covariance**2, LIPSCHITZ**2 * deviation**2),
            sp.Eq(BETA * ROOT_NAME**2, BETA * LIPSCHITZ**2 + 4 * GAMMA),
        ],
        sp.And(*(c.subs(VARIANCE, deviation**2) for c in (upper >= CURVATURE, lower <= CURVATURE))),
        method="integration by parts and Cauchy-Schwarz, z3",
    )
    for sign, end, name in ((1, stated.lower, "lower"), (-1, stated.upper, "upper")):
        extreme = (ROOT + sign * LIPSCHITZ) / (2 * GAMMA)
        yield identity(
            f"the {name} end is the value at the extreme deviation", CURVATURE.subs(VARIANCE, extreme**2), end
        )
    yield from _nearly_attained(stated)
    mean_slope = sp.Symbol("E[D_uL]", real=True)
    derivative = BETA * GAMMA * (THETA_U - E_A)
    yield implies(
        f"E[V'] = 0 along u makes <-nabla F, u> = beta E[D_u L], at most {stated.gradient}",
        [
            sp.Eq(BETA * mean_slope + BETA * GAMMA * (E_A - THETA_U), 0),
            sp.Le(mean_slope**2, LIPSCHITZ**2),
        ],
        sp.And(
            sp.Eq(derivative, BETA * mean_slope),
            derivative <= stated.gradient,
            derivative >= -stated.gradient,
        ),
    )
    line = line_integral(sp.Integer(1), -BETA * LIPSCHITZ * X - BETA * GAMMA / 2 * (THETA - X) ** 2)
    yield identity(
        "-nabla F = beta E[nabla L] is at most beta G long, which a linear L attains",
        sp.diff(-sp.expand_log(sp.log(line), force=True), THETA),
        stated.gradient,
    )


def _nearly_attained(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = -G|theta_1|, beta = 1, theta = 0: Var >= (G/gamma)^2; the lower end is right to first order."""
    half = sp.exp(LIPSCHITZ * X - GAMMA * X**2 / 2)
    yield identity(
        "for L = -G|theta_1|, x = theta'_1, the integral of (gamma x - G) p over x > 0 is that of a "
        "derivative, and positive: E|x| >= G/gamma",
        sp.diff(-half, X),
        (GAMMA * X - LIPSCHITZ) * half,
    )
    at_most = CURVATURE.subs({BETA: 1, VARIANCE: (LIPSCHITZ / GAMMA) ** 2})
    yield limit(
        "so -F''(0) <= gamma - G^2, whose ratio to the lower end tends to 1 as G grows",
        (at_most / stated.lower.subs(BETA, 1)).subs(GAMMA, 1),
        LIPSCHITZ,
        sp.oo,
        1,
    )


def adversarial_logistic(stated: SimpleNamespace) -> Iterator[Fact]:
    """The adversarial logistic loss of the linear model: convex, with slopes of at most |x| + epsilon."""
    space = Space("x", "delta")
    x, delta = space.vectors()
    epsilon, p, length = sp.Symbol("epsilon", positive=True), sp.Symbol("p", positive=True), space.length("x")
    yield implies(
        f"the gradient -y p (x + delta) of log(1 + exp(-y <theta, x + delta>)), p in (0, 1), is at most "
        f"{stated.slope} long",
        [p < 1, space.length("delta") <= epsilon, *space.gram_conditions()],
        sp.Le(p**2 * sp.expand(space.inner(x + delta, x + delta)), stated.slope**2),
        method="Gram reduction, z3",
    )
    aligned = (1 + epsilon / length) * x
    reached = sp.expand(space.inner(aligned, aligned))
    yield identity("delta = epsilon x/|x| and p -> 1 reach it", reached, stated.slope**2)
    z = sp.Symbol("z", real=True)
    share = 1 / (1 + sp.exp(z))
    yield identity(
        "each attack's loss is convex, for the second derivative of log(1 + e^(-z)) is q (1 - q), q = 1/(1 "
        "+ e^z); so is their maximum",
        sp.diff(sp.log(1 + sp.exp(-z)), z, 2),
        share * (1 - share),
    )
    root = sp.sqrt(LIPSCHITZ**2 + 4 * GAMMA)
    constant = stated.constant.subs(root, ROOT_NAME)
    deviation, scale = sp.symbols("sd sqrt(gamma)", positive=True)
    curvature = CURVATURE.subs({BETA: 1, VARIANCE: deviation**2})
    yield implies(
        f"Var <= 1/gamma (convex) and gamma Var >= 1 - G sd: 0 <= -v'(nabla^2 F)v <= {stated.constant}, "
        f"below gamma and G sqrt(gamma)",
        [
            GAMMA * deviation**2 <= 1,
            GAMMA * deviation**2 + LIPSCHITZ * deviation >= UNIT,
            sp.Eq(ROOT_NAME**2, LIPSCHITZ**2 + 4 * GAMMA),
            sp.Eq(scale**2, GAMMA),
        ],
        sp.And(curvature >= 0, curvature <= constant, constant < GAMMA, constant < LIPSCHITZ * scale),
    )
    extreme = (root - LIPSCHITZ) / (2 * GAMMA)
    yield identity(
        "the constant is the value at the smallest deviation",
        curvature.subs(deviation, extreme),
        stated.constant,
    )


_ENDS = {
    "convex": {"lower": sp.Integer(0), "upper": BETA * GAMMA},
    "weakly": {"lower": -BETA * GAMMA * RHO / (GAMMA - RHO), "upper": BETA * GAMMA},
    "smooth": {
        "lower": -BETA * GAMMA * SMOOTH / (GAMMA - SMOOTH),
        "upper": BETA * GAMMA * SMOOTH / (GAMMA + SMOOTH),
    },
    "lipschitz": {
        "lower": -(BETA**2) * LIPSCHITZ * (ROOT + LIPSCHITZ) / 2,
        "upper": BETA**2 * LIPSCHITZ * (ROOT - LIPSCHITZ) / 2,
        "gradient": BETA * LIPSCHITZ,
    },
}
_MORE, _LESS = sp.Rational(101, 100), sp.Rational(99, 100)
_X_EPSILON = sp.Symbol("|x|", positive=True) + sp.Symbol("epsilon", positive=True)

CLAIMS = (
    Claim(
        id="beyond.entropy-convex",
        location="sharpens Theorem 3 for convex losses",
        kind="beyond",
        title="Convex L: 0 <= -nabla^2 F <= beta gamma I on R^m",
        statement="If L is convex, -F is convex and -nabla F is beta gamma-Lipschitz on all of R^m: no "
        "supremum of Sigma, no bounded set.",
        latex=r"0\preceq-\nabla^2F\preceq\beta\gamma I",
        assumptions=("L is convex, not necessarily smooth or non-negative", "any beta, gamma > 0"),
        cites=(ANALYTIC, PREKOPA),
        stated=_ENDS["convex"],
        check=convex,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="lower end: L = 0, where -F is constant; the upper end is approached by L = k|theta|^2/2 "
            "as k grows",
            attained=sp.diff(sp.log(BETA * GAMMA / (2 * sp.pi)) / 2, THETA, 2),
            bound=_ENDS["convex"]["lower"],
        ),
        twins=(
            Twin("upper end one per cent smaller", {"upper": _LESS * BETA * GAMMA}),
            Twin("strictly convex: lower end beta gamma/100", {"lower": BETA * GAMMA / 100}),
            Twin("upper end gamma for every beta", {"upper": GAMMA}),
        ),
    ),
    Claim(
        id="beyond.entropy-weakly-convex",
        location="sharpens Theorem 3 for weakly convex losses",
        kind="beyond",
        title="rho-weakly convex L, rho < gamma: a global constant",
        statement="If L + (rho/2)||.||^2 is convex and rho < gamma, then -beta gamma rho/(gamma - rho) <= "
        "-nabla^2 F <= beta gamma on all of R^m, so the "
        "constant is beta max(gamma, gamma rho/(gamma - rho)).",
        latex=r"-\frac{\beta\gamma\rho}{\gamma-\rho}I\preceq-\nabla^2F\preceq\beta\gamma I",
        assumptions=("rho < gamma", "any beta > 0"),
        cites=(ANALYTIC, PREKOPA),
        stated=_ENDS["weakly"],
        check=weakly_convex,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="lower end: L = -|theta|^2/2 with rho = 1, gamma = 2, beta = 1: -F is -|theta|^2 up to a "
            "constant",
            attained=sp.diff(-(THETA**2), THETA, 2),
            bound=(-BETA * GAMMA * RHO / (GAMMA - RHO)).subs({RHO: 1, GAMMA: 2, BETA: 1}),
        ),
        twins=(
            Twin("lower end one per cent smaller", {"lower": -_LESS * BETA * GAMMA * RHO / (GAMMA - RHO)}),
            Twin("lower end -beta rho", {"lower": -BETA * RHO}),
            Twin("upper end one per cent smaller", {"upper": _LESS * BETA * GAMMA}),
        ),
        remark="At rho = gamma no bound is left: claim beyond.entropy-weakly-convex-threshold.",
    ),
    Claim(
        id="beyond.entropy-smooth",
        location="corrects and sharpens Sec. 2.2, last paragraph",
        kind="beyond",
        title="C-smooth L, C < gamma: constant gamma C/(gamma - C)",
        statement="If nabla L is C-Lipschitz and C < gamma, then -beta gamma C/(gamma - C) <= -nabla^2 F "
        "<= beta gamma C/(gamma + C); both ends are attained, so the "
        "constant may exceed C (beta = 1), by the factor gamma/(gamma - C) at most.",
        latex=r"-\frac{\beta\gamma C}{\gamma-C}I\preceq-\nabla^2F\preceq\frac{\beta\gamma C}{\gamma+C}I",
        assumptions=("C < gamma", "any beta > 0"),
        cites=(ANALYTIC, PREKOPA, BY_PARTS),
        stated=_ENDS["smooth"],
        check=smooth,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L = -|theta|^2/2 with C = 1, gamma = 2, beta = 1: -nabla^2 F = -2, twice the constant of "
            "nabla L",
            attained=sp.diff(-(THETA**2), THETA, 2),
            bound=(-BETA * GAMMA * SMOOTH / (GAMMA - SMOOTH)).subs({SMOOTH: 1, GAMMA: 2, BETA: 1}),
        ),
        twins=(
            Twin("lower end -beta C: never worse than L", {"lower": -BETA * SMOOTH}),
            Twin(
                "upper end one per cent smaller", {"upper": _LESS * BETA * GAMMA * SMOOTH / (GAMMA + SMOOTH)}
            ),
            Twin("lower end with gamma + C", {"lower": -BETA * GAMMA * SMOOTH / (GAMMA + SMOOTH)}),
        ),
    ),
    Claim(
        id="beyond.entropy-lipschitz",
        location="sharpens Theorem 3 for Lipschitz losses (Eq. 5)",
        kind="beyond",
        title="G-Lipschitz L: an explicit constant on all of R^m",
        statement="If L is G-Lipschitz, ||nabla F|| <= beta G and, with r = sqrt(G^2 + 4 gamma/beta), "
        "-(beta^2 G/2)(r + G) <= -nabla^2 F <= (beta^2 G/2)(r - G): at beta = 1, "
        "-nabla F is (G/2)(G + sqrt(G^2 + 4 gamma))-Lipschitz on all of R^m. Under Eq. (5) this holds for "
        "the adversarial loss with G = C_theta.",
        latex=r"\|\nabla^2F\|\le\frac{\beta^2G}{2}\left(G+\sqrt{G^2+4\gamma/\beta}\right)",
        assumptions=(
            "L is G-Lipschitz on R^m, not necessarily differentiable, convex or non-negative",
            "adversarial losses are maxima of C_theta-Lipschitz functions, hence C_theta-Lipschitz (Eq. 8)",
        ),
        cites=(ANALYTIC, BY_PARTS),
        stated=_ENDS["lipschitz"],
        check=lipschitz_loss,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="the bound on the gradient: L = G theta_1, where -F = beta G theta_1 + const (G = beta = 1)",
            attained=sp.diff(THETA, THETA),
            bound=(BETA * LIPSCHITZ).subs({BETA: 1, LIPSCHITZ: 1}),
        ),
        twins=(
            Twin("lower end one per cent smaller", {"lower": _LESS * _ENDS["lipschitz"]["lower"]}),
            Twin("upper end one per cent smaller", {"upper": _LESS * _ENDS["lipschitz"]["upper"]}),
            Twin("gradient bound one per cent smaller", {"gradient": _LESS * BETA * LIPSCHITZ}),
            Twin(
                "ends exchanged",
                {"lower": -_ENDS["lipschitz"]["upper"], "upper": -_ENDS["lipschitz"]["lower"]},
            ),
        ),
        remark="No supremum of Sigma, no bounded set and no sign of L: what Theorem 3 wants for "
        "adversarial training, without its gap. For L = -G|theta_1| the ratio of the "
        "true constant to this one tends to 1 as G grows.",
    ),
    Claim(
        id="beyond.entropy-adversarial-logistic",
        location="applies Theorem 3 to Sec. 3.1",
        kind="beyond",
        title="EntropySGD on the linear adversarial loss",
        statement="For the adversarial logistic loss of the linear model with ||delta||_2 <= epsilon, -F "
        "is convex and, at beta = 1, -nabla F is "
        "(G/2)(sqrt(G^2 + 4 gamma) - G)-Lipschitz on all of R^m with G = ||x|| + epsilon (its maximum over "
        "the data), which is below gamma and below G sqrt(gamma).",
        latex=r"0\preceq-\nabla^2F\preceq\frac G2\left(\sqrt{G^2+4\gamma}-G\right)I,\quad G=\|x\|+"
        r"\varepsilon",
        assumptions=("beta = 1", "for ||delta||_inf <= epsilon read G = ||x||_2 + epsilon sqrt(d)"),
        cites=(ANALYTIC, BRASCAMP_LIEB, BY_PARTS),
        stated={
            "slope": _X_EPSILON,
            "constant": LIPSCHITZ * (sp.sqrt(LIPSCHITZ**2 + 4 * GAMMA) - LIPSCHITZ) / 2,
        },
        check=adversarial_logistic,
        expected=Verdict.TRUE,
        twins=(
            Twin("G = ||x||", {"slope": sp.Symbol("|x|", positive=True)}),
            Twin("G one per cent larger", {"slope": _MORE * _X_EPSILON}),
            Twin(
                "constant one per cent smaller",
                {"constant": _LESS * LIPSCHITZ * (sp.sqrt(LIPSCHITZ**2 + 4 * GAMMA) - LIPSCHITZ) / 2},
            ),
        ),
        remark="For Fig. 2(g), x = (-1, 1), epsilon = 0.6: G = 2.014.",
    ),
)

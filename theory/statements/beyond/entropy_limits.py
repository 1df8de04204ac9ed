"""Beyond Theorem 3: losses that show what no bound can give, and what the Frobenius norm costs."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import ANALYTIC, BETA, GAMMA, X, line_integral
from theory.deciders.exact import identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Twin
from theory.statements.beyond.entropy_bounds import CURVATURE, VARIANCE, K, quadratic_curvature
from theory.statements.sec4.entropy_examples import CAP_VARIANCE, RADIUS, THETA, caps, double_well

SLOPE, M = sp.symbols("s m", positive=True)


def threshold(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = (gamma/2) max(R^2 - x^2, 0): gamma-weakly convex; p_0 is uniform on [-R, R] with Gaussian tails."""
    yield identity(
        "L + (gamma/2) x^2 is gamma R^2/2 on [-R, R] and gamma x^2/2 outside: the larger of the two, convex",
        GAMMA / 2 * (RADIUS**2 - X**2) + GAMMA / 2 * X**2,
        GAMMA * RADIUS**2 / 2,
        dimension=(1,),
    )
    inside = sp.integrate(X**2 / (2 * RADIUS), (X, -RADIUS, RADIUS))
    share, tail = sp.symbols("share E[x^2|outside]", nonnegative=True)
    yield implies(
        f"Var at theta = 0, an average of R^2/3 inside and at least R^2 outside, is at least "
        f"{stated.variance}",
        [share <= 1, tail >= RADIUS**2, sp.Eq(VARIANCE, share * inside + (1 - share) * tail)],
        sp.Ge(VARIANCE, stated.variance),
        dimension=(1,),
    )
    yield identity("the average inside is the stated one", inside, stated.variance, dimension=(1,))
    yield limit(
        "so that at beta = 1 -F''(0) <= gamma - gamma^2 R^2/3 tends to -oo as R grows",
        CURVATURE.subs({BETA: 1, VARIANCE: stated.variance}),
        RADIUS,
        sp.oo,
        -sp.oo if stated.unbounded else 0,
        dimension=(1,),
    )


def no_global_constant(stated: SimpleNamespace) -> Iterator[Fact]:
    """Caps of radius 3^k next to each other: the variance at their centres grows without bound."""
    yield from caps(stated.variance)
    at_centre = CURVATURE.subs({BETA: 1, VARIANCE: stated.variance})
    yield limit(
        "-F''(2 R) <= gamma - gamma^2 times that -> -oo",
        at_centre,
        RADIUS,
        sp.oo,
        -sp.oo if stated.unbounded else 0,
        dimension=(1,),
    )
    yield limit(
        "at theta = 2 R the variance is at least of the order theta^2/12",
        stated.variance / (2 * RADIUS) ** 2,
        RADIUS,
        sp.oo,
        sp.Rational(1, 12),
        dimension=(1,),
    )


def no_constant_of_gamma(stated: SimpleNamespace) -> Iterator[Fact]:
    """The double well L = (k/2) theta^2 - log cosh(s theta) + s^2/(2k) at theta = 0."""
    curvature = sp.diff(double_well(GAMMA, K, SLOPE), THETA, 2).subs(THETA, 0)
    yield identity("-F''(0) is the stated number", sp.simplify(curvature), stated.curvature, dimension=(1,))
    t = sp.Symbol("|theta|", nonnegative=True)
    yield identity(
        "L >= 0, for log cosh(s theta) <= s |theta| and what remains is a square",
        K / 2 * t**2 - SLOPE * t + SLOPE**2 / (2 * K),
        (K * t - SLOPE) ** 2 / (2 * K),
        dimension=(1,),
    )
    yield limit(
        "it tends to -oo as the wells move apart", stated.curvature, SLOPE, sp.oo, -sp.oo, dimension=(1,)
    )


def frobenius_grows(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = k|theta|^2/2 in m dimensions: Sigma = I/(gamma + k)."""
    at_zero = -K * X**2 / 2 - GAMMA / 2 * X**2
    variance = line_integral(X**2, at_zero) / line_integral(sp.Integer(1), at_zero)
    yield identity("Sigma = I/(gamma + k), from the Gaussian integral", variance, 1 / (GAMMA + K))
    yield identity("the printed constant", GAMMA + GAMMA**2 * sp.sqrt(M * variance**2), stated.printed)
    yield identity("the Lipschitz constant", quadratic_curvature(K).subs(BETA, 1), stated.true)
    yield limit("their ratio is unbounded as m grows", stated.printed / stated.true, M, sp.oo, sp.oo)


_WELL = GAMMA * K / (GAMMA + K) - GAMMA**2 * SLOPE**2 / (GAMMA + K) ** 2
_LESS, _MORE = sp.Rational(99, 100), sp.Rational(101, 100)

CLAIMS = (
    Claim(
        id="beyond.theorem3-global",
        location="limits of Theorem 3: boundedness of the set",
        kind="beyond",
        title="No global constant without more than L >= 0",
        statement="For L(theta) = (gamma/2)(theta - 3^k)(3^(k+1) - theta) on [3^k, 3^(k+1)], k = 0, 1, "
        "..., and 0 for theta < 1, which is continuous and >= 0, -nabla F is not "
        "Lipschitz on R: with R = 3^k, Var >= gamma R^4/(3 (gamma R^2 + 1)) at theta = 2 R.",
        latex=r"\sup_{\theta\in\mathbb R}\|\Sigma_\theta\|_F=\infty",
        assumptions=("beta = 1",),
        cites=(ANALYTIC,),
        stated={"variance": CAP_VARIANCE, "unbounded": True},
        check=no_global_constant,
        expected=Verdict.TRUE,
        twins=(
            Twin("variance one per cent larger", {"variance": _MORE * CAP_VARIANCE}),
            Twin("bounded after all", {"unbounded": False}),
            Twin("the order theta^4", {"variance": RADIUS**4 / 3}),
        ),
        remark="At theta = 2 R the density p_theta is uniform on [R, 3R] but for its tails: for gamma = 1, "
        "R = 3, Var >= 81/30 and -F'' <= 1 - 2.7. The supremum in Eq. (23) is "
        "infinite here, so the theorem needs its bounded set; the growth theta^2 is that of claim "
        "theorem3.bounded-set.",
    ),
    Claim(
        id="beyond.theorem3-no-constant",
        location="limits of Theorem 3: dependence on L",
        kind="beyond",
        title="No constant that depends on gamma alone",
        statement="For the smooth, non-negative L(theta) = (k/2) theta^2 - log cosh(s theta) + s^2/(2k), "
        "-F''(0) = gamma k/(gamma + k) - (gamma s/(gamma + k))^2, which tends to -oo "
        "as s grows.",
        latex=r"-F''(0)=\frac{\gamma k}{\gamma+k}-\frac{\gamma^2s^2}{(\gamma+k)^2}",
        assumptions=("beta = 1",),
        stated={"curvature": _WELL},
        check=no_constant_of_gamma,
        expected=Verdict.TRUE,
        twins=(
            Twin("one per cent off", {"curvature": _MORE * _WELL}),
            Twin(
                "s in place of s^2",
                {"curvature": GAMMA * K / (GAMMA + K) - GAMMA**2 * SLOPE / (GAMMA + K) ** 2},
            ),
        ),
        remark="-F is elementary for this loss: gamma k theta^2/(2 (gamma + k)) - log cosh(gamma s "
        "theta/(gamma + k)) + const, so that Var at 0 takes every positive value.",
    ),
    Claim(
        id="beyond.entropy-weakly-convex-threshold",
        location="limits of beyond.entropy-weakly-convex",
        kind="beyond",
        title="Weak convexity rho = gamma is one step too far",
        statement="L = (gamma/2) max(R^2 - theta^2, 0) is non-negative and gamma-weakly convex, and Var >= "
        "R^2/3 at theta = 0: no constant serves all gamma-weakly convex losses.",
        latex=r"-F''(0)\le\gamma-\gamma^2R^2/3\to-\infty",
        assumptions=("beta = 1",),
        cites=(ANALYTIC,),
        stated={"variance": RADIUS**2 / 3, "unbounded": True},
        check=threshold,
        expected=Verdict.TRUE,
        twins=(
            Twin("variance one per cent larger", {"variance": _MORE * RADIUS**2 / 3}),
            Twin("variance R^2/2", {"variance": RADIUS**2 / 2}),
            Twin("bounded after all", {"unbounded": False}),
        ),
        remark="p_0 is uniform on [-R, R] with Gaussian tails. For gamma = 1, R = 3: Var >= 3 and -F''(0) "
        "<= -2.",
    ),
    Claim(
        id="beyond.theorem3-frobenius",
        location="Theorem 3, the Frobenius norm in Eq. (23)",
        kind="beyond",
        title="The Frobenius norm costs a factor sqrt(m)",
        statement="For L = k||theta||^2/2 in m dimensions the constant of Eq. (23) is gamma + gamma^2 "
        "sqrt(m)/(gamma + k), while -nabla F is gamma k/(gamma + k)-Lipschitz: their ratio grows "
        "like sqrt(m).",
        latex=r"\gamma+\frac{\gamma^2\sqrt m}{\gamma+k}\quad\text{against}\quad\frac{\gamma k}{\gamma+k}",
        assumptions=("beta = 1",),
        stated={"printed": GAMMA + GAMMA**2 * sp.sqrt(M) / (GAMMA + K), "true": GAMMA * K / (GAMMA + K)},
        check=frobenius_grows,
        expected=Verdict.TRUE,
        twins=(
            Twin("no dependence on m", {"printed": GAMMA + GAMMA**2 / (GAMMA + K)}),
            Twin("true constant one per cent smaller", {"true": _LESS * GAMMA * K / (GAMMA + K)}),
        ),
        remark="For a network with m = 11,172,170 weights sqrt(m) is 3342.",
    ),
)

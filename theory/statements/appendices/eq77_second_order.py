"""Eq. (77) and App. D: Newton's method on -F with a diagonal covariance, where it descends and what it
changes.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Tightness, Twin

GAMMA, ETA, SIGMA = sp.symbols("gamma eta sigma", positive=True)
THETA, MEAN = sp.symbols("theta theta_bar", real=True)
H = 1 / (GAMMA - GAMMA**2 * SIGMA)


def newton(stated: SimpleNamespace) -> Iterator[Fact]:
    """Each coordinate of theta - eta (nabla^2(-F))^(-1) nabla(-F); a diagonal matrix acts coordinate by
    coordinate.
    """
    gradient, curvature = GAMMA * (THETA - MEAN), GAMMA - GAMMA**2 * SIGMA
    yield identity(
        "the printed diagonal entry is that of gamma I - gamma^2 Sigma", stated.curvature, curvature
    )
    yield identity("the printed h_j is its inverse", 1 / stated.h, curvature)
    step = ETA * stated.force * stated.h * (THETA - MEAN)
    yield identity(
        "curvature times the printed step is eta times the gradient, in each coordinate",
        sp.cancel(curvature * step),
        ETA * gradient,
        method="a diagonal matrix acts coordinate by coordinate; sympy identity",
    )


def relative_step(stated: SimpleNamespace) -> Iterator[Fact]:
    """eta gamma h (theta - theta_bar) against the first-order step eta gamma (theta - theta_bar) of Eq.
    (11).
    """
    second, first = ETA * GAMMA * H * (THETA - MEAN), ETA * GAMMA * (THETA - MEAN)
    yield identity(
        "(1 - gamma sigma) times the step of Eq. (77) is eta (theta - theta_bar)",
        sp.cancel((1 - GAMMA * SIGMA) * second),
        ETA * (THETA - MEAN),
    )
    yield identity(
        "the step of Eq. (11) over that of Eq. (77) is 1/ratio", sp.cancel(first / second), 1 / stated.ratio
    )
    at_gamma = stated.ratio.subs(GAMMA, sp.Rational(3, 100))
    yield limit("at gamma = 3/100 the ratio tends to the stated factor", at_gamma, SIGMA, 0, stated.factor)


def descends(stated: SimpleNamespace) -> Iterator[Fact]:
    """The slope of -F along the step is -eta gamma^2 h (theta - theta_bar)^2; its sign is that of gamma sigma
    - 1.
    """
    u, s, g = sp.symbols("u s g", real=True)
    change = -(g * u) * g * u / (g - g**2 * s)
    yield identity(
        "that is -gamma u^2/(1 - gamma sigma), u = theta - theta_bar",
        sp.cancel(change),
        -g * u**2 / (1 - g * s),
    )
    given = [sp.Gt(g, 0), sp.Ne(u, 0), sp.Ne(g * s, 1)]
    downhill, bound = sp.Lt(change, 0), sp.Lt(g * s, stated.bound)
    yield implies("variance below 1/gamma makes the step go downhill", [*given, bound], downhill)
    yield implies("and only that", [*given, downhill], bound)


def uphill(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = theta^2/2 - log cosh(2 theta) + 2, gamma = 1: -F, its curvature and Newton's step in closed
    form.
    """
    at, v = sp.symbols("theta v", real=True)
    # The density of p_theta is a sum of Gaussians in v of variance 1/2 around theta/2 + 1 and theta/2 - 1.
    density = sp.cosh(2 * v) * sp.exp(-(v**2) / 2 - (at - v) ** 2 / 2)
    peaks = [sp.exp(1 + s * at - at**2 / 4) * sp.exp(-((v - at / 2 - s) ** 2)) / 2 for s in (1, -1)]
    yield identity(
        "the integrand is a sum of two Gaussians", density.rewrite(sp.exp), sum(peaks), dimension=(1,)
    )
    smoothed = at**2 / 4 - sp.log(sp.cosh(at))
    mass = sum(sp.exp(1 + s * at - at**2 / 4) / 2 for s in (1, -1))
    yield identity(
        "so -F = theta^2/4 - log cosh(theta) up to a constant",
        sp.exp(-smoothed).rewrite(sp.exp) * sp.E,
        mass,
        dimension=(1,),
    )
    variance = sp.Rational(1, 2) + 1
    yield identity(
        "its curvature at 0 is gamma - gamma^2 (1/2 + 1)",
        sp.diff(smoothed, at, 2).subs(at, 0),
        1 - variance,
        dimension=(1,),
    )
    yield identity(
        "L is bounded below: cosh(2 theta) <= e^(2|theta|), so L >= (|theta| - 2)^2/2 >= 0",
        at**2 / 2 - 2 * at + 2,
        (at - 2) ** 2 / 2,
        dimension=(1,),
    )
    w = sp.Symbol("w", real=True)
    yield implies(
        "because (w + 1/w)/2 <= w for w = e^(2|theta|) >= 1",
        [sp.Ge(w, 1)],
        sp.Le((w + 1 / w) / 2, w),
        dimension=(1,),
    )
    h = H.subs({GAMMA: 1, SIGMA: variance})
    yield compare(
        "h at theta = 0, variance 3/2, is the stated negative number", h, "==", stated.h, dimension=(1,)
    )
    for order, form in ((1, at / 2 - sp.tanh(at)), (2, sp.tanh(at) ** 2 - sp.Rational(1, 2))):
        yield identity(f"derivative {order} of -F", sp.diff(smoothed, at, order), form, dimension=(1,))
    start = {at: sp.Rational(1, 2)}
    slope, bend = (sp.diff(smoothed, at, k).subs(start).rewrite(sp.exp) for k in (1, 2))
    yield compare(
        "at theta = 1/2 the curvature of -F is negative too", bend, "<", sp.Integer(0), dimension=(1,)
    )
    yield compare(
        "so the Newton step has a positive product with the gradient",
        -(slope**2) / bend,
        ">",
        0,
        dimension=(1,),
    )


CLAIMS = (
    Claim(
        id="eq77",
        location="App. D, Eq. (77)",
        kind="equation",
        equations=(77,),
        title="The second-order update is a diagonal Newton step",
        statement="With Sigma = diag(sigma), -nabla^2 F = diag(gamma 1 - gamma^2 sigma), and theta <- "
        "theta - eta gamma h (theta - theta_bar), h_j = 1/(gamma - gamma^2 sigma_j), is "
        "Newton's method with step eta.",
        latex=r"\theta\leftarrow\theta-\eta\gamma\,h\odot(\theta-\bar\theta),\quad "
        r"h_j=\frac1{\gamma-\gamma^2\bar\sigma_j}",
        assumptions=("the covariance is diagonal", "gamma sigma_j != 1", "Eqs. (11) and (53)"),
        stated={"curvature": GAMMA - GAMMA**2 * SIGMA, "h": H, "force": GAMMA},
        check=newton,
        expected=Verdict.TRUE,
        twins=(
            Twin("gamma^3 instead of gamma^2", {"h": 1 / (GAMMA - GAMMA**3 * SIGMA)}),
            Twin("plus sign in h", {"h": 1 / (GAMMA + GAMMA**2 * SIGMA)}),
            Twin("no gamma before h", {"force": sp.Integer(1)}),
            Twin(
                "curvature one per cent off",
                {"curvature": sp.Rational(101, 100) * (GAMMA - GAMMA**2 * SIGMA)},
            ),
        ),
        remark="gamma h = 1/(1 - gamma sigma): the step is eta (theta - theta_bar)/(1 - gamma sigma), and "
        "at sigma = 0 gamma drops out.",
    ),
    Claim(
        id="eq77.descent",
        location="App. D, beyond",
        kind="beyond",
        title="Eq. (77) goes downhill exactly if the variance is < 1/gamma",
        statement="In a coordinate with theta_j != theta_bar_j the step of Eq. (77) is a descent "
        "direction of -F if and only if sigma_j < 1/gamma; at sigma_j = 1/gamma it does not "
        "exist.",
        latex=r"\bar\sigma_j<1/\gamma",
        assumptions=("one coordinate; gamma sigma != 1",),
        stated={"bound": sp.Integer(1)},
        check=descends,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L constant: sigma = 1/gamma exactly, so that gamma - gamma^2 sigma = 0",
            attained=GAMMA - GAMMA**2 / GAMMA,
            bound=sp.Integer(0),
        ),
        twins=(
            Twin("bound one per cent larger", {"bound": sp.Rational(101, 100)}),
            Twin("bound one per cent smaller", {"bound": sp.Rational(99, 100)}),
        ),
        remark="For convex L the variance is at most 1/gamma (Brascamp and Lieb), so the step never goes "
        "uphill there.",
    ),
    Claim(
        id="eq77.uphill",
        location="App. D, beyond",
        kind="beyond",
        title="A loss on which Eq. (77) climbs to a maximum of -F",
        statement="For L = theta^2/2 - log cosh(2 theta) + 2 >= 0 and gamma = 1, p_0 has variance 3/2 > "
        "1/gamma, h = -2, and Eq. (77) moves towards 0, where -F = theta^2/4 - log cosh(theta) "
        "+ const has a local maximum.",
        latex=r"-F(\theta)=\theta^2/4-\log\cosh\theta+\mathrm{const},\quad -F''(0)=-\tfrac12",
        assumptions=("d = 1", "the variance at theta = 0"),
        stated={"h": sp.Integer(-2)},
        check=uphill,
        expected=Verdict.TRUE,
        twins=(
            Twin("h one per cent off", {"h": sp.Rational(-202, 100)}),
            Twin("h of the other sign", {"h": sp.Integer(2)}),
        ),
    ),
    Claim(
        id="eq77.step-size",
        location="App. D, beyond; Eq. (11)",
        kind="beyond",
        title="Eq. (77) is Eq. (11)'s step with a 33 times larger rate",
        statement="The step of Eq. (77) is 1/(gamma (1 - gamma sigma)) times the gradient step eta gamma "
        "(theta - theta_bar) of Eq. (11): for gamma = 0.03 and a small variance it is 100/3 "
        "times as long.",
        latex=r"\frac{\eta\gamma h}{\eta\gamma}=\frac1{\gamma(1-\gamma\sigma)}",
        stated={"ratio": 1 / (GAMMA * (1 - GAMMA * SIGMA)), "factor": sp.Rational(100, 3)},
        check=relative_step,
        expected=Verdict.TRUE,
        twins=(
            Twin("factor one per cent off", {"factor": sp.Rational(101, 3)}),
            Twin("ratio without gamma", {"ratio": 1 / (1 - GAMMA * SIGMA)}),
            Twin("plus sign", {"ratio": 1 / (GAMMA * (1 + GAMMA * SIGMA))}),
        ),
        remark="With a common first-order implementation, eta (theta - theta_bar), Eq. (77) coincides up "
        "to 1 - gamma sigma; then 'second order' and first order can hardly differ.",
    ),
)

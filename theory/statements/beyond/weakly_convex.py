"""Beyond the paper: adversarial losses are weakly convex for every norm and every tie, so that their kinks open
upward, and EntropySGD has a global constant on them."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.gibbs import ANALYTIC, BETA, GAMMA, PREKOPA
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.beyond.entropy_bounds import RHO, weakly_convex

SMOOTH = sp.Symbol("C_theta_theta", positive=True)
SHARE = sp.Symbol("t", nonnegative=True)  # of the segment from theta_1 to theta_2
ONE, OTHER, MIDDLE = sp.symbols("g(theta_1) g(theta_2) g(theta_t)", real=True)
SCALARS = "reduction to scalars, z3 on nonlinear real arithmetic"


def maxima(stated: SimpleNamespace) -> Iterator[Fact]:
    """One input: monotone gradient, so convex with the square added; the maximum over the ball and the mean over the
    data stay convex; what that makes of kinks; and a loss that needs the whole square."""
    yield from one_input(stated.weight)
    one, other, middle = sp.symbols("l'(theta_1) l'(theta_2) l'(theta_t)", real=True)
    yield implies(
        "a maximum of convex functions is convex: at theta_t = (1 - t) theta_1 + t theta_2 its value is that of the "
        "function l' of one attack x' on theta_t, whatever the norm, the ball and the ties",
        [
            sp.Le(SHARE, 1),
            sp.Le(middle, (1 - SHARE) * one + SHARE * other),
            sp.Eq(MIDDLE, middle),
            sp.Le(one, ONE),
            sp.Le(other, OTHER),
        ],
        sp.Le(MIDDLE, (1 - SHARE) * ONE + SHARE * OTHER),
        method=SCALARS,
    ).using("is convex in theta")
    ends, far = sp.symbols("g(theta_1)+G(theta_1) g(theta_2)+G(theta_2)", real=True)
    total = sp.Symbol("g(theta_t)+G(theta_t)", real=True)
    first, second, third = sp.symbols("G(theta_1) G(theta_2) G(theta_t)", real=True)
    yield implies(
        "and so is a sum, hence the mean over N examples",
        [
            sp.Le(MIDDLE, (1 - SHARE) * ONE + SHARE * OTHER),
            sp.Le(third, (1 - SHARE) * first + SHARE * second),
            sp.Eq(total, MIDDLE + third),
            sp.Eq(ends, ONE + first),
            sp.Eq(far, OTHER + second),
        ],
        sp.Le(total, (1 - SHARE) * ends + SHARE * far),
        method="induction over the examples, z3 on the step",
    ).using("a maximum of convex functions")
    yield kinks_open_upward(stated.upward).using("a maximum of convex functions", "so is a sum")
    theta = sp.Symbol("theta", real=True)
    yield identity(
        "the weight is attained: for l = -C_theta_theta theta^2/2, on which attacks have no effect, L_epsilon and the "
        "weighted square cancel",
        sp.diff(-SMOOTH * theta**2 / 2 + stated.weight * theta**2 / 2, theta, 2),
        sp.Integer(0),
    )


def one_input(weight: sp.Expr) -> Iterator[Fact]:
    """Eq. (6) at a fixed input x' makes the gradient of l + (weight/2)|theta|^2 monotone in theta; all d."""
    space = Space("w", "v")  # w the change of grad_theta l between theta_1 and theta_2, v = theta_1 - theta_2
    w, v = space.vectors()
    yield implies(
        "at a fixed input grad_theta l + (weight) theta is monotone, by Cauchy-Schwarz and Eq. (6): l + (weight/2) "
        "|theta|^2 is convex in theta",
        [*space.gram_conditions(), sp.Le(space.length("w"), SMOOTH * space.length("v"))],
        sp.Ge(space.inner(w + weight * v, v), 0),
        method="Gram reduction, z3 on nonlinear real arithmetic",
        shows=("v = theta_1 - theta_2, w = grad_theta l(x', theta_1) - grad_theta l(x', theta_2)",),
    )


def kinks_open_upward(upward: bool) -> Fact:
    """The slope of a convex function along a line never falls, and adding a square changes no jump of it."""
    right, left, step = sp.symbols("g(theta+sv) g(theta-sv) s", real=True)
    here = sp.Symbol("g(theta)", real=True)
    slopes = (right - here) / step, (here - left) / step
    return implies(
        "at a kink the slope of L_epsilon along any v jumps upward only: the difference quotients of the convex g "
        "satisfy right >= left, and those of the square (weight/2)|theta|^2 have the same limit",
        [sp.Gt(step, 0), sp.Le(2 * here, right + left)],
        sp.Ge(slopes[0], slopes[1]) if upward else sp.Le(slopes[0], slopes[1]),
        method=SCALARS,
    )


def entropy(stated: SimpleNamespace) -> Iterator[Fact]:
    """The weak convexity of the adversarial loss put into the bound on EntropySGD's Hessian, beta = 1."""
    yield from maxima(SimpleNamespace(weight=SMOOTH, upward=True))
    lower, upper = -stated.down.subs(SMOOTH, RHO), stated.up
    yield from weakly_convex(SimpleNamespace(lower=BETA * lower, upper=BETA * upper))
    yield compare(
        "C_theta_theta = 1, gamma = 3, beta = 1: gamma C/(gamma - C) = 3/2 and the constant is gamma = 3",
        sp.Max(stated.up, stated.down).subs({GAMMA: 3, SMOOTH: 1}),
        "==",
        sp.Integer(3),
    )
    yield compare(
        "C_theta_theta = 2, gamma = 3: it is gamma C/(gamma - C) = 6",
        sp.Max(stated.up, stated.down).subs({GAMMA: 3, SMOOTH: 2}),
        "==",
        sp.Integer(6),
    )


LESS = sp.Rational(99, 100)
DOWN = GAMMA * SMOOTH / (GAMMA - SMOOTH)

CLAIMS = (
    Claim(
        id="beyond.adversarial-weakly-convex",
        location="beyond Sec. 2.1, Proposition 1",
        kind="beyond",
        title="Adversarial losses are weakly convex: their kinks open upward",
        statement="Under Eq. (6) at all attacked inputs, L_epsilon + (C_theta_theta/2) ||theta||^2 is convex on every "
        "convex set of theta, for every norm of the attack, every radius and every tie. So L_epsilon has one-sided "
        "slopes in every direction, and at a kink the slope jumps upward.",
        latex=r"L_\varepsilon+\tfrac{C_{\theta\theta}}2\|\theta\|^2\ \text{convex}",
        assumptions=("Eq. (6) at every x' of the balls", "maxima attained", "theta in a convex set", "any N"),
        cites=("a differentiable function with a monotone gradient is convex",),
        stated={"weight": SMOOTH, "upward": True},
        check=maxima,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = -C_theta_theta theta^2/2 (d = m = 1), every epsilon: L_epsilon = l",
            attained=-sp.diff(-SMOOTH * sp.Symbol("theta") ** 2 / 2, sp.Symbol("theta"), 2),
            bound=SMOOTH,
        ),
        twins=(
            Twin("weight one per cent smaller", {"weight": LESS * SMOOTH}),
            Twin("convex without a square", {"weight": sp.Integer(0)}),
            Twin("weight one per cent larger than needed", {"weight": sp.Rational(101, 100) * SMOOTH}),
            Twin("kinks open downward", {"upward": False}),
        ),
        remark="Eq. (9) allows the gradient to jump by 2 epsilon C_theta_x in any direction; this says in which "
        "direction it may. Nothing is asked of the dependence on x.",
    ),
    Claim(
        id="beyond.entropy-adversarial",
        location="applies Theorem 3 to any net under Eq. (6)",
        kind="beyond",
        title="EntropySGD on any adversarial loss with Eq. (6): a global constant",
        statement="Under Eq. (6) on all of R^m, for gamma > C_theta_theta and beta = 1, -nabla F of the adversarial "
        "loss L_epsilon is Lipschitz on all of R^m with the constant max(gamma, gamma C_theta_theta/(gamma - "
        "C_theta_theta)), whatever the norm of the attack.",
        latex=r"\|\nabla^2F\|\le\max\left(\gamma,\frac{\gamma C_{\theta\theta}}{\gamma-C_{\theta\theta}}\right)",
        assumptions=(
            "Eq. (6) at every x' of the balls and every theta in R^m",
            "gamma > C_theta_theta, beta = 1",
            "exp(-L_epsilon - (gamma/2)|theta - .|^2) has a finite integral, which gamma > C_theta_theta gives",
        ),
        cites=(ANALYTIC, PREKOPA, "a differentiable function with a monotone gradient is convex"),
        stated={"up": GAMMA, "down": DOWN},
        check=entropy,
        expected=Verdict.TRUE,
        twins=(
            Twin("gamma one per cent smaller", {"up": LESS * GAMMA}),
            Twin("the other end one per cent smaller", {"down": LESS * DOWN}),
            Twin("C_theta_theta itself", {"down": SMOOTH}),
        ),
        remark="No Sigma, no bounded set, no Lipschitz loss: where beyond.entropy-lipschitz asks for Eq. "
        "(5), this asks "
        "for Eq. (6) and a scope narrow enough. The paper's gamma = 0.03 is seldom that.",
    ),
)

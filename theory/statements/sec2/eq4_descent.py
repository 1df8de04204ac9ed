"""Eq. (4): a gradient Lipschitz on the level set of the start makes gradient descent converge; what the
condition needs.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import worst_margin
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin

C, D, T = sp.symbols("C_s D t", positive=True)  # smoothness constant, distance, step size
THETA = sp.Symbol("theta", real=True)
NORM, RADIUS = sp.symbols("|x| epsilon", positive=True)
GRAM = "Gram reduction, z3 on nonlinear real arithmetic"


def descent(stated: SimpleNamespace) -> Iterator[Fact]:
    """A step of size t < 2/C_s never leaves the level set, although Eq. (4) holds on that set only, which
    may be any set.
    """
    space = Space("g", "w")  # g = grad L(theta), w = grad L(theta - t g) - g
    g, w = space.vectors()
    length, square = space.length("g"), sp.Symbol("|g|^2", positive=True)
    yield implies(
        "while the segment stays in the level set, d/dt L(theta - t g) <= -(1 - C_s t) ||g||^2",
        [*space.gram_conditions(), sp.Le(space.length("w"), stated.bound.subs(D, T * length))],
        sp.Le(-space.inner(g + w, g), -(1 - C * T) * length**2),
        method=GRAM,
    )
    yield identity(
        "L = C_s ||theta||^2/2 has the gradient bound of Eq. (4) with equality for every pair",
        space.norm(C * g),
        stated.bound.subs(D, length),
    )
    s = sp.Symbol("s", positive=True)
    drop = sp.integrate((1 - C * s) * square, (s, 0, T))
    yield identity(
        "integrated: L(theta - t g) <= L(theta) - t (1 - C_s t/2) ||g||^2", drop, T * (1 - C * T / 2) * square
    ).using("d/dt L(theta - t g)")
    here, there, level = sp.symbols("L(theta) L(theta-tg) L(theta^0)", real=True)
    yield implies(
        "at a first point where the segment could leave the set the loss is below L(theta^0), so there is "
        "no such point",
        [sp.Le(there, here - drop), sp.Le(here, level), sp.Lt(T, stated.limit)],
        sp.Lt(there, level),
    ).using("integrated:")
    yield identity(
        "no longer step will do: for L = C_s theta^2/2 the step 2/C_s goes from theta to -theta",
        THETA - stated.limit * sp.diff(C * THETA**2 / 2, THETA),
        -THETA,
    )
    yield from _stationary()


def _stationary() -> Iterator[Fact]:
    """The sum of the drops is bounded, so all but finitely many gradients are below any e > 0: they tend to 0. A
    bounded level set then gives a stationary limit point.
    """
    large, drop, size, total = sp.symbols("n_e c e sum|g|^2", positive=True)
    start, last, lowest = sp.symbols("L_0 L_K L_*", real=True)
    budget = (start - lowest) / (drop * size**2)
    yield implies(
        "among any number of steps those with ||g_k|| >= e number n_e <= (L_0 - L_*)/(c e^2), c = t (1 - C_s t/2), L_* "
        "a lower bound of L: after the last of them every gradient is below e, so ||g_k|| -> 0",
        [sp.Le(last, start - drop * total), sp.Ge(last, lowest), sp.Le(large * size**2, total)],
        sp.Le(large, budget),
        shows=("L falls by at least c ||g_k||^2 in step k, so sum ||g_k||^2 <= (L_0 - L_*)/c",),
    ).using("integrated:", "so there is no such point")


def right_function(stated: SimpleNamespace) -> Iterator[Fact]:
    """A step from theta = 1 on L = 2 theta^2, its size taken from the smoothness of the function that Eq.
    (4) names.
    """
    loss = 2 * THETA**2
    function = {"f": sp.Integer(0), "L": loss}[stated.gradient_of]
    curvature = sp.diff(function, THETA, 2)  # constant for these two functions
    constant = sp.Max(1, stated.multiple * curvature)
    step = 1 / constant
    before = loss.subs(THETA, 1)
    after = loss.subs(THETA, 1 - step * sp.diff(loss, THETA).subs(THETA, 1))
    yield compare(
        "a step below 2/C_s does not raise L",
        after,
        "<=",
        before,
        point={"L": "2 theta^2", "f": function, "C_s": constant, "step": step, "theta^0": 1},
        replay="f = 0 meets Eq. (4) as printed with C_s = 1; the step 1 takes theta from 1 to 1 - 4 = -3, "
        "and L from 2 to 18.",
        dimension=(1,),
    )
    yield identity(
        "C_s is the Lipschitz constant of grad L: what it moves between 1 and 2",
        constant,
        sp.diff(loss, THETA).subs(THETA, 2) - sp.diff(loss, THETA).subs(THETA, 1),
        dimension=(1,),
    )


def locally_smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """L = theta^4/4 from theta^0 = 1: no global constant, but 3 on the level set [-1, 1], and descent."""
    gradient = sp.diff(stated.loss, THETA)
    r = sp.Symbol("r", positive=True)
    ratio = sp.simplify((gradient.subs(THETA, 2 * r) - gradient.subs(THETA, r)) / r)
    yield identity(
        "between r and 2r the gradient moves 7 r^2 times as far as theta", ratio, 7 * r**2, dimension=(1,)
    )
    yield limit("so L is not globally smooth", ratio, r, sp.oo, sp.oo, direction="-", dimension=(1,))
    a, b = sp.symbols("a b", real=True)
    on_level = [sp.Le(s, stated.level) for s in (a, -a, b, -b)]
    gap = gradient.subs(THETA, a) - gradient.subs(THETA, b)
    yield implies(
        f"on the level set the gradient is {stated.constant}-Lipschitz",
        on_level,
        sp.Le(gap**2, stated.constant**2 * (a - b) ** 2),
    )
    yield identity(
        "no less will do: the derivative at 1", sp.diff(gradient, THETA).subs(THETA, 1), stated.constant
    )
    moved = sp.expand(stated.loss.subs(THETA, THETA - T * gradient))
    drop = T * (1 - stated.constant * T / 2) * gradient**2
    yield identity(
        "at theta = 1 that drop is exact to second order in t",
        sp.series(moved.subs(THETA, 1), T, 0, 3).removeO(),
        sp.expand((stated.loss - drop).subs(THETA, 1)),
    )
    scale = THETA**4  # divided out before z3 sees the inequality
    yield implies(
        f"every step t < 2/{stated.constant} from there lowers L by at least t (1 - {stated.constant} t/2) "
        f"L'(theta)^2",
        [
            sp.Le(THETA, stated.level),
            sp.Ge(THETA, -stated.level),
            sp.Ne(THETA, 0),
            sp.Lt(T, 2 / stated.constant),
        ],
        sp.Le(sp.expand(moved / scale), sp.expand((stated.loss - drop) / scale)),
    )


def unbounded(stated: SimpleNamespace) -> Iterator[Fact]:
    """The L2 adversarial logistic loss of one point along theta = t x: the worst margin grows with t, so
    the loss tends to 0.
    """
    space = Space("x")
    (x,) = space.vectors()
    theta = T * x
    margin = space.inner(theta, x) - RADIUS * space.norm(theta)
    rate = stated.rate.subs(NORM, space.length("x"))
    yield identity("the worst margin at theta = t x is t times the rate", margin, T * rate)
    excess = sp.Symbol("h", positive=True)
    beyond = sp.factor(stated.rate.subs(NORM, RADIUS + excess))
    loss = sp.log(1 + sp.exp(-T * beyond))
    yield identity("the loss starts at log 2", loss.subs(T, 0), sp.log(2))
    yield identity("and falls, at first by half the rate", sp.diff(loss, T).subs(T, 0), -beyond / 2)
    yield limit(
        "for ||x|| = epsilon + h, h > 0, the loss tends to 0: every level set contains all of the ray but a "
        "bounded piece",
        loss,
        T,
        sp.oo,
        0,
        direction="-",
    )


def unbounded_in_figure_2(stated: SimpleNamespace) -> Iterator[Fact]:
    """The same along the ray through the data point of Fig. 2, for the attacks of (b) and (c)."""
    for p, rate in ((2, stated.rate_l2), (sp.oo, stated.rate_linf)):
        found = worst_margin(stated.x, stated.x, 1, stated.epsilon, p)
        yield identity(
            f"p = {p}: at theta = t x the worst margin is {rate} times t", found, rate, dimension=(2,)
        )
        yield compare(f"p = {p}: and that grows", found, ">", sp.Integer(0), dimension=(2,))


CLAIMS = (
    Claim(
        id="eq4",
        location="Sec. 2.1, Eq. (4)",
        kind="equation",
        equations=(4,),
        title="Smoothness on the level set is enough for descent",
        statement="If the gradient of L is C_s-Lipschitz on the level set {L <= L(theta^0)} and that set is "
        "bounded, gradient descent with a suitable step size converges to a stationary point. Every fixed "
        "step below 2/C_s is suitable.",
        latex=r"\|\nabla L(\theta_1)-\nabla L(\theta_2)\|\le C_s\|\theta_1-\theta_2\|"
        r"\quad\forall\theta_1,\theta_2\in\{\theta\mid L(\theta)\le L(\theta^0)\}",
        assumptions=(
            "L continuously differentiable on R^m; f read as L (see eq4.letter)",
            "'converges to a stationary point': gradients tend to 0 and every limit point is stationary",
        ),
        stated={"bound": C * D, "limit": 2 / C},
        check=descent,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="L = C_s theta^2/2 with the step 2/C_s: theta = 2 goes to -2, and the loss stays what it "
            "was",
            attained=(C * THETA**2 / 2).subs(THETA, 2 - (2 / C) * 2 * C),
            bound=2 * C,
        ),
        twins=(
            Twin("step limit one per cent larger", {"limit": sp.Rational(202, 100) / C}),
            Twin("step limit one per cent smaller", {"limit": sp.Rational(198, 100) / C}),
            Twin("Lipschitz constant one per cent larger", {"bound": sp.Rational(101, 100) * C * D}),
        ),
        remark="The level set may be non-convex: the argument follows one segment up to its first exit and "
        "finds none. Boundedness is needed for a limit point only; gradients tend to 0 for every L that is "
        "bounded below, as losses are. That the iterates themselves converge is not shown here and does not follow in "
        "general: gradient curves of a smooth function on the plane can wind around a circle for ever (Absil, Mahony, "
        "Andrews 2005).",
    ),
    Claim(
        id="eq4.letter",
        location="Sec. 2.1, Eq. (4)",
        kind="equation",
        equations=(4,),
        title="Eq. (4) bounds the gradient of f, not of L",
        statement="The condition printed is on the gradient of f, over the level set of L.",
        latex=r"\|\nabla_\theta f(\theta_1)-\nabla_\theta f(\theta_2)\|\le C_s\|\theta_1-\theta_2\|",
        slip=True,
        stated={"gradient_of": "f", "multiple": sp.Integer(1)},
        check=right_function,
        expected=Verdict.TYPO,
        sides=(18, 2),
        corrected=Reading(
            statement="The condition is on the gradient of the loss L itself.",
            latex=r"\|\nabla_\theta L(\theta_1)-\nabla_\theta L(\theta_2)\|\le C_s\|\theta_1-\theta_2\|",
            stated={"gradient_of": "L"},
        ),
        twins=(
            Twin("f for L", {"gradient_of": "f"}),
            Twin("constant one per cent smaller", {"multiple": sp.Rational(99, 100)}),
        ),
    ),
    Claim(
        id="eq4.locally-smooth",
        location="Sec. 2.1, last sentences",
        kind="prose",
        title="A locally Lipschitz gradient can be enough",
        statement="If there is a set where the gradient is Lipschitz continuous, the gradient method can be "
        "effective under the condition of Eq. (4), although the gradient is not Lipschitz continuous "
        "everywhere.",
        assumptions=("shown by L = theta^4/4 from theta^0 = 1",),
        stated={"loss": THETA**4 / 4, "level": sp.Integer(1), "constant": sp.Integer(3)},
        check=locally_smooth,
        expected=Verdict.TRUE,
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(297, 100)}),
            Twin("constant one per cent larger", {"constant": sp.Rational(303, 100)}),
            Twin("level set one per cent larger", {"level": sp.Rational(101, 100)}),
            Twin("a globally smooth loss", {"loss": 3 * THETA**2 / 2}),
        ),
        remark="The sentence before it ('if the gradient is not Lipschitz continuous, the gradient method "
        "is not effective') is to be read as 'loses its guarantee': this loss has no global constant "
        "either.",
    ),
    Claim(
        id="beyond.unbounded-level-sets",
        location="Sec. 2.1, below Eq. (4)",
        kind="beyond",
        title="The level set assumed bounded with Eq. (4) can be a ray",
        statement="For a single data point out of the attack's reach (||x||_2 > epsilon) every level set of "
        "the L2 adversarial logistic loss is unbounded, and its infimum 0 is not attained: along theta = t "
        "x the worst margin is t ||x|| (||x|| - epsilon).",
        latex=r"\ell_\varepsilon(tx)=\log(1+e^{-t\|x\|(\|x\|-\varepsilon)})\to0\quad(t\to\infty)",
        assumptions=("linear logistic model, L2 attack, y = 1, N = 1", "||x||_2 > epsilon"),
        stated={"rate": NORM * (NORM - RADIUS)},
        check=unbounded,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign of epsilon", {"rate": NORM * (NORM + RADIUS)}),
            Twin("one per cent more", {"rate": sp.Rational(101, 100) * NORM * (NORM - RADIUS)}),
            Twin("||x|| - epsilon alone", {"rate": NORM - RADIUS}),
        ),
        remark="The same holds for every data set that is robustly linearly separable. Gradients still tend "
        "to 0 (see eq4), but there is no stationary point to converge to.",
    ),
    Claim(
        id="beyond.unbounded-level-sets.fig2",
        location="Sec. 2.1, below Eq. (4); Fig. 2(b), (c)",
        kind="beyond",
        title="Fig. 2's own adversarial losses have unbounded level sets",
        statement="For x = (-1, 1), y = 1, epsilon = 0.6 the worst margins along theta = t x are (2 - 0.6 "
        "sqrt 2) t for L2 and 0.8 t for L-infinity. Both losses tend to 0 along this ray, so the "
        "boundedness assumed with Eq. (4) fails for both.",
        assumptions=("linear logistic model",),
        stated={
            "x": (-1, 1),
            "epsilon": sp.Rational(3, 5),
            "rate_l2": 2 - 3 * sp.sqrt(2) / 5,
            "rate_linf": sp.Rational(4, 5),
        },
        check=unbounded_in_figure_2,
        expected=Verdict.TRUE,
        twins=(
            Twin("a radius that reaches over the boundary", {"epsilon": sp.Integer(2)}),
            Twin("another x", {"x": (-1, 2)}),
            Twin("rate one per cent off", {"rate_linf": sp.Rational(808, 1000)}),
        ),
    ),
)

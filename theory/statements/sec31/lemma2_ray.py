"""The proof of Lemma 2 in App. A, second part: the direction of delta, J along the ray delta = -k theta, and
the value of k."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.linear import EPSILON, GRAM, NORM, logistic, sigmoid, signed
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec31.lemma2_proof import ALONG, CLEAN, PROOF, SCALE, SIZE, stationary

WORST = CLEAN - EPSILON * NORM  # the margin of the attack, y = 1


def opposite(stated: SimpleNamespace) -> Iterator[Fact]:
    """From grad J = 0 with lambda <= 0 to <theta, delta> = -||theta|| ||delta||, and from there to delta = -k
    theta."""
    yield implies(
        "grad J = 0 and lambda <= 0 give <theta, delta> = (direction) ||theta|| ||delta||",
        stationary(),
        sp.Eq(ALONG, stated.direction * NORM * SIZE),
        method=GRAM,
    )
    space = Space("theta", "delta", known={("theta", "delta"): -NORM * SIZE})
    theta, delta = space.vectors()
    gap = delta - stated.direction * (SIZE / NORM) * theta
    yield identity(
        "then delta = (direction) k theta with k = ||delta||/||theta|| > 0",
        space.inner(gap, gap),
        sp.Integer(0),
        method="Gram reduction, sympy identity",
    )


def along_the_ray(penalised: int, multiplier: sp.Expr) -> sp.Expr:
    """l + penalised * multiplier (||delta|| - epsilon) at delta = -k theta, k > 0, with y = 1."""
    return logistic(CLEAN - SCALE * NORM**2) + penalised * multiplier * (SCALE * NORM - EPSILON)


def grows(stated: SimpleNamespace) -> Iterator[Fact]:
    """Whether the function of k that the proof calls increasing is, with lambda at the value that Eq. (28)
    gives at the attack."""
    fixed = -sigmoid(-WORST) * NORM
    function = along_the_ray(stated.penalised, fixed)
    numbers = {NORM: 1, CLEAN: 0, EPSILON: 1}
    start, end = (sp.simplify(function.subs(numbers).subs(SCALE, k)) for k in (0, 1))
    at_ends = compare(
        "the function is no smaller at k = 1 than at k = 0",
        start,
        "<=",
        end,
        point={"d": 1, "theta": 1, "x": 0, "epsilon": 1, "lambda": "-e/(1 + e)", "k": "0, then 1"},
        replay="J(0) = log 2 + e/(1 + e) = 1.424..., J(1) = log(1 + e) = 1.313...: J falls all the way to "
        "the attack at k = 1.",
    )
    yield at_ends.as_example()
    yield identity(
        "its slope in k is s ||theta||^2",
        sp.diff(function, SCALE),
        sigmoid(SCALE * NORM**2 - CLEAN) * NORM**2,
    )
    yield signed("its slope in k is positive", sp.diff(function, SCALE))
    whole = along_the_ray(1, fixed)
    yield identity(
        "J has slope 0 at k = epsilon/||theta||, the attack",
        sp.diff(whole, SCALE).subs(SCALE, EPSILON / NORM),
        sp.Integer(0),
    )
    yield signed("and is strictly convex in k, so smallest there", sp.factor(sp.diff(whole, SCALE, 2)))


def grows_along(stated: SimpleNamespace) -> Iterator[Fact]:
    """d/dk of J(-k theta) when lambda = lambda(k) solves Eq. (28) at each k: s s' ||theta||^4 (peak - k)."""
    moving = -sigmoid(SCALE * NORM**2 - CLEAN) * NORM
    slope = sp.diff(along_the_ray(1, moving), SCALE)
    number = SCALE * NORM**2 - CLEAN
    rate = sigmoid(number) * sigmoid(-number) * NORM**4
    yield identity(
        "d/dk J(-k theta; lambda(k)) = s(1 - s) ||theta||^4 (peak - k)", slope, rate * (stated.peak - SCALE)
    )
    yield signed("the factor before (peak - k) is positive", rate)


def largest_scale(stated: SimpleNamespace) -> Iterator[Fact]:
    """||-k theta|| against epsilon, at one point and in general."""
    at = {NORM: 2, EPSILON: 1}
    yield compare(
        "||delta|| <= epsilon for delta = -k theta",
        (stated.scale * NORM).subs(at),
        "<=",
        EPSILON.subs(at),
        point={"d": 1, "theta": 2, "epsilon": 1},
        replay="k = epsilon = 1 gives delta = -theta = -2, outside the ball |delta| <= 1.",
    )
    yield identity("||-k theta|| = epsilon", stated.scale * NORM, EPSILON)


CLAIMS = (
    Claim(
        id="lemma2.opposite",
        location=PROOF,
        kind="proof step",
        title="theta and delta have opposite directions",
        statement="By Eqs. (28), (30) and (31) theta and delta have opposite directions: delta = -k theta "
        "with k >= 0.",
        latex=r"\delta=-k\theta,\quad k\ge0",
        assumptions=("theta != 0", "delta != 0", "y = 1"),
        stated={"direction": -1},
        check=opposite,
        expected=Verdict.TRUE,
        twins=(
            Twin("the same direction", {"direction": 1}),
            Twin("an angle short of 180 degrees", {"direction": -sp.Rational(99, 100)}),
        ),
    ),
    Claim(
        id="lemma2.J-increases",
        location=PROOF,
        kind="reading",
        title="J increases monotonically with k",
        statement="J(-k theta) monotonically increases in accordance with k.",
        assumptions=(
            "one reading: lambda is the multiplier of the attack, fixed while k varies; with lambda following k "
            "the sentence is true (claim lemma2.J-along-eq28)",
            "y = 1",
        ),
        stated={"penalised": 1},
        check=grows,
        expected=Verdict.FALSE,
        sides=(sp.log(2) + sp.E / (1 + sp.E), sp.log(1 + sp.E)),
        corrected=Reading(
            statement="The loss l(-k theta) increases strictly with k; J itself, with lambda held fixed at "
            "the multiplier of the attack, is convex in k and smallest at the attack.",
            latex=r"\frac{d}{dk}\ell(-k\theta)=\sigma(k\|\theta\|^2-\theta^Tx)\|\theta\|^2>0",
            stated={"penalised": 0},
        ),
        twins=(
            Twin("the Lagrangian in place of the loss", {"penalised": 1}),
            Twin("the penalty subtracted", {"penalised": -1}),
        ),
        remark="That the loss grows is all the proof needs: the largest k allowed by Eq. (29) is then best.",
    ),
    Claim(
        id="lemma2.J-along-eq28",
        location=PROOF,
        kind="proof step",
        title="Along the solutions of Eq. (28), J grows with k",
        statement="If lambda follows k so that Eq. (28) holds at every k, then J(-k theta) increases with k "
        "up to k = epsilon/||theta||, the largest k that Eq. (29) allows, and decreases beyond.",
        latex=r"\frac{d}{dk}J(-k\theta)=\sigma'\,\|\theta\|^4\left(\frac{\varepsilon}{\|\theta\|}-k\right)",
        assumptions=("lambda = lambda(k), the other reading of the sentence", "y = 1"),
        stated={"peak": EPSILON / NORM},
        check=grows_along,
        expected=Verdict.TRUE,
        twins=(
            Twin("peak at epsilon", {"peak": EPSILON}),
            Twin("peak one per cent beyond the sphere", {"peak": sp.Rational(101, 100) * EPSILON / NORM}),
        ),
    ),
    Claim(
        id="lemma2.k",
        location=PROOF,
        kind="proof step",
        title="k = epsilon",
        statement="From Eq. (29) we have k = epsilon in delta = -k theta.",
        stated={"scale": EPSILON},
        check=largest_scale,
        expected=Verdict.TYPO,
        slip=True,
        sides=(2, 1),
        corrected=Reading(
            statement="From Eq. (29) we have k = epsilon/||theta||_2, as the next sentence of the proof "
            "uses.",
            latex=r"k=\varepsilon/\|\theta\|_2",
            stated={"scale": EPSILON / NORM},
        ),
        twins=(
            Twin("as printed", {"scale": EPSILON}),
            Twin("one per cent short of the sphere", {"scale": sp.Rational(99, 100) * EPSILON / NORM}),
            Twin("squared norm", {"scale": EPSILON / NORM**2}),
        ),
    ),
)

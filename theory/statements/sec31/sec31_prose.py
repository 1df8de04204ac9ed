"""The prose of Sec. 3.1 around Lemmas 2 and 3: the problem, the two families of sets, Fig. 1(a), the boundary
(Sec. 3.2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.linear import (
    DIRECTIONAL,
    EPSILON,
    LABEL,
    LABELS,
    MARGIN,
    NORM,
    THETA_MIN,
    attack,
    logistic,
    once,
    sigmoid,
    signed,
    unbounded,
)
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec31 import lemma2, lemma3

ANY = sp.Symbol("K", positive=True)
STEP = sp.Symbol("t", positive=True)
REACH = sp.Symbol("|theta|_1", nonnegative=True)
SEC = "Sec. 3.1"


def gap(one: list[sp.Expr], other: list[sp.Expr], p: object) -> sp.Expr:
    """||x'(one) - x'(other)||_2 of two L_p attacks at y = 1, from their closed form."""
    return sp.simplify((linear_attack(one, 1, EPSILON, p) - linear_attack(other, 1, EPSILON, p)).norm())


def problem(stated: SimpleNamespace) -> Iterator[Fact]:
    """The inner maximum in closed form for both norms, through the optimal attacks; the standard loss as
    epsilon -> 0."""
    yield from attacks_are_optimal()
    space = Space("theta", "x")
    theta, x = space.vectors()
    for label in LABELS:
        worst = label * space.inner(theta, x + attack(space, theta, label))
        clean = {MARGIN: label * space.product("theta", "x")}
        yield identity(
            f"L2, y = {label}: the loss at the attack",
            logistic(sp.expand(worst)),
            stated.loss.subs(clean).subs(stated.dual, NORM),
        )
    size = sp.Symbol("|theta_i|", positive=True)
    yield identity(
        "L_infinity: one coordinate, theta_i > 0, takes epsilon |theta_i| off the margin, all of them "
        "epsilon ||theta||_1",
        logistic(MARGIN + size * lemma3.coordinate(1)),
        stated.loss.subs(stated.dual, size),
        method="one scalar identity shared by all coordinates",
    )
    yield identity("epsilon -> 0 gives the standard loss", stated.loss.subs(EPSILON, 0), logistic(MARGIN))
    yield compare("the loss is log 2 where sign(theta^T x) changes", logistic(sp.Integer(0)), "==", sp.log(2))


@once
def attacks_are_optimal() -> Iterator[Fact]:
    """The attacks of Lemmas 2 and 3 maximise the loss."""
    yield from lemma2.optimal(SimpleNamespace(coefficient=-LABEL * EPSILON / NORM, labels=LABELS))
    yield from lemma3.optimal(SimpleNamespace(factor=-LABEL * EPSILON))


def at_an_axis(stated: SimpleNamespace) -> Iterator[Fact]:
    """Around (1, 0): the ratio of distances for the pair (1, t), (1, -t) in both norms; elsewhere Lemmas 2
    and 3."""
    above, below = [1, STEP], [1, -STEP]
    yield limit(
        "L2, the pair (1, t), (1, -t): ratio of distances",
        gap(above, below, 2) / (2 * STEP),
        STEP,
        0,
        stated.l2_ratio,
        dimension=(2,),
    )
    box, apart = gap(above, below, sp.oo), 2 * STEP
    if stated.box_bounded:
        yield limit("L_infinity, the same pair", box / apart, STEP, 0, EPSILON, dimension=(2,))
    else:
        yield unbounded("L_infinity, the same pair", box, apart, STEP, EPSILON, dimension=(2,))
    centre, small = lemma2.CENTRE, lemma2.SMALL
    yield from lemma2.locally(SimpleNamespace(constant=EPSILON / (centre - small), lower=centre - small))
    yield from lemma3.unbounded_orthant(SimpleNamespace(constant=sp.Integer(0), signs_fixed=True))


def on_the_orthant(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta_1 = t (1, 2), theta_2 = t (2, 1) with t = 1/(3K): in the open positive orthant, where L_infinity
    attacks do not move."""
    one, other = [sp.Integer(1), sp.Integer(2)], [sp.Integer(2), sp.Integer(1)]
    yield compare(
        "L_infinity attacks do not move", gap(one, other, sp.oo), "==", sp.Integer(0), dimension=(2,)
    )
    apart = (sp.Matrix(one) - sp.Matrix(other)).norm() / (3 * ANY)
    yield compare(
        "L2 attacks move by at most K ||theta_1 - theta_2|| on this set, where L_infinity attacks are "
        "Lipschitz",
        gap(one, other, 2).subs(EPSILON, 1),
        "<=",
        sp.simplify(stated.constant * apart),
        point={"d": 2, "epsilon": 1, "theta_1": "(1, 2)/(3K)", "theta_2": "(2, 1)/(3K)", "K": "any"},
        replay="K is any constant that someone might claim. x'(theta_1) - x'(theta_2) = (1, -1)/sqrt(5), of "
        "length 0.63..., while K ||theta_1 - theta_2|| = sqrt(2)/3 = 0.47....",
        dimension=(2,),
    )


def neither(stated: SimpleNamespace) -> Iterator[Fact]:
    """A set for each norm on which only that norm's attacks are Lipschitz; sets bounded away from 0 favour
    L2."""
    one, other = [STEP, 2 * STEP], [2 * STEP, STEP]
    yield identity(
        "positive orthant: L_infinity attacks of t (1, 2), t (2, 1) are apart by",
        gap(one, other, sp.oo),
        stated.box_gap,
        dimension=(2,),
    )
    yield identity(
        "positive orthant: L2 attacks are apart by", gap(one, other, 2), stated.gap, dimension=(2,)
    )
    apart = sp.sqrt(2) * STEP
    yield unbounded(
        "so their ratio is unbounded", gap(one, other, 2), apart, STEP, EPSILON / sp.sqrt(5), dimension=(2,)
    )
    yield from lemma2.lipschitz(SimpleNamespace(**lemma2.LEMMA))
    band = gap([THETA_MIN, STEP], [THETA_MIN, -STEP], sp.oo)
    yield unbounded(
        "||theta|| >= theta_min: the L_infinity ratio of (theta_min, t), (theta_min, -t) is unbounded",
        band,
        2 * STEP,
        STEP,
        EPSILON,
        dimension=(2,),
    )


def circle(stated: SimpleNamespace) -> Iterator[Fact]:
    """The L2 attack lies on the sphere around x, moves continuously by the exact distance, and every point of
    the sphere is reached."""
    space = Space("theta")
    (theta,) = space.vectors()
    for label in LABELS:
        yield identity(f"y = {label}: ||x' - x||", space.norm(attack(space, theta, label)), stated.radius)
    yield from lemma2.exactly(SimpleNamespace(constant=lemma2.OF_A_PAIR, lost=sp.Integer(1)))
    unit = Space("n", known={("n", "n"): 1})
    (n,) = unit.vectors()
    yield identity(
        "the point x + epsilon n of the sphere is the attack (y = 1) of theta = -n",
        attack(unit, -1 * n).coefficients["n"],
        stated.radius,
    )


def corner(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta_1 = (1, t), theta_2 = (1, -t): as close as one likes, their attacks at neighbouring corners of
    the square."""
    above, below = [1, STEP], [1, -STEP]
    for theta in (above, below):
        delta = linear_attack(theta, 1, EPSILON, sp.oo)
        yield identity(
            f"the attack of {tuple(theta)} lies at a corner: |delta_1| = |delta_2| = epsilon",
            delta.applyfunc(lambda entry: entry**2),
            sp.Matrix([EPSILON**2] * 2),
            dimension=(2,),
        )
    yield identity(
        "their distance, for every t > 0", gap(above, below, sp.oo), stated.distance, dimension=(2,)
    )
    yield limit("the distance of the two thetas as t -> 0", 2 * STEP, STEP, 0, 0, dimension=(2,))
    side = sp.Matrix([EPSILON, EPSILON]) - sp.Matrix([EPSILON, -EPSILON])
    yield identity("the side of the square", side.norm(), stated.side, dimension=(2,))


def boundary(stated: SimpleNamespace) -> Iterator[Fact]:
    """At every delta the loss grows along -y theta, so that no interior point of any ball is a maximum."""
    space = Space("theta", "x", "delta")
    theta, x, delta = space.vectors()
    t = sp.Symbol("tau", real=True)
    for label in LABELS:
        moved = logistic(label * space.inner(theta, x + delta - label * t * theta))
        margin = label * space.inner(theta, x + delta)
        yield identity(
            f"y = {label}: slope of the loss along -y theta",
            sp.diff(moved, t).subs(t, 0),
            stated.slope.subs(MARGIN, margin),
            method=DIRECTIONAL,
        )
    if stated.nonzero:
        yield signed("this slope is positive, so an interior delta can be improved", stated.slope)
    else:
        at_zero = stated.slope.subs({NORM: 0, MARGIN: 0})
        yield compare("the slope is positive at theta = 0 too", at_zero, ">", sp.Integer(0))


L2_GAP = EPSILON * sp.sqrt(sp.Rational(2, 5))
SLOPE = sigmoid(-MARGIN) * NORM**2
LESS = sp.Rational(99, 100)

CLAIMS = (
    Claim(
        id="sec31.problem",
        location=SEC + ", problem formulation",
        kind="definition",
        title="The adversarial loss of the linear classifier",
        statement="l_epsilon(x, y, theta) is the maximum of log(1 + exp(-y theta^T(x + delta))) over "
        "||delta||_p <= epsilon, and L_epsilon its mean over N samples. In closed form it is log(1 + "
        "exp(-(y theta^T x - epsilon ||theta||_q))), 1/p + 1/q = 1, checked here for p = 2 and p = "
        "infinity.",
        latex=r"\ell_\varepsilon(x,y,\theta)=\max_{\|\delta\|_p\le\varepsilon}\log(1+\exp(-y\theta^T(x+"
        r"\delta)))",
        assumptions=("y in {-1, 1}", "m = y theta^T x"),
        stated={"loss": logistic(MARGIN - EPSILON * REACH), "dual": REACH},
        check=problem,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("the attack raises the margin", {"loss": logistic(MARGIN + EPSILON * REACH)}),
            Twin("the norm squared", {"loss": logistic(MARGIN - EPSILON * REACH**2)}),
            Twin("no attack", {"loss": logistic(MARGIN)}),
        ),
        remark="The other p are claim beyond.p-attack.",
    ),
    Claim(
        id="sec31.smaller-set",
        location=SEC + ", sentence after Lemma 3",
        kind="prose",
        title="L_infinity attacks are Lipschitz around fewer theta",
        statement="The set of theta around which L_infinity adversarial examples are Lipschitz continuous "
        "is smaller than that for the L2 norm: it is theta_i != 0 for all i against theta != 0.",
        assumptions=(
            "locally Lipschitz: with some constant on some ball around theta",
            "d >= 2 (for d = 1 the two sets are equal)",
        ),
        stated={"l2_ratio": EPSILON, "box_bounded": False},
        check=at_an_axis,
        expected=Verdict.TRUE,
        twins=(
            Twin("L_infinity attacks Lipschitz around (1, 0)", {"box_bounded": True}),
            Twin("twice the ratio for L2", {"l2_ratio": 2 * EPSILON}),
        ),
    ),
    Claim(
        id="sec31.smaller-family",
        location=SEC + ", sentence after Lemma 3",
        kind="reading",
        title="Sets good for L_infinity are good for L2",
        statement="Every set on which L_infinity adversarial examples are Lipschitz continuous is one on "
        "which L2 adversarial examples are.",
        assumptions=("the sentence read about sets with one finite constant, as in Definition 1",),
        stated={"constant": ANY},
        check=on_the_orthant,
        expected=Verdict.FALSE,
        sides=(sp.sqrt(10) / 5, sp.sqrt(2) / 3),
        corrected=Reading(
            statement="Neither family contains the other: on the open positive orthant the L_infinity "
            "attack is constant and the L2 attack has no finite constant; on ||theta|| >= theta_min the L2 "
            "attack has the constant epsilon/theta_min and the L_infinity attack none (d >= 2).",
            stated={"gap": L2_GAP, "box_gap": sp.Integer(0)},
            check=neither,
        ),
        twins=(
            Twin("L2 attacks one per cent less apart", {"gap": LESS * L2_GAP}),
            Twin("L_infinity attacks that move", {"box_gap": 2 * EPSILON}),
        ),
    ),
    Claim(
        id="sec31.depends",
        location=SEC + ", last sentence",
        kind="prose",
        title="Lipschitz continuity depends on the constraint",
        statement="The Lipschitz continuity of adversarial examples depends on the type of the constraint: "
        "around theta = (1, 0) the ratio of distances is bounded for L2 and unbounded for L_infinity.",
        assumptions=("d >= 2 (for d = 1 all L_p balls are the same)",),
        stated={"l2_ratio": EPSILON, "box_bounded": False},
        check=at_an_axis,
        expected=Verdict.TRUE,
        twins=(
            Twin("bounded for both", {"box_bounded": True}),
            Twin("an L2 attack that stands still", {"l2_ratio": sp.Integer(0)}),
        ),
        remark="For every p: claims beyond.p-below-2, beyond.p-above-2 and beyond.p-1.",
    ),
    Claim(
        id="sec31.circle",
        location=SEC + ", Fig. 1(a)",
        kind="prose",
        title="L2 attacks move continuously on the circle",
        statement="With the L2 constraint adversarial examples continuously move on the circle (the sphere "
        "of radius epsilon around x) depending on theta.",
        assumptions=("theta != 0",),
        stated={"radius": EPSILON},
        check=circle,
        expected=Verdict.TRUE,
        twins=(
            Twin("a radius one per cent smaller", {"radius": LESS * EPSILON}),
            Twin("a radius that grows with theta", {"radius": EPSILON * NORM}),
        ),
        remark="For d = 1 the circle is two points, and the attack jumps between them at theta = 0.",
    ),
    Claim(
        id="sec31.corner",
        location=SEC + ", Fig. 1(a)",
        kind="prose",
        title="L_infinity attacks jump by the side of the square",
        statement="With the L_infinity constraint, even if the difference between theta_1 and theta_2 is "
        "only small, the distance between x'(theta_1) and x'(theta_2) can be 2 epsilon, the length of the "
        "side of the square, because the adversarial examples are located at its corners.",
        assumptions=(
            "one sign differs",
            "no theta_i is 0 (with sign(0) = 0 the attack of (1, 0) is the middle of a side)",
        ),
        stated={"distance": 2 * EPSILON, "side": 2 * EPSILON},
        check=corner,
        expected=Verdict.TRUE,
        twins=(
            Twin("half the side", {"distance": EPSILON}),
            Twin("the diagonal", {"distance": 2 * sp.sqrt(2) * EPSILON}),
            Twin("a side one per cent longer", {"side": 2 * EPSILON / LESS}),
        ),
        remark="With k flipped signs it is 2 epsilon sqrt(k), up to the diagonal (claim beyond.k-flips); "
        "close to theta = 0 that too takes only a small difference.",
    ),
    Claim(
        id="sec31.boundary",
        location="Sec. 3.2.1, first sentence",
        kind="prose",
        title="Attacks on linear models lie on the boundary",
        statement="The optimal adversarial examples for linear models are on the boundary of the feasible "
        "region.",
        assumptions=("theta != 0", "any norm"),
        stated={"slope": SLOPE, "nonzero": True},
        check=boundary,
        expected=Verdict.TRUE,
        twins=(
            Twin("theta = 0 allowed", {"nonzero": False}),
            Twin("the opposite slope", {"slope": -SLOPE}),
            Twin("one power of the norm", {"slope": sigmoid(-MARGIN) * NORM}),
        ),
        remark="At theta = 0 the loss is log 2 for every delta, and every point of the ball is optimal.",
    ),
)

"""Lemma 2: the L2 attack of the linear model is (epsilon/theta_min)-Lipschitz for ||theta|| >= theta_min
(Eqs. 15, 26, 33)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.linear import (
    DIRECTIONAL,
    EPSILON,
    GRAM,
    LABEL,
    LABELS,
    NORM,
    THETA_MIN,
    attack,
    decreasing_loss,
    once,
    unbounded,
)
from theory.calculus.linear_coordinates import lemma2_in_coordinates
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin

ANY = sp.Symbol("K", positive=True)  # any constant that someone might claim
CENTRE, SMALL = sp.symbols("|theta_0| r", positive=True)  # a ball of radius r around theta_0
LENGTH_A, LENGTH_B = Space("a").length("a"), Space("b").length("b")
PRODUCT = Space("a", "b").product("a", "b")
OF_A_PAIR = 2 * EPSILON / (LENGTH_A + LENGTH_B)


def optimal(stated: SimpleNamespace) -> Iterator[Fact]:
    """The stated delta lies on the ball, no delta of the ball has a smaller margin, and only it has this
    margin."""
    size = sp.Symbol("|delta|", nonnegative=True)
    space = Space("theta", "delta", known={("delta", "delta"): size**2})
    theta, delta = space.vectors()
    for label in stated.labels:
        best = stated.coefficient.subs(LABEL, label) * theta
        yield identity(
            f"y = {label}: ||delta|| = epsilon", space.norm(best), EPSILON, method="Gram reduction"
        )
        ball = [sp.Le(size, EPSILON), *space.gram_conditions()]
        least = sp.simplify(label * space.inner(theta, best))
        yield implies(
            f"y = {label}: no delta of the ball has a smaller margin (Cauchy-Schwarz)",
            ball,
            sp.Ge(label * space.inner(theta, delta), least),
            method=GRAM,
        )
        gap = delta - best
        yield implies(
            f"y = {label}: a delta of the ball with this margin is this delta",
            ball,
            sp.Or(
                sp.Ne(label * space.inner(theta, delta), least),
                sp.Eq(sp.simplify(space.inner(gap, gap)), 0),
            ),
            method=GRAM,
        )
    yield decreasing_loss()


def lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """||x'(a) - x'(b)||^2 written in |a|, |b|, <a, b>, then decided against the stated bound for every Gram
    matrix."""
    yield from distance()
    space = Space("a", "b")
    a, b = space.vectors()
    gap = attack(space, a) - attack(space, b)
    moved = sp.expand(space.inner(gap, gap))
    lower = stated.lower
    admissible = [sp.Ge(length, lower) for length in (LENGTH_A, LENGTH_B)] if stated.bounded_below else []
    # epsilon scales both sides, so it is divided out before z3 sees the inequality.
    constant = sp.simplify(stated.constant / EPSILON)
    apart = sp.expand(space.inner(a - b, a - b))
    yield implies(
        f"||x'(a) - x'(b)|| <= ({stated.constant}) ||a - b||",
        [*admissible, *space.gram_conditions()],
        sp.Le(sp.simplify(moved / EPSILON**2), constant**2 * apart),
        method=GRAM,
    ).using("the squared distance of two attacks")
    shortest = {LENGTH_A: lower, LENGTH_B: lower}
    yield identity(
        f"at |a| = |b| = {lower} the two sides are equal, whatever the angle",
        moved.subs(shortest, simultaneous=True),
        (stated.constant**2 * apart).subs(shortest, simultaneous=True),
        method="Gram reduction, sympy identity",
    )


@once
def distance() -> Iterator[Fact]:
    """The exact distance of two attacks, the same for both labels."""
    space = Space("a", "b")
    a, b = space.vectors()
    for label in LABELS:
        gap = attack(space, a, label) - attack(space, b, label)
        yield identity(
            f"y = {label}: the squared distance of two attacks is 2 epsilon^2 (1 - <a,b>/(|a||b|))",
            sp.expand(space.inner(gap, gap)),
            2 * EPSILON**2 * (1 - PRODUCT / (LENGTH_A * LENGTH_B)),
            method="Gram reduction, sympy identity",
            shows=("x'(a) - x'(b) = -y epsilon (a/|a| - b/|b|)",),
        )


def exactly(stated: SimpleNamespace) -> Iterator[Fact]:
    """The exact distance through |a - b| and |a| - |b|; the constant of a pair, and that antipodes attain it."""
    yield from distance()
    space = Space("a", "b")
    a, b = space.vectors()
    gap = attack(space, a) - attack(space, b)
    moved = sp.expand(space.inner(gap, gap) / EPSILON**2)
    apart = sp.expand(space.inner(a - b, a - b))
    yield identity(
        "||x'(a) - x'(b)||^2 = epsilon^2 (|a - b|^2 - (|a| - |b|)^2)/(|a||b|)",
        moved,
        (apart - stated.lost * (LENGTH_A - LENGTH_B) ** 2) / (LENGTH_A * LENGTH_B),
        method="Gram reduction, sympy identity",
    )
    constant = sp.simplify(stated.constant / EPSILON)  # epsilon scales both sides
    yield implies(
        f"||x'(a) - x'(b)|| <= ({stated.constant}) |a - b|",
        space.gram_conditions(),
        sp.Le(moved, constant**2 * apart),
        method=GRAM,
    ).using("the squared distance of two attacks")
    antipodes = {PRODUCT: -LENGTH_A * LENGTH_B}
    yield identity(
        "no function of |a| and |b| alone that is smaller serves: a and b = -(|b|/|a|) a attain it, in every d",
        moved.subs(antipodes),
        constant**2 * apart.subs(antipodes),
        method="Gram reduction, sympy identity",
    )
    yield identity(
        "square of the bound minus square of the distance: 2 epsilon^2 (|a| - |b|)^2 (1 + cos)/(|a| + |b|)^2, "
        "so that equal lengths and antipodes alone attain it",
        constant**2 * apart - moved,
        2 * (LENGTH_A - LENGTH_B) ** 2 * (1 + PRODUCT / (LENGTH_A * LENGTH_B)) / (LENGTH_A + LENGTH_B) ** 2,
        method="Gram reduction, sympy identity",
        shows=("cos = <a,b>/(|a||b|)",),
    )
    yield implies(
        "this constant is at most epsilon/theta_min",
        [sp.Ge(LENGTH_A, THETA_MIN), sp.Ge(LENGTH_B, THETA_MIN)],
        sp.Le(constant, 1 / THETA_MIN),
    )


def on_a_bounded_set(stated: SimpleNamespace) -> Iterator[Fact]:
    """For every theta_min > 0 a pair of the punctured ball 0 < |theta| <= 1 refutes epsilon/theta_min."""
    yield near_the_origin(
        stated.constant,
        THETA_MIN / 2,
        "1/theta_min times the distance of the two thetas is 1. The set 0 < |theta| <= 1 is bounded, leaves "
        "out the origin and contains both, however small theta_min <= 1 is chosen; theta_min > 1 claims more "
        "still. So no theta_min > 0 makes the sentence true of this set",
    )


def off_the_origin(stated: SimpleNamespace) -> Iterator[Fact]:
    """For every constant K a pair of thetas other than 0 refutes it."""
    yield near_the_origin(
        stated.constant,
        1 / (2 * ANY),
        "the two thetas are 1/K apart, K being any constant that someone might claim",
    )


def near_the_origin(constant: sp.Expr, t: sp.Expr, why: str) -> Fact:
    """Whether the attacks of t and -t are within constant ||theta_1 - theta_2||; epsilon = 1 and d = 1."""
    return compare(
        f"the attacks of t and -t, t = {t}, are within ({constant}) ||theta_1 - theta_2|| (d = epsilon = 1)",
        abs(-sp.sign(t) - sp.sign(t)),
        "<=",
        sp.simplify(constant.subs(EPSILON, 1) * 2 * t),
        point={
            "d": 1,
            "epsilon": 1,
            **{str(symbol): "any" for symbol in t.free_symbols},
            "theta_1": str(t).replace("*", " "),
            "theta_2": str(-t).replace("*", " "),
        },
        replay=f"x' = x - theta/|theta| sits at x - 1 and at x + 1, a distance 2 apart, while {why} (in "
        "d > 1 put zeros behind theta).",
    )


def locally(stated: SimpleNamespace) -> Iterator[Fact]:
    """A ball around theta_0 that leaves out the origin keeps a distance from it, so that Lemma 2 applies; no
    constant serves all balls."""
    space = Space("theta", "c", known={("c", "c"): CENTRE**2})
    theta, centre = space.vectors()
    step = theta - centre
    yield implies(
        f"||theta - theta_0|| <= r < ||theta_0|| gives ||theta|| >= {stated.lower}",
        [sp.Le(space.inner(step, step), SMALL**2), *space.gram_conditions()],
        sp.Ge(space.length("theta"), stated.lower),
        method=GRAM,
    )
    # r < ||theta_0|| enters here: the distance left to the origin is a positive number, called theta_min.
    left = {CENTRE: SMALL + THETA_MIN}
    yield from lipschitz(
        SimpleNamespace(
            constant=sp.simplify(stated.constant.subs(left)),
            lower=sp.simplify(stated.lower.subs(left)),
            bounded_below=True,
        )
    )
    t = sp.Symbol("t", positive=True)
    apart = 2 * t
    gap = sp.Abs(linear_attack([t], 1, EPSILON, 2)[0] - linear_attack([-t], 1, EPSILON, 2)[0])
    yield unbounded("the pair t, -t has an unbounded ratio", gap, apart, t, EPSILON)


def label_symmetry(stated: SimpleNamespace) -> Iterator[Fact]:
    """Jacobian and distances at y = -1 against those at y = 1."""
    space = Space("theta", "v")
    theta, v = space.vectors()
    plus, minus = (space.derivative(partial(attack, space, label=label), theta, v) for label in LABELS)
    for name in space.names:
        yield identity(
            f"the {name}-component of D x'(theta)[v] at y = -1",
            minus.coefficients[name],
            stated.jacobian_factor * plus.coefficients[name],
            method=DIRECTIONAL,
        )
    pair = Space("a", "b")
    a, b = pair.vectors()
    gaps = [attack(pair, a, label) - attack(pair, b, label) for label in LABELS]
    yield identity(
        "the squared distance of two attacks at y = -1",
        pair.inner(gaps[1], gaps[1]),
        stated.distance_factor * pair.inner(gaps[0], gaps[0]),
        method="Gram reduction, sympy identity",
    )


LEMMA = {"constant": EPSILON / THETA_MIN, "lower": THETA_MIN, "bounded_below": True}
PER_CENT_LESS = sp.Rational(99, 100)
LEMMA_TWINS = (
    Twin("constant one per cent smaller", {"constant": PER_CENT_LESS * EPSILON / THETA_MIN}),
    Twin("constant one per cent larger than needed", {"constant": EPSILON / (PER_CENT_LESS * THETA_MIN)}),
    Twin("theta_min squared", {"constant": EPSILON / THETA_MIN**2}),
    Twin("no lower bound on theta", {"bounded_below": False}),
)
PROOF = "App. A, proof of Lemma 2"

CLAIMS = (
    Claim(
        id="lemma2.attack",
        location=PROOF,
        kind="proof step",
        title="The L2 attack is -y epsilon theta/||theta||",
        statement="For theta != 0 the perturbation delta = -y epsilon theta/||theta||_2 is the one "
        "maximiser of the loss over ||delta||_2 <= epsilon, so that x'(theta) = x - epsilon "
        "theta/||theta||_2 for y = 1.",
        latex=r"\delta=-y\,\varepsilon\,\theta/\|\theta\|_2",
        assumptions=("linear logistic model", "theta != 0"),
        stated={"coefficient": -LABEL * EPSILON / NORM, "labels": LABELS},
        check=optimal,
        expected=Verdict.TRUE,
        twins=(
            Twin("along theta instead of against it", {"coefficient": LABEL * EPSILON / NORM}),
            Twin("theta not normalised", {"coefficient": -LABEL * EPSILON}),
            Twin("the label forgotten", {"coefficient": -EPSILON / NORM}),
            Twin(
                "one per cent short of the sphere", {"coefficient": -PER_CENT_LESS * LABEL * EPSILON / NORM}
            ),
        ),
        remark="The paper reaches it through Lagrange multipliers (claims lemma2.eq27 to lemma2.k); "
        "Cauchy-Schwarz does it in a line.",
    ),
    Claim(
        id="lemma2",
        location="Sec. 3.1, Lemma 2; App. A",
        kind="lemma",
        equations=(15, 26, 33),
        title="Linear-model L2 attacks are (epsilon/theta_min)-Lipschitz",
        statement="For ||delta||_2 <= epsilon and all theta_1, theta_2 with ||theta|| >= theta_min > 0, the "
        "attacks of the linear model satisfy ||x'(theta_1) - x'(theta_2)|| <= (epsilon/theta_min) ||theta_1 "
        "- theta_2||.",
        latex=r"\|x'(\theta_1)-x'(\theta_2)\|\le\frac{\varepsilon}{\theta_{\min}}\|\theta_1-\theta_2\|",
        assumptions=(
            "linear logistic model",
            "||theta_1||, ||theta_2|| >= theta_min > 0",
            "the same x and y for both",
        ),
        stated=LEMMA,
        check=lipschitz,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="For all theta_1, theta_2 != 0 the distance is known exactly: ||x'(theta_1) - "
            "x'(theta_2)||^2 = epsilon^2 (||theta_1 - theta_2||^2 - (||theta_1|| - "
            "||theta_2||)^2)/(||theta_1|| ||theta_2||). The ratio of distances is at most 2 "
            "epsilon/(||theta_1|| + ||theta_2||), with equality if and only if ||theta_1|| = ||theta_2|| or "
            "theta_2 is a negative multiple of theta_1; so no smaller constant depends on the two lengths "
            "alone.",
            latex=r"\|x'(\theta_1)-x'(\theta_2)\|\le\frac{2\varepsilon}{\|\theta_1\|+\|\theta_2\|}\|"
            r"\theta_1-\theta_2\|",
            stated={"constant": OF_A_PAIR, "lost": sp.Integer(1)},
            check=exactly,
        ),
        tightness=Tightness(
            pair="theta_1 = (theta_min, 0), theta_2 = (0, theta_min): the ratio of distances is (sqrt(2) "
            "epsilon)/(sqrt(2) theta_min)",
            attained=(
                linear_attack([THETA_MIN, 0], 1, EPSILON, 2) - linear_attack([0, THETA_MIN], 1, EPSILON, 2)
            ).norm()
            / sp.Matrix([THETA_MIN, -THETA_MIN]).norm(),
            bound=EPSILON / THETA_MIN,
        ),
        twins=(
            *LEMMA_TWINS,
            Twin(
                "the geometric mean of the lengths called the best of a pair",
                {"constant": EPSILON / sp.sqrt(LENGTH_A * LENGTH_B)},
                of="sharpest",
            ),
            Twin(
                "one per cent less than 2 epsilon/(|a| + |b|)",
                {"constant": PER_CENT_LESS * OF_A_PAIR},
                of="sharpest",
            ),
            Twin("the lengths do not matter", {"lost": sp.Integer(0)}, of="sharpest"),
        ),
        remark="The paper's proof bounds the Jacobian, which is not enough: the set ||theta|| >= theta_min "
        "is not convex (claim lemma2.jacobian-bound). The inequality holds all the same, because theta -> "
        "theta_min theta/||theta|| is there the projection onto a ball.",
        coordinates=lemma2_in_coordinates,
    ),
    Claim(
        id="lemma2.bounded-set",
        location="Sec. 3.1, Lemma 2, last sentence; App. A",
        kind="reading",
        title="Lipschitz on a bounded set without the origin",
        statement="Thus, adversarial examples are (epsilon/theta_min)-Lipschitz on a bounded set not "
        "including the origin.",
        assumptions=(
            "read as it stands: of the set it is asked that it be bounded and leave out the origin, and "
            "theta_min is some positive number; with ||theta|| >= theta_min carried over from the sentence before "
            "it is Eq. (15) again, and true (claim lemma2)",
        ),
        stated={"constant": EPSILON / THETA_MIN},
        check=on_a_bounded_set,
        expected=Verdict.FALSE,
        group="sets that reach up to theta = 0",
        sides=(2, 1),
        corrected=Reading(
            statement="Adversarial examples are (epsilon/theta_min)-Lipschitz on every set, bounded or not, "
            "whose distance from the origin is at least theta_min > 0.",
            latex=r"\inf_{\theta\in\Theta}\|\theta\|\ge\theta_{\min}>0",
            stated=LEMMA,
            check=lipschitz,
        ),
        twins=LEMMA_TWINS[:1] + LEMMA_TWINS[3:],
        remark="A bounded set without the origin may still reach up to it. The "
        "paper's next sentence, 'in the set excluding the origin', shows that the lower bound is meant to follow "
        "(claim lemma2.off-the-origin).",
    ),
    Claim(
        id="lemma2.off-the-origin",
        location="Sec. 3.1, sentence after Lemma 2",
        kind="prose",
        title="Lipschitz in the set excluding the origin",
        statement="Adversarial examples with L2 constraints are a Lipschitz continuous function of theta in "
        "the set excluding the origin.",
        assumptions=("the set is all of theta != 0", "Lipschitz as in Definition 1: one finite constant"),
        stated={"constant": ANY},
        check=off_the_origin,
        expected=Verdict.FALSE,
        group="sets that reach up to theta = 0",
        sides=(2, 1),
        corrected=Reading(
            statement="They are locally Lipschitz there: on the ball of radius r < ||theta_0|| around "
            "theta_0 the constant epsilon/(||theta_0|| - r) serves; no constant serves all theta != 0.",
            latex=r"\|x'(\theta_1)-x'(\theta_2)\|\le\frac{\varepsilon}{\|\theta_0\|-r}\|\theta_1-\theta_2\|",
            stated={"constant": EPSILON / (CENTRE - SMALL), "lower": CENTRE - SMALL},
            check=locally,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": PER_CENT_LESS * EPSILON / (CENTRE - SMALL)}),
            Twin("the radius forgotten", {"constant": EPSILON / CENTRE, "lower": CENTRE}),
        ),
    ),
    Claim(
        id="lemma2.label",
        location="App. A, proofs of Lemmas 2 and 3",
        kind="prose",
        title="The same results for y = -1",
        statement="The same results are derived for y = -1: all distances of L2 attacks are the same, and "
        "the Jacobian changes its sign.",
        assumptions=("theta != 0",),
        stated={"jacobian_factor": sp.Integer(-1), "distance_factor": sp.Integer(1)},
        check=label_symmetry,
        expected=Verdict.TRUE,
        twins=(
            Twin("the same Jacobian", {"jacobian_factor": sp.Integer(1)}),
            Twin("distances one per cent larger", {"distance_factor": sp.Rational(101, 100) ** 2}),
        ),
        remark="Eq. (32) itself is not the same at y = -1, its negative is; its spectral norm is. "
        "L_infinity: claim lemma3.attack.",
    ),
)

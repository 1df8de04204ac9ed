"""Lemma 3: the L_infinity attack of the linear model moves only when a sign of theta flips, and then by a
fixed step (Eqs. 17, 35, 36)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.linear import EPSILON, LABEL, LABELS, MARGIN, logistic, sigmoid, signed, unbounded
from theory.calculus.linear_coordinates import lemma3_in_coordinates
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin

PROOF = "App. A, proof of Lemma 3"
SIGNS = (1, 0, -1)
WEIGHT, OTHER = sp.symbols("theta_1i theta_2i", real=True)
MOVE = sp.Symbol("delta_i", real=True)
LOWER, STEP = sp.symbols("theta_min t", positive=True)
EACH = "one scalar inequality shared by all coordinates, z3 on nonlinear real arithmetic"
SHARED = "one scalar identity shared by all coordinates"


def has_sign(weight: sp.Expr, sign: int) -> sp.Basic:
    """weight > 0, = 0 or < 0."""
    return {1: sp.Gt(weight, 0), 0: sp.Eq(weight, 0), -1: sp.Lt(weight, 0)}[sign]


def allowed(move: sp.Expr) -> list[sp.Basic]:
    """-epsilon <= move <= epsilon."""
    return [sp.Le(move, EPSILON), sp.Ge(move, -EPSILON)]


def coordinate(sign: int, label: int = 1) -> sp.Expr:
    """The coordinate of the attack, `-y epsilon sign(theta_i)`, from the closed form of every L_p attack at p
    = infinity."""
    # The second weight only keeps theta away from 0, where there is no attack to compute.
    return linear_attack([sign, 1], label, EPSILON, sp.oo)[0]


def optimal(stated: SimpleNamespace) -> Iterator[Fact]:
    """In each coordinate the stated move is allowed and none has a smaller product with the weight; unique
    where theta_i != 0."""
    for label in LABELS:
        for sign in SIGNS:
            best = stated.factor.subs(LABEL, label) * sign
            given = [has_sign(WEIGHT, sign), *allowed(MOVE)]
            yield implies(
                f"y = {label}, sign {sign}: |delta_i| <= epsilon and no allowed move has a smaller y "
                "theta_i delta_i",
                given,
                sp.And(*allowed(best), sp.Ge(label * WEIGHT * MOVE, label * WEIGHT * best)),
                method=EACH,
            )
            if sign:
                yield implies(
                    f"y = {label}, sign {sign}: no other move does as well",
                    given,
                    sp.Or(sp.Ne(WEIGHT * MOVE, WEIGHT * best), sp.Eq(MOVE, best)),
                    method=EACH,
                )
        yield identity(
            f"y = {label}: the stated coordinate is that of the closed form for p = infinity",
            stated.factor.subs(LABEL, label),
            coordinate(1, label),
        )


def same_signs(stated: SimpleNamespace) -> Iterator[Fact]:
    """For each sign, zero included, two weights of that sign get the same coordinate, so the distance is 0 in
    every dimension."""
    for sign in SIGNS:
        other = sign if stated.same else -sign
        move = coordinate(sign) - coordinate(other)
        yield identity(
            f"sign {sign}: contribution of the coordinate to ||x'(theta_1) - x'(theta_2)||^2",
            move**2,
            stated.distance**2,
            method=SHARED,
            shows=(f"({coordinate(sign)}) - ({coordinate(other)}) = {move}",),
        )


def never_lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """The set {-1, 1} of weights: its only pair has different signs, and the attack moves by no more than
    twice as far as theta."""
    gap = abs(coordinate(1) - coordinate(-1)).subs(EPSILON, 1)
    yield compare(
        "signs differ between 1 and -1, so some pair of the set moves the attack by more than K = "
        "epsilon/theta_min = 1 allows",
        gap,
        ">",
        sp.Integer(stated.allowed),
        point={"d": 1, "epsilon": 1, "theta_min": 1, "set": "{|theta| >= 1}", "theta_1": 1, "theta_2": -1},
        replay="x'(1) = x - 1 and x'(-1) = x + 1 are 2 apart, and so are 1 and -1: the ratio is 1, and "
        "smaller for every other pair with |theta| >= 1, so that the attack is 1-Lipschitz there although "
        "signs change.",
    )


def flips(stated: SimpleNamespace) -> Iterator[Fact]:
    """What a flipped coordinate contributes, the constant where flipped weights are at least theta_min, and
    what happens close to 0."""
    k, i = sp.symbols("k i", integer=True, positive=True)
    flip = (coordinate(1) - coordinate(-1)) ** 2
    yield identity(
        "k flipped signs move the attack by 2 epsilon sqrt(k), in every dimension",
        sp.sqrt(sp.summation(flip, (i, 1, k))),
        stated.step * sp.sqrt(k),
        method="sum over the k flipped coordinates",
    )
    apart = (
        [sp.Ge(WEIGHT, LOWER), sp.Le(OTHER, -LOWER)] if stated.away else [sp.Gt(WEIGHT, 0), sp.Lt(OTHER, 0)]
    )
    # epsilon scales both sides, so it is divided out before z3 sees the inequality.
    ratio = sp.simplify(stated.constant / EPSILON)
    yield implies(
        f"each flipped coordinate contributes at most ({stated.constant})^2 (theta_1i - theta_2i)^2",
        apart,
        sp.Le(sp.simplify(flip / EPSILON**2), ratio**2 * (WEIGHT - OTHER) ** 2),
        method=EACH,
    )
    yield identity(
        "equality at theta_1i = theta_min, theta_2i = -theta_min",
        sp.sqrt(flip),
        stated.constant * 2 * LOWER,
    )
    yield unbounded(
        "pairs t, -t approaching the axis have an unbounded ratio", sp.sqrt(flip), 2 * STEP, STEP, EPSILON
    )


def any_maximiser(stated: SimpleNamespace) -> Iterator[Fact]:
    """theta_1 = (1, weight), theta_2 = (2, weight): two optimal attacks, one with the second coordinate down,
    one with it up."""
    second = stated.weight
    gaps = []
    for first in (1, 2):
        value = first + abs(second)
        for pick in (-1, 1) if second == 0 else (-sp.sign(second),):
            delta = sp.Matrix([-1, pick])
            yield compare(
                f"delta = {tuple(delta)} reaches the optimum -epsilon ||theta||_1 for theta = ({first}, "
                f"{second}), epsilon = 1",
                first * delta[0] + second * delta[1],
                "==",
                -value,
                dimension=(2,),
            )
            gaps.append((first, delta))
    largest = max(
        ((p - q).norm() for a, p in gaps for b, q in gaps if a == 1 and b == 2),
        key=lambda number: sp.N(number),
    )
    yield compare(
        "theta_1 and theta_2 have the same signs, so optimal attacks coincide",
        largest,
        "==",
        sp.Integer(stated.distance),
        point={"d": 2, "epsilon": 1, "theta_1": (1, second), "theta_2": (2, second)},
        replay="the second weight is 0, so the second coordinate of delta does not matter: x + (-1, -1) is "
        "optimal for (1, 0) and x + (-1, 1) for (2, 0), a distance 2 apart.",
        dimension=(2,),
    )


def unique_off_the_axes(stated: SimpleNamespace) -> Iterator[Fact]:
    """Where theta_i != 0 only one move is optimal, so that equal signs leave no choice; where theta_i = 0
    every move is."""
    beside = sp.Symbol("delta_2i", real=True)
    for sign in (1, -1):
        pairs = [
            (weight if stated.nonzero else sp.Integer(0), move)
            for weight, move in ((WEIGHT, MOVE), (OTHER, beside))
        ]
        yield implies(
            f"sign {sign}: moves that reach theta_i delta_i = -epsilon |theta_i| for two such weights differ "
            f"by {stated.distance}",
            [
                has_sign(WEIGHT, sign),
                has_sign(OTHER, sign),
                *(relation for _, move in pairs for relation in allowed(move)),
                *(sp.Eq(weight * move, weight * coordinate(sign)) for weight, move in pairs),
            ],
            sp.Eq(MOVE - beside, stated.distance),
            method=EACH,
        )


def unbounded_orthant(stated: SimpleNamespace) -> Iterator[Fact]:
    """The constant of the attack on an orthant, without any bound on theta; and what a change of sign does to
    it."""
    gap = coordinate(1) - coordinate(1 if stated.signs_fixed else -1)
    yield identity(
        "the coordinates of the attack move by (constant) |theta_1i - theta_2i| for all weights of the set",
        abs(gap),
        stated.constant * abs(WEIGHT - OTHER),
        method=SHARED,
        shows=("no bound on theta_1i and theta_2i is used",),
    )


def monotone(stated: SimpleNamespace) -> Iterator[Fact]:
    """The derivative of the loss in theta^T delta for y = 1, and the two one-sided limits of sign at 0."""
    slope = sp.diff(logistic(MARGIN), MARGIN)
    yield identity("the slope of log(1 + exp(-m)) in m = theta^T x + theta^T delta", slope, stated.slope)
    yield signed("so the loss decreases strictly in theta^T delta", -slope)
    yield identity(
        "the derivative of sign on each side of 0",
        sp.diff(sp.sign(STEP), STEP) + sp.diff(sp.sign(-STEP), STEP),
        sp.Integer(0),
    )
    yield compare(
        "the jump of sign at 0",
        sp.limit(sp.sign(STEP), STEP, 0) - sp.limit(sp.sign(-STEP), STEP, 0),
        "==",
        sp.Integer(stated.jump),
    )


LESS = sp.Rational(99, 100)
RIGHT = {"step": 2 * EPSILON, "constant": EPSILON / LOWER, "away": True}

CLAIMS = (
    Claim(
        id="lemma3.attack",
        location=PROOF,
        kind="proof step",
        title="The L_infinity attack is -y epsilon sign(theta)",
        statement="The loss over ||delta||_inf <= epsilon is largest at delta = -y epsilon sign(theta), "
        "elementwise; x' = x - epsilon sign(theta) for y = 1.",
        latex=r"\delta=-y\,\varepsilon\,\mathrm{sign}(\theta)",
        assumptions=(
            "linear logistic model",
            "the only maximiser if no theta_i is 0; with sign(0) = 0 one of many otherwise",
        ),
        stated={"factor": -LABEL * EPSILON},
        check=optimal,
        expected=Verdict.TRUE,
        twins=(
            Twin("along the signs", {"factor": LABEL * EPSILON}),
            Twin("the label forgotten", {"factor": -EPSILON}),
            Twin("one per cent short of the face", {"factor": -LESS * LABEL * EPSILON}),
        ),
    ),
    Claim(
        id="lemma3",
        location="Sec. 3.1, Lemma 3; App. A, first and last sentence of the lemma's proof",
        kind="lemma",
        title="Not Lipschitz if the sign of one element differs",
        statement="If the sign of at least one element differs between theta_1 and theta_2, L_infinity "
        "adversarial examples are not Lipschitz continuous; if all signs are the same, ||x'(theta_1) - "
        "x'(theta_2)|| = 0.",
        latex=r"\exists i:\ \mathrm{sign}(\theta_{1,i})\ne\mathrm{sign}(\theta_{2,i})\ \Rightarrow\ "
        r"\text{not Lipschitz}",
        assumptions=(
            "Lipschitz on a set as in Definition 1, the set containing theta_1 and theta_2",
            "the second half, Eq. (17), is claim lemma3.same-signs and is true",
        ),
        stated={"allowed": 2},
        check=never_lipschitz,
        expected=Verdict.FALSE,
        sides=(2, 2),
        corrected=Reading(
            statement="k flipped signs move the attack by exactly 2 epsilon sqrt(k). On a set where the "
            "weights that flip have |theta_i| >= theta_min > 0 the attack is (epsilon/theta_min)-Lipschitz; "
            "where pairs with different signs come arbitrarily close, it is not Lipschitz. If no sign "
            "differs, it does not move.",
            latex=r"\|x'(\theta_1)-x'(\theta_2)\|=2\varepsilon\sqrt{k}\le\frac{\varepsilon}{\theta_{"
            r"\min}}\|\theta_1-\theta_2\|",
            stated=RIGHT,
            check=flips,
        ),
        tightness=Tightness(
            pair="theta_1 = theta_min, theta_2 = -theta_min (d = 1): the attacks are 2 epsilon apart, the "
            "thetas 2 theta_min",
            attained=(coordinate(-1) - coordinate(1)) / (2 * LOWER),
            bound=EPSILON / LOWER,
        ),
        twins=(
            Twin("a step one per cent smaller", {"step": LESS * 2 * EPSILON}),
            Twin("half the constant", {"constant": EPSILON / (2 * LOWER)}),
            Twin("weights that flip at any size", {"away": False}),
        ),
        remark="The set |theta| >= theta_min shows that it is closeness to an axis that matters, not the "
        "change of sign.",
        coordinates=lemma3_in_coordinates,
    ),
    Claim(
        id="lemma3.same-signs",
        location="Sec. 3.1, Lemma 3; App. A",
        kind="equation",
        equations=(17, 35, 36),
        title="Equal signs: the L_infinity attack does not move",
        statement="If sign(theta_1i) = sign(theta_2i) for all i, then ||x'(theta_1) - x'(theta_2)|| = 0.",
        latex=r"\|x'(\theta_1)-x'(\theta_2)\|=0",
        assumptions=(
            "x' is the attack x - y epsilon sign(theta) with sign(0) = 0",
            "the same x and y for both",
        ),
        stated={"distance": sp.Integer(0), "same": True},
        check=same_signs,
        expected=Verdict.TRUE,
        twins=(
            Twin("a hundredth of epsilon", {"distance": EPSILON / 100}),
            Twin("opposite signs", {"same": False}),
        ),
        remark="Eq. (36) speaks of an interval; for d >= 2 the set of equal signs is an orthant. It is "
        "convex, which is all that is used.",
    ),
    Claim(
        id="lemma3.any-maximiser",
        location="Sec. 3.1, Lemma 3; App. A",
        kind="reading",
        title="Eq. (17) for every choice of optimal attack",
        statement="If all signs are the same, optimal adversarial examples of theta_1 and theta_2 coincide.",
        assumptions=(
            "adversarial example read as any maximiser",
            "theta_i = 0 allowed: all signs are then 0 and the same",
        ),
        stated={"weight": sp.Integer(0), "distance": 0},
        check=any_maximiser,
        expected=Verdict.FALSE,
        sides=(2, 0),
        corrected=Reading(
            statement="If all signs are the same and none is 0, the optimal attack is unique and the same "
            "for both; a coordinate with theta_i = 0 may lie anywhere in [-epsilon, epsilon].",
            latex=r"\theta_i\ne0\ \forall i",
            stated={"nonzero": True, "distance": 0},
            check=unique_off_the_axes,
        ),
        twins=(
            Twin("a weight of zero allowed", {"nonzero": False}),
            Twin("a distance of one", {"distance": 1}),
        ),
    ),
    Claim(
        id="lemma3.bounded-set",
        location="Sec. 3.1, Lemma 3, last sentence; App. A",
        kind="prose",
        title="Lipschitz where no signs of elements change",
        statement="Adversarial examples are Lipschitz continuous on a bounded set that does not include "
        "theta_i = 0 and where no signs of elements change.",
        assumptions=("no theta_i is 0 on the set",),
        stated={"constant": sp.Integer(0), "signs_fixed": True},
        check=unbounded_orthant,
        expected=Verdict.TRUE,
        twins=(
            Twin("a sign may change", {"signs_fixed": False}),
            Twin("attacks that do move", {"constant": EPSILON}),
        ),
        remark="Bounded is not needed, and the constant is 0.",
    ),
    Claim(
        id="lemma3.monotone",
        location=PROOF,
        kind="proof step",
        title="The loss decreases in theta^T delta; sign is a step",
        statement="log(1 + exp(-theta^T x - theta^T delta)) is monotonically decreasing in theta^T delta; "
        "sign has derivative zero for theta_i != 0 and is not continuous at theta_i = 0.",
        assumptions=("y = 1",),
        stated={"slope": -sigmoid(-MARGIN), "jump": 2},
        check=monotone,
        expected=Verdict.TRUE,
        twins=(
            Twin("increasing", {"slope": sigmoid(-MARGIN)}),
            Twin("a continuous sign", {"jump": 0}),
        ),
    ),
)

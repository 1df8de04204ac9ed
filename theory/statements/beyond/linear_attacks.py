"""Beyond the paper: flipped signs of L_infinity attacks, the L_p attack in closed form, and the jump of the
L2 gradient at theta = 0."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.linear import EPSILON, LABELS, once, sigmoid, signed, unbounded
from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.vectors import Space, Vector
from theory.ledger.claim import Claim, Twin
from theory.statements.sec31.lemma3 import coordinate

# q = 1 + h is the exponent dual to p, h > 0, so p = (1 + h)/h = 1 + 1/h; written with h, powers of positive
# symbols combine.
EXCESS = sp.Symbol("h", positive=True)
DUAL = 1 + EXCESS
P = DUAL / EXCESS
TOTAL = sp.Symbol("S", positive=True)  # sum_i |theta_i|^q
LENGTH = TOTAL ** (1 / DUAL)  # ||theta||_q
STEP = sp.Symbol("t", positive=True)
COUNT = sp.Symbol("k", integer=True, positive=True)
ORDER = sp.Symbol("r", positive=True)
SHARED = "one scalar identity shared by all coordinates"


def k_flips(stated: SimpleNamespace) -> Iterator[Fact]:
    """k coordinates that move by 2 epsilon each, in the L_r norm and, with r -> infinity, in the largest
    coordinate."""
    index = sp.Symbol("i", integer=True, positive=True)
    flip = coordinate(-1) - coordinate(1)
    distance = sp.simplify(sp.summation(flip**ORDER, (index, 1, COUNT)) ** (1 / ORDER))
    yield identity(
        "k flips in the L_r norm", distance, stated.move, method="sum over the k flipped coordinates"
    )
    yield identity(
        "k flips in the L2 norm",
        distance.subs(ORDER, 2),
        stated.euclidean,
        method="sum over the k flipped coordinates",
    )
    for number in (1, 2, 3):
        ones = sp.ones(1, number)
        moved = linear_attack(ones, 1, EPSILON, sp.oo) - linear_attack(-ones, 1, EPSILON, sp.oo)
        yield identity(
            f"the closed form of the attack, {number} flip{'s' * (number > 1)}",
            moved.norm(),
            stated.euclidean.subs(COUNT, number),
            dimension=(number,),
        ).as_example()


def p_attack(stated: SimpleNamespace) -> Iterator[Fact]:
    """Hoelder's inequality by Young's, and the perturbation |delta_i| = scale |theta_i|^exponent, for which
    it is an equality."""
    yield from young()
    yield identity(
        "||delta||_p^p is scale^p sum |theta_i|^(p exponent), a sum of |theta_i|^q",
        stated.exponent * P,
        DUAL,
        method=SHARED,
    )
    yield identity("so ||delta||_p = epsilon", stated.scale**P * TOTAL, EPSILON**P)
    yield identity(
        "y <theta, delta> is -scale sum |theta_i|^(1 + exponent), a sum of |theta_i|^q",
        stated.exponent + 1,
        DUAL,
        method=SHARED,
    )
    yield identity(
        "so y <theta, delta> = -epsilon ||theta||_q, the least possible",
        stated.scale * TOTAL,
        EPSILON * LENGTH,
    )
    for label in LABELS:
        weights = [sp.Integer(1), -sp.Integer(2)]
        found = linear_attack(weights, label, EPSILON, 3)
        total = sum(abs(w) ** DUAL for w in weights)
        rule = [
            -label * sp.sign(w) * stated.scale.subs(TOTAL, total) * abs(w) ** stated.exponent for w in weights
        ]
        yield identity(
            f"y = {label}: p = 3, theta = (1, -2) by the library's closed form",
            found,
            sp.Matrix(rule).subs(EXCESS, sp.Rational(1, 2)),
            dimension=(2,),
        ).as_example()


@once
def young() -> Iterator[Fact]:
    """a b <= a^q/q + b^p/p for a, b >= 0: the difference is convex in a with minimum 0 at a = b^(1/h)."""
    a, b = sp.symbols("a b", positive=True)
    difference = a**DUAL / DUAL + b**P / P - a * b
    least = b ** (1 / EXCESS)
    yield identity("1/p + 1/q = 1", 1 / P + 1 / DUAL, sp.Integer(1))
    yield identity(
        "Young: the difference is stationary at a = b^(1/h)",
        sp.diff(difference, a).subs(a, least),
        sp.Integer(0),
    )
    yield identity("Young: and zero there", difference.subs(a, least), sp.Integer(0))
    yield signed(
        "Young: and strictly convex in a",
        sp.simplify(sp.diff(difference, a, 2)),
        shows=(
            "summed over the coordinates with a = |theta_i|/||theta||_q, b = |delta_i|/epsilon: sum a b <= "
            "1/q + 1/p = 1 (Hoelder), with equality only where every b = a^h",
        ),
    )


def origin_jump(stated: SimpleNamespace) -> Iterator[Fact]:
    """The gradient of the L2 adversarial loss at t v and -t v, |v| = 1, as t -> 0: one sample, and so every
    mean of samples."""
    space = Space("x", "v", known={("v", "v"): 1})
    x, v = space.vectors()
    for label in LABELS:
        ends: list[Vector] = []
        for sign in (1, -1):
            margin = sign * STEP * label * space.product("x", "v") - EPSILON * STEP
            pull = label * x - (EPSILON * sign) * v  # y x - epsilon theta/||theta||
            ends.append(((-sigmoid(-margin)) * pull).map(lambda value: sp.limit(value, STEP, 0)))
        yield identity(
            f"y = {label}: the gradients at t v and -t v differ in the limit by (stated) v",
            (ends[0] - ends[1]).coefficients.get("v", sp.Integer(0)),
            stated.jump,
        )
        yield identity(
            f"y = {label}: and not along x",
            (ends[0] - ends[1]).coefficients.get("x", sp.Integer(0)),
            sp.Integer(0),
        )
    yield unbounded("a gap that stays near epsilon at distance 2t", stated.jump, 2 * STEP, STEP, EPSILON / 2)


LESS, MORE = sp.Rational(99, 100), sp.Rational(101, 100)
SCALE = EPSILON / LENGTH**EXCESS
PLACE = "beyond Sec. 3.1"

CLAIMS = (
    Claim(
        id="beyond.k-flips",
        location=PLACE + ", Lemma 3",
        kind="beyond",
        title="k flipped signs move the attack by 2 epsilon sqrt(k)",
        statement="If exactly k signs differ between theta_1 and theta_2 and no weight is 0, their "
        "L_infinity attacks are 2 epsilon k^(1/r) apart in the L_r norm, 2 epsilon sqrt(k) in the L2 norm.",
        latex=r"\|x'(\theta_1)-x'(\theta_2)\|_r=2\varepsilon k^{1/r}",
        assumptions=("linear logistic model", "theta_i != 0"),
        stated={"move": 2 * EPSILON * COUNT ** (1 / ORDER), "euclidean": 2 * EPSILON * sp.sqrt(COUNT)},
        check=k_flips,
        expected=Verdict.TRUE,
        twins=(
            Twin("one per cent less", {"move": LESS * 2 * EPSILON * COUNT ** (1 / ORDER)}),
            Twin("growing with k itself", {"euclidean": 2 * EPSILON * COUNT}),
        ),
    ),
    Claim(
        id="beyond.p-attack",
        location=PLACE,
        kind="beyond",
        title="The L_p attack for 1 < p < infinity",
        statement="For 1 < p < infinity, 1/p + 1/q = 1 and theta != 0 the attack is delta_i = -y epsilon "
        "sign(theta_i) |theta_i|^(q-1)/||theta||_q^(q-1); it takes epsilon ||theta||_q off the margin, and "
        "is the only maximiser.",
        latex=r"\delta_i=-y\,\varepsilon\,\mathrm{sign}(\theta_i)\,|\theta_i|^{q-1}/\|\theta\|_q^{q-1}",
        assumptions=("linear logistic model", "q = 1 + h, p = 1 + 1/h, h > 0", "S = sum |theta_i|^q"),
        stated={"exponent": EXCESS, "scale": SCALE},
        check=p_attack,
        expected=Verdict.TRUE,
        twins=(
            Twin("exponent q", {"exponent": DUAL}),
            Twin("the attack of p = 2", {"exponent": sp.Integer(1)}),
            Twin("one per cent beyond the ball", {"scale": MORE * SCALE}),
        ),
        remark="p = 2 gives Lemma 2's attack; p -> infinity, q -> 1 gives the signs of Lemma 3.",
    ),
    Claim(
        id="beyond.origin-jump",
        location=PLACE + ", Theorem 1",
        kind="beyond",
        title="At theta = 0 the L2 gradient jumps by epsilon",
        statement="For every data set, every N, every d and every unit v, the gradients of the L2 "
        "adversarial loss at t v and -t v differ by epsilon v in the limit t -> 0, so that the loss is "
        "smooth on no set with theta = t v and -t v for arbitrarily small t.",
        latex=r"\lim_{t\to0^+}\nabla L_\varepsilon(tv)-\nabla L_\varepsilon(-tv)=\varepsilon v",
        assumptions=("logistic loss, L2 attacks",),
        stated={"jump": EPSILON},
        check=origin_jump,
        expected=Verdict.TRUE,
        twins=(
            Twin("twice the jump", {"jump": 2 * EPSILON}),
            Twin("a smooth loss", {"jump": sp.Integer(0)}),
        ),
        remark="The counterpart at a face theta_i = 0 for L_infinity is claim theorem2.inference.",
    ),
)

"""PGD in Sec. 3.2.3: its projection, its sign step, and the gradient of the loss it produces."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.statements.sec32.branches import THETA, X, larger, smaller

EPSILON = sp.Symbol("epsilon", positive=True)


def projection_jumps(stated: SimpleNamespace) -> Iterator[Fact]:
    """Clipping at its kink: the limits from inside and from outside are both epsilon (here 1)."""
    t = sp.Symbol("t", real=True)
    clipped = smaller(sp.Integer(1), larger(sp.Integer(-1), t))
    outside, inside = sp.limit(clipped, t, 1, "+"), sp.limit(clipped, t, 1, "-")
    yield compare(
        "the projection onto [-1, 1] jumps at the bound",
        outside - inside,
        ">",
        sp.Integer(0),
        point={"epsilon": 1, "delta": 1},
        replay="clip(t) = t for t <= 1 and 1 for t >= 1: both limits at t = 1 are 1.",
        dimension=(1,),
    )


def projection_contracts(stated: SimpleNamespace) -> Iterator[Fact]:
    """Clipping, coordinate by coordinate, and the L2 projection, by its variational inequality, never
    increase a distance; sign jumps by 2."""
    low, high, one, other = sp.symbols("a' b' a b", real=True)
    clipped = [
        sp.Or(
            sp.And(sp.Eq(image, value), sp.Le(value**2, EPSILON**2)),
            sp.And(sp.Eq(image, EPSILON), sp.Gt(value, EPSILON)),
            sp.And(sp.Eq(image, -EPSILON), sp.Lt(value, -EPSILON)),
        )
        for image, value in ((low, one), (high, other))
    ]
    yield implies(
        "|clip(a) - clip(b)| <= constant |a - b| in each coordinate, hence for the Euclidean and the "
        "L_infinity distance",
        clipped,
        sp.Le((low - high) ** 2, stated.constant**2 * (one - other) ** 2),
        method="sum over coordinates of one scalar inequality, z3",
    )
    space = Space("Pa", "Pb", "a", "b")
    near, far, a, b = space.vectors()
    yield implies(
        "the projection onto any convex set: <a - Pa, Pb - Pa> <= 0 and <b - Pb, Pa - Pb> <= 0 give |Pa - "
        "Pb|^2 <= <a - b, Pa - Pb>",
        [
            sp.Le(sp.expand(space.inner(a - near, far - near)), 0),
            sp.Le(sp.expand(space.inner(b - far, near - far)), 0),
        ],
        sp.Le(
            sp.expand(space.inner(near - far, near - far)),
            stated.constant * sp.expand(space.inner(a - b, near - far)),
        ),
        method="Gram reduction, z3 on nonlinear real arithmetic",
    )
    yield compare(
        "and 1 is attained inside the ball: clip(1/2) - clip(0)",
        sp.Rational(1, 2),
        "==",
        stated.constant * sp.Rational(1, 2),
    )
    t = sp.Symbol("t", real=True)
    yield identity(
        "the sign step of PGD jumps at a zero gradient",
        sp.limit(sp.sign(t), t, 0, "+") - sp.limit(sp.sign(t), t, 0, "-"),
        stated.sign_jump,
    )


def pgd_gradient_jumps(stated: SimpleNamespace) -> Iterator[Fact]:
    """One PGD step from delta = 0 on log(1 + exp(-theta(x + delta))), d = 1: delta = -s sign(theta), s =
    min(eta, epsilon); the gradient jumps at 0."""
    t, step = sp.Symbol("t", positive=True), sp.Symbol("s", positive=True)
    delta = sp.Symbol("delta", real=True)
    loss = sp.log(1 + sp.exp(-THETA * (X + delta)))
    gradient = sp.diff(loss, THETA)
    towards = [linear_attack([sign], y=1, epsilon=1, p=sp.oo)[0] for sign in (1, -1)]
    sides = [
        gradient.subs({delta: step * direction, THETA: sign * t}).limit(t, 0, "+")
        for direction, sign in zip(towards, (1, -1), strict=True)
    ]
    yield identity(
        "the gradient jumps by the step s at theta = 0 (in d coordinates: along the first, the others 0)",
        sp.simplify(sides[0] - sides[1]),
        stated.jump,
    )
    yield limit(
        "which no Lipschitz constant allows: the quotient s/(2t) of the gradients at t and -t is unbounded",
        step / (2 * t),
        t,
        0,
        sp.oo,
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec323.projection",
        location="Sec. 3.2.3",
        kind="prose",
        title="'The projection in PGD is not a continuous function'",
        statement="The projection Pi_epsilon in PGD is not a continuous function.",
        stated={"constant": sp.Integer(1), "sign_jump": sp.Integer(2)},
        check=projection_jumps,
        expected=Verdict.FALSE,
        sides=(0, 0),
        corrected=Reading(
            statement="The projection is 1-Lipschitz: clipping in every coordinate, and the projection onto "
            "any convex set for the Euclidean norm. What is discontinuous in PGD is the sign of "
            "the gradient, which jumps by 2.",
            latex=r"\|\Pi_\varepsilon(a)-\Pi_\varepsilon(b)\|\le\|a-b\|",
            check=projection_contracts,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100)}),
            Twin("continuous sign", {"sign_jump": sp.Integer(0)}),
        ),
    ),
    Claim(
        id="sec323.pgd-conjecture",
        location="Sec. 3.2.3",
        kind="prose",
        title="L_infinity PGD: no globally Lipschitz gradient",
        statement="We can conjecture that the adversarial loss with the L_infinity constraints using PGD "
        "does not have globally Lipschitz continuous gradients.",
        assumptions=(
            "read as: not in general; shown for one step from delta = 0 on the linear model, because of the "
            "sign, not of the projection",
        ),
        stated={"jump": sp.Symbol("s", positive=True)},
        check=pgd_gradient_jumps,
        expected=Verdict.TRUE,
        twins=(
            Twin("jump of half the step", {"jump": sp.Symbol("s", positive=True) / 2}),
            Twin("no jump", {"jump": sp.Integer(0)}),
        ),
    ),
)

"""The proof of Lemma 2 in App. A, first part: the Lagrangian, its conditions and its gradient (Eqs.
27-31)."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.linear import (
    DIRECTIONAL,
    EPSILON,
    GRAM,
    MARGIN,
    NORM,
    attack,
    logistic,
    sigmoid,
    signed,
)
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space, Vector
from theory.ledger.claim import Claim, Reading, Twin

PROOF = "App. A, proof of Lemma 2"
LAMBDA = sp.Symbol("lambda", real=True)
SIZE = Space("delta").length("delta")  # ||delta||, delta != 0
SCALE = sp.Symbol("k", positive=True)  # delta = -k theta
CLEAN = sp.Symbol("<theta,x>", real=True)
ALONG = sp.Symbol("<theta,delta>", real=True)
SLOPE = sp.Symbol("s", positive=True)  # sigmoid(-m) > 0


def loss(space: Space, x: Vector, delta: Vector) -> sp.Expr:
    """The loss of Sec. 3.1 at y = 1 for the perturbation delta."""
    theta = space.vectors()[0]
    return logistic(space.inner(theta, x + delta))


def lagrangian(stated: SimpleNamespace) -> Iterator[Fact]:
    """J against the loss of Sec. 3.1: equal on the sphere, never below it inside the ball when lambda has the
    printed sign."""
    space = Space("theta", "x", "delta")
    _, x, delta = space.vectors()
    extra = sp.expand(stated.lagrangian - loss(space, x, delta))
    on_the_sphere = identity(
        "J = l on the sphere ||delta|| = epsilon", extra.subs(SIZE, EPSILON), sp.Integer(0)
    )
    yield on_the_sphere
    if not on_the_sphere.holds:
        return
    weight = sp.Symbol("w", positive=True)  # |lambda|
    inside = sp.expand(extra.subs(LAMBDA, stated.sign * weight))
    yield implies(
        "J >= l in the ball for the printed sign of lambda", [sp.Le(SIZE, EPSILON)], sp.Ge(inside, 0)
    )
    yield identity("the penalty grows at the rate lambda", sp.diff(extra, SIZE), LAMBDA)
    yield compare("the sign is -1 or 1", abs(sp.Integer(stated.sign)), "==", sp.Integer(1))


def conditions(stated: SimpleNamespace) -> Iterator[Fact]:
    """At the attack of Lemma 2 the gradient of J vanishes for exactly one lambda, which has the printed sign,
    and ||delta|| = epsilon."""
    space = Space("theta", "x", "v")
    theta, x, v = space.vectors()
    t = sp.Symbol("t", real=True)
    best = attack(space, theta) + t * v
    along_loss = sp.diff(loss(space, x, best), t).subs(t, 0)
    along_length = sp.diff(space.norm(best), t).subs(t, 0)
    multiplier = sp.simplify(-along_loss / along_length)
    yield identity(
        "Eq. (28): the gradient of J along any v vanishes for lambda = -sigmoid(-<theta, x'>) ||theta||",
        multiplier,
        -sigmoid(-space.inner(theta, x + attack(space, theta))) * space.length("theta"),
        method=DIRECTIONAL,
        shows=(f"<grad J, v> = 0 at delta = -epsilon theta/||theta|| gives lambda = {multiplier}",),
    )
    yield identity(
        "Eq. (29): ||delta|| - epsilon = 0", space.norm(attack(space, theta)) - stated.radius, sp.Integer(0)
    )
    yield signed("Eq. (30): this lambda has the printed sign", stated.sign * multiplier)


def single_out(stated: SimpleNamespace) -> Iterator[Fact]:
    """Whether Eqs. (28)-(30), with or without complementary slackness, force ||delta|| = epsilon."""
    # d = 1, theta = 2, x = 0, epsilon = 1, delta = -1/2 and lambda = -2 sigmoid(1).
    theta, delta, radius = sp.Integer(2), -sp.Rational(1, 2), sp.Integer(1)
    multiplier = -sigmoid(-theta * delta) * theta
    slope = -sigmoid(-theta * delta) * theta + multiplier * sp.sign(delta)
    at_point = compare("the point satisfies Eq. (28)", slope, "==", sp.Integer(0), dimension=(1,))
    yield at_point.as_example()
    slack = multiplier * (abs(delta) - radius)
    if not stated.slackness:
        yield compare(
            "a point that satisfies Eqs. (28)-(30) has ||delta|| = epsilon",
            abs(delta),
            "==",
            radius,
            point={"d": 1, "theta": 2, "x": 0, "epsilon": 1, "delta": delta, "lambda": "-2/(1 + exp(-1))"},
            replay="the slope of J at delta = -1/2 is -2 sigmoid(1) - lambda = 0, |delta| <= 1 and lambda "
            "<= 0, yet delta is no maximiser: delta = -1 has the larger loss.",
        )
        return
    violated = compare(
        "that point violates complementary slackness", slack, ">", sp.Integer(0), dimension=(1,)
    )
    yield violated.as_example()
    along_ray = {ALONG: -SCALE * NORM**2, SIZE: SCALE * NORM, LAMBDA: -SLOPE * NORM}
    for equation in stationary()[:2]:
        yield identity(
            "delta = -k theta satisfies Eq. (28) for every k > 0, with lambda = -sigmoid(-m) ||theta|| < 0",
            equation.lhs.subs(along_ray, simultaneous=True),
            equation.rhs,
            method="Gram reduction, sympy identity",
        )
    yield implies(
        "with lambda (||delta|| - epsilon) = 0 added, delta lies on the sphere and against theta",
        [*stationary(), sp.Eq(LAMBDA * (SIZE - EPSILON), 0)],
        sp.And(sp.Eq(SIZE, stated.radius), sp.Eq(ALONG, -NORM * SIZE)),
        method=GRAM,
    )


def gradient(stated: SimpleNamespace) -> Iterator[Fact]:
    """<grad J, v> by differentiating J along an arbitrary direction v, against the printed combination of
    theta and delta."""
    space = Space("theta", "x", "delta", "v")
    theta, x, delta, v = space.vectors()
    t = sp.Symbol("t", real=True)
    moved = delta + t * v
    derived = sp.diff(loss(space, x, moved) + LAMBDA * (space.norm(moved) - EPSILON), t).subs(t, 0)
    margin = space.inner(theta, x + delta)
    printed = stated.theta_factor.subs(MARGIN, margin) * theta + stated.delta_factor * delta
    yield identity(
        "the derivative of J along any v is <printed gradient, v>",
        derived,
        space.inner(printed, v),
        method=DIRECTIONAL,
        shows=(
            f"m = <theta, x + delta>; printed: ({stated.theta_factor}) theta + ({stated.delta_factor}) delta",
        ),
    )


def multiplier_scalar(stated: SimpleNamespace) -> Iterator[Fact]:
    """The factor of delta in grad J, from d/d delta of lambda |delta| at one point and then in general."""
    yield compare(
        "the factor of delta in the gradient of J",
        stated.delta_factor.subs({LAMBDA: -1, NORM: 3, SIZE: 2}),
        "==",
        sp.Integer(-1) / 2,
        point={"d": 1, "theta": 3, "delta": 2, "lambda": -1},
        replay="lambda |delta| has the slope -1 at delta = 2, which is (lambda/|delta|) delta = (-1/2) 2, "
        "not (lambda/|theta|) delta = (-1/3) 2.",
    )
    space = Space("delta", "v")
    delta, v = space.vectors()
    t = sp.Symbol("t", real=True)
    yield identity(
        "d/dt lambda ||delta + t v|| = (factor) <delta, v>",
        sp.diff(LAMBDA * space.norm(delta + t * v), t).subs(t, 0),
        stated.delta_factor * space.inner(delta, v),
        method=DIRECTIONAL,
    )


def stationary() -> list[sp.Basic]:
    """grad J = -s theta + (lambda/||delta||) delta = 0, multiplied by theta and by delta, with s > 0 and
    lambda <= 0."""
    return [
        sp.Eq(-SLOPE * NORM**2 * SIZE + LAMBDA * ALONG, 0),
        sp.Eq(-SLOPE * ALONG + LAMBDA * SIZE, 0),
        sp.Le(LAMBDA, 0),
    ]


CLAIMS = (
    Claim(
        id="lemma2.eq27",
        location=PROOF,
        kind="definition",
        equations=(27,),
        title="The Lagrangian of the L2 attack",
        statement="J(delta) = log(1 + exp(-theta^T(x + delta))) + lambda (||delta||_2 - epsilon), with "
        "lambda <= 0.",
        latex=r"J(\delta)=\log(1+\exp(-\theta^T(x+\delta)))+\lambda(\|\delta\|_2-\varepsilon)",
        assumptions=("y = 1",),
        stated={"lagrangian": logistic(CLEAN + ALONG) + LAMBDA * (SIZE - EPSILON), "sign": -1},
        check=lagrangian,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("lambda >= 0", {"sign": 1}),
            Twin("epsilon added", {"lagrangian": logistic(CLEAN + ALONG) + LAMBDA * (SIZE + EPSILON)}),
            Twin("y = -1 in the loss", {"lagrangian": logistic(-CLEAN - ALONG) + LAMBDA * (SIZE - EPSILON)}),
        ),
        remark="Eq. (20) writes the same thing with mu = -lambda. The attack maximises a convex function, "
        "so stationarity of J is necessary but proves no maximum: along the ray delta = -k theta the attack "
        "even minimises J (claim lemma2.J-increases).",
    ),
    Claim(
        id="lemma2.eq28",
        location=PROOF,
        kind="proof step",
        equations=(28, 29, 30),
        title="The L2 attack satisfies Eqs. (28)-(30)",
        statement="The attack satisfies grad_delta J = 0 and ||delta||_2 - epsilon <= 0 with a multiplier "
        "lambda <= 0.",
        latex=r"\nabla_\delta J=0,\quad\|\delta\|_2-\varepsilon\le0,\quad\lambda\le0",
        assumptions=("y = 1", "theta != 0, so that delta != 0, where J is differentiable"),
        stated={"radius": EPSILON, "sign": -1},
        check=conditions,
        expected=Verdict.TRUE,
        twins=(
            Twin("lambda >= 0", {"sign": 1}),
            Twin("a radius one per cent smaller", {"radius": sp.Rational(99, 100) * EPSILON}),
        ),
        remark="lambda = -sigmoid(-<theta, x'>) ||theta|| is negative, so that the constraint is active.",
    ),
    Claim(
        id="lemma2.slackness",
        location=PROOF,
        kind="reading",
        title="Eqs. (28)-(30) single out the attack",
        statement="The solution that satisfies Eqs. (28)-(30) is the attack.",
        assumptions=("read as: Eqs. (28)-(30) determine delta",),
        stated={"slackness": False, "radius": EPSILON},
        check=single_out,
        expected=Verdict.FALSE,
        sides=(sp.Rational(1, 2), 1),
        corrected=Reading(
            statement="Eqs. (28)-(30) together with complementary slackness, lambda (||delta|| - epsilon) = "
            "0, single out the attack; without it every delta = -k theta with 0 < k <= epsilon/||theta|| "
            "satisfies them.",
            latex=r"\lambda(\|\delta\|_2-\varepsilon)=0",
            stated={"slackness": True},
        ),
        twins=(
            Twin("slackness left out", {"slackness": False}),
            Twin("on a sphere one per cent larger", {"radius": sp.Rational(101, 100) * EPSILON}),
        ),
    ),
    Claim(
        id="lemma2.eq31",
        location=PROOF,
        kind="equation",
        equations=(31,),
        title="Gradient of the Lagrangian in delta",
        statement="grad J = -exp(-m)/(1 + exp(-m)) theta + lambda delta/||delta||_2 with m = theta^T(x + "
        "delta).",
        latex=r"\nabla_\delta J=\frac{-\exp(-\theta^T(x+\delta))}{1+\exp(-\theta^T(x+\delta))}\theta+"
        r"\lambda\frac{\delta}{\|\delta\|_2}",
        assumptions=("y = 1", "delta != 0"),
        stated={"theta_factor": -sp.exp(-MARGIN) / (1 + sp.exp(-MARGIN)), "delta_factor": LAMBDA / SIZE},
        check=gradient,
        expected=Verdict.TRUE,
        twins=(
            Twin("sign of the loss gradient", {"theta_factor": sp.exp(-MARGIN) / (1 + sp.exp(-MARGIN))}),
            Twin("exponent of the other sign", {"theta_factor": -sp.exp(MARGIN) / (1 + sp.exp(MARGIN))}),
            Twin("delta not normalised", {"delta_factor": LAMBDA}),
        ),
        remark="At delta = 0 the norm has no gradient; this costs nothing, because the loss has slope "
        "-sigmoid(-m) ||theta|| != 0 there.",
    ),
    Claim(
        id="lemma2.scalar",
        location=PROOF + ", after Eq. (31)",
        kind="proof step",
        title="lambda/||theta_2|| is the factor of delta in Eq. (31)",
        statement="The scalars in front of theta and delta in Eq. (31) are -exp(-m)/(1 + exp(-m)) and "
        "lambda/||theta_2||.",
        assumptions=("||theta_2|| read as ||theta||_2; there is no theta_2 in this proof",),
        stated={"delta_factor": LAMBDA / NORM},
        check=multiplier_scalar,
        expected=Verdict.TYPO,
        slip=True,
        sides=(-sp.Rational(1, 3), -sp.Rational(1, 2)),
        corrected=Reading(
            statement="The factor of delta is lambda/||delta||_2.",
            latex=r"\lambda/\|\delta\|_2",
            stated={"delta_factor": LAMBDA / SIZE},
        ),
        twins=(
            Twin("as printed", {"delta_factor": LAMBDA / NORM}),
            Twin("squared norm", {"delta_factor": LAMBDA / SIZE**2}),
            Twin("opposite sign", {"delta_factor": -LAMBDA / SIZE}),
        ),
    ),
)

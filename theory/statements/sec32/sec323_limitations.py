"""Sec. 3.2.3, limitations of the analysis: several maxima, conditions broken by theta, clean loss against
adversarial loss."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.calculus.derivatives import bordered_hessian
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Twin
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    THETA,
    X,
    movements_add,
    two_wells,
    two_wells_facts,
)
from theory.statements.sec32.lemma4 import lemma
from theory.statements.sec32.lemma5 import lemma as lemma5


def several_maxima(stated: SimpleNamespace) -> Iterator[Fact]:
    """Two wells: grad l_eps(theta) = x'(theta) tends to 1 from the right of theta = 0 and to -1 from the
    left."""
    yield from two_wells_facts()
    a = sp.Symbol("a", positive=True)
    yield limit(
        "theta = 4a(a^2 - 1) tends to 0 with a -> 1, a > 1",
        sp.solve(sp.diff(two_wells(), X), THETA)[0].subs(X, a),
        a,
        1,
        0,
        dimension=(1,),
    )
    yield limit(
        "the attacks a and -a for theta and -theta keep the stated distance: the gradient jumps",
        2 * a,
        a,
        1,
        stated.jump,
        dimension=(1,),
    )
    yield compare("and a jump is no Lipschitz gradient", stated.jump, ">", sp.Integer(0), dimension=(1,))


def local_branch(stated: SimpleNamespace) -> Iterator[Fact]:
    """Lemma 4 inside, Lemma 5 as corrected on the sphere, Lemma 1; then the two wells, where x' = a solves
    theta = 4a(a^2 - 1) with slope 1/(12 a^2 - 4) <= 1/8 for a >= 1."""
    a = sp.Symbol("a", positive=True)
    bound = CROSS / CURVATURE
    yield from lemma(SimpleNamespace(constant=bound, along_branch=True, convex=True))
    yield from lemma5(
        SimpleNamespace(constant=bound, positive_multiplier=True, condition=stated.on_the_sphere)
    )
    yield from movements_add("Lemma 1: the gradient of the loss at that local maximum is Lipschitz, too")
    slope = 1 / sp.diff(4 * a * (a**2 - 1), a)
    one = (1,)
    yield identity(
        "the slope of the branch of two wells near x = 1 is that of the implicit function theorem",
        slope,
        -sp.diff(two_wells(), X, THETA) / sp.diff(two_wells(), X, 2).subs(X, a),
        dimension=one,
    ).as_example()
    yield implies(
        "so this branch is Lipschitz with the stated constant for a >= 1",
        [sp.Ge(a, 1)],
        sp.Le(slope, stated.constant),
        dimension=one,
    ).as_example()
    yield identity("attained at theta = 0", slope.subs(a, 1), stated.constant, dimension=one).as_example()


def broken(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x^2/2 - x^4/4 at x* = 0: maximum with H = theta < 0, no maximum for theta > 0; on the unit
    circle x_1 + theta x_2^2/2 has the tangent Hessian theta - 1 at e_1."""
    loss = THETA * X**2 / 2 - X**4 / 4
    yield identity("x = 0 stays stationary", sp.diff(loss, X).subs(X, 0), sp.Integer(0), dimension=(1,))
    yield identity(
        "its Hessian is theta times the stated slope",
        sp.diff(loss, X, 2).subs(X, 0),
        stated.slope * THETA,
        dimension=(1,),
    )
    shift = sp.Symbol("rho", positive=True)
    yield compare(
        "negative just below theta = 0 (theta = -rho, in units of rho)",
        stated.slope * (-shift) / shift,
        "<",
        sp.Integer(0),
        dimension=(1,),
    )
    yield compare("positive just above", stated.slope * shift / shift, ">", sp.Integer(0), dimension=(1,))
    x = sp.symbols("x1:3", real=True)
    bordered = bordered_hessian(x[0] + THETA * x[1] ** 2 / 2, x, [0, 0], 1, at={x[0]: 1, x[1]: 0})
    yield identity(
        "for l = x_1 + theta x_2^2/2 on the unit circle det(grad^2 J) at e_1 (mu = 1) is 1 - theta",
        bordered.det(),
        1 - stated.slope * THETA,
        dimension=(2,),
    ).as_example()


def more_often(stated: SimpleNamespace) -> Iterator[Fact]:
    """Assumption 1 makes the clean loss smooth everywhere; the linear attacks jump at theta_1 = 0 under
    L_infinity, and not under L2 where theta != 0."""
    t = sp.Symbol("t", positive=True)
    bounded, along, constant = (
        sp.Symbol("|gradient change|", nonnegative=True),
        sp.Symbol("|v|", nonnegative=True),
        sp.Symbol("C", positive=True),
    )
    yield implies(
        "under Assumption 1 the clean gradient moves by less than any given amount for small |v|",
        [sp.Le(bounded, constant * along), sp.Lt(along, t / constant)],
        sp.Lt(bounded, t),
    )
    for p, jump in ((sp.oo, stated.box_jump), (sp.Integer(2), stated.ball_jump)):
        right, left = (linear_attack([side * t, 1], y=-1, epsilon=1, p=p) for side in (1, -1))
        moved = (right - left).applyfunc(lambda e: sp.limit(e, t, 0, "+"))
        yield identity(
            f"linear attacks with p = {p} at theta = (0, 1) jump by", moved.norm(), jump, dimension=(2,)
        )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec323.several-maxima",
        location="Sec. 3.2.3",
        kind="prose",
        title="Several maxima can make l_eps non-smooth",
        statement="There might be several local maximum points x', and the adversarial loss can use a "
        "different one for each parameter update; then it might be non-smooth even if we use the "
        "L2 constraint.",
        assumptions=(
            "an existence statement; shown at d = 1, where every L_p ball is the same interval, with no "
            "constraint active",
        ),
        stated={"jump": sp.Integer(2)},
        check=several_maxima,
        expected=Verdict.TRUE,
        twins=(
            Twin("no jump", {"jump": sp.Integer(0)}),
            Twin("jump one half", {"jump": sp.Rational(1, 2)}),
        ),
        remark="l = theta x - (x^2 - 1)^2 on |x| <= 2: the attack, and with it grad l_eps = x', jumps from "
        "-1 to 1 at theta = 0.",
    ),
    Claim(
        id="sec323.local-branch",
        location="Sec. 3.2.3, first sentence",
        kind="prose",
        title="Following one local maximum keeps the loss smooth",
        statement="The adversarial loss can be locally smooth if it always uses the local optimal attack "
        "near the attack of the previous parameter update.",
        assumptions=("the local maximum stays nondegenerate (Lemma 4, or Lemma 5 as corrected)",),
        cites=("implicit function theorem", "mean value theorem"),
        stated={"constant": sp.Rational(1, 8), "on_the_sphere": "tangent < 0"},
        check=local_branch,
        expected=Verdict.TRUE,
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 800)}),
            Twin("one per cent larger (not attained)", {"constant": sp.Rational(101, 800)}),
            Twin("on the sphere under Lemma 5's det > 0", {"on_the_sphere": "det > 0"}),
        ),
    ),
    Claim(
        id="sec323.broken",
        location="Sec. 3.2.3",
        kind="prose",
        title="The second-order conditions can be broken by theta",
        statement="The non-singularity of the Hessian matrices can be broken by the change in parameter "
        "theta.",
        assumptions=("an existence statement, shown inside at d = 1 and on the sphere at d = 2",),
        stated={"slope": sp.Integer(1)},
        check=broken,
        expected=Verdict.TRUE,
        twins=(
            Twin("the other sign", {"slope": sp.Integer(-1)}),
            Twin("a Hessian that does not depend on theta", {"slope": sp.Integer(0)}),
        ),
        remark="The sentence also calls det(grad^2 J) > 0 sufficient for a maximum, which it is not: "
        "sec322.determinant-sufficient.",
    ),
    Claim(
        id="sec323.more-often",
        location="Sec. 3.2.3, last sentence",
        kind="prose",
        title="l_eps is non-smooth more often than the clean loss",
        statement="The adversarial loss tends to be non-smooth more often than the clean loss, especially "
        "using the L_infinity constraint.",
        assumptions=(
            "read as existence: under Assumption 1 the clean loss is smooth everywhere, while the "
            "adversarial loss need not be",
            "at theta = (0, 1) the attack on the linear model jumps under L_infinity and not under L2; the "
            "gradient -y sigma (x + delta) jumps with it",
        ),
        stated={"box_jump": sp.Integer(2), "ball_jump": sp.Integer(0)},
        check=more_often,
        expected=Verdict.TRUE,
        twins=(
            Twin("no jump under L_infinity", {"box_jump": sp.Integer(0)}),
            Twin("a jump under L2", {"ball_jump": sp.Integer(2)}),
        ),
        remark="How often, over the losses met in training, is an empirical question.",
    ),
)

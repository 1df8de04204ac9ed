"""Sec. 5.1 on Fig. 2(e), (f): where the adversarial losses of the swish model are smooth, against the linear
model.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.balls import certify
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import differs
from theory.statements.sec5.sec51_swish import (
    EPSILON,
    PHI,
    RADIUS,
    ROOT_FROM,
    ROOT_TO,
    SWISH,
    U,
    sign_of_slope,
)

MU, SIDE, FORCE, RHO = sp.symbols("mu s g rho", real=True)
LINEAR_CONSTANT = sp.Rational(128, 25) * sp.exp(sp.Rational(16, 5)) / (1 + sp.exp(sp.Rational(16, 5))) ** 2


def smooth_across(stated: SimpleNamespace) -> Iterator[Fact]:
    """In the region the loss is phi(min(u*, -(1 - eps) S)): C^1 because phi'(u*) = 0; its gradient's
    Lipschitz constant.
    """
    yield from no_kink_at_the_edge()
    direction = sp.Matrix([-(1 - RADIUS), 1 - RADIUS])
    factor = direction.dot(direction)
    yield identity(
        "the Hessian of phi(-(1 - eps)(theta_1 - theta_2)) has the norm (8/25)|phi''|",
        factor,
        stated.factor,
        dimension=(2,),
    )
    curvature = sp.diff(PHI, U, 2)
    # In the plot S <= 4, so the scores of active attacks lie between -8/5 and u*.
    box = {U: (-(1 - RADIUS) * 4, ROOT_TO)}
    yield certify("phi'' is negative there", -curvature, box, dimension=(2,))
    yield certify(
        f"the gradient is {stated.constant}-Lipschitz",
        stated.constant + factor * curvature,
        box,
        dimension=(2,),
    )
    near_edge = {U: (ROOT_FROM, ROOT_FROM)}
    yield certify(
        "at the edge of the plateau the constant is attained within one per cent",
        -sp.Rational(101, 100) * factor * curvature - stated.constant,
        near_edge,
        dimension=(2,),
    )


def no_kink_at_the_edge() -> Iterator[Fact]:
    """phi' vanishes at u*, so phi of the clipped score has no kink where u* enters the range of scores."""
    yield identity(
        "phi' = -(1/(1 + e^z)) swish', which vanishes at u*: the gradient is continuous across the edge "
        "of the plateau",
        sp.diff(PHI, U),
        -sp.diff(SWISH, U) / (1 + sp.exp(SWISH)),
    )


def unlike_linear(stated: SimpleNamespace) -> Iterator[Fact]:
    """The gradient of the linear L-infinity loss at (theta_1, -3/2), from the right and from the left in
    theta_1.
    """
    right, left = (linear_slope(stated.theta_1, side) for side in (1, -1))
    yield differs(
        "the gradient of the linear model's loss jumps in the region",
        right,
        left,
        point={"theta": f"({stated.theta_1}, -3/2)", "x": "(-1, 1)", "epsilon": RADIUS},
        replay="For theta_1 > 0 > theta_2 the attacked exponent is (8/5)(theta_1 - theta_2), linear; both "
        "one-sided derivatives in theta_1 at (3/2, -3/2) are (8/5) sigmoid(24/5).",
        dimension=(2,),
    )


def linear_slope(theta_1: sp.Expr, side: int) -> sp.Expr:
    """The one-sided derivative in theta_1 of the linear L-infinity loss at (theta_1, -3/2)."""
    theta_2 = sp.Rational(-3, 2)
    exponent = theta_1 - theta_2 + RADIUS * (abs(theta_1) + abs(theta_2))
    kink = sp.sign(theta_1) if theta_1 != 0 else side
    return (1 + RADIUS * kink) / (1 + sp.exp(-exponent))


def linear_smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """The spectral norm of the linear model's Hessian on the region, and its supremum at S -> 2."""
    one, two = sp.symbols("theta_1 theta_2", positive=True)
    loss = sp.log(
        1 + sp.exp((1 + RADIUS) * (one + two))
    )  # theta = (one, -two), so -theta.x + eps ||theta||_1
    hessian = sp.hessian(loss, (one, two))
    spread = hessian.trace()
    yield identity(
        "the Hessian has rank one, so its norm is its trace", hessian.det(), sp.Integer(0), dimension=(2,)
    )
    w = sp.Symbol("w", real=True)
    share = w / (1 + w) ** 2
    exponential = sp.exp(sp.Rational(8, 5) * (one + two))
    yield identity(
        "which is (128/25) E/(1 + E)^2, E = e^(8S/5)",
        spread,
        sp.Rational(128, 25) * share.subs(w, exponential),
        dimension=(2,),
    )
    a, b = sp.symbols("E_1 E_2", real=True)
    yield implies(
        "E/(1 + E)^2 decreases for E >= 1, so the supremum over S > 2 is the value at S = 2",
        [sp.Ge(a, b), sp.Ge(b, 1)],
        sp.Le(share.subs(w, a), share.subs(w, b)),
    )
    yield compare(
        "the stated constant is that supremum",
        spread.subs({one: 1, two: 1}),
        "==",
        stated.constant,
        dimension=(2,),
    )


def kinks(stated: SimpleNamespace) -> Iterator[Fact]:
    """Jumps of the gradient where an active end c + s r of the range moves: r has a kink where theta = 0 or
    theta_i = 0.
    """
    yield from no_kink_at_the_edge()
    slope = sp.Symbol("f'", real=True)  # phi' at the active end, of the sign that lets the loss rise outwards
    feature, theta_i, rest = sp.symbols("x_i t k", real=True)
    for side in (1, -1):
        radius = [EPSILON * (rest + sign * theta_i) for sign in (1, -1)]  # r for theta_i > 0 and theta_i < 0
        ends = [theta_i * feature + side * part for part in radius]
        jump = slope * (sp.diff(ends[0], theta_i) - sp.diff(ends[1], theta_i))
        yield identity(
            f"L-infinity, active end c {'+' if side > 0 else '-'} r: the i-th derivative jumps at theta_i "
            "= 0",
            jump,
            side * stated.jump * slope,
        )
    space = Space("theta", "v")
    theta, v = space.vectors()
    t = sp.Symbol("t", real=True)
    radius = EPSILON * space.norm(theta + t * v)
    derived = sp.diff(radius, t).subs(t, 0)
    yield identity(
        "L2: r = epsilon ||theta|| has a derivative at every theta != 0, epsilon <theta, v>/||theta||",
        sp.simplify(derived),
        EPSILON * space.product("theta", "v") / space.length("theta"),
    )
    yield compare(
        "theta = 0 is a kink of either: phi'(0) is not 0", sp.diff(PHI, U).subs(U, 0), "==", stated.at_zero
    )
    # At theta = (-1, 0) the scores are [c - r, c + r] = [2/5, 8/5] for L2 and for L-infinity.
    low = 1 - RADIUS
    yield compare("at (-1, 0) the scores begin at 2/5", low, "==", sp.Rational(2, 5), dimension=(2,))
    yield compare(
        "at (-1, 0) u* is below the range: L-infinity has a kink there, L2 none",
        sign_of_slope(low),
        ">",
        sp.Integer(0),
    )
    low, high = -1 - RADIUS, -1 + RADIUS
    yield compare("at (1, 0) they begin at -8/5", low, "==", sp.Rational(-8, 5), dimension=(2,))
    yield compare("and end at -2/5", high, "==", sp.Rational(-2, 5), dimension=(2,))
    yield compare("at (1, 0) u* is above c - r", sign_of_slope(low), "<", sp.Integer(0), dimension=(2,))
    yield compare("and below c + r: no kink there", sign_of_slope(high), ">", sp.Integer(0), dimension=(2,))


def bordered(stated: SimpleNamespace) -> Iterator[Fact]:
    """The bordered Hessian of the L2 attack for theta = (rho, 0), which is every theta after a rotation."""
    bend = sp.Symbol("k", real=True)
    normal = sp.Matrix([SIDE, 0])
    hessian = sp.Matrix([[bend * RHO**2, 0], [0, 0]])
    curved = hessian - MU / EPSILON * (sp.eye(2) - normal * normal.T)
    matrix = sp.Matrix([[0, normal[0], normal[1]], [normal[0], *curved.row(0)], [normal[1], *curved.row(1)]])
    det = sp.expand(matrix.det()).subs(SIDE**4, 1).subs(SIDE**2, 1)
    yield identity("its determinant is the stated one (s^2 = 1)", det, stated.determinant, dimension=(2,))
    yield implies("it is positive where mu is", [sp.Gt(MU, 0)], sp.Gt(stated.determinant, 0), dimension=(2,))
    yield identity(
        "and mu, from grad = mu s e_1 with grad = g (rho, 0), g the slope of the loss in the score, is g "
        "rho s: positive where the loss rises outwards",
        (sp.Matrix([FORCE * RHO, 0]).dot(normal) - stated.multiplier),
        sp.Integer(0),
        dimension=(2,),
    )


CLAIMS = (
    Claim(
        id="fig2.l2-larger-set",
        location="Sec. 5.1, Fig. 2(e), (f)",
        kind="prose",
        title="The L2 loss is smooth on a larger set than L-infinity",
        statement="The adversarial loss of the swish model with the L2 constraint has larger sets where "
        "it is smooth than that with the L-infinity constraint.",
        latex=r"\{0\}\subsetneq\{\theta:\exists i\ \theta_i=0,\ u^*\notin[c-r,c+r]\}",
        assumptions=("smooth: C^1 with a locally Lipschitz gradient, Definition 1", "any x, y = 1"),
        stated={"jump": 2 * EPSILON, "at_zero": sp.Rational(-1, 4)},
        check=kinks,
        expected=Verdict.TRUE,
        twins=(
            Twin("jump one per cent larger", {"jump": sp.Rational(202, 100) * EPSILON}),
            Twin("no jump for L-infinity", {"jump": sp.Integer(0)}),
            Twin("slope at 0 of the other sign", {"at_zero": sp.Rational(1, 4)}),
        ),
        remark="L2: not smooth at theta = 0 only. L-infinity: not smooth where some theta_i = 0 and u* is "
        "out of reach, a set that contains 0. On the plateau neither has a kink, not even on the "
        "axes.",
    ),
    Claim(
        id="fig2e.lemma5",
        location="Sec. 5.1, Fig. 2(e)",
        kind="prose",
        title="The smooth set of the L2 swish loss follows Lemma 5",
        statement="That the L2 loss has larger sets where it is smooth follows Lemma 5.",
        latex=r"\det\nabla_{\tilde x}^2J=\mu/\varepsilon>0",
        assumptions=(
            "d = 2, as in the figure",
            "u* out of reach, so that the attack is on the boundary with mu > 0",
        ),
        stated={"determinant": MU / EPSILON, "multiplier": FORCE * RHO * SIDE},
        check=bordered,
        expected=Verdict.TRUE,
        twins=(
            Twin("determinant of the other sign", {"determinant": -MU / EPSILON}),
            Twin("determinant one per cent off", {"determinant": sp.Rational(101, 100) * MU / EPSILON}),
            Twin("multiplier without the side", {"multiplier": FORCE * RHO}),
        ),
        remark="On the plateau Lemma 5 says nothing: the attacks there are not isolated (mu = 0, "
        "determinant 0), and the loss is smooth because it is constant.",
    ),
    Claim(
        id="fig2f.smooth-region",
        location="Sec. 5.1, Fig. 2(f)",
        kind="prose",
        title="The L-infinity loss can be smooth: theta_1 > 1, theta_2 < -1",
        statement="In Fig. 2(f), though the constraint is L-infinity, the adversarial loss can be smooth "
        "in the region where theta_1 > 1 and theta_2 < -1; its gradient is (1/25)-Lipschitz "
        "there, a constant that is sharp to within one per cent.",
        latex=r"\|\nabla\ell_\varepsilon(\theta_1)-\nabla\ell_\varepsilon(\theta_2)\|\le\frac1{25}\|\theta_1-\theta_2\|",
        assumptions=("x = (-1, 1), y = 1, epsilon = 0.6, theta in [-2, 2]^2", "the paper gives no constant"),
        stated={"factor": sp.Rational(8, 25), "constant": sp.Rational(1, 25)},
        check=smooth_across,
        expected=Verdict.TRUE,
        twins=(
            Twin("constant two per cent smaller", {"constant": sp.Rational(98, 2500)}),
            Twin("constant two per cent larger", {"constant": sp.Rational(102, 2500)}),
            Twin("geometric factor for L2", {"factor": sp.Rational(16, 25)}),
        ),
        remark="C^1 with a Lipschitz gradient, but not C^2: across |theta_1| + |theta_2| = (5/2)|u*| the "
        "second derivative jumps.",
    ),
    Claim(
        id="fig2f.unlike-linear",
        location="Sec. 5.1, Fig. 2(f) against (c)",
        kind="prose",
        title="There the linear model's L-infinity loss is not smooth",
        statement="In the region where theta_1 > 1 and theta_2 < -1 the adversarial loss of the swish "
        "model can be smooth, unlike that of the linear model (Fig. 2(c)).",
        assumptions=("x = (-1, 1), y = 1, epsilon = 0.6, L-infinity",),
        stated={"theta_1": sp.Rational(3, 2)},
        check=unlike_linear,
        expected=Verdict.FALSE,
        sides=(
            sp.Rational(8, 5) / (1 + sp.exp(sp.Rational(-24, 5))),
            sp.Rational(8, 5) / (1 + sp.exp(sp.Rational(-24, 5))),
        ),
        corrected=Reading(
            statement="No sign changes in that region, so by Theorem 2 the linear model's loss is smooth "
            "there as well; the sharp constant is (128/25) e^(16/5)/(1 + e^(16/5))^2 = "
            "0.192.... The kinks of Fig. 2(c) lie on the axes only. What the swish model adds "
            "is a plateau.",
            latex=r"\sup_{S>2}\|\nabla^2\ell_\varepsilon\|=\frac{128}{25}\frac{e^{16/5}}{(1+e^{16/5})^2}",
            stated={"constant": LINEAR_CONSTANT},
            check=linear_smooth,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * LINEAR_CONSTANT}),
            Twin("the crude bound 32/25", {"constant": sp.Rational(32, 25)}),
        ),
    ),
)

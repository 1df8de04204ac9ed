"""Sec. 5.1 on Fig. 2(d)-(f): the swish model log(1 + exp(-swish(theta.x'))), its u* and its exact attack.

With u = theta.x', perturbations of radius epsilon reach exactly the scores [c - r, c + r], c = theta.x and r
epsilon times the dual norm of theta: a statement about d-dimensional attacks is one about the scalar u.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import differs

U, C, LOW, HIGH, P, STAR, W = sp.symbols("u c l h p u* w", real=True)
R, EPSILON, A, B = sp.symbols("r epsilon a b", positive=True)
SIGMOID = 1 / (1 + sp.exp(-U))
SWISH = U * SIGMOID
PHI = sp.log(1 + sp.exp(-SWISH))
RADIUS = sp.Rational(3, 5)
ROOT_FROM, ROOT_TO = sp.Rational(-12785, 10000), sp.Rational(-12784, 10000)


def sign_of_slope(u: object) -> sp.Expr:
    """1 + u + e^u, which has the sign of swish'(u) (an identity checked in `stationary`) and increases with
    u.
    """
    return 1 + sp.sympify(u) + sp.exp(u)


def stationary(stated: SimpleNamespace) -> Iterator[Fact]:
    """swish' against the printed derivative, its factor 1 + u + e^u, and the signs at the ends of the
    interval.
    """
    yield identity(
        "the derivative of u sigmoid(u) is the printed one", sp.diff(U / (1 + sp.exp(-U)), U), stated.slope
    )
    yield identity(
        "it is sigmoid(u)(1 - sigmoid(u))(1 + u + e^u)",
        stated.slope,
        SIGMOID * (1 - SIGMOID) * sign_of_slope(U),
    )
    yield identity("1 + u + e^u has the derivative 1 + e^u", sp.diff(sign_of_slope(U), U), 1 + sp.exp(U))
    yield implies("which is positive, so there is one root on the whole line", [sp.Gt(W, 0)], sp.Gt(1 + W, 0))
    yield compare("the slope is negative at the lower end", sign_of_slope(stated.low), "<", sp.Integer(0))
    yield compare("the slope is positive at the upper end", sign_of_slope(stated.high), ">", sp.Integer(0))
    lambert = sp.Symbol("W", positive=True)  # W e^W = 1/e
    at_root = -lambert + (lambert * sp.exp(lambert)) * sp.exp(-lambert)
    yield identity(
        "u* = -1 - W(1/e): there 1 + u + e^u = -W + (1/e) e^(-W), and 1/e = W e^W", at_root, sp.Integer(0)
    )
    yield compare("the ends are neighbouring integers", stated.high - stated.low, "==", sp.Integer(1))


def stationary_to_four_digits(stated: SimpleNamespace) -> Iterator[Fact]:
    """1 + u + e^u, the sign of the slope, grows; its signs at two rationals 0.0001 apart; swish at its root."""
    factor = SIGMOID * (1 - SIGMOID)
    yield identity(
        "the slope of swish is sigmoid (1 - sigmoid) (1 + u + e^u), a positive number times what grows with u: swish "
        "falls before u* and rises after it, so that u* is its only stationary point and its global minimum",
        sp.diff(U * SIGMOID, U),
        factor * (1 + U + sp.exp(U)),
    )
    root = sp.Symbol("e^u*", positive=True)
    yield identity(
        "at e^u = -(1 + u) the value u e^u/(1 + e^u) is the stated one",
        (U * root / (1 + root)).subs(root, -(1 + U)),
        stated.least,
    )
    yield compare("the slope is negative at -1.2785", sign_of_slope(ROOT_FROM), "<", sp.Integer(0))
    yield compare("the slope is positive at -1.2784", sign_of_slope(ROOT_TO), ">", sp.Integer(0))
    yield compare("which are 0.0001 apart", ROOT_TO - ROOT_FROM, "==", sp.Rational(1, 10000))


def clip_attack(stated: SimpleNamespace) -> Iterator[Fact]:
    """The score of the best attack is u* clipped to [c - r, c + r], and delta = (p - c)/r epsilon n reaches
    it.
    """
    clipped = sp.Or(
        sp.And(sp.Eq(P, LOW), sp.Lt(STAR, LOW)),
        sp.And(sp.Eq(P, HIGH), sp.Gt(STAR, HIGH)),
        sp.And(sp.Eq(P, STAR), sp.Ge(STAR, LOW), sp.Le(STAR, HIGH)),
    )
    yield implies(
        "every reachable score u lies on the far side of the clipped one, p, from u*",
        [sp.Le(LOW, U), sp.Le(U, HIGH), clipped],
        sp.Or(sp.And(sp.Le(U, P), sp.Le(P, STAR)), sp.And(sp.Le(STAR, P), sp.Le(P, U))),
    )
    yield identity(
        "the loss log(1 + e^(-z)) falls with z: its slope is -1/(1 + e^z), so it rises in u up to u* and "
        "then falls",
        sp.diff(sp.log(1 + sp.exp(-U)), U),
        -1 / (1 + sp.exp(U)),
    )
    space = Space("theta", "x")
    theta, x = space.vectors()
    center, radius = space.inner(theta, x), EPSILON * space.length("theta")
    share = stated.share.subs({C: center, R: radius})
    delta = (share * EPSILON / space.norm(theta)) * theta
    yield identity("L2: n = theta/||theta|| reaches the score p", space.inner(theta, x + delta), P)
    yield identity(
        "L-infinity: n = sign(theta) reaches it too, theta.n = ||theta||_1 = r/epsilon",
        C + stated.share * EPSILON * (R / EPSILON),
        P,
    )
    share_size = stated.share.subs(R, HIGH)
    yield implies(
        "and ||delta|| <= epsilon because |p - c| <= r",
        [sp.Gt(HIGH, 0), sp.Le(P - C, HIGH), sp.Ge(P - C, -HIGH)],
        sp.And(sp.Le(share_size, 1), sp.Ge(share_size, -1)),
    )


def no_closed_form(stated: SimpleNamespace) -> Iterator[Fact]:
    """At theta = (t, -t), t = 2: the formula's score against the best one, at a corner of the square."""
    theta = sp.Matrix([stated.t, -stated.t])
    corners = [sp.Matrix([-1 + i * RADIUS, 1 + j * RADIUS]) for i in (-1, 1) for j in (-1, 1)]
    scores = [theta.dot(corner) for corner in corners]
    # 1 + u + e^u increases, so where it is negative at the largest score the loss rises up to there.
    yield compare(
        "u* lies beyond the largest score", sign_of_slope(max(scores)), "<", sp.Integer(0), dimension=(2,)
    )
    formula = theta.dot(sp.Matrix([-1, 1])) + RADIUS * sum(abs(entry) for entry in theta)
    yield differs(
        "the formula clip(u*, c - r, c + r) misses the score of the best attack",
        formula,
        max(scores),
        point={
            "theta": f"({stated.t}, -{stated.t})",
            "x": "(-1, 1)",
            "epsilon": RADIUS,
            "constraint": "L-infinity",
        },
        replay="c = -4 and r = (3/5)(2 + 2) = 12/5, so u runs over [-32/5, -8/5]; u* = -1.278 is larger, "
        "so the best score is -8/5, at the corner x' = (-2/5, 2/5).",
        dimension=(2,),
    )


def region(stated: SimpleNamespace) -> Iterator[Fact]:
    """The scores are [-(1 + epsilon) S, -(1 - epsilon) S]; u* is among them for S in (2, most]."""
    theta, x = sp.Matrix([A, -B]), sp.Matrix([-1, 1])
    yield identity(
        "there c = theta.x = -S with S = |theta_1| + |theta_2|", theta.dot(x), -(A + B), dimension=(2,)
    )
    nearest, farthest = -(1 - RADIUS) * stated.most, -(1 + RADIUS) * 2
    yield compare(
        f"u* <= -(1 - epsilon) S for S = {stated.most}",
        sign_of_slope(nearest),
        ">=",
        sp.Integer(0),
        point={"theta": "(2, -2)", "x": "(-1, 1)", "epsilon": RADIUS},
        replay="The largest score is -4 + (3/5) 4 = -8/5; at u = -8/5 the slope of swish still has the "
        "sign of 1 - 8/5 + e^(-8/5) = -0.398, so u* > -8/5 is out of reach.",
        dimension=(2,),
    )
    yield compare(
        "-(1 + epsilon) S <= u* for the smallest S",
        sign_of_slope(farthest),
        "<=",
        sp.Integer(0),
        dimension=(2,),
    )


def exact_region(stated: SimpleNamespace) -> Iterator[Fact]:
    """The two sides of S = (5/2)|u*| to three decimals, and the loss there is a function of the clipped
    score.
    """
    yield from region(stated)
    beyond = -(1 - RADIUS) * stated.corner_from
    yield compare(
        f"for S = {stated.corner_from} u* is out of reach",
        sign_of_slope(beyond),
        "<",
        sp.Integer(0),
        dimension=(2,),
    )


def hessian_at_interior_attack(stated: SimpleNamespace) -> Iterator[Fact]:
    """The Hessian in x' of f(theta.x') applied to a direction orthogonal to theta."""
    half = sp.Rational(3, 2)  # S = 3, so the scores are [-24/5, -6/5] and u* = -1.278 is inside
    theta, v = sp.Matrix([half, -half]), sp.Matrix([1, 1])
    hessian = score_hessian(theta)
    yield compare(
        f"the eigenvalues of the Hessian at the interior attack are < {stated.bound}",
        sp.simplify((v.T * hessian * v)[0] / v.dot(v)),
        "<",
        stated.bound,
        point={"theta": "(3/2, -3/2)", "x": "(-1, 1)", "direction": "(1, 1)", "epsilon": RADIUS},
        replay="Moving x' along (1, 1) leaves theta.x' = (3/2)(x'_1 - x'_2) unchanged, so the loss does "
        "not change either.",
        dimension=(2,),
    )


def plateau(stated: SimpleNamespace) -> Iterator[Fact]:
    """Rank one, a segment of maximisers, and the value and slope of the loss where u* is in reach."""
    hessian = score_hessian(sp.Matrix([A, -B]))
    yield identity("d = 2: its determinant is 0", hessian.det(), sp.Integer(0), dimension=(2,)).as_example()
    yield compare(
        "d = 2: its rank is the stated one", sp.Integer(hessian.rank()), "==", stated.rank, dimension=(2,)
    ).as_example()
    space = Space("theta", "v", known={("theta", "v"): 0})
    theta, v = space.vectors()
    bend, t = sp.symbols("k t", positive=True)
    for name, along, rate in (("v", v, 0), ("theta", theta, -bend * space.length("theta") ** 4)):
        score = space.inner(theta, t * along)
        yield identity(
            f"any d, v orthogonal to theta: the second derivative of f(theta.x') along {name} is {rate}",
            sp.diff(-bend * score**2 / 2, t, 2),
            sp.sympify(rate),
        )
    at_root = SWISH.subs(sp.exp(-U), 1 / (-(1 + U)))
    yield identity("with e^u = -(1 + u): swish(u*) is the stated value", at_root, stated.value)
    curvature = sp.diff(SWISH, U, 2).subs(sp.exp(-U), -1 / (1 + U))
    printed = (SIGMOID * (1 - SIGMOID)).subs(sp.exp(-U), -1 / (1 + U)) * stated.bend
    yield identity("and swish''(u*) = sigmoid(1 - sigmoid) times the stated factor", curvature, printed)


def score_hessian(theta: sp.Matrix) -> sp.Matrix:
    """The Hessian in x' of f(theta.x') with f'' < 0, d = 2."""
    first, second = sp.symbols("x_1 x_2", real=True)
    bend = sp.Symbol("k", positive=True)  # f'' = -k
    score = theta[0] * first + theta[1] * second
    return sp.hessian(-bend * score**2 / 2, (first, second))


CLAIMS = (
    Claim(
        id="fig2f.swish-derivative",
        location="Sec. 5.1, Fig. 2(f)",
        kind="prose",
        title="swish is stationary at one u* in [-2, -1]",
        statement="For z = swish(u), dz/du = sigmoid(u) + u sigmoid(u)(1 - sigmoid(u)), and it vanishes "
        "at a u* in [-2, -1].",
        latex=r"\frac{\partial z}{\partial u}=\sigma(u)+u\,\sigma(u)(1-\sigma(u))=0\ \text{at}\ "
        r"u^*\in[-2,-1]",
        stated={
            "slope": SIGMOID + U * SIGMOID * (1 - SIGMOID),
            "low": sp.Integer(-2),
            "high": sp.Integer(-1),
        },
        check=stationary,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="u* = -1 - W(1/e) = -1.27846..., W the Lambert function, is the only stationary "
            "point and the global minimum of swish; it lies between -1.2785 and -1.2784, and "
            "swish(u*) = 1 + u* = -0.27846...",
            latex=r"u^*=-1-W(1/e)",
            stated={"least": 1 + U},
            check=stationary_to_four_digits,
        ),
        twins=(
            Twin("interval one unit to the right", {"low": sp.Integer(-1), "high": sp.Integer(0)}),
            Twin("interval one unit to the left", {"low": sp.Integer(-3), "high": sp.Integer(-2)}),
            Twin("sign of the second term", {"slope": SIGMOID - U * SIGMOID * (1 - SIGMOID)}),
            Twin("second term without 1 - sigmoid", {"slope": SIGMOID + U * SIGMOID}),
            Twin("the least value is u* itself", {"least": U}, of="sharpest"),
        ),
    ),
    Claim(
        id="fig2.closed-form",
        location="Sec. 5.1, Fig. 2(d)-(f)",
        kind="reading",
        title="The attack on the swish model has no closed form",
        statement="Since we cannot compute the optimal adversarial examples (of the swish model) in "
        "closed form, we used PGD attacks.",
        assumptions=(
            "z = swish(theta.x'), y = 1, one layer",
            "read of any closed form, Lambert's W included; that there is none in elementary functions is not denied",
        ),
        stated={"t": sp.Integer(2)},
        check=no_closed_form,
        expected=Verdict.FALSE,
        sides=(sp.Rational(-8, 5), sp.Rational(-8, 5)),
        corrected=Reading(
            statement="For theta != 0 an optimal attack is x' = x + ((p - c)/r) epsilon n with c = theta.x, "
            "p = u* clipped to [c - r, c + r], u* = -1 - W(1/e), and r = epsilon ||theta||_2, n = "
            "theta/||theta||_2 (L2) or r = epsilon ||theta||_1, n = sign(theta) (L-infinity). So "
            "l_epsilon = log(1 + exp(-swish(p))), in every dimension.",
            latex=r"\theta^T x'=\min(\max(u^*,c-r),c+r),\quad r=\varepsilon\|\theta\|_2\text{ or }"
            r"\varepsilon\|\theta\|_1",
            stated={"share": (P - C) / R},
            check=clip_attack,
        ),
        twins=(
            Twin("perturbation one per cent too long", {"share": sp.Rational(101, 100) * (P - C) / R}),
            Twin("perturbation in the other direction", {"share": (C - P) / R}),
            Twin("always at the boundary", {"share": sp.Integer(1)}),
        ),
        remark="For y = -1 the loss falls towards u* and the attack is the better of the two ends c - r, "
        "c + r.",
    ),
    Claim(
        id="fig2f.region",
        location="Sec. 5.1, Fig. 2(f)",
        kind="prose",
        title="Where theta_1 > 1 and theta_2 < -1 the attacks are interior",
        statement="In the region of Fig. 2(f) where theta_1 > 1 and theta_2 < -1, the optimal attacks are "
        "inside the feasible region.",
        assumptions=(
            "x = (-1, 1), y = 1, epsilon = 0.6, L-infinity",
            "theta in the plotted square [-2, 2]^2",
        ),
        stated={"most": sp.Integer(4)},
        check=region,
        expected=Verdict.FALSE,
        sides=(sp.exp(sp.Rational(-8, 5)) - sp.Rational(3, 5), 0),
        corrected=Reading(
            statement="There an optimal attack is interior exactly if |theta_1| + |theta_2| < (5/2)|u*| = "
            "3.1961...; beyond this line the attack is the corner x' = (-2/5, 2/5).",
            latex=r"|\theta_1|+|\theta_2|<\frac{|u^*|}{1-\varepsilon}=3.196\ldots",
            stated={"most": sp.Rational(3196, 1000), "corner_from": sp.Rational(3197, 1000)},
            check=exact_region,
        ),
        twins=(
            Twin("one per cent more", {"most": sp.Rational(101, 100) * sp.Rational(3196, 1000)}),
            Twin("one per cent less", {"corner_from": sp.Rational(99, 100) * sp.Rational(3197, 1000)}),
            Twin("the whole plotted corner", {"most": sp.Integer(4)}),
        ),
        remark="u* in [-2, -1] alone does not put u* into the reachable scores [-(8/5) S, -(2/5) S], S = "
        "|theta_1| + |theta_2|. The same happens outside the region: at (1, 0), say, u* is in "
        "reach too.",
    ),
    Claim(
        id="fig2f.lemma4",
        location="Sec. 5.1, Fig. 2(f)",
        kind="prose",
        title="The interior attacks of Fig. 2(f) satisfy Lemma 4",
        statement="The optimal attacks of the swish model inside the feasible region satisfy Lemma 4.",
        assumptions=("d = 2, as in the figure", "Lemma 4 requires a negative definite Hessian in x'"),
        stated={"bound": sp.Integer(0)},
        check=hessian_at_interior_attack,
        expected=Verdict.FALSE,
        sides=(0, 0),
        corrected=Reading(
            statement="For d >= 2 the Hessian there is -k theta theta^T, of rank one: the maximisers fill "
            "the set theta.x' = u* and Lemma 4 never applies. The loss is smooth there for "
            "another reason: it is constant, log(1 + exp(-1 - u*)) = log(1 + exp(0.27846...)).",
            latex=r"\ell_\varepsilon(\theta)=\log(1+e^{-(1+u^*)})\ \text{where}\ "
            r"|\theta^Tx-u^*|\le\varepsilon\|\theta\|_q",
            stated={"rank": sp.Integer(1), "value": 1 + U, "bend": -U},
            check=plateau,
        ),
        twins=(
            Twin("rank two", {"rank": sp.Integer(2)}),
            Twin("swish(u*) one per cent off", {"value": sp.Rational(101, 100) * (1 + U)}),
            Twin("curvature of the other sign", {"bend": U}),
        ),
        remark="At d = 1 the Hessian is -k theta^2 < 0 and Lemma 4 does apply. Uniqueness fails for d >= "
        "2: a minimal-norm attack on the segment is again a smooth function of theta.",
    ),
)

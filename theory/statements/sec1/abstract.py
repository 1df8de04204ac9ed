"""Abstract, Secs. 1 and 6: the sentences that assert something about smoothness, each decided on the
smallest loss.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec2.eq4_descent import C as SMOOTHNESS
from theory.statements.sec2.eq4_descent import D as DISTANCE
from theory.statements.sec2.eq4_descent import descent as smooth_descent
from theory.statements.sec5.sec51_continuity import (
    EPSILON,
    REST,
    SIGMOID,
    T,
    jump,
    l2_exponent,
    l2_ray,
    linf_ray,
)
from theory.statements.sec31.lemma1 import C_TT, C_TX, H
from theory.statements.sec31.lemma1_hessian import P, Q, R, S, schur_complement

ANY = sp.Symbol("K", positive=True)  # any constant that someone might claim
ETA = sp.Symbol("eta", positive=True)


def constraint_causes(stated: SimpleNamespace) -> Iterator[Fact]:
    """The linear model with the constraint, and with the constraint shrunk to a point (the clean loss)."""
    yield identity(
        "linear model, L2: the gradient jumps at theta = 0 by the stated amount", jump(l2_ray), stated.jump
    )
    yield identity(
        "the clean loss, epsilon -> 0, does not", sp.limit(jump(l2_ray), EPSILON, 0), sp.Integer(0)
    )
    w = sp.Symbol("w", real=True)
    curvature = sp.diff(sp.log(1 + sp.exp(REST)), REST, 2)
    share = w / (1 + w) ** 2
    yield identity("its curvature is w/(1 + w)^2 <v, x>^2", curvature, share.subs(w, sp.exp(REST)))
    yield implies("at most ||x||^2/4", [sp.Gt(w, 0)], sp.Le(share, stated.clean))
    yield compare("and 1/4 is reached at theta = 0", curvature.subs(REST, 0), "==", stated.clean)


def more_kinks(stated: SimpleNamespace) -> Iterator[Fact]:
    """Jumps of the i-th derivative where theta_i = 0 and theta != 0, for both constraints, and at theta =
    0.
    """
    # theta = r u + t e_i, u the unit vector along the other entries of theta
    plane = Space("u", "e_i", "x", known={("u", "u"): 1, ("e_i", "e_i"): 1, ("u", "e_i"): 0})
    u, e, x = plane.vectors()
    length, t = sp.Symbol("r", positive=True), sp.Symbol("t", real=True)
    exponent = l2_exponent(plane, length * u + t * e, x)
    slope = sp.diff(sp.log(1 + sp.exp(exponent)), t)
    right, left = sp.limit(slope, t, 0, "+"), sp.limit(slope, t, 0, "-")
    here = SIGMOID.subs(REST, exponent.subs(t, 0))
    yield identity(
        "L2, theta_i = 0, theta != 0: the i-th derivative jumps by", sp.simplify(right - left), stated.l2
    )
    yield identity("it is -x_i sigmoid(c) from either side", left, -plane.product("e_i", "x") * here)
    yield identity("L-infinity, theta_i = 0: it jumps by", jump(linf_ray), stated.linf)
    yield identity("L2, theta = 0: it jumps by epsilon", jump(l2_ray), EPSILON)
    space = Space("theta", "v")
    theta, v = space.vectors()
    derived = space.derivative(lambda at: (EPSILON / space.norm(at)) * at, theta, v)
    turned = (EPSILON / space.norm(theta)) * (
        v - (space.product("theta", "v") / space.length("theta") ** 2) * theta
    )
    for name in space.names:
        yield identity(
            f"L2, theta != 0: epsilon theta/||theta|| has the derivative of Eq. (32), {name}-component",
            derived.coefficients[name],
            turned.coefficients[name],
            method="directional derivative in Gram scalars, sympy identity",
        )


def interior_attack(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x - x^4 on |x| <= 1: the only maximiser is interior, and the gradient x' = (theta/4)^(1/3)
    is not Lipschitz.
    """
    theta, x = sp.symbols("theta x", real=True)
    t = 1 / sp.sqrt(8 * ANY)
    loss = theta * x - x**4
    yield identity(
        "x' = t is stationary at theta = 4 t^3",
        sp.diff(loss, x).subs({x: T, theta: 4 * T**3}),
        sp.Integer(0),
        dimension=(1,),
    )
    yield identity(
        "and l is strictly concave in x away from 0", sp.diff(loss, x, 2), -12 * x**2, dimension=(1,)
    )
    gap, apart = sp.diff(loss, theta).subs(x, t), 4 * t**3
    yield compare(
        "the gradient of the adversarial loss is K-Lipschitz near theta = 0 (both sides divided by x')",
        sp.simplify(gap / t),
        "<=",
        sp.simplify(stated.constant * apart / t),
        point={
            "l": "theta x - x^4",
            "|x'|": "<= 1",
            "theta_1": "4 t^3",
            "theta_2": 0,
            "t": "1/sqrt(8K)",
            "K": "> 1/8",
        },
        replay="K > 1/8 is any constant that someone might claim. The attack is x' = t, inside, and the "
        "gradient of the adversarial loss is x'. So the gradients are t apart, but K ||theta_1 - theta_2|| = "
        "4 K t^3 = t/2.",
        dimension=(1,),
    )


def interior_strict(stated: SimpleNamespace) -> Iterator[Fact]:
    """The Hessian of l(x'(theta), theta) by the implicit function theorem, in blocks of any size, and its
    quadratic form when l_xx <= -c.
    """
    growth = sp.expand(stated.constant - C_TT)
    yield from schur_complement(SimpleNamespace(hessian=P - Q * R * S, growth=growth))
    first, added = sp.symbols("v^Tl_ttv q", real=True)
    length = sp.Symbol("|v|", nonnegative=True)
    whole = first + added
    yield implies(
        "the form v^T l_tt v + q of the Hessian is at most (C_thetatheta + C_thetax^2/c) ||v||^2 in absolute "
        "value",
        [
            sp.Le(first, C_TT * length**2),
            sp.Ge(first, -C_TT * length**2),
            sp.Ge(added, 0),
            sp.Le(added, growth * length**2),
        ],
        sp.And(sp.Le(whole, stated.constant * length**2), sp.Ge(whole, -stated.constant * length**2)),
        method="Rayleigh quotient, z3 on scalars",
    )


def boundary_attack(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta x + x^2 on |x| <= 1: the attacks are the ends, and the gradient is sign(theta)."""
    theta, x = sp.symbols("theta x", real=True)
    loss = theta * x + x**2
    yield identity(
        "l is convex in x, so its maximum lies on the boundary",
        sp.diff(loss, x, 2),
        sp.Integer(2),
        dimension=(1,),
    )
    t = 1 / (2 * ANY)
    at_ends = {s: {end: loss.subs({theta: s, x: end}) for end in (1, -1)} for s in (1, -1)}
    best = {s: max(values, key=values.__getitem__) for s, values in at_ends.items()}
    gap = abs(sp.diff(loss, theta).subs(x, best[1]) - sp.diff(loss, theta).subs(x, best[-1]))
    yield compare(
        "the gradient of the adversarial loss is K-Lipschitz near theta = 0",
        gap,
        "<=",
        sp.simplify(stated.constant * 2 * t),
        point={"l": "theta x + x^2", "|x'|": "<= 1", "theta_1": "1/(2K)", "theta_2": "-1/(2K)", "K": "any"},
        replay="K is any constant that someone might claim. x' = sign(theta) is on the boundary; the "
        "adversarial loss is |theta| + 1, its gradients are 1 and -1, while the thetas are 1/K apart.",
        dimension=(1,),
    )


def boundary_unique(stated: SimpleNamespace) -> Iterator[Fact]:
    """For l = theta.x the L2 attack epsilon theta/||theta|| is unique; the largest curvature of its loss,
    epsilon ||theta||.
    """
    space = Space("theta", "v", known={("theta", "v"): 0, ("v", "v"): 1})
    theta, v = space.vectors()
    derived = space.derivative(lambda at: (EPSILON / space.norm(at)) * at, theta, v)
    size = stated.constant.subs(sp.Symbol("|theta|", positive=True), space.length("theta"))
    yield identity("across theta the gradient turns at the stated rate", derived.coefficients["v"], size)
    along = space.derivative(lambda at: (EPSILON / space.norm(at)) * at, theta, theta)
    yield identity(
        "along theta it does not change", along.coefficients.get("theta", sp.Integer(0)), sp.Integer(0)
    )


def non_lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """The ratio of gradient gap to distance at theta = t v and -t v, linear model, L2."""
    gap = sp.diff(l2_ray(1), T) + sp.diff(l2_ray(-1), T)
    yield limit("the gap tends to the stated jump as t -> 0", gap, T, 0, stated.jump)
    yield limit("so gap/(2 t) is unbounded", stated.jump / (2 * T), T, 0, sp.oo)


def descent(stated: SimpleNamespace) -> Iterator[Fact]:
    """Gradient descent with a fixed step on |theta|, where no step serves, against losses with a Lipschitz gradient;
    and on a non-smooth loss where it does serve."""
    before = stated.start
    after = before - ETA * sp.diff(sp.Abs(T), T)
    yield identity(
        "|theta|, any step eta, from eta/2: the step lands on the mirror image",
        sp.simplify(after),
        -ETA / 2,
        dimension=(1,),
    ).as_example()
    yield identity(
        "so the loss stays at eta/2 and the gradient at length 1 for ever",
        sp.Abs(after),
        sp.Abs(before),
        dimension=(1,),
    ).as_example()
    yield from smooth_descent(SimpleNamespace(bound=SMOOTHNESS * DISTANCE, limit=stated.limit))
    if stated.on_every_loss:
        yield converging()


def converging() -> Fact:
    """L = theta^2/2 + max(0, theta - 1): its gradient jumps at 1, and the step 1/2 halves |theta| at least, from
    every start."""
    theta, moved = sp.symbols("theta moved", real=True)
    return implies(
        "on the non-smooth loss theta^2/2 + max(0, theta - 1), whose gradient jumps at 1, some step 1/2 gains "
        "less than half of |theta|",
        [
            sp.Ne(theta, 0),
            sp.Or(
                sp.And(sp.Lt(theta, 1), sp.Eq(moved, theta / 2)),
                sp.And(sp.Ge(theta, 1), sp.Eq(moved, theta - (theta + 1) / 2)),
            ),
        ],
        sp.Gt(moved**2, theta**2 / 4),
        dimension=(1,),
    )


CLAIMS = (
    Claim(
        id="abstract.constraint-causes",
        location="Abstract; Sec. 1; Secs. 3.2.1, 3.2.2",
        kind="prose",
        title="The constraint is one cause of the non-smoothness",
        statement="We reveal that the constraint of adversarial attacks is one cause of the non-smoothness.",
        latex=r"\partial_v\ell_\varepsilon(0^+)-\partial_v\ell_\varepsilon(0^-)=\varepsilon",
        assumptions=(
            "read as: there are smooth losses whose adversarial loss is not smooth because of the ball",
        ),
        stated={"jump": EPSILON, "clean": sp.Rational(1, 4)},
        check=constraint_causes,
        expected=Verdict.TRUE,
        twins=(
            Twin("no jump", {"jump": sp.Integer(0)}),
            Twin("jump one per cent larger", {"jump": sp.Rational(101, 100) * EPSILON}),
            Twin("clean curvature below 1/4", {"clean": sp.Rational(99, 400)}),
        ),
        remark="One cause, not the only one: see intro.interior-smooth and intro.l2-boundary for losses "
        "whose attacks have no kink in them.",
    ),
    Claim(
        id="abstract.linf-more",
        location="Abstract; Sec. 1; Sec. 6",
        kind="prose",
        title="L-infinity can cause non-smoothness more than L2",
        statement="The smoothness depends on the constraint: the L-infinity constraint can cause "
        "non-smoothness more than the L2 constraint.",
        latex=r"\{0\}\subsetneq\textstyle\bigcup_i\{\theta_i=0\}",
        assumptions=("linear model, d >= 2: the sets where the gradient is not continuous",),
        stated={"l2": sp.Integer(0), "linf": 2 * EPSILON * SIGMOID},
        check=more_kinks,
        expected=Verdict.TRUE,
        twins=(
            Twin("L2 with a kink on the axes", {"l2": EPSILON}),
            Twin("L-infinity without one", {"linf": sp.Integer(0)}),
            Twin("half the jump", {"linf": EPSILON * SIGMOID}),
        ),
        remark="At d = 1 the two constraints are the same.",
    ),
    Claim(
        id="intro.gradient-descent",
        location="Sec. 1, second paragraph; Sec. 2.1",
        kind="prose",
        title="Gradient descent is not effective on non-smooth functions",
        statement="Since the gradient-based optimization is not very effective for non-smooth objective functions "
        "[1], this indicates that minimization in adversarial training is more difficult than that in the standard "
        "training.",
        latex=r"\theta\leftarrow\theta-\eta\,\mathrm{sign}(\theta)",
        assumptions=(
            "read as: a Lipschitz gradient cannot be dropped from the guarantee of Eq. (4). With it every fixed step "
            "below 2/C_s makes the gradients tend to 0 (claim eq4); without it there are losses, |theta| at d = 1, on "
            "which no fixed step does so from every start",
        ),
        stated={"start": ETA / 2, "limit": 2 / SMOOTHNESS, "on_every_loss": False},
        check=descent,
        expected=Verdict.TRUE,
        twins=(
            Twin("from eta", {"start": ETA}),
            Twin("steps one per cent longer than 2/C_s", {"limit": sp.Rational(202, 100) / SMOOTHNESS}),
            Twin("ineffective on every non-smooth loss", {"on_every_loss": True}),
        ),
        remark="Not every non-smooth loss is hard: on theta^2/2 + max(0, theta - 1), whose gradient jumps at 1, the "
        "fixed step 1/2 converges from every start. Steps that tend to 0 converge on convex non-smooth functions, only "
        "more slowly. That training is harder for it is no theorem.",
    ),
    Claim(
        id="intro.interior-smooth",
        location="Sec. 1, third paragraph",
        kind="reading",
        title="With an interior optimal attack the loss is locally smooth",
        statement="The adversarial loss using the optimal attack is a locally smooth function if the "
        "optimal attack is inside the feasible region of the constraints.",
        latex=r"\|x'(\theta)-x\|_p<\varepsilon\Rightarrow\ell_\varepsilon\ \text{locally smooth}",
        assumptions=("smooth: Definition 1; K is any constant > 1/8", "l is a polynomial, its attack unique"),
        stated={"constant": ANY},
        check=interior_attack,
        expected=Verdict.FALSE,
        sides=(1, sp.Rational(1, 2)),
        corrected=Reading(
            statement="If the optimal attack is inside, unique, and l_xx <= -c I there, c > 0 (Lemma 4), the "
            "Hessian of the adversarial loss has a norm of at most C_thetatheta + C_thetax^2/c.",
            latex=r"\|\nabla^2\ell_\varepsilon\|\le C_{\theta\theta}+C_{\theta x}^2/c",
            stated={"constant": C_TT + C_TX**2 / H},
            check=interior_strict,
        ),
        cites=("implicit function theorem", "Danskin"),
        tightness=Tightness(
            pair="l = A theta^2/2 + B theta x - c x^2/2: the adversarial loss is (A + B^2/c) theta^2/2",
            attained=C_TT + C_TX * (C_TX / H),
            bound=C_TT + C_TX**2 / H,
        ),
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * (C_TT + C_TX**2 / H)}),
            Twin("mixed constant not squared", {"constant": C_TT + C_TX / H}),
            Twin("no mixed term", {"constant": C_TT}),
        ),
        remark="Lemma 4 has the condition on l_xx; the sentence drops it. Two interior maximisers break it "
        "as well: l = theta x - (x^2 - 1)^2 has an adversarial loss with a kink at theta = 0.",
    ),
    Claim(
        id="intro.l2-boundary",
        location="Sec. 1, third paragraph",
        kind="reading",
        title="On the boundary the L2 adversarial loss is locally smooth",
        statement="Even if the optimal attack is on the boundary of the feasible region, the adversarial "
        "loss with the L2 norm constraint becomes locally smooth.",
        assumptions=("smooth: Definition 1; K is any constant",),
        stated={"constant": ANY},
        check=boundary_attack,
        expected=Verdict.FALSE,
        sides=(2, 1),
        corrected=Reading(
            statement="It need not. It is for l = theta.x at theta != 0, where the attack is unique: the "
            "loss is epsilon ||theta||, with largest curvature epsilon/||theta||. The general condition, a "
            "unique attack nondegenerate on the tangent space, belongs to Lemma 5.",
            latex=r"\sigma_1(\nabla^2\varepsilon\|\theta\|)=\varepsilon/\|\theta\|",
            stated={"constant": EPSILON / sp.Symbol("|theta|", positive=True)},
            check=boundary_unique,
        ),
        twins=(
            Twin(
                "one per cent smaller",
                {"constant": sp.Rational(99, 100) * EPSILON / sp.Symbol("|theta|", positive=True)},
            ),
            Twin("squared norm", {"constant": EPSILON / sp.Symbol("|theta|", positive=True) ** 2}),
        ),
        remark="Each of the two ends is a strict, nondegenerate local maximum; it is the change from one "
        "to the other that makes the kink. Sec. 3.2.3 warns of such changes; Sec. 1 does not.",
    ),
    Claim(
        id="sec6.non-lipschitz",
        location="Sec. 6; Sec. 1",
        kind="prose",
        title="The gradient can be non-Lipschitz for some points",
        statement="The gradient of adversarial loss can be non-Lipschitz continuous for some points.",
        latex=r"\lim_{t\to0}\frac{|\partial_v\ell_\varepsilon(tv)-\partial_v\ell_\varepsilon(-tv)|}{2t}=\infty",
        assumptions=("linear model, theta = 0",),
        stated={"jump": EPSILON},
        check=non_lipschitz,
        expected=Verdict.TRUE,
        twins=(
            Twin("no jump", {"jump": sp.Integer(0)}),
            Twin("jump one per cent smaller", {"jump": sp.Rational(99, 100) * EPSILON}),
        ),
    ),
)

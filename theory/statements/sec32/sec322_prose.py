"""The sentences after Lemma 5 (Sec. 3.2.2): smoothness with an active constraint, L_infinity, and the role
of constraints."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.attacks import linear_attack
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.beyond.linf_active_set import active_set
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    SMOOTH,
    SUM,
    larger,
    movements_add,
    sharp_implies,
    smaller,
)
from theory.statements.sec32.lemma5 import lemma
from theory.statements.sec32.sec322_norms import infinity_norm


def active_smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """grad l_eps = grad_theta l(x'(theta), theta) (Danskin), then Eq. (14) with Lemma 5's constant for x'."""
    yield from lemma(
        SimpleNamespace(
            constant=CROSS / CURVATURE,
            positive_multiplier=stated.positive_multiplier,
            condition="tangent < 0",
        )
    )
    yield from movements_add(
        "the gradient of the adversarial loss is (C_theta_theta + C_theta_x^2/c)-Lipschitz (Eq. 14)"
    )
    value, point = boundary_example()
    t = sp.Symbol("t", real=True)
    yield identity(
        "attained by l = C_tt |theta|^2/2 + C_tx theta.x on |x| <= epsilon across theta, at |theta| = c "
        "epsilon/C_tx (any d >= 2)",
        sp.simplify(sp.diff(value, t, 2).subs(point)),
        stated.constant,
        shows=(f"its adversarial loss along (m, t) is {value}; c = C_theta_x |theta|/epsilon <= 1",),
    )


def boundary_example() -> tuple[sp.Expr, dict[sp.Symbol, sp.Expr]]:
    """l_eps(theta) = C_tt |theta|^2/2 + epsilon C_tx |theta| at theta = (m, t), and the point t = 0, m =
    c epsilon/C_tx."""
    t, m, epsilon = (
        sp.Symbol("t", real=True),
        sp.Symbol("m", positive=True),
        sp.Symbol("epsilon", positive=True),
    )
    size = sp.sqrt(m**2 + t**2)
    return SMOOTH * size**2 / 2 + epsilon * CROSS * size, {t: 0, m: CURVATURE * epsilon / CROSS}


def cannot_without_smoothness(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta.x on the box |x_i| <= 1 near theta = (1, 1): the norm has a kink at the attack (1, 1),
    and the attack does not move."""
    yield from infinity_norm(SimpleNamespace(tie=True, jump=sp.Integer(1)))
    near = sp.Rational(1, 2)
    attacks = [linear_attack(theta, y=-1, epsilon=1, p=sp.oo) for theta in ((1, 1), (1, near))]
    yield compare(
        "the attacks for theta = (1, 1) and (1, 1/2) are more than 0 apart",
        (attacks[0] - attacks[1]).norm(),
        ">",
        stated.constant,
        point={"theta_1": "(1, 1)", "theta_2": "(1, 1/2)", "x": "(0, 0)", "epsilon": 1},
        replay="theta.x on the box |x_i| <= 1 is largest at (sign theta_1, sign theta_2) = (1, 1) for both; "
        "the L_infinity norm max(|x_1|, |x_2|) has slope 1 to the right and 0 to the left along e_1 "
        "at (1, 1), so Eq. (22) does not exist there, yet the attack is constant near theta.",
        dimension=(2,),
    )


def caused_by_constraints(stated: SimpleNamespace) -> Iterator[Fact]:
    """l = theta.x - |x|^2/2 on the box: the constraint is active and has corners, the attack is theta
    clipped; coordinatewise, all d."""
    low, high, one, other = sp.symbols("a' b' a b", real=True)
    clipped = [
        sp.Or(
            sp.And(sp.Eq(image, value), sp.Le(value**2, 1)),
            sp.And(sp.Eq(image, 1), sp.Gt(value, 1)),
            sp.And(sp.Eq(image, -1), sp.Lt(value, -1)),
        )
        for image, value in ((low, one), (high, other))
    ]
    yield implies(
        "the attack a' = clip(a) maximises a x - x^2/2 over |x| <= 1",
        [clipped[0], sp.Le(other**2, 1)],
        sp.Le(one * other - other**2 / 2, one * low - low**2 / 2),
    )
    half = sp.Rational(1, 2)
    yield from sharp_implies(
        f"the gradient of l_eps, clip(theta), is {stated.constant}-Lipschitz in each coordinate",
        clipped,
        (low - high) ** 2,
        stated.constant**2 * (one - other) ** 2,
        {one: half, low: half, other: 0, high: 0},
        method="sum over coordinates of one scalar inequality, z3",
    )


def some_constraint_is_to_blame(stated: SimpleNamespace) -> Iterator[Fact]:
    """Printed reading: an active constraint whose norm has corners makes the adversarial loss non-smooth
    (no Lipschitz constant, 1 included)."""
    thetas = [sp.Matrix([1, 1]), sp.Matrix([1, sp.Rational(1, 2)])]
    attacks = [
        theta.applyfunc(lambda e: smaller(sp.Integer(1), larger(sp.Integer(-1), e))) for theta in thetas
    ]
    yield compare(
        "the gradients of l_eps at theta = (1, 1) and (1, 1/2) are further apart than the thetas",
        (attacks[0] - attacks[1]).norm(),
        ">",
        stated.constant * (thetas[0] - thetas[1]).norm(),
        point={"theta_1": "(1, 1)", "theta_2": "(1, 1/2)", "x": "(0, 0)", "epsilon": 1},
        replay="theta.x - |x|^2/2 on the box |x_i| <= 1 is largest at theta clipped to [-1, 1], here theta "
        "itself: at the corner (1, 1) and at (1, 1/2), both on the boundary. Clipping never "
        "increases a distance, so grad l_eps = x' is 1-Lipschitz everywhere.",
        dimension=(2,),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec322.smooth",
        location="Sec. 3.2.2, after Eq. (22)",
        kind="prose",
        title="With an active L2 constraint l_eps can be locally smooth",
        statement="From Lemmas 1 and 5, the adversarial loss can be locally (C_theta_theta + "
        "C_theta_x^2/c)-smooth under the L2 constraint even if it is active.",
        latex=r"C_{\theta\theta}+C_{\theta x}^2/c",
        assumptions=(
            "Lemma 5 as corrected: mu* > 0, negative definite tangent Hessian",
            "the loss follows the branch of that local maximum",
        ),
        cites=("implicit function theorem", "envelope theorem (Danskin)", "mean value theorem"),
        stated={"constant": SMOOTH + CROSS**2 / CURVATURE, "positive_multiplier": True},
        check=active_smooth,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = C_tt |theta|^2/2 + C_tx theta.x around 0 at |theta| = c epsilon/C_tx, c <= 1: second "
            "derivative of l_eps across theta",
            attained=SMOOTH
            + sp.Symbol("epsilon", positive=True)
            * CROSS
            / (CURVATURE * sp.Symbol("epsilon", positive=True) / CROSS),
            bound=SUM,
        ),
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * SUM}),
            Twin("C_theta_x not squared", {"constant": SMOOTH + CROSS / CURVATURE}),
            Twin("multiplier allowed to vanish", {"positive_multiplier": False}),
        ),
    ),
    Claim(
        id="sec322.infinity-cannot",
        location="Sec. 3.2.2, after Eq. (22)",
        kind="reading",
        title="'For L_infinity one cannot show the same results'",
        statement="With the L_infinity constraint the same results cannot be shown, because the norm is not "
        "twice differentiable there.",
        assumptions=(
            "read of the result: no local Lipschitz constant where the norm is not twice differentiable; "
            "that the proof of Lemma 5 itself does not carry over is right",
        ),
        stated={"constant": sp.Integer(0), "inverse": sp.Symbol("H_FF", commutative=False) ** -1},
        check=cannot_without_smoothness,
        expected=Verdict.FALSE,
        sides=(0, 0),
        corrected=Reading(
            statement="The box is flat: with s_i dl/dx_i > 0 on the active coordinates and H_FF < 0 on the "
            "free ones, the attack is locally C^1 with D x'_F = -H_FF^{-1} B_F, and constant at "
            "corners (beyond.active-set).",
            latex=r"D_\theta x'_F=-H_{FF}^{-1}B_F",
            check=active_set,
        ),
        twins=(
            Twin("sign dropped", {"inverse": -(sp.Symbol("H_FF", commutative=False) ** -1)}),
            Twin("corner attacks move", {"constant": sp.Integer(1)}),
        ),
        remark="The paper's own Lemma 3 shows it for the linear model: attacks at a corner do not move "
        "while no sign changes.",
    ),
    Claim(
        id="sec322.caused-by-constraints",
        location="Sec. 3.2.2, after Eq. (22)",
        kind="reading",
        title="'This also implies that constraints cause non-smoothness'",
        statement="The difficulty with L_infinity implies that non-smoothness of the adversarial loss is "
        "caused by the constraints.",
        assumptions=(
            "read as the inference it draws: where the proof of Lemma 5 fails, at a corner of an active "
            "constraint, the adversarial loss is non-smooth",
            "that some non-smooth losses owe it to the constraint is right (Lemma 3 at theta_i = 0)",
        ),
        stated={"constant": sp.Integer(1)},
        check=some_constraint_is_to_blame,
        expected=Verdict.FALSE,
        sides=(sp.Rational(1, 2), sp.Rational(1, 2)),
        corrected=Reading(
            statement="Corners need not matter: for theta.x - |x|^2/2 under L_infinity the gradient of the "
            "adversarial loss is theta clipped, 1-Lipschitz everywhere, in every d. With "
            "sec321.caused-by-constraints: active constraints are neither necessary nor "
            "sufficient.",
            check=caused_by_constraints,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100)}),
            Twin("constant one per cent larger (not attained)", {"constant": sp.Rational(101, 100)}),
        ),
    ),
)

"""Smoothness of the adversarial loss inside the region (Sec. 3.2.1), and whether only constraints can
destroy it."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    SMOOTH,
    SUM,
    THETA,
    X,
    curvature_bound,
    jump_of_two_wells,
    linearised,
    movements_add,
    two_wells_facts,
)

H, B, LTT = sp.symbols("H B l_tt", commutative=False)


def smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """Hessian of the adversarial loss as a Schur complement, its norm by Lemma 4, and a loss that
    attains the constant."""
    transposed = sp.Symbol("B^T", commutative=False)
    jacobian = -(H**-1) * B
    yield linearised(jacobian, H, B, "D x' = -H^{-1} B along the branch (Lemma 4)")
    t, v = sp.Symbol("t", real=True), sp.Symbol("v", commutative=False)
    yield identity(
        "grad l_eps(theta) = grad_theta l(x'(theta), theta) has the derivative l_tt - B^T H^{-1} B",
        sp.diff(LTT * (t * v) + transposed * (t * jacobian * v), t),
        LTT * v + stated.sign * transposed * H**-1 * B * v,
        method="chain rule in noncommutative blocks",
        shows=("grad l_eps = grad_theta l + (D x')^T grad_x l, and grad_x l = 0 at an interior attack",),
    )
    yield from curvature_bound(CROSS / CURVATURE)
    yield from movements_add(
        "the Hessian of the adversarial loss has norm at most C_theta_theta + C_theta_x^2/c"
    )
    loss = SMOOTH * THETA**2 / 2 + CROSS * THETA * X - CURVATURE * X**2 / 2
    value = loss.subs(X, sp.solve(sp.diff(loss, X), X)[0])
    yield identity(
        "the constant is attained by l = C_theta_theta theta^2/2 + C_theta_x theta x - c x^2/2",
        sp.diff(value, THETA, 2),
        stated.constant,
        shows=(f"its adversarial loss is {sp.factor(value)}",),
    )


def inactive_yet_rough(stated: SimpleNamespace) -> Iterator[Fact]:
    """The gradient of the adversarial loss of theta x - x^4/4 is theta^(1/3), and no constraint is
    active for |theta| < 1."""
    loss = THETA * X - X**4 / 4
    s, constant = sp.symbols("s K", positive=True)
    yield identity(
        "x = s is the attack at theta = s^3, and grad l_eps = grad_theta l = s there",
        sp.Matrix([sp.diff(loss, X).subs({X: s, THETA: s**3}), sp.diff(loss, THETA).subs(X, s)]),
        sp.Matrix([0, s]),
        dimension=(1,),
    )
    yield identity(
        "Assumption 1 holds with C_theta_theta = 0", sp.diff(loss, THETA, 2), sp.Integer(0), dimension=(1,)
    )
    yield identity(
        "Assumption 1 holds with C_theta_x = 1", sp.diff(loss, THETA, X), sp.Integer(1), dimension=(1,)
    )
    yield limit(
        "the difference quotient of the gradient at 0 is unbounded", s / s**3, s, 0, sp.oo, dimension=(1,)
    )
    half = 1 / (2 * sp.sqrt(constant))
    yield compare(
        "|grad l_eps(s^3) - grad l_eps(0)| <= K s^3 for s = 1/(2 sqrt K), divided by s",
        sp.Integer(1),
        "<=",
        sp.simplify(constant * half**3 / half),
        point={"theta_1": "1/(8 K sqrt K)", "theta_2": 0, "epsilon": 1, "x": 0, "K": ">= 1"},
        replay="K >= 1 is any candidate for the constant; l = theta x - x^4/4 on |x| <= 1: "
        "theta = s^3 has its maximum at x = s < 1, so the gradient "
        "of l_eps at s^3 and 0 is s and 0; s <= K s^3 fails as soon as s < 1/sqrt K.",
        dimension=(1,),
    )


def smooth_where_nondegenerate(stated: SimpleNamespace) -> Iterator[Fact]:
    """Interior, nondegenerate and the only maximiser: then Lemma 4 applies; without one of the last two the
    loss may be rough with no constraint active, or not."""
    if not stated.unique:
        yield from two_wells_facts()
        yield jump_of_two_wells(
            sp.Rational(1, 8),
            "with two maximisers at theta = 0 the gradient x'(theta) of l_eps obeys Lemma 4 with c = 8",
        )
    if not stated.nondegenerate:
        yield from inactive_yet_rough(stated)
    yield from smooth(SimpleNamespace(constant=stated.constant, sign=-1))
    yield from (fact.as_example() for fact in _rough())
    yield from (fact.as_example() for fact in _harmless(stated.may_be_smooth))


def _rough() -> Iterator[Fact]:
    """A degenerate and a second maximiser, inside, that make the adversarial loss non-smooth."""
    s, a = sp.symbols("s a", positive=True)
    yield limit(
        "degenerate: l = theta x - x^4/4 has the attack s at theta = s^3; the difference quotient s/s^3 of "
        "grad l_eps is unbounded",
        s / s**3,
        s,
        0,
        sp.oo,
        dimension=(1,),
    )
    yield limit(
        "two maximisers: l = theta x - (x^2 - 1)^2 has the attacks a and -a at theta = 4a(a^2 - 1) and "
        "-theta; as theta -> 0 grad l_eps = x' jumps by 2",
        2 * a,
        a,
        1,
        2,
        dimension=(1,),
    )


def _harmless(may_be_smooth: bool) -> Iterator[Fact]:
    """The same two defects in l = theta^2/2 - x^4 and l = theta^2/2 - (x^2 - 1/4)^2, whose adversarial loss is
    theta^2/2."""
    for name, loss, best in (
        ("a degenerate maximiser", THETA**2 / 2 - X**4, sp.Integer(0)),
        ("two maximisers", THETA**2 / 2 - (X**2 - sp.Rational(1, 4)) ** 2, sp.Rational(1, 2)),
    ):
        yield identity(
            f"{name} and yet l_eps = theta^2/2: l = {loss} is theta^2/2 less an even power",
            loss.subs(X, best),
            THETA**2 / 2,
            dimension=(1,),
        )
        yield limit(
            f"{name}: so the difference quotient of grad l_eps = theta at 0 "
            + ("stays 1" if may_be_smooth else "is unbounded"),
            THETA / THETA,
            THETA,
            0,
            1 if may_be_smooth else sp.oo,
            dimension=(1,),
        )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec321.smooth",
        location="Sec. 3.2.1, after Lemma 4",
        kind="prose",
        title="Inside, l_eps is locally (C_tt + C_tx^2/c)-smooth",
        statement="From Lemmas 1 and 4, the adversarial loss can be locally (C_theta_theta + "
        "C_theta_x^2/c)-smooth where the local maximum is inside.",
        latex=r"C_{\theta\theta}+C_{\theta x}^2/c",
        assumptions=(
            "Lemma 4's, with c along the branch",
            "the loss follows the branch of that local maximum",
        ),
        cites=("implicit function theorem", "envelope theorem (Danskin)"),
        stated={"constant": SMOOTH + CROSS**2 / CURVATURE, "sign": -1},
        check=smooth,
        expected=Verdict.TRUE,
        sharpest=Reading(
            statement="The Hessian of the adversarial loss is exactly the Schur complement l_tt + B^T "
            "|H|^{-1} B, with H = grad_x^2 l and B = grad_theta grad_x l.",
            latex=r"\nabla^2\ell_\varepsilon=\nabla_\theta^2\ell+B^T|H|^{-1}B",
        ),
        tightness=Tightness(
            pair="l = C_theta_theta theta^2/2 + C_theta_x theta x - c x^2/2: l_eps = (C_theta_theta + "
            "C_theta_x^2/c) theta^2/2",
            attained=sp.diff(SMOOTH * THETA**2 / 2 + (CROSS * THETA) ** 2 / (2 * CURVATURE), THETA, 2),
            bound=SUM,
        ),
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * SUM}),
            Twin("C_theta_x not squared", {"constant": SMOOTH + CROSS / CURVATURE}),
            Twin("minus for plus", {"constant": SMOOTH - CROSS**2 / CURVATURE}),
            Twin("l_tt + B^T H^{-1} B, which is smaller than l_tt", {"sign": 1}, of="sharpest"),
        ),
    ),
    Claim(
        id="sec321.caused-by-constraints",
        location="Sec. 3.2.1, after Lemma 4; Abstract; Sec. 1",
        kind="reading",
        title="'Without active constraints l_eps tends to be smooth'",
        statement="Non-smoothness of the adversarial loss is caused by the constraints: if they are "
        "inactive, it is smooth under Assumption 1.",
        assumptions=("read as an implication, although the paper writes 'tends to be'",),
        stated={"constant": SUM, "unique": True, "nondegenerate": True, "may_be_smooth": True},
        check=inactive_yet_rough,
        expected=Verdict.FALSE,
        sides=(1, sp.Rational(1, 4)),
        corrected=Reading(
            statement="Where the constraint is inactive and the maximiser is unique with grad_x^2 l <= -c "
            "I on the branch near theta, the adversarial loss is locally (C_theta_theta + C_theta_x^2/c)-"
            "smooth. A degenerate or a second maximiser can make it non-smooth with no constraint active (l = "
            "theta x - x^4/4, l = theta x - (x^2 - 1)^2), and need not (l = theta^2/2 - x^4, l = theta^2/2 - "
            "(x^2 - 1/4)^2).",
            check=smooth_where_nondegenerate,
        ),
        cites=("implicit function theorem", "envelope theorem (Danskin)"),
        twins=(
            Twin("a degenerate maximum allowed", {"nondegenerate": False}),
            Twin("two maximisers allowed", {"unique": False}),
            Twin("a degenerate or a second maximiser always makes it rough", {"may_be_smooth": False}),
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * SUM}),
        ),
    ),
)

"""Beyond the paper: for losses strongly concave in x the attack is (C_theta_x/c)-Lipschitz under any
convex constraint, corners included."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Tightness, Twin
from theory.statements.sec32.branches import (
    CROSS,
    CURVATURE,
    SMOOTH,
    SUM,
    THETA,
    X,
    movements_add,
    quadratic_example,
    sharp_implies,
)

METHOD = "variational inequalities in named scalars, z3 on nonlinear real arithmetic"


def lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """Each attack satisfies <grad_x l, x - x*> <= 0 for every x of the set K; add the two, at each
    other's attack; all d, all convex K."""
    moved, along, push = (
        sp.Symbol(n, nonnegative=True) for n in ("|x'_1-x'_2|", "|theta_1-theta_2|", "|g(x'_1;1)-g(x'_1;2)|")
    )
    work, bend = (
        sp.Symbol("<g(x'_1;1)-g(x'_1;2),x'_1-x'_2>", real=True),
        sp.Symbol("<g(x'_1;2)-g(x'_2;2),x'_1-x'_2>", real=True),
    )
    c = CURVATURE if stated.strongly else sp.Symbol("c_any", nonnegative=True)
    constant = stated.constant
    if not stated.strongly:
        yield implies(
            "concavity without a modulus already gives the bound",
            [
                sp.Ge(work + bend, 0),
                sp.Le(bend, -c * moved**2),
                sp.Le(work, push * moved),
                sp.Le(push, CROSS * along),
            ],
            sp.Le(moved, constant * along),
            method=METHOD,
        )
        return
    hypotheses = [
        sp.Ge(work + bend, 0) if stated.convex else sp.Ge(work + bend, -moved),
        sp.Le(bend, -c * moved**2),  # strong concavity of l(., theta_2)
        sp.Le(work, push * moved),  # Cauchy-Schwarz
        sp.Le(push, CROSS * along),  # Assumption 1 (its C_theta_x, by the symmetry of the mixed derivatives)
    ]
    yield from sharp_implies(
        f"||x'_1 - x'_2|| <= ({constant}) ||theta_1 - theta_2||",
        hypotheses,
        moved,
        constant * along,
        {CROSS: 3, CURVATURE: 2, along: 2, moved: 3, push: 6, work: 18, bend: -18},
        method=METHOD,
        shows=(
            "g(x;i) = grad_x l(x, theta_i); <g(x'_1;1), x'_2 - x'_1> <= 0 and <g(x'_2;2), x'_1 - x'_2> <= 0 "
            "since K is convex",
            "sum: <g(x'_1;1) - g(x'_1;2), x'_1 - x'_2> + <g(x'_1;2) - g(x'_2;2), x'_1 - x'_2> >= 0",
            "c |x'_1 - x'_2|^2 <= C_theta_x |theta_1 - theta_2| |x'_1 - x'_2|",
        ),
    )
    yield identity(
        "attained by C_theta_x theta x - c x^2/2 where the attack is inside", quadratic_example()[0], constant
    )


def smooth(stated: SimpleNamespace) -> Iterator[Fact]:
    """Lemma 1 with that constant, for every theta and with no implicit function theorem; attained inside."""
    yield from lipschitz(SimpleNamespace(constant=CROSS / CURVATURE, strongly=True, convex=stated.convex))
    yield from movements_add(
        "|grad l_eps(theta_1) - grad l_eps(theta_2)| <= (C_theta_theta + C_theta_x^2/c) |theta_1 - theta_2| "
        "(Eq. 14)"
    )
    loss = SMOOTH * THETA**2 / 2 + CROSS * THETA * X - CURVATURE * X**2 / 2
    value = loss.subs(X, sp.solve(sp.diff(loss, X), X)[0])
    yield identity(
        "attained by C_theta_theta theta^2/2 + C_theta_x theta x - c x^2/2 inside K",
        sp.diff(value, THETA, 2),
        stated.constant,
    )


def unique(stated: SimpleNamespace) -> Iterator[Fact]:
    """Two maximisers a, b of one concave function: the midpoint lies in K and is higher by c|a - b|^2/8;
    all d, all convex K."""
    top, middle = sp.Symbol("l_max", real=True), sp.Symbol("l_middle", real=True)
    apart = sp.Symbol("|a-b|", nonnegative=True)
    c = CURVATURE if stated.strongly else sp.Symbol("c_any", nonnegative=True)
    yield implies(
        "two maximisers coincide",
        [
            sp.Ge(middle, top + c * stated.modulus * apart**2),
            *([sp.Le(middle, top)] if stated.convex else []),
        ],
        sp.Eq(apart, 0),
        method=METHOD,
    )
    loss = -CURVATURE * X**2 / 2
    a, b = sp.symbols("a b", real=True)
    yield identity(
        "the modulus of the midpoint is exact for -c x^2/2",
        loss.subs(X, (a + b) / 2) - (loss.subs(X, a) + loss.subs(X, b)) / 2,
        CURVATURE * stated.modulus * (a - b) ** 2,
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="beyond.strongly-concave",
        location="beyond Sec. 3.2",
        kind="beyond",
        title="Strongly concave: Lipschitz under any convex constraint",
        statement="If l(., theta) is strongly concave with modulus c > 0 on a closed convex set K (an L_p "
        "ball for any p in [1, infinity], say), its maximiser over K is (C_theta_x/c)-Lipschitz "
        "in theta, globally; no smoothness of the constraint is used.",
        latex=r"\|x'_K(\theta_1)-x'_K(\theta_2)\|\le\frac{C_{\theta x}}{c}\|\theta_1-\theta_2\|",
        assumptions=(
            "K closed and convex, grad_x l exists on K",
            "||grad_x l(x, theta_1) - grad_x l(x, theta_2)|| <= C_theta_x ||theta_1 - theta_2||",
        ),
        stated={"constant": CROSS / CURVATURE, "strongly": True, "convex": True},
        check=lipschitz,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = C_theta_x theta x - c x^2/2 with the attack inside K: x' = C_theta_x theta/c",
            attained=sp.solve(sp.diff(CROSS * THETA * X - CURVATURE * X**2 / 2, X), X)[0] / THETA,
            bound=CROSS / CURVATURE,
        ),
        twins=(
            Twin("constant one per cent smaller", {"constant": sp.Rational(99, 100) * CROSS / CURVATURE}),
            Twin("concave without a modulus", {"strongly": False}),
            Twin("K not convex", {"convex": False}),
        ),
        remark="It contradicts 'non-smoothness is caused by the constraints' (Sec. 3.2.2): the box has "
        "corners and does no harm.",
    ),
    Claim(
        id="beyond.strongly-concave-unique",
        location="beyond Sec. 3.2",
        kind="beyond",
        title="The attack on a strongly concave loss is unique",
        statement="A strongly concave loss has at most one maximiser over a convex set.",
        stated={"modulus": sp.Rational(1, 8), "strongly": True, "convex": True},
        check=unique,
        expected=Verdict.TRUE,
        twins=(
            Twin("modulus one per cent larger", {"modulus": sp.Rational(101, 800)}),
            Twin("concave only", {"strongly": False}),
            Twin("midpoint outside the set", {"convex": False}),
        ),
    ),
    Claim(
        id="beyond.strongly-concave-smooth",
        location="beyond Sec. 3.2",
        kind="beyond",
        title="Strongly concave: l_eps is (C_tt + C_tx^2/c)-smooth globally",
        statement="Under Assumption 1, for a loss strongly concave in x with modulus c, the adversarial "
        "loss over any compact convex K is (C_theta_theta + C_theta_x^2/c)-smooth on the whole "
        "parameter space.",
        latex=r"\|\nabla\ell_K(\theta_1)-\nabla\ell_K(\theta_2)\|\le(C_{\theta\theta}+C_{\theta "
        r"x}^2/c)\|\theta_1-\theta_2\|",
        cites=("Danskin's theorem",),
        stated={"constant": SMOOTH + CROSS**2 / CURVATURE, "convex": True},
        check=smooth,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = C_theta_theta theta^2/2 + C_theta_x theta x - c x^2/2, attack inside: l_K = "
            "(C_theta_theta + C_theta_x^2/c) theta^2/2",
            attained=sp.diff(SMOOTH * THETA**2 / 2 + (CROSS * THETA) ** 2 / (2 * CURVATURE), THETA, 2),
            bound=SUM,
        ),
        twins=(
            Twin("one per cent smaller", {"constant": sp.Rational(99, 100) * SUM}),
            Twin("K not convex", {"convex": False}),
        ),
    ),
)

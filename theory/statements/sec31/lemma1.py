"""Lemma 1 (Eqs. 14, 24, 25): Lipschitz attacks make adversarial loss (C_thetatheta + C C_thetax)-smooth."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.calculus.steps import average, sum_of_two
from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Reading, Tightness, Twin
from theory.ledger.quoted import agrees
from theory.statements.sec2.definition1 import D

C, C_TT, C_TX = sp.symbols("C C_thetatheta C_thetax", positive=True)
WIDTH = sp.Symbol("w", positive=True)  # ||x'(theta_1) - x'(theta_2)||
A, B, H = sp.symbols("a b c", positive=True)  # the model loss a theta^2/2 + b theta x - c x^2/2, around x = 0
THETA, X = sp.symbols("theta x", real=True)
LOSS = A * THETA**2 / 2 + B * THETA * X - H * X**2 / 2
SCALARS = "scalar reduction, z3"


def chain(stated: SimpleNamespace) -> Iterator[Fact]:
    """Lines 2 and 3 of Eqs. (14) and (25): insert grad l(x_1', theta_2), then Assumption 1."""
    names = ("g(x1,t1)", "g(x1,t2)", "g(x2,t2)")
    start, middle, end = Space(*names).vectors()
    inserted = (start - middle) + (middle - end)
    for name in names:
        yield identity(
            f"line 2: the inserted gradient cancels, component along {name}",
            (start - end).coefficients.get(name, sp.Integer(0)),
            inserted.coefficients.get(name, sp.Integer(0)),
            method="vectors without coordinates",
        )
    yield sum_of_two(
        "line 2, triangle inequality, and line 3, Eqs. (6) and (7)", C_TT * D, C_TX * WIDTH, stated.line_3
    )
    unit = Space("e", known={("e", "e"): 1})
    (e,) = unit.vectors()
    moved = C_TT * (D * e) + C_TX * (WIDTH * e)
    yield identity(
        "line 3 is attained: l = C_thetatheta ||theta||^2/2 + C_thetax <theta, x>, attack and theta moving "
        "along one unit vector",
        unit.inner(moved, moved),
        stated.line_3**2,
    )


def wording(stated: SimpleNamespace) -> Iterator[Fact]:
    """What Sec. 3 calls the lines that follow."""
    yield agrees(
        "the words say what follows: a sketch, made of Eq. (14), of a proof",
        stated.words,
        "sketch of proof",
        where="Sec. 3: 'Its proof of sketch is as follows', then Eq. (14)",
    )


def chain_to_the_end(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (25): lines 2 and 3 as in Eq. (14), then Eq. (24), then the common factor."""
    yield from chain(stated)
    yield implies(
        "line 4: Eq. (24) with C_thetax >= 0",
        [sp.Le(WIDTH, C * D)],
        sp.Le(stated.line_3, stated.line_4),
        method=SCALARS,
    )
    yield identity(
        "line 4 is attained: attacks that move by exactly C ||theta_1 - theta_2||",
        stated.line_3.subs(WIDTH, C * D),
        stated.line_4,
    )
    yield identity("line 5: the last <= is an equality", stated.line_4, stated.line_5)


def envelope(stated: SimpleNamespace) -> Iterator[Fact]:
    """Line 1 of Eqs. (14), (25): grad l_eps(theta) = grad_theta l(x'(theta), theta) for maximisers."""
    slope, rest = sp.symbols("slope rest", real=True)
    t, slack = sp.symbols("t delta", positive=True)
    yield implies(
        "where l_eps has a gradient: l_eps(theta + h) - l(x'(theta), theta + h) is >= 0 and 0 at h = 0, so "
        "its slope in any direction is smaller than every delta > 0",
        [sp.Ge(slope * t, -rest), sp.Ge(-slope * t, -rest), sp.Le(rest, slack * t)],
        sp.And(sp.Le(slope, slack), sp.Ge(slope, -slack)),
        method=SCALARS,
    )
    yield from _squeeze()
    attack = stated.share * B * THETA / H
    attained = LOSS.subs(X, attack)
    yield identity(
        "l = a theta^2/2 + b theta x - c x^2/2 with the attack x' = b theta/c: both sides are (a + b^2/c) "
        "theta",
        sp.diff(attained, THETA),
        sp.diff(LOSS, THETA).subs(X, attack),
    )
    # n is normal to the sphere, and w = D x'(theta)[v] tangent to it.
    space = Space("n", "w", known={("n", "w"): 0})
    normal, moved = space.vectors()
    push = sp.Symbol("mu", nonnegative=True)
    yield identity(
        "local maxima x'(theta) that are C^1: the chain rule adds <grad_x l, D x'[v]>, which is 0 inside "
        "(grad_x l = 0) and, as <mu n, w> with w tangent, on the L2 sphere",
        space.inner(push * normal, moved),
        sp.Integer(0),
        method="vectors without coordinates",
    )


def _squeeze() -> Iterator[Fact]:
    """A C-Lipschitz choice of maximisers: l_eps is differentiable, with a remainder quadratic in ||h||."""
    low, high, gain = sp.symbols("lower upper gain", real=True)
    step, moved = sp.symbols("|h| moved", nonnegative=True)
    taylor, drift = C_TT * step**2 / 2, C_TX * C * step
    yield implies(
        "Lipschitz attacks: l_eps(theta + h) - l_eps(theta) - <grad_theta l(x', theta), h> lies between the "
        "remainders of l(x'(theta), .) and l(x'(theta + h), .), so within (C_thetatheta/2 + C_thetax C) "
        "||h||^2 of 0",
        [
            sp.Ge(gain, low),
            sp.Le(gain, high),
            sp.Ge(low, -taylor),
            sp.Le(high, taylor + moved * step),
            sp.Le(moved, drift),
        ],
        sp.And(sp.Le(gain, taylor + drift * step), sp.Ge(gain, -taylor - drift * step)),
        method=SCALARS,
    )


def smoothness(stated: SimpleNamespace) -> Iterator[Fact]:
    """The constant of Lemma 1 from the chain, and a loss that attains it."""
    yield sum_of_two(
        "Eqs. (14) and (24): the gradient moves by at most the stated constant times ||theta_1 - theta_2||",
        C_TT * D,
        C_TX * (C * D),
        stated.constant * D,
    )
    (best,) = sp.solve(sp.diff(LOSS, X), X)
    model = {C_TT: sp.diff(LOSS, THETA, 2), C_TX: sp.diff(LOSS, THETA, X), C: sp.diff(best, THETA)}
    yield identity(
        "attained: l = a theta^2/2 + b theta x - c x^2/2 has C_thetatheta = a, C_thetax = b, C = b/c, and "
        "l_eps'' = a + b^2/c",
        sp.diff(LOSS.subs(X, best), THETA, 2),
        stated.constant.subs(model),
    )
    yield identity(
        "which are what they are said to be",
        sp.Matrix([*model.values(), sp.diff(LOSS.subs(X, best), THETA, 2)]),
        sp.Matrix([A, B, B / H, A + B**2 / H]),
    )
    yield average("the mean over the data keeps the constant")


def attack_is_lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """Eq. (24) is Eq. (2) for x'(theta); on the model loss its smallest constant is b/c."""
    (best,) = sp.solve(sp.diff(LOSS, X), X)
    yield identity(
        "x'(theta) = b theta/c moves by (b/c)|theta_1 - theta_2|",
        sp.Abs(best.subs(THETA, 2 * D) - best.subs(THETA, D)),
        stated.bound.subs(C, B / H),
    )


CLAIMS = (
    Claim(
        id="eq14",
        location="Sec. 3, proof sketch of Proposition 1, lines 2 and 3",
        kind="proof step",
        equations=(14,),
        title="Gradient gap <= C_tt ||.|| + C_tx ||x1' - x2'||",
        statement="||grad_theta l(x_1', theta_1) - grad_theta l(x_2', theta_2)|| <= C_thetatheta ||theta_1 "
        "- theta_2|| + C_thetax ||x_1' - x_2'||, by inserting grad_theta l(x_1', theta_2).",
        latex=r"\|\nabla_\theta\ell(x^{1\prime},\theta_1)-\nabla_\theta\ell(x^{2\prime},\theta_2)\|"
        r"\le C_{\theta\theta}\|\theta_1-\theta_2\|+C_{\theta x}\|x^{1\prime}-x^{2\prime}\|",
        assumptions=("Assumption 1",),
        stated={"line_3": C_TT * D + C_TX * WIDTH},
        check=chain,
        expected=Verdict.TRUE,
        twins=(
            Twin(
                "C_thetatheta one per cent less", {"line_3": sp.Rational(99, 100) * C_TT * D + C_TX * WIDTH}
            ),
            Twin("C_thetax one per cent more", {"line_3": C_TT * D + sp.Rational(101, 100) * C_TX * WIDTH}),
            Twin("no term for the attacks", {"line_3": C_TT * D}),
        ),
        remark="Line 1, the equality, is eq14.envelope.",
    ),
    Claim(
        id="eq14.wording",
        location="Sec. 3, before Eq. (14)",
        kind="prose",
        equations=(14,),
        title="Its proof of sketch is as follows",
        statement="Proposition 1: 'Its proof of sketch is as follows'.",
        slip=True,
        stated={"words": "proof of sketch"},
        check=wording,
        expected=Verdict.TYPO,
        sides=(sp.Symbol("proof of sketch"), sp.Symbol("sketch of proof")),
        corrected=Reading(
            statement="A sketch of its proof is as follows.", stated={"words": "sketch of proof"}
        ),
        twins=(
            Twin("proof of sketch", {"words": "proof of sketch"}),
            Twin("sketch of sketch", {"words": "sketch of sketch"}),
        ),
    ),
    Claim(
        id="eq14.envelope",
        location="Sec. 3, Eq. (14), line 1; App. A, Eq. (25), line 1",
        kind="proof step",
        equations=(14, 25),
        title="grad l_eps is grad_theta l at the attack",
        statement="grad_theta l_eps(x, theta) = grad_theta l(x'(theta), theta), although x' depends on "
        "theta: wherever grad l_eps exists and x'(theta) is a maximiser; and it exists where the maximisers "
        "can be chosen Lipschitz.",
        latex=r"\nabla_\theta\ell_\varepsilon(x,\theta)=\nabla_\theta\ell(x'(\theta),\theta)",
        assumptions=(
            "x'(theta) maximises l(., theta) over the ball; or is a C^1 family of local maxima, inside or "
            "on the L2 sphere",
            "theta is an inner point of the set on which the choice x'(theta) is made",
        ),
        stated={"share": sp.Integer(1)},
        check=envelope,
        expected=Verdict.TRUE,
        twins=(
            Twin("an attack stopped half-way", {"share": sp.Rational(1, 2)}),
            Twin("an attack one per cent short", {"share": sp.Rational(99, 100)}),
            Twin("an attack that overshoots", {"share": sp.Rational(3, 2)}),
        ),
        remark="The identity is Danskin's. It fails for attacks that are not maximal, such as PGD stopped "
        "early: with x' = b theta/(2c) the loss trained on has the gradient (a + 3b^2/(4c)) theta, while "
        "grad_theta l at the attack is (a + b^2/(2c)) theta.",
    ),
    Claim(
        id="lemma1",
        location="Sec. 3, Lemma 1; App. A",
        kind="lemma",
        equations=(25,),
        title="Lipschitz attacks make adversarial loss smooth",
        statement="If x'(theta) is C-Lipschitz, adversarial loss is (C_thetatheta + C C_thetax)-smooth.",
        latex=r"\|\nabla\ell_\varepsilon(\theta_1)-\nabla\ell_\varepsilon(\theta_2)\|\le(C_{\theta"
        r"\theta}+CC_{\theta x})\|\theta_1-\theta_2\|",
        assumptions=("Assumption 1", "x'(theta) are maximisers (eq14.envelope)"),
        stated={"constant": C_TT + C * C_TX},
        check=smoothness,
        expected=Verdict.TRUE,
        tightness=Tightness(
            pair="l = theta^2/2 + theta x - x^2/2 around x = 0, epsilon > 2, theta_1 = 2, theta_2 = 1: x' = "
            "theta, C_thetatheta = C_thetax = C = 1, l_eps = theta^2, gradients 4 and 2",
            attained=sp.diff(THETA**2, THETA).subs(THETA, 2) - sp.diff(THETA**2, THETA).subs(THETA, 1),
            bound=sp.Integer(2),
        ),
        twins=(
            Twin("one per cent less", {"constant": sp.Rational(99, 100) * (C_TT + C * C_TX)}),
            Twin("one per cent more", {"constant": sp.Rational(101, 100) * (C_TT + C * C_TX)}),
            Twin("C squared", {"constant": C_TT + C**2 * C_TX}),
            Twin("C_thetatheta alone", {"constant": C_TT}),
        ),
        remark="Sharp, but not two-sided: attacks that are not Lipschitz, or not even unique, can leave "
        "adversarial loss smooth.",
    ),
    Claim(
        id="lemma1.eq24",
        location="App. A, proof of Lemma 1",
        kind="definition",
        equations=(24,),
        title="C-Lipschitz attacks",
        statement="||x'(theta_1) - x'(theta_2)|| <= C ||theta_1 - theta_2||.",
        latex=r"\|x'(\theta_1)-x'(\theta_2)\|\le C\|\theta_1-\theta_2\|",
        stated={"bound": C * D},
        check=attack_is_lipschitz,
        expected=Verdict.DEFINITION,
        twins=(
            Twin("one per cent less", {"bound": sp.Rational(99, 100) * C * D}),
            Twin("distance squared", {"bound": C * D**2}),
        ),
    ),
    Claim(
        id="lemma1.eq25",
        location="App. A, proof of Lemma 1, lines 2 to 5",
        kind="proof step",
        equations=(25,),
        title="The chain of the proof of Lemma 1",
        statement="The gradients differ by at most C_thetatheta D + C_thetax w <= C_thetatheta D + C_thetax "
        "C D = (C_thetatheta + C C_thetax) D, with D = ||theta_1 - theta_2|| and w the distance of the "
        "attacks.",
        latex=r"\begin{aligned}&\le C_{\theta\theta}\|\theta_1-\theta_2\|+C_{\theta "
        r"x}\|x'(\theta_1)-x'(\theta_2)\|\\"
        r"&\le C_{\theta\theta}\|\theta_1-\theta_2\|+C_{\theta x}C\|\theta_1-\theta_2\|\\"
        r"&\le(C_{\theta\theta}+CC_{\theta x})\|\theta_1-\theta_2\|\end{aligned}",
        assumptions=("Assumption 1", "Eq. (24)"),
        stated={
            "line_3": C_TT * D + C_TX * WIDTH,
            "line_4": C_TT * D + C_TX * C * D,
            "line_5": (C_TT + C * C_TX) * D,
        },
        check=chain_to_the_end,
        expected=Verdict.TRUE,
        twins=(
            Twin("line 3 one per cent less", {"line_3": sp.Rational(99, 100) * (C_TT * D + C_TX * WIDTH)}),
            Twin("line 4 without C", {"line_4": C_TT * D + C_TX * D}),
            Twin("line 5 one per cent more", {"line_5": sp.Rational(101, 100) * (C_TT + C * C_TX) * D}),
        ),
        remark="The last <= is an equality.",
    ),
)

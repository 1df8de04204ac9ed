"""Proposition C.2 and Sec. 4.3: the mixture of clean and adversarial loss, and what of it is smoother."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.l0_paper.gradients import LTT, LTX, L, T, W, gradient_at_most
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import about_the_text, agrees

ALPHA = sp.Symbol("alpha", nonnegative=True)


def proposition(stated: SimpleNamespace) -> Iterator[Fact]:
    clean, adversarial, whole = sp.symbols("|clean| |adversarial| |whole|", nonnegative=True)
    first, second = LTT * T + 2 * L, LTT * T + LTX * W + 4 * L
    yield implies(
        "the mixture's gradients are (1 - alpha) and alpha times the two bounds apart, (22) and Theorem 4.4",
        [
            sp.Le(ALPHA, 1),
            sp.Le(clean, first),
            sp.Le(adversarial, second),
            sp.Le(whole, (1 - ALPHA) * clean + ALPHA * adversarial),
        ],
        sp.Le(whole, (1 - ALPHA) * first + ALPHA * second),
    )
    yield identity(
        "which is A_thetatheta |d theta| + B'_thetadelta",
        (1 - ALPHA) * first + ALPHA * second,
        stated.curvature * T + stated.jump,
    )


def jump_scales(stated: SimpleNamespace) -> Iterator[Fact]:
    """The clean part is continuously differentiable, so that only the adversarial part jumps, alpha times as far."""
    yield from gradient_at_most(2)
    clean, one, other = sp.symbols("clean' adversarial_1' adversarial_2'", real=True)
    yield identity(
        "at one theta the mixture's gradients differ by alpha times what the adversarial loss's do",
        ((1 - ALPHA) * clean + ALPHA * one) - ((1 - ALPHA) * clean + ALPHA * other),
        stated.share * (one - other),
    )
    jump = sp.Symbol("|jump|", nonnegative=True)
    yield implies(
        "so by at most 4 alpha L_theta, at most the constant part of B'_thetadelta",
        [sp.Le(ALPHA, 1), sp.Le(jump, 4 * L)],
        sp.And(sp.Le(ALPHA * jump, 4 * ALPHA * L), sp.Le(ALPHA * jump, 2 * (1 + ALPHA) * L)),
    )


def smaller(stated: SimpleNamespace) -> Iterator[Fact]:
    printed = LTX * W + 4 * L
    mixed = ALPHA * LTX * W + 2 * (1 + ALPHA) * L
    yield identity(
        "B_thetadelta - B'_thetadelta = (1 - alpha)(L_thetax |delta_1 - delta_2| + factor L_theta)",
        printed - mixed,
        (1 - ALPHA) * (LTX * W + stated.factor * L),
    )
    yield implies(
        "which is positive for alpha < 1",
        [sp.Lt(ALPHA, 1)] if stated.mixed else [sp.Eq(ALPHA, 1)],
        sp.Gt(printed - mixed, 0),
    )


@about_the_text
def no_label(stated: SimpleNamespace) -> Iterator[Fact]:
    label = sp.Symbol("y")
    constants = {"printed": LTT + LTX * W + 4 * L, "with a label": LTT + LTX * W + 4 * L * label}[
        stated.constants
    ]
    yield agrees(
        "the number of entries of y in A_thetatheta and B_thetadelta",
        sp.Integer(len(constants.free_symbols & {label})),
        stated.entries,
        where="Theorem 4.4",
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="sec43.unaffected",
        location="Sec. 4.3, second paragraph",
        kind="prose",
        title="The second-order constants do not depend on the label",
        statement="As indicated by Theorem 4.4, the second-order Lipschitz constant remains unaffected "
        "by variations in y.",
        expected=Verdict.TRUE,
        check=no_label,
        stated={"constants": "printed", "entries": sp.Integer(0)},
        twins=(
            Twin("a label in the constant", {"constants": "with a label"}),
            Twin("one entry of y", {"entries": sp.Integer(1)}),
        ),
        remark="Of the printed constants. The least constants do depend on it, as sum |h_i - y_i| does.",
    ),
    Claim(
        id="propC.2",
        location="App. C, Proposition C.2, Eqs. (28)-(30)",
        kind="proposition",
        equations=(28, 29, 30),
        title="The mixture's gradients are at most A_thetatheta |d theta| + B'_thetadelta apart",
        statement="For L_(epsilon,alpha) = (1 - alpha) L + alpha L_epsilon, 0 <= alpha <= 1: ||grad "
        "L_(epsilon,alpha)(theta_1) - "
        "grad L_(epsilon,alpha)(theta_2)|| <= A_thetatheta ||theta_1 - theta_2|| + B'_thetadelta, "
        "A_thetatheta = L_thetatheta, "
        "B'_thetadelta = alpha L_thetax ||delta_1 - delta_2|| + 2 (1 + alpha) L_theta.",
        assumptions=("Assumptions 4.1 and 4.3",),
        expected=Verdict.TRUE,
        check=proposition,
        stated={"curvature": LTT, "jump": ALPHA * LTX * W + 2 * (1 + ALPHA) * L},
        sharpest=Reading(
            statement="Only the adversarial part jumps: at one theta the mixture's gradients differ by "
            "alpha times what those "
            "of L_epsilon do, at most 4 alpha L_theta, which is below 2 (1 + alpha) L_theta for alpha < 1.",
            check=jump_scales,
            stated={"share": ALPHA},
        ),
        twins=(
            Twin(
                "one per cent less of L_theta",
                {"jump": ALPHA * LTX * W + sp.Rational(198, 100) * (1 + ALPHA) * L},
            ),
            Twin("2 alpha in place of 2 (1 + alpha)", {"jump": ALPHA * LTX * W + 2 * ALPHA * L}),
            Twin("the curvature of the adversarial part alone", {"curvature": ALPHA * LTT}),
        ),
        remark="The displays are lost; reconstructed from the constants and the proof.",
    ),
    Claim(
        id="propC.2.enhances",
        location="Sec. 4.3; App. C, below Proposition C.2",
        kind="prose",
        title="The mixture's constant is smaller",
        statement="The trade-off loss function can enhance the second-order smoothness: B'_thetadelta < "
        "B_thetadelta for alpha < 1.",
        assumptions=("0 <= alpha < 1",),
        expected=Verdict.TRUE,
        check=smaller,
        stated={"factor": sp.Integer(2), "mixed": True},
        twins=(
            Twin("the adversarial loss alone", {"mixed": False}),
            Twin("one per cent more", {"factor": sp.Rational(202, 100)}),
        ),
        remark="Of the bounds. For every norm alike: nothing in it is particular to l0.",
    ),
)

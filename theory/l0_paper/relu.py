"""Appendix D: the same bounds where gradients of the logits may jump by C_thetatheta and C_thetax."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.l0_paper.gradients import LTT, LTX, L, T, W, weighted_sum
from theory.l0_paper.trade_off import ALPHA
from theory.ledger.claim import Claim, Twin

CTT, CTX = sp.symbols("C_thetatheta C_thetax", nonnegative=True)


def corollary(stated: SimpleNamespace) -> Iterator[Fact]:
    yield weighted_sum(
        "a mean of differences of gradients is at most the largest, jumps included", LTT * T + CTT
    )
    clean, moved = LTT * T + CTT + 2 * L, LTX * W + CTX + 2 * L
    one, other, whole = sp.symbols("|clean| |moved| |whole|", nonnegative=True)
    yield implies(
        "the clean part moves by at most the first bound, the adversarial part by at most the sum of both",
        [
            sp.Le(ALPHA, 1),
            sp.Le(one, clean),
            sp.Le(other, clean + moved),
            sp.Le(whole, (1 - ALPHA) * one + ALPHA * other),
        ],
        sp.Le(whole, clean + ALPHA * moved),
    )
    yield identity(
        "which is the stated bound",
        (clean + ALPHA * moved).subs(ALPHA, stated.alpha),
        LTT * T + stated.jump,
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="corD.2",
        location="App. D, Corollary D.2",
        kind="proposition",
        title="ReLU networks: two more constants in the bound on gradients",
        statement="Under Assumption D.1, ||grad L_epsilon(x, theta_1) - grad L_epsilon(x, theta_2)|| <= "
        "A_thetatheta "
        "||theta_1 - theta_2|| + B_thetadelta + C_thetatheta + C_thetax, with the constants of Theorem 4.4.",
        assumptions=("Assumption D.1: as 4.3, with C_thetatheta and C_thetax added on the right",),
        expected=Verdict.TRUE,
        check=lambda stated: corollary(SimpleNamespace(alpha=sp.Integer(1), jump=stated.jump)),
        stated={"jump": LTX * W + 4 * L + CTT + CTX},
        twins=(
            Twin("without C_thetax", {"jump": LTX * W + 4 * L + CTT}),
            Twin("one per cent less of L_theta", {"jump": LTX * W + sp.Rational(396, 100) * L + CTT + CTX}),
        ),
        remark="Both displays are lost; the place of the two constants is reconstructed by the proof. "
        "Gradients at kinks are "
        "those the assumption speaks of. Like Theorem 4.4 it is never below 4 L_theta.",
    ),
    Claim(
        id="corD.3",
        location="App. D, Corollary D.3",
        kind="proposition",
        title="ReLU networks: the mixture",
        statement="Under Assumption D.1, the mixture's gradients are at most A_thetatheta ||theta_1 - "
        "theta_2|| + B'_thetadelta + "
        "C_thetatheta + alpha C_thetax apart.",
        assumptions=("Assumption D.1", "0 <= alpha <= 1"),
        expected=Verdict.TRUE,
        check=lambda stated: corollary(SimpleNamespace(alpha=ALPHA, jump=stated.jump)),
        stated={"jump": ALPHA * LTX * W + 2 * (1 + ALPHA) * L + CTT + ALPHA * CTX},
        twins=(
            Twin("alpha at both constants", {"jump": ALPHA * (LTX * W + CTT + CTX) + 2 * (1 + ALPHA) * L}),
            Twin("2 alpha L_theta", {"jump": ALPHA * LTX * W + 2 * ALPHA * L + CTT + ALPHA * CTX}),
        ),
        remark="The display is lost; whether it has alpha before C_thetax is not known, and this is "
        "what the proof gives.",
    ),
)

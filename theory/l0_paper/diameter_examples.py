"""Appendix E's numbers for CIFAR-10, and its conclusion that the l0 set is always much the widest."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

D = sp.Integer(3072)
L0, L1, LINF = sp.Integer(360), sp.Integer(24), sp.Rational(8, 255)
L2 = sp.Rational(1, 2)


def largest(number: sp.Expr, words: str):
    def check(stated: SimpleNamespace) -> Iterator[Fact]:
        yield compare(
            words,
            stated.printed,
            "==",
            number,
            point={"q": 1, "d": 3072},
            replay=words,
            dimension=(3072,),
        )

    return check


def widest(stated: SimpleNamespace) -> Iterator[Fact]:
    """q = 1, with the right numbers: 720 against 48, 2 (1/2) sqrt(3072) and 49152/255."""
    for name, other in (("l1", 2 * L1), ("l2", 2 * L2 * sp.sqrt(D)), ("l_infinity", 2 * LINF * D)):
        yield compare(f"q = 1: {name}'s bound is below l0's", other, "<", 2 * L0, dimension=(3072,))
    yield identity(
        "the next being l_infinity's, smaller by the factor", 2 * L0 / (2 * LINF * D), stated.factor
    )


def every_norm(stated: SimpleNamespace) -> Iterator[Fact]:
    if stated.norms == "1 <= q <= infinity":
        yield compare(
            "q = infinity: the largest ||delta_1 - delta_2||_q of the l0 budget is above that of the l1 "
            "budget",
            sp.Integer(1),
            ">",
            sp.Integer(1),
            point={"q": "infinity"},
            replay="Both budgets allow one pixel to go from 0 to 1, and no entry can differ by more than 1.",
        )
    q = sp.Symbol("q", positive=True)
    yield limit(
        "the ratio of the two largest norms (720/48)^(1/q) tends to it",
        (2 * L0 / (2 * L1)) ** (1 / q),
        q,
        sp.oo,
        stated.ratio,
    )
    a, b = sp.symbols("720^(1/q) 48^(1/q)", positive=True)
    k = sp.Symbol("k", positive=True)
    yield implies(
        "for finite q, 720 > 48 makes 720^(1/q) the larger: the q-th power keeps the order (q = 2 "
        "written out)",
        [sp.Eq(a**2, 720), sp.Eq(b**2, 48)] if stated.powers else [sp.Gt(k, 0)],
        sp.Gt(a, b),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="appE.example-l0",
        location="App. E, last paragraph but one",
        kind="prose",
        title="720 in the l0 case",
        statement="For epsilon = 360 the upper bound of sum_i |Delta delta_i| is 720 in the l0 case.",
        expected=Verdict.TRUE,
        check=largest(2 * L0, "2 epsilon = 2 * 360 = 720."),
        stated={"printed": sp.Integer(720)},
        twins=(Twin("360", {"printed": sp.Integer(360)}), Twin("one less", {"printed": sp.Integer(719)})),
    ),
    Claim(
        id="appE.example-l1",
        location="App. E, last paragraph but one",
        kind="prose",
        title="24 in the l1 case",
        statement="For epsilon = 24 the upper bound of sum_i |Delta delta_i| is 24 in the l1 case.",
        slip=True,
        expected=Verdict.TYPO,
        check=largest(2 * L1, "Eq. (39) with epsilon = 24, q = 1: D_1 = 48, so 48 + 0 = 48 = 2 epsilon."),
        stated={"printed": sp.Integer(24)},
        sides=(24, 48),
        corrected=Reading(statement="It is 48 = 2 epsilon.", stated={"printed": sp.Integer(48)}),
        twins=(Twin("epsilon itself", {"printed": sp.Integer(24)}), Twin("47", {"printed": sp.Integer(47)})),
    ),
    Claim(
        id="appE.example-l2",
        location="App. E, last paragraph but one",
        kind="prose",
        title="1 in the l2 case",
        statement="For epsilon = 0.5 the upper bound of sum_i |Delta delta_i| is 1 in the l2 case.",
        expected=Verdict.FALSE,
        check=largest(
            2 * L2 * sp.sqrt(D),
            "3072 differences of 1/sqrt(3072) each have the l2 norm 1 = 2 epsilon and the sum "
            "sqrt(3072) = 55.4.",
        ),
        stated={"printed": sp.Integer(1)},
        sides=(1, 32 * sp.sqrt(3)),
        corrected=Reading(
            statement="It is 2 epsilon sqrt(d) = 32 sqrt(3), about 55.4.", stated={"printed": 32 * sp.sqrt(3)}
        ),
        twins=(
            Twin("1", {"printed": sp.Integer(1)}),
            Twin("one per cent less", {"printed": sp.Rational(99, 100) * 32 * sp.sqrt(3)}),
        ),
    ),
    Claim(
        id="appE.example-linf",
        location="App. E, last paragraph but one",
        kind="prose",
        title="49152/255 in the l_infinity case",
        statement="For epsilon = 8/255 and d = 3072 the upper bound of sum_i |Delta delta_i| is "
        "49152/255, about 192.8.",
        expected=Verdict.TRUE,
        check=largest(2 * LINF * D, "3072 * 16/255 = 49152/255 = 192.75..."),
        stated={"printed": sp.Rational(49152, 255)},
        twins=(
            Twin("half of it", {"printed": sp.Rational(24576, 255)}),
            Twin("one pixel less", {"printed": sp.Rational(49136, 255)}),
        ),
    ),
    Claim(
        id="appE.widest",
        location="App. E; Sec. 4.1",
        kind="prose",
        title="At q = 1 the l0 set is the widest, with the right numbers too",
        statement="The upper bound of sum_i |Delta delta_i| is larger in the l0 case, 720, than in the "
        "l1, l2 and l_infinity cases, "
        "48, 55.4 and 192.8.",
        expected=Verdict.TRUE,
        check=widest,
        stated={"factor": sp.Rational(255, 1) * 720 / 49152},
        twins=(
            Twin("by a factor of 4", {"factor": sp.Integer(4)}),
            Twin("one per cent more", {"factor": sp.Rational(101, 100) * 255 * 720 / 49152}),
        ),
    ),
    Claim(
        id="appE.every-norm",
        location="App. E, last sentence; Sec. 4.1",
        kind="prose",
        title="For every q >= 1 the l0 set is significantly wider in the l_q norm",
        statement="For all q >= 1, q = infinity included (Sec. 4.1: p in [1, +infinity]), the upper "
        "bound of ||Delta delta||_q is "
        "always significantly larger in the l0 case than in the other cases.",
        expected=Verdict.FALSE,
        check=every_norm,
        stated={"norms": "1 <= q <= infinity", "ratio": sp.Integer(1), "powers": True},
        sides=(1, 1),
        corrected=Reading(
            statement="It is larger for every finite q, by a factor over l1 of 15^(1/q), which tends to "
            "1; at q = infinity the l0 and "
            "l1 budgets (and l2 with epsilon = 1/2) are equally wide.",
            stated={"norms": "1 <= q < infinity"},
        ),
        twins=(
            Twin("at q = infinity", {"norms": "1 <= q <= infinity"}),
            Twin("by more than one per cent", {"ratio": sp.Rational(101, 100)}),
            Twin("any two numbers", {"powers": False}),
        ),
    ),
)

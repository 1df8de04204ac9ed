"""Proposition C.1: what soft labels do to the constant of Theorem 4.2, and how little that can be."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

L = sp.Symbol("L_theta", positive=True)
QUARTER = sp.Rational(1, 4)


def soft_label(stated: SimpleNamespace) -> Iterator[Fact]:
    if stated.of == "a pair":
        yield compare(
            "K = 2, S_+ = {1}, L_theta = 1, y_s = (3/4, 1/4), y_h = (1, 0): A_theta(y_s) is at most "
            "A_theta(y_h)",
            2 * QUARTER,
            "<=",
            sp.Integer(0),
            point={"y_s": "(3/4, 1/4)", "y_h": "(1, 0)", "L_theta": 1},
            replay="f = (theta, 0), theta_1 = 1, theta_2 = 0: the probability of class 0 falls, so S_+ "
            "= {1}. "
            "A_theta(y_h) = 2 * 0, A_theta(y_s) = 2 * 1/4.",
            dimension=(1,),
        )
    kept, least = sp.symbols("sum_(S_+)y min_y", nonnegative=True)
    outside = sp.Symbol("sum_(not_S_+)y", nonnegative=True)
    yield implies(
        "some class is outside S_+, as probabilities sum to 1: at the worst pair A_theta(y_s) is at most "
        "factor (1 - min y) L_theta",
        [
            sp.Eq(kept + outside, 1),
            sp.Ge(outside, least),
            sp.Gt(least, 0) if stated.soft else sp.Eq(least, 0),
        ],
        sp.And(
            sp.Le(2 * kept * L, stated.factor * (1 - least) * L),
            sp.Lt(2 * kept * L, 2 * L),
        ),
    )
    y = sp.Symbol("min_y", positive=True)
    yield identity(
        "which S_+ = all classes but the least likely attains", 2 * (1 - y) * L, stated.factor * (1 - y) * L
    )


def asymptotic(stated: SimpleNamespace) -> Iterator[Fact]:
    s = sp.Symbol("s", positive=True)
    yield limit(
        "with s = sum of y_s outside S_+, A_theta(y_s) = 2 (1 - s) L_theta tends to A_theta(y_h)",
        2 * (1 - s) * L,
        s,
        0,
        stated.factor * L,
    )
    yield implies(
        "and is smaller for every s" if stated.below else "and is reached for some s",
        [sp.Lt(s, 1)],
        sp.Lt(2 * (1 - s) * L, stated.factor * L)
        if stated.below
        else sp.Ge(2 * (1 - s) * L, stated.factor * L),
    )


def how_little(stated: SimpleNamespace) -> Iterator[Fact]:
    """min y <= 1/K, so 1 - min y >= 1 - 1/K, with equality for the uniform label."""
    K, least, rest = sp.symbols("K min_y rest", positive=True)
    yield implies(
        "the smallest of K entries that sum to 1 is at most 1/K, so 1 - min y is at least 1 - 1/K",
        [sp.Ge(K, 2), sp.Eq(K * least + rest, 1 if stated.sums_to_one else 2)],
        sp.Ge(1 - least, stated.share * (1 - 1 / K)),
        shows=("rest is what the other entries exceed the smallest by, in all",),
    )
    yield identity("the uniform label attains it", (1 - least).subs(least, 1 / K), stated.share * (1 - 1 / K))


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="propC.1",
        location="App. C, Proposition C.1; Sec. 4.3",
        kind="proposition",
        title="A_theta(y_s) <= A_theta(y_h) for a soft label y_s and a hard label y_h",
        statement="Based on Theorem 4.2, for a hard label y_h in {0, 1}^K and a soft label y_s in (0, 1)^K, "
        "A_theta(y_s) <= A_theta(y_h).",
        expected=Verdict.FALSE,
        check=soft_label,
        stated={"of": "a pair", "factor": sp.Integer(2), "soft": True},
        sides=(sp.Rational(1, 2), 0),
        corrected=Reading(
            statement="At the worst pair of weights it does: the largest A_theta is 2 (1 - min_i y_i) "
            "L_theta, which is 2 "
            "L_theta for a hard label and less for a soft one. For one pair the hard label's S_+ may "
            "miss its class, and "
            "then A_theta(y_h) = 0.",
            stated={"of": "the worst pair"},
        ),
        twins=(
            Twin("for every pair", {"of": "a pair"}),
            Twin("one per cent less", {"factor": sp.Rational(198, 100)}),
            Twin("a label with a zero", {"soft": False}),
        ),
        remark="Eq. (25) is lost; the proof writes A_theta(y_h) = 2 L_theta, which is the value where "
        "S_+ has the class of "
        "y_h. In this reading, the worst pair's, the proposition is right.",
    ),
    Claim(
        id="propC.1.asymptotic",
        location="App. C, proof of Proposition C.1, last sentence",
        kind="proof step",
        title="Equality is approached as the label outside S_+ vanishes",
        statement="The equality can be achieved asymptotically if sum_(i not in S_+) y_s -> 0.",
        expected=Verdict.TRUE,
        check=asymptotic,
        stated={"factor": sp.Integer(2), "below": True},
        twins=(
            Twin("one per cent more", {"factor": sp.Rational(202, 100)}),
            Twin("reached", {"below": False}),
        ),
    ),
    Claim(
        id="beyond.soft-label-limit",
        location="beyond Proposition C.1",
        kind="beyond",
        title="No label lowers the constant by more than the factor 1 - 1/K",
        statement="The least constant 2 (1 - min_i y_i) L_theta of Theorem 4.2 is at least 2 (1 - 1/K) "
        "L_theta for every "
        "label: with K = 10 classes soft labels lower it by at most 10 per cent, with K = 100 by at "
        "most 1 per cent.",
        expected=Verdict.TRUE,
        check=how_little,
        stated={"share": sp.Integer(1), "sums_to_one": True},
        twins=(
            Twin("one per cent more", {"share": sp.Rational(101, 100)}),
            Twin("labels that sum to 2", {"sums_to_one": False}),
        ),
    ),
)

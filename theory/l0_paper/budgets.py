"""Sections 1 and 2: the sets of allowed perturbations, which of them are convex, and the hull of the l0 set."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin
from theory.ledger.quoted import about_the_text, agrees

HALF = sp.Rational(1, 2)


@about_the_text
def first_index(stated: SimpleNamespace) -> Iterator[Fact]:
    yield agrees(
        "the label's entries carry the indices of the classes, which begin at 0",
        stated.first,
        sp.Integer(0),
        where="Sec. 1, Notation; Eq. (1)",
        replay="The label is [y_1, ..., y_C]; classes, logits and the sums over y_i run from i = 0 to K - 1.",
    )


def convex(stated: SimpleNamespace) -> Iterator[Fact]:
    """The triangle inequality and homogeneity make a ball convex; without them the middle of e_1 and e_2 leaves it."""
    a, b, middle, t, epsilon = sp.symbols("||a|| ||b|| ||ta+(1-t)b|| t epsilon", nonnegative=True)
    if stated.size != "norm":
        of_middle = {"p = 1/2": (2 * sp.sqrt(HALF)) ** 2, "number of nonzero entries": sp.Integer(2)}[
            stated.size
        ]
        yield compare(
            "e_1 and e_2 are in the set for epsilon = 1, and so is their middle",
            of_middle,
            "<=",
            sp.Integer(1),
            point={"delta": "(1/2, 1/2)", "epsilon": 1},
            replay=f"The middle (1/2, 1/2) has the size {of_middle}.",
            dimension=(2,),
        )
    triangle = [sp.Le(middle, t * a + (1 - t) * b)] if stated.triangle else []
    yield implies(
        "a mixture of two perturbations of norm at most epsilon has norm at most epsilon",
        [sp.Le(a, epsilon), sp.Le(b, epsilon), sp.Le(t, 1), *triangle],
        sp.Le(middle, epsilon),
    )
    u, v = sp.symbols("u v", real=True)
    low, high = sp.symbols("-x_i 1-x_i", real=True)
    yield implies(
        "and each entry stays in the interval that keeps x + delta in [0, 1]",
        [sp.Ge(u, low), sp.Le(u, high), sp.Ge(v, low), sp.Le(v, high), sp.Le(t, 1)],
        sp.And(sp.Ge(t * u + (1 - t) * v, low), sp.Le(t * u + (1 - t) * v, high)),
    )


def not_convex(stated: SimpleNamespace) -> Iterator[Fact]:
    """Two perturbations on epsilon coordinates each that share all but one: the middle has epsilon + 1."""
    epsilon, d, support = sp.symbols("epsilon d |supp|", positive=True)
    yield implies(
        "the middle of two perturbations whose supports differ in one place has more than epsilon "
        "nonzero entries",
        [
            sp.Ge(epsilon, 1),
            sp.Ge(d, epsilon + 1) if stated.room else sp.Eq(d, epsilon),
            sp.Eq(support, epsilon + 1) if stated.differ else sp.Eq(support, epsilon),
            sp.Le(support, d) if stated.room else sp.Le(support, epsilon),
        ]
        if stated.room
        else [sp.Ge(epsilon, 1), sp.Eq(d, epsilon), sp.Le(support, d)],
        sp.Gt(support, epsilon),
        shows=("delta_1 = e_1 + ... + e_k, delta_2 = e_2 + ... + e_(k+1) with k = epsilon, x = 0",),
    )


def hull(stated: SimpleNamespace) -> Iterator[Fact]:
    """Without a bound on the entries the hull is everything; with |delta_i| <= 1 its extreme points are those of l1."""
    if not stated.entries_bounded:
        yield compare(
            "the middle of (4, 0) and (0, 4), with one nonzero entry each, has an l1 norm of at most "
            "epsilon = 1",
            sp.Integer(4),
            "<=",
            sp.Integer(1),
            point={"delta": "(2, 2)", "epsilon": 1},
            replay="(4, 0) and (0, 4) have one nonzero entry; their middle (2, 2) is in the hull and "
            "has l1 norm 4.",
            dimension=(2,),
        )
    count, total = sp.symbols("|supp| ||delta||_1", nonnegative=True)
    epsilon = sp.Symbol("epsilon", positive=True)
    yield implies(
        "at most epsilon nonzero entries of size at most 1: the l1 norm is at most epsilon",
        [sp.Le(count, epsilon), sp.Le(total, count)],
        sp.Le(total, epsilon),
        shows=("||delta||_1 is at most the number of nonzero entries, each being at most 1",),
    )
    a, b, t = sp.symbols("|delta_i| |delta_j| t", positive=True)
    small = [sp.Le(t, a), sp.Le(t, 1 - b)]
    both = [sp.Lt(a, 1), sp.Lt(b, 1), *small, sp.Le(t, b), sp.Le(t, 1 - a)]
    yield implies(
        "two entries strictly between 0 and 1 can be moved both ways at an unchanged l1 norm: no "
        "extreme point has two",
        both if stated.both_ways else small[:1],
        sp.And(sp.Le(a + t, 1), sp.Ge(b - t, 0), sp.Le(b + t, 1), sp.Ge(a - t, 0)),
    )
    ones, part = sp.Symbol("k", integer=True, nonnegative=True), sp.Symbol("r", positive=True)
    yield implies(
        "nor one: with k entries of size 1, k + r < epsilon leaves room on both sides, and k + r = "
        "epsilon makes r whole",
        [sp.Lt(part, 1), sp.Le(ones + part, epsilon), sp.Ge(epsilon, ones + 1)],
        sp.Lt(ones + part, epsilon),
        shows=("epsilon is a whole number, so that k + r <= epsilon with 0 < r < 1 gives epsilon >= k + 1",),
    )


CLAIMS: tuple[Claim, ...] = (
    Claim(
        id="notation.label-index",
        location="Sec. 1, Notation",
        kind="definition",
        equations=(1,),
        title="The label's entries are numbered from 1 to C, the classes from 0 to K - 1",
        statement="y = [y_1, y_2, ..., y_C] is the label of x in a simplex.",
        slip=True,
        expected=Verdict.TYPO,
        check=first_index,
        stated={"first": sp.Integer(1)},
        sides=(1, 0),
        corrected=Reading(
            statement="y = [y_0, ..., y_(K-1)] with sum_i y_i = 1.", stated={"first": sp.Integer(0)}
        ),
        twins=(Twin("from 1", {"first": sp.Integer(1)}), Twin("from 2", {"first": sp.Integer(2)})),
    ),
    Claim(
        id="budgets.convex",
        location="Sec. 1, second paragraph",
        kind="prose",
        title="The l_infinity, l2 and l1 sets of perturbations are convex",
        statement="For p >= 1 the set of delta with ||delta||_p <= epsilon and 0 <= x + delta <= 1 is "
        "convex.",
        expected=Verdict.TRUE,
        check=convex,
        stated={"size": "norm", "triangle": True},
        twins=(
            Twin("p = 1/2", {"size": "p = 1/2"}),
            Twin("p = 0", {"size": "number of nonzero entries"}),
            Twin("without the triangle inequality", {"triangle": False}),
        ),
    ),
    Claim(
        id="budgets.l0-not-convex",
        location="Sec. 1, third paragraph",
        kind="prose",
        title="The l0 set is not convex",
        statement="The set of all allowable perturbations bounded by the l0 norm is not convex (for "
        "whole epsilon < d and "
        "x = 0; where epsilon >= d every perturbation is allowed, and the set is a box).",
        assumptions=("1 <= epsilon < d",),
        expected=Verdict.TRUE,
        check=not_convex,
        stated={"room": True, "differ": True},
        twins=(
            Twin("epsilon = d", {"room": False}),
            Twin("perturbations on the same coordinates", {"differ": False}),
        ),
    ),
    Claim(
        id="budgets.hull",
        location="Sec. 2, Sparse Perturbations",
        kind="prose",
        title="The l1 ball is the convex hull of the l0 ball",
        statement="The adversarial budget defined by the l1 norm is the tightest convex hull of the one "
        "defined by the l0 "
        "norm.",
        expected=Verdict.FALSE,
        check=hull,
        stated={"entries_bounded": False, "both_ways": True},
        sides=(4, 1),
        cites=("Minkowski: a compact convex set is the hull of its extreme points",),
        corrected=Reading(
            statement="With |delta_i| <= 1 in both, and epsilon whole, it is: the hull of {||delta||_0 "
            "<= epsilon, "
            "||delta||_infinity <= 1} is {||delta||_1 <= epsilon, ||delta||_infinity <= 1}. Without a "
            "bound on the entries "
            "the hull of the l0 set, d >= 2, is all of R^d.",
            stated={"entries_bounded": True},
        ),
        twins=(
            Twin("without a bound on the entries", {"entries_bounded": False}),
            Twin("moved by any amount", {"both_ways": False}),
        ),
        remark="With the box 0 <= x + delta <= 1 of the paper's own budget the two sets are cut "
        "differently at each pixel; "
        "the corrected statement is about the symmetric box.",
    ),
)

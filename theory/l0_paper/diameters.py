"""Appendix E: how far two perturbations of one budget can be apart, entry by entry and in sums of powers."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

EPSILON = sp.Symbol("epsilon", positive=True)


def entries(stated: SimpleNamespace) -> Iterator[Fact]:
    x, u, v = sp.symbols("x_i delta_1i delta_2i", real=True)
    box = [sp.Ge(x + u, 0), sp.Le(x + u, 1), sp.Ge(x + v, 0), sp.Le(x + v, 1)]
    yield implies(
        "both perturbed values lie in [0, 1]: their difference is at most the stated size",
        box if stated.box else [sp.Ge(x, 0), sp.Le(x, 1)],
        sp.And(sp.Le(u - v, stated.most), sp.Le(v - u, stated.most)),
    )
    yield identity("attained by the values 1 and 0", sp.Integer(1) - 0, stated.most)


def triangle(stated: SimpleNamespace) -> Iterator[Fact]:
    a, b, apart = sp.symbols("||delta_1|| ||delta_2|| ||delta_1-delta_2||", nonnegative=True)
    yield implies(
        "triangle inequality (for p = 0: supports unite)",
        [sp.Le(a, EPSILON), sp.Le(b, EPSILON), *([sp.Le(apart, a + b)] if stated.triangle else [])],
        sp.Le(apart, stated.factor * EPSILON),
    )
    yield identity(
        "attained by delta_2 = -delta_1 (p >= 1), by disjoint supports (p = 0)",
        2 * EPSILON,
        stated.factor * EPSILON,
    )


def l0_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    count, total = sp.symbols("|supp(delta_1-delta_2)| sum|.|^q", nonnegative=True)
    yield implies(
        "at most 2 epsilon entries differ, each power |.|^q of a number in [0, 1] being at most 1",
        [sp.Le(count, 2 * EPSILON), *([sp.Le(total, count)] if stated.powers_at_most_one else [])],
        sp.Le(total, stated.factor * EPSILON),
    )
    yield identity("attained by 2 epsilon differences of size 1", 2 * EPSILON * 1, stated.factor * EPSILON)


def l0_equality(stated: SimpleNamespace) -> Iterator[Fact]:
    """Disjoint supports at x = 1/2 leave every difference at 1/2; at binary x differences of 1 are allowed."""
    if stated.images == "all":
        yield compare(
            "d = 2, epsilon = 1, q = 1, x = (1/2, 1/2): the largest sum of differences is 2 epsilon",
            sp.Integer(1),
            "==",
            sp.Integer(2),
            point={"x": "(1/2, 1/2)", "epsilon": 1},
            replay="Each perturbation moves one pixel by at most 1/2. On two pixels the differences are "
            "1/2 + 1/2, on one pixel "
            "at most 1: never 2.",
            dimension=(2,),
        )
    x, change = sp.symbols("x_i delta_i", real=True)
    yield implies(
        "where only one perturbation moves a pixel, a difference of size 1 needs a pixel that is 0 or 1",
        [
            sp.Ge(x, 0),
            sp.Le(x, 1),
            sp.Ge(x + change, 0),
            sp.Le(x + change, 1),
            sp.Eq(change**2, 1),
        ],
        sp.Or(sp.Eq(x, 0), sp.Eq(x, 1)),
    )
    yield identity("and at x = 0 the change 1 is allowed", sp.Integer(0) + 1, stated.size)


def l1_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    """For q >= 1 powers are convex: two fractional differences can be spread, so all but one are 0 or 1."""
    a, b, t = sp.symbols("Delta_i Delta_j t", positive=True)
    square = (a + t) ** 2 + (b - t) ** 2
    yield implies(
        "q = 2: moving t from the smaller difference to the larger raises the sum of squares at an "
        "unchanged l1 norm",
        [sp.Ge(a, b), sp.Le(t, b)] if stated.from_smaller else [sp.Le(t, b)],
        sp.Gt(square, a**2 + b**2),
    )
    whole, part = sp.symbols("D_1 r", nonnegative=True)
    yield identity(
        "so D_1 differences are 1 and one is what is left of 2 epsilon",
        (whole + part).subs(part, 2 * EPSILON - whole),
        stated.factor * EPSILON,
    )


def l2_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    if stated.powers == "q >= 1":
        yield compare(
            "d = 2, epsilon = 1/2, q = 1, differences (3/5, 4/5): their sum is at most D_2 + (4 "
            "epsilon^2 - D_2)^(1/2) = 1",
            sp.Rational(7, 5),
            "<=",
            sp.Integer(1),
            point={
                "x": "(1/2, 1/2)",
                "delta_1": "(3/10, 2/5)",
                "delta_2": "(-3/10, -2/5)",
                "epsilon": sp.Rational(1, 2),
            },
            replay="|delta_1| = |delta_2| = 1/2 and x + delta is in [0, 1]. 4 epsilon^2 = 1, so D_2 = 1 "
            "and the bound is 1.",
            dimension=(2,),
        )
    a, b, t = sp.symbols("Delta_i^2 Delta_j^2 t", positive=True)
    yield implies(
        "q = 4, powers of the squares: moving t from the smaller square to the larger raises the sum, "
        "as for l1",
        [sp.Ge(a, b), sp.Le(t, b)],
        sp.Gt((a + t) ** 2 + (b - t) ** 2, a**2 + b**2),
    )
    d = sp.Symbol("d", positive=True)
    total, squares = sp.symbols("sum|Delta| sum(Delta^2)", nonnegative=True)
    yield implies(
        "q = 1 on d entries: sum |Delta| is at most sqrt(d) 2 epsilon (Cauchy-Schwarz)",
        [sp.Le(total**2, d * squares), sp.Le(squares, 4 * EPSILON**2), sp.Ge(d, 1)],
        sp.Le(total**2, stated.square * d * EPSILON**2),
    )
    yield identity(
        "attained by d equal differences 2 epsilon/sqrt(d)",
        (d * 2 * EPSILON / sp.sqrt(d)) ** 2,
        stated.square * d * EPSILON**2,
    )


def linf_bound(stated: SimpleNamespace) -> Iterator[Fact]:
    d, each, total = sp.symbols("d Delta sum|.|", positive=True)
    yield implies(
        "each of the d differences is at most 2 epsilon: q = 1, the sum is at most d 2 epsilon",
        [sp.Le(total, d * each), *([sp.Le(each, 2 * EPSILON)] if stated.bounded else [])],
        sp.Le(total, stated.factor * d * EPSILON),
    )
    yield identity(
        "attained by delta_2 = -delta_1 at the corners", d * 2 * EPSILON, stated.factor * d * EPSILON
    )


def _claim(
    name: str, title: str, statement: str, check, stated: dict, twins: tuple[Twin, ...], **more
) -> Claim:
    return Claim(
        id=f"appE.{name}",
        location="App. E" + (", Eq. (39)" if more.pop("bound", True) else ""),
        kind="equation" if name.endswith("bound") else "proof step",
        equations=(39,) if name.endswith("bound") else (),
        title=title,
        statement=statement,
        expected=more.pop("expected", Verdict.TRUE),
        check=check,
        stated=stated,
        twins=twins,
        **more,
    )


TWO = {"factor": sp.Integer(2)}
LESS = Twin("one per cent less", {"factor": sp.Rational(198, 100)})

CLAIMS: tuple[Claim, ...] = (
    _claim(
        "entries",
        "Entries of two perturbations are at most 1 apart",
        "For all i, 0 <= |delta_1i - delta_2i| <= 1.",
        entries,
        {"most": sp.Integer(1), "box": True},
        (Twin("one per cent less", {"most": sp.Rational(99, 100)}), Twin("without the box", {"box": False})),
        bound=False,
    ),
    _claim(
        "triangle",
        "Two perturbations are at most 2 epsilon apart",
        "||delta_1 - delta_2||_p <= 2 epsilon, for p = 0 and p >= 1.",
        triangle,
        {**TWO, "triangle": True},
        (LESS, Twin("without the triangle inequality", {"triangle": False})),
        bound=False,
    ),
    _claim(
        "l0-bound",
        "l0: sum |Delta_i|^q <= 2 epsilon",
        "For the l0 budget and q >= 1, sum_i |delta_1i - delta_2i|^q <= 2 epsilon.",
        l0_bound,
        {**TWO, "powers_at_most_one": True},
        (LESS, Twin("differences of any size", {"powers_at_most_one": False})),
        remark="Attained where 2 epsilon <= d and the pixels allow it, see appE.l0-equality.",
    ),
    _claim(
        "l0-equality",
        "Equality for disjoint supports and entries of size 1, read for every image",
        "The l0 bound is tight at every x: the equality achieves when the locations of non-zero "
        "elements have no overlap and "
        "their magnitude reaches 1.",
        l0_equality,
        {"images": "all", "size": sp.Integer(1)},
        (
            Twin("at every image", {"images": "all"}),
            Twin("one per cent less", {"size": sp.Rational(99, 100)}),
        ),
        expected=Verdict.FALSE,
        sides=(1, 2),
        bound=False,
        corrected=Reading(
            statement="It is attained at images whose pixels are 0 or 1 (2 epsilon of them at least); "
            "with disjoint supports an "
            "entry of magnitude 1 needs such a pixel.",
            stated={"images": "binary"},
        ),
        remark="The paper names the condition on magnitudes, which only such images allow; it does not "
        "say that images have to.",
    ),
    _claim(
        "l1-bound",
        "l1: sum |Delta_i|^q <= D_1 + (2 epsilon - D_1)^q",
        "For the l1 budget and q >= 1, sum_i |delta_1i - delta_2i|^q <= D_1 + (2 epsilon - D_1)^q, D_1 "
        "= floor(2 epsilon).",
        l1_bound,
        {**TWO, "from_smaller": True},
        (LESS, Twin("from either", {"from_smaller": False})),
        cites=("a convex function on a compact convex set is largest at an extreme point",),
        remark="The step is decided for q = 2; for other q >= 1 it is the convexity of t^q.",
    ),
    _claim(
        "l2-bound",
        "l2: sum |Delta_i|^q <= D_2 + (4 epsilon^2 - D_2)^(q/2) for all q >= 1",
        "For the l2 budget and all q >= 1, sum_i |delta_1i - delta_2i|^q <= D_2 + (4 epsilon^2 - "
        "D_2)^(q/2), D_2 = "
        "floor(4 epsilon^2).",
        l2_bound,
        {"powers": "q >= 1", "square": sp.Integer(4)},
        (
            Twin("for q = 1 too", {"powers": "q >= 1"}),
            Twin("one per cent less", {"square": sp.Rational(396, 100)}),
            Twin("without the square of 2", {"square": sp.Integer(2)}),
        ),
        expected=Verdict.FALSE,
        sides=(sp.Rational(7, 5), 1),
        cites=("a convex function on a compact convex set is largest at an extreme point",),
        corrected=Reading(
            statement="For q >= 2 it is so. For q = 1 the largest sum is 2 epsilon sqrt(d) (2 epsilon "
            "<= sqrt(d), x in the middle "
            "of the box): many small differences are worse than few large ones.",
            stated={"powers": "q >= 2"},
        ),
        remark="The derivation 'is similar to that of the l1 case' needs t^(q/2) to be convex, q >= 2.",
    ),
    _claim(
        "linf-bound",
        "l_infinity: sum |Delta_i|^q <= d (2 epsilon)^q",
        "For the l_infinity budget, sum_i |delta_1i - delta_2i|^q <= d (2 epsilon)^q, with equality for "
        "delta_1 = -delta_2 at "
        "corners.",
        linf_bound,
        {**TWO, "bounded": True},
        (LESS, Twin("differences of any size", {"bounded": False})),
        remark="Decided for q = 1; each power is monotone in the difference.",
    ),
)

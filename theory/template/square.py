"""Eq. (2): x^2 is Lipschitz with constant 2. It is false as printed; a pencil suffices, and so does the correction."""

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare, limit
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Twin

x, y = sp.symbols("x y", real=True)


def lipschitz(stated: SimpleNamespace) -> Iterator[Fact]:
    """Two points refute it on the whole line; on [-radius, radius] it holds, and no constant is smaller."""
    if stated.radius is None:  # printed for the whole line
        # `point` and `replay` are what a reader needs to see it by hand; `sides` below pins both numbers.
        yield compare(
            "the squares of 1 and 2 are at most constant |2 - 1| apart",
            sp.Integer(2) ** 2 - sp.Integer(1) ** 2,
            "<=",
            stated.constant * 1,
            point={"x": 2, "y": 1},
            replay="2^2 - 1^2 = 3, and 2 |2 - 1| = 2.",
            dimension=(1,),
        )
        return
    inside = [sp.Ge(x, y), sp.Le(x, stated.radius), sp.Ge(y, -stated.radius)]
    for says, difference in (("x^2 rises by", x**2 - y**2), ("x^2 falls by", y**2 - x**2)):
        yield implies(
            f"{says} at most constant (x - y)",
            inside,
            sp.Le(difference, stated.constant * (x - y)),
            dimension=(1,),
        )
    yield limit(
        "the slope between radius and radius - t tends to the constant, so that no smaller one serves",
        (stated.radius**2 - (stated.radius - x) ** 2) / x,
        x,
        0,
        stated.constant,
        dimension=(1,),
    )


CLAIMS = (
    Claim(
        id="eq2",
        location="Sec. 1, Eq. (2)",
        kind="equation",
        equations=(2,),
        title="x^2 is Lipschitz with constant 2",
        statement="|x^2 - y^2| <= 2 |x - y| for all real x and y.",
        latex=r"|x^2-y^2| \le 2|x-y|",
        expected=Verdict.FALSE,
        check=lipschitz,
        stated={"constant": sp.Integer(2), "radius": None},
        sides=(3, 2),
        corrected=Reading(
            statement="|x^2 - y^2| <= 2 |x - y| for all x and y in [-1, 1], and no constant below 2 serves there.",
            latex=r"|x^2-y^2| \le 2|x-y| \quad\text{for } x, y \in [-1, 1]",
            stated={"radius": sp.Integer(1)},
        ),
        # Twins change what holds: here the corrected statement.
        twins=(
            Twin("one per cent less", {"constant": sp.Rational(198, 100)}),
            Twin("on a longer interval", {"radius": sp.Rational(101, 100)}),
        ),
    ),
)

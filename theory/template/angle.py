"""Eq. (3): unit vectors with <u, v> >= c are at most sqrt(2 (1 - c)) apart, in every dimension, by inner products."""

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.deciders.vectors import Space
from theory.ledger.claim import Claim, Twin

c = sp.Symbol("c", real=True)
# Vectors of any dimension: what is asserted of them is asserted of their inner products. `known` fixes some.
SPACE = Space("u", "v", known={("u", "u"): 1, ("v", "v"): 1})


def apart(stated: SimpleNamespace) -> Iterator[Fact]:
    """The square of the distance in inner products, then the bound for every positive semidefinite Gram matrix."""
    u, v = SPACE.vectors()
    product = SPACE.product("u", "v")
    square = sp.expand(SPACE.inner(u - v, u - v))
    yield identity("|u - v|^2 = 2 - 2 <u, v> for unit vectors", square, 2 - 2 * product)
    hypotheses = [*SPACE.gram_conditions()]
    hypotheses += [sp.Ge(product, c)] if stated.assumes_angle else [sp.Le(c, 1), sp.Ge(c, -1)]
    yield implies(
        "the square of the distance is at most constant (1 - c)",
        hypotheses,
        sp.Le(square, stated.constant * (1 - c)),
    )
    yield identity(
        "it is attained where <u, v> = c",
        square.subs(product, c),
        stated.constant * (1 - c),
    )


CLAIMS = (
    Claim(
        id="eq3",
        location="Sec. 2, Eq. (3)",
        kind="equation",
        equations=(3,),
        title="Unit vectors with <u, v> >= c are at most sqrt(2 (1 - c)) apart",
        statement="If u and v are unit vectors of R^d with <u, v> >= c, then |u - v|^2 <= 2 (1 - c).",
        latex=r"\|u-v\|^2 \le 2(1-c)",
        assumptions=("|u| = |v| = 1", "<u, v> >= c"),
        expected=Verdict.TRUE,
        check=apart,
        stated={"constant": sp.Integer(2), "assumes_angle": True},
        twins=(
            Twin("one per cent less", {"constant": sp.Rational(198, 100)}),
            Twin("without the angle", {"assumes_angle": False}),
        ),
    ),
)

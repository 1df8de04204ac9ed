"""Eq. (1): (a + b)^2 <= 2 (a^2 + b^2). It is true, and a sharper reading says what it leaves out."""

from collections.abc import Iterator
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import identity
from theory.deciders.facts import Fact, Verdict
from theory.deciders.reals import implies
from theory.ledger.claim import Claim, Reading, Tightness, Twin

a, b = sp.symbols("a b", real=True)


def bound(stated: SimpleNamespace) -> Iterator[Fact]:
    """One fact for each step. `stated` is what the paper prints; nothing here is taken from it but the comparison.

    The same function decides the printed statement and every twin, so it must be able to refute: never write a
    fact that holds whatever is stated.
    """
    # z3 decides polynomial inequalities: it looks for real numbers that meet the hypotheses (here: none) and
    # violate the conclusion.
    yield implies(
        "no two numbers violate the bound",
        [],
        sp.Le((a + b) ** 2, stated.constant * (a**2 + b**2)),
    )
    yield identity(
        "it is attained where a = b",
        ((a + b) ** 2).subs(b, a),
        (stated.constant * (a**2 + b**2)).subs(b, a),
    )


def exact(stated: SimpleNamespace) -> Iterator[Fact]:
    """The sharper reading has an argument of its own: sympy decides identities."""
    yield identity(
        "what the bound leaves out is (a - b)^2",
        (a + b) ** 2,
        stated.constant * (a**2 + b**2) - (a - b) ** 2,
    )


CLAIMS = (
    Claim(
        id="eq1",
        location="Sec. 1, Eq. (1)",
        kind="equation",
        equations=(1,),
        title="(a + b)^2 <= 2 (a^2 + b^2)",
        statement="(a + b)^2 <= 2 (a^2 + b^2) for all real a and b.",
        latex=r"(a+b)^2 \le 2(a^2+b^2)",
        # The verdict is computed from the facts; `expected` pins it, so that a change is noticed.
        expected=Verdict.TRUE,
        check=bound,
        # The data of the statement. Each number here is moved by one per cent in a test, and the claim must fall.
        stated={"constant": sp.Integer(2)},
        sharpest=Reading(
            statement="(a + b)^2 = 2 (a^2 + b^2) - (a - b)^2 for all real a and b.",
            latex=r"(a+b)^2 = 2(a^2+b^2) - (a-b)^2",
            check=exact,
        ),
        tightness=Tightness("a = b = 1", sp.Integer(4), sp.Integer(4)),
        # False neighbours. A check that cannot refute them checks nothing.
        twins=(
            Twin("one per cent less", {"constant": sp.Rational(198, 100)}),
            Twin("one per cent more, attained nowhere", {"constant": sp.Rational(202, 100)}),
        ),
    ),
)

"""Steps that several statements of the preliminaries share (Eqs. 2-9, 13, 14, 25): triangle, averages,
signs.
"""

from __future__ import annotations

import sympy as sp

from theory.deciders.facts import ALL, Dimension, Fact, Grade, asked
from theory.deciders.reals import implies
from theory.deciders.vectors import Space


def sum_of_two(says: str, first: sp.Expr, second: sp.Expr, total: sp.Expr) -> Fact:
    """|u + v| <= total for vectors of any dimension with |u| <= first, |v| <= second, by their Gram matrix.

    first and second are nonnegative; the triangle inequality is the case total = first + second.
    """
    space = Space("u", "v")
    u, v = space.vectors()
    return implies(
        says,
        [*space.gram_conditions(), sp.Le(space.length("u"), first), sp.Le(space.length("v"), second)],
        sp.Le(sp.expand(space.inner(u + v, u + v)), total**2),
        method="Gram reduction, z3 on nonlinear real arithmetic",
    )


def average(says: str) -> Fact:
    """The induction step of |a_1 + ... + a_N| <= N B for |a_n| <= B: from k terms to k + 1, for every k.

    Applied to differences of losses or of gradients, it carries a bound for one example to the mean over N.
    """
    total, term, longer, count, bound = sp.symbols("|S_k| |a| |S_k+a| k B", nonnegative=True)
    return implies(
        says,
        [sp.Le(total, count * bound), sp.Le(term, bound), sp.Le(longer, total + term)],
        sp.Le(longer, (count + 1) * bound),
        method="induction over the examples, z3 on the step",
    )


@asked
def positive(says: str, expression: sp.Expr, *, dimension: Dimension = ALL) -> Fact:
    """Whether sympy's calculus of signs shows expression > 0 from the assumptions of its symbols (else
    undecided).
    """
    holds = True if sp.simplify(expression).is_positive else None
    grade = Grade.NONE if holds is None else Grade.PROVED
    return Fact(says, holds, grade, "sign calculus of sympy", dimension, (f"{expression} > 0",))

"""Two facts that the prose claims (Sec. 5, Apps. C-F) need: two numbers differ; two printed things agree."""

from __future__ import annotations

from collections.abc import Mapping

import sympy as sp

from theory.exact import compare
from theory.facts import ALL, Dimension, Fact, Grade, Witness


def differs(
    says: str,
    left: sp.Expr,
    right: sp.Expr,
    *,
    point: Mapping[str, object],
    replay: str,
    dimension: Dimension = ALL,
) -> Fact:
    """Whether two explicit real numbers differ; refuted, with both as its witness, when they are equal.

    Decided by `compare`, so equality is exact and difference is exact or read off balls that do not meet.
    """
    same = compare(says, left, "==", right)
    holds = None if same.holds is None else not same.holds
    witness = Witness(dict(point), left, "!=", right, replay) if holds is False else None
    return Fact(says, holds, same.grade, same.method, dimension, (), witness)


def agrees(says: str, printed: object, required: object, *, where: str, replay: str = "") -> Fact:
    """Whether what one place prints is what another place (named in `where`) requires; both as symbols or
    numbers.
    """
    left, right = (_term(part) for part in (printed, required))
    holds = left == right
    witness = None if holds else Witness({"places": where}, left, "==", right, replay)
    return Fact(says, holds, Grade.PROVED, "the two places read side by side", ALL, (), witness)


def _term(part: object) -> sp.Expr:
    return sp.Symbol(part) if isinstance(part, str) else sp.sympify(part)

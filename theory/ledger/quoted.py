"""What the prose claims (Sec. 5, Apps. C-F) need: two numbers differ, two printed things agree, and a check
that is about the text alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import wraps
from types import SimpleNamespace

import sympy as sp

from theory.deciders.exact import compare
from theory.deciders.facts import ALL, TEXT, Dimension, Fact, Grade, Question, Witness
from theory.ledger.claim import Check


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
    question = Question("compare", (left, "!=", right))
    return Fact(says, holds, same.grade, same.method, dimension, (), witness, question=question)


def agrees(says: str, printed: object, required: object, *, where: str, replay: str = "") -> Fact:
    """Whether what one place prints is what another place (named in `where`) requires; both as symbols or
    numbers.
    """
    left, right = (_term(part) for part in (printed, required))
    holds = left == right
    witness = None if holds else Witness({"where": where}, left, "agrees with", right, replay)
    return Fact(says, holds, Grade.PROVED, f"{TEXT}, two places side by side", None, (), witness)


def about_the_text(check: Check) -> Check:
    """The check of a claim on printed words and numbers: no vector occurs, so its facts have no dimension."""

    @wraps(check)
    def marked(stated: SimpleNamespace) -> Iterator[Fact]:
        yield from (fact.about_the_text() for fact in check(stated))

    return marked


def _term(part: object) -> sp.Expr:
    return sp.Symbol(part) if isinstance(part, str) else sp.sympify(part)

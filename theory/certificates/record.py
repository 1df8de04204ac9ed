"""Writes what a decider was asked as text that a person can read and the checker can parse: for the stored list of
every fact's premises and conclusion.

Powers are written ^, equality =, and a name that is no Python identifier stands in braces, {|theta|}.
"""

from __future__ import annotations

import keyword
from collections.abc import Callable, Iterable
from typing import Any

import sympy as sp
from sympy.core.relational import Relational
from sympy.logic.boolalg import And, BooleanFalse, BooleanTrue, Not, Or
from sympy.printing.str import StrPrinter

from theory.deciders.facts import Fact
from theory.ledger.claim import Claim, decide

READINGS = ("printed", "corrected", "sharpest")


def described(claim: Claim) -> dict[str, Any]:
    """A claim's distinct facts as text, and for each of its readings the numbers of the facts it rests on."""
    decision = decide(claim)
    entry: dict[str, Any] = {}
    facts: list[dict[str, Any]] = []
    for reading in READINGS:
        finding = getattr(decision, reading)
        if finding is not None:
            written = [written_fact(fact) for fact in finding.facts]
            facts += [fact for index, fact in enumerate(written) if fact not in facts + written[:index]]
            entry[reading] = [facts.index(fact) for fact in written]
    return {**entry, "facts": facts}


def written_fact(fact: Fact) -> dict[str, Any]:
    """One fact as text: what it says, whether it holds and by which method, and what its decider was asked."""
    head = {"says": fact.says, "holds": fact.holds, "method": fact.method}
    question = fact.question
    if question is None:
        return {**head, "kind": "words"}
    kind, write = KINDS[question.kind]
    entry = {**head, "kind": kind, **write(*question.parts, **question.options)}
    if kind == "identity" and fact.holds is False and fact.witness is not None:
        entry["differ_at"] = {name: text(value) for name, value in fact.witness.point.items()}
    return entry


def text(expression: Any) -> str:
    """An expression or statement as text."""
    if isinstance(expression, (BooleanTrue, BooleanFalse)):
        return str(bool(expression))
    if isinstance(expression, (And, Or)):
        word = " and " if isinstance(expression, And) else " or "
        return word.join(f"({part})" for part in sorted(text(part) for part in expression.args))
    if isinstance(expression, Not):
        return f"not ({text(expression.args[0])})"
    if isinstance(expression, Relational):
        sign = "=" if expression.rel_op == "==" else expression.rel_op
        return f"{text(expression.lhs)} {sign} {text(expression.rhs)}"
    return Printer().doprint(sp.sympify(expression))


class Printer(StrPrinter):
    """sympy's own text with ^ for powers and braces around names that are no identifiers."""

    def _print_Symbol(self, symbol: sp.Symbol) -> str:
        return spoken(symbol)

    _print_Dummy = _print_Symbol

    def _print_Pow(self, power: sp.Pow, rational: bool = False) -> str:
        return super()._print_Pow(power, rational=rational).replace("**", "^")


def spoken(symbol: sp.Symbol) -> str:
    """The symbol's name, in braces where it is no plain identifier."""
    name = symbol.name
    plain = (
        name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")
    )
    return name if plain else f"{{{name}}}"


def signs(parts: Iterable[sp.Basic]) -> dict[str, str]:
    """What is assumed of each symbol, by name.

    Raises ValueError where two symbols of one name differ in it.
    """
    found: dict[str, str] = {}
    for symbol in sorted(set().union(*(part.free_symbols for part in parts)), key=str):
        if found.setdefault(symbol.name, kind_of(symbol)) != kind_of(symbol):
            raise ValueError(f"symbol {symbol} occurs with two sets of assumptions; give it one")
    return found


def kind_of(symbol: sp.Symbol) -> str:
    """`positive`, `nonnegative`, `real`, these with `integer`, or `matrix` for one that does not commute."""
    if not symbol.is_commutative:
        return "matrix"
    sign = "positive" if symbol.is_positive else "nonnegative" if symbol.is_nonnegative else "real"
    return f"{sign} integer" if symbol.is_integer else sign


def _follows(hypotheses: Iterable[Any], conclusion: Any, **_: Any) -> dict[str, Any]:
    given = [sp.sympify(h) for h in hypotheses if sp.sympify(h) != sp.true]
    conclusion = sp.sympify(conclusion)
    return {
        "variables": {
            name: sign.removesuffix(" integer") for name, sign in signs([*given, conclusion]).items()
        },
        "given": [text(premise) for premise in given],
        "then": text(conclusion),
    }


def _met(conditions: Iterable[Any], point: dict[sp.Symbol, Any]) -> dict[str, Any]:
    asked = _follows(conditions, sp.false)
    return {**asked, "point": {"at": {symbol.name: text(value) for symbol, value in point.items()}}}


def _identity(left: Any, right: Any, **_: Any) -> dict[str, Any]:
    matrices = isinstance(left, sp.MatrixBase) or isinstance(right, sp.MatrixBase)
    sides = [list(sp.Matrix(side)) if matrices else [sp.sympify(side)] for side in (left, right)]
    return {
        "variables": signs([*sides[0], *sides[1]]),
        "equal": [[text(a), text(b)] for a, b in zip(*sides, strict=True)],
    }


def _compare(left: Any, relation: str, right: Any, **_: Any) -> dict[str, Any]:
    return {"compare": [text(left), relation.replace("==", "="), text(right)]}


def _limit(
    expression: Any, variable: sp.Symbol, to: Any, value: Any, direction: str = "+", **_: Any
) -> dict[str, Any]:
    return {
        "variables": signs(sp.sympify(part) for part in (expression, value)),
        "limit": [text(expression), text(variable), text(to), direction, text(value)],
    }


def _sign(expression: Any, strict: bool = True, **_: Any) -> dict[str, Any]:
    return {"variables": signs([sp.sympify(expression)]), "sign": [text(expression), ">" if strict else ">="]}


def _box(expression: Any, box: dict[sp.Symbol, tuple[Any, Any]], **_: Any) -> dict[str, Any]:
    return {
        "positive": text(expression),
        "box": {symbol.name: [text(end) for end in ends] for symbol, ends in box.items()},
    }


KINDS: dict[str, tuple[str, Callable[..., dict[str, Any]]]] = {
    "implies": ("follows", _follows),
    "attained": ("met", _met),
    "identity": ("identity", _identity),
    "compare": ("comparison", _compare),
    "limit": ("limit", _limit),
    "signed": ("sign", _sign),
    "positive": ("sign", _sign),
    "certify": ("box", _box),
}

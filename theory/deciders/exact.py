"""Exact deciders on sympy expressions: identities, comparisons of explicit numbers, and limits; each returns
a Fact.

An identity is established only when sympy reduces the difference to zero, and refuted only by a rational
point at which a ball enclosure of the difference excludes zero; where neither happens the fact is undecided.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice

import sympy as sp

from theory.deciders.balls import enclose
from theory.deciders.facts import ALL, Dimension, Fact, Grade, Witness, asked

TRIES = 24  # rational points tried before an unproved identity is left undecided
SETTLED = {
    "==": lambda s: s == 0,
    "<=": lambda s: s <= 0,
    "<": lambda s: s < 0,
    ">=": lambda s: s >= 0,
    ">": lambda s: s > 0,
}


@asked
def identity(
    says: str,
    left: sp.Expr | sp.MatrixBase,
    right: sp.Expr | sp.MatrixBase,
    *,
    dimension: Dimension = ALL,
    shows: tuple[str, ...] = (),
    method: str = "sympy identity",
) -> Fact:
    """Whether left = right as functions of their symbols (under the symbols' own assumptions); matrices
    entrywise.

    Established when sympy's normal forms reduce every entry of left - right to 0; refuted with a witness at
    rational values of the symbols; otherwise undecided. Raises ValueError for matrices of different shape.
    """
    for entry_left, entry_right in _entries(left, right):
        difference = entry_left - entry_right
        if _reduces_to_zero(difference):
            continue
        witness = _distinguishing_point(entry_left, entry_right, difference)
        holds = None if witness is None else False
        return Fact(
            says, holds, Grade.NONE if holds is None else Grade.PROVED, method, dimension, shows, witness
        )
    return Fact(says, True, Grade.PROVED, method, dimension, shows)


@asked
def compare(
    says: str,
    left: sp.Expr,
    relation: str,
    right: sp.Expr,
    *,
    point: Mapping[str, object] | None = None,
    replay: str = "",
    dimension: Dimension = ALL,
    shows: tuple[str, ...] = (),
) -> Fact:
    """Whether `left relation right` for two explicit real numbers; relation is one of ==, <=, <, >=, >.

    Decided exactly: a difference that sympy reduces to 0, or a ball enclosure that excludes 0 (at rising
    precision). A refuted comparison carries `point` and `replay` as its witness. Transcendental numbers are
    graded certified, algebraic ones proved.
    """
    left, right = sp.sympify(left), sp.sympify(right)
    sign = _sign(left - right)
    exact = sign == 0 or (left - right).is_algebraic is True
    method = "exact arithmetic" if exact else "ball arithmetic at the point"
    if sign is None:
        return Fact(says, None, Grade.NONE, method, dimension, shows)
    holds = SETTLED[relation](sign)
    witness = None if holds else Witness(dict(point or {}), left, relation, right, replay)
    return Fact(says, holds, Grade.PROVED if exact else Grade.CERTIFIED, method, dimension, shows, witness)


@asked
def limit(
    says: str,
    expression: sp.Expr,
    variable: sp.Symbol,
    to: object,
    value: object,
    *,
    direction: str = "+",
    dimension: Dimension = ALL,
    shows: tuple[str, ...] = (),
    replay: str = "",
) -> Fact:
    """Whether expression tends to `value` as variable -> to (from above by default); sympy's Gruntz algorithm
    finds the limit, and `identity` compares the two.

    Serves the statements of the form "not Lipschitz": a family of pairs whose ratio tends to infinity. A limit
    that can be neither shown equal to `value` nor told from it is undecided. A refuted one carries `replay`.
    """
    value = sp.sympify(value)
    try:
        found = sp.limit(expression, variable, to, direction)
    except NotImplementedError:  # sympy's way of giving up on some comparisons of growth
        return Fact(says, None, Grade.NONE, "sympy limit", dimension, shows)
    if isinstance(found, sp.Limit):
        return Fact(says, None, Grade.NONE, "sympy limit", dimension, shows)
    lines = (*shows, f"limit of {expression} as {variable} -> {to}: {found}")
    holds = _same_limit(found, value)
    if holds is None:
        return Fact(says, None, Grade.NONE, "sympy limit", dimension, lines)
    witness = None if holds else Witness({str(variable): f"-> {to}"}, found, "==", value, replay)
    return Fact(says, holds, Grade.PROVED, "sympy limit", dimension, lines, witness)


def _same_limit(found: sp.Expr, value: sp.Expr) -> bool | None:
    """Whether two limits are equal for all values of their symbols; None where that is not decided."""
    if found == value:
        return True
    if found.has(sp.AccumBounds, sp.nan, sp.zoo) or value.has(sp.AccumBounds, sp.nan, sp.zoo):
        return None
    infinite = [side.is_infinite for side in (found, value)]
    if None in infinite:
        return None
    if any(infinite):
        # Two infinities that are not the same symbol differ in sign; an infinite side differs from a finite one.
        return found.is_extended_positive is value.is_extended_positive if all(infinite) else False
    try:
        return identity("", found, value).holds
    except ValueError:  # a function without a ball rule, such as an unknown one: no point tells the two apart
        return None


def _entries(left: object, right: object) -> Iterator[tuple[sp.Expr, sp.Expr]]:
    if isinstance(left, sp.MatrixBase) or isinstance(right, sp.MatrixBase):
        a, b = sp.Matrix(left), sp.Matrix(right)
        if a.shape != b.shape:
            raise ValueError(
                f"left and right have shapes {a.shape} and {b.shape}; an identity needs equal shapes"
            )
        yield from zip(a, b, strict=True)
    else:
        yield sp.sympify(left), sp.sympify(right)


def _reduces_to_zero(difference: sp.Expr) -> bool:
    if sp.expand(difference) == 0:
        return True
    if not all(symbol.is_commutative for symbol in difference.free_symbols):
        return False
    return any(
        reduce(difference) == 0 for reduce in (sp.factor, sp.simplify, lambda e: sp.simplify(sp.radsimp(e)))
    )


def _distinguishing_point(left: sp.Expr, right: sp.Expr, difference: sp.Expr) -> Witness | None:
    symbols = sorted(difference.free_symbols, key=str)
    for values in islice(_rational_points(symbols), TRIES):
        sign = _sign(difference.subs(values))
        if sign:
            point = {str(symbol): value for symbol, value in values.items()}
            return Witness(point, sp.simplify(left.subs(values)), "==", sp.simplify(right.subs(values)))
    return None


def _rational_points(symbols: list[sp.Symbol]) -> Iterator[dict[sp.Symbol, sp.Rational]]:
    """Deterministic points with pairwise different small rationals, positive first, that respect sign
    assumptions."""
    for attempt in range(TRIES):
        point = {}
        for index, symbol in enumerate(symbols):
            value = sp.Rational(sp.prime(index + attempt + 1), index + 2)
            if symbol.is_integer:
                value = sp.Integer(index + attempt + 1)
            wants_sign = symbol.is_positive is None and symbol.is_nonnegative is None
            point[symbol] = -value if wants_sign and (index + attempt) % 3 == 1 else value
        yield point


def _sign(number: sp.Expr) -> int | None:
    """The sign of an explicit real number, or None where neither sympy nor 1,000 bits of ball arithmetic
    settle it."""
    number = sp.sympify(number)
    if number.is_Rational:
        return int(sp.sign(number))
    if number in (sp.oo, -sp.oo):
        return 1 if number == sp.oo else -1
    if number.has(sp.nan, sp.zoo, sp.I):
        return None
    if number.free_symbols:
        raise ValueError(
            f"number = {number} must have no free symbols; "
            f"substitute values for {sorted(map(str, number.free_symbols))}"
        )
    for bits in (64, 250, 1000):
        ball = enclose(number, {}, bits)
        if ball is not None and ball > 0:
            return 1
        if ball is not None and ball < 0:
            return -1
    return 0 if sp.simplify(number) == 0 else None

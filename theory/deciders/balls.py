"""Ball arithmetic (python-flint) on sympy expressions: rigorous enclosures, and inequalities certified on a
whole box."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import flint
import sympy as sp

from theory.deciders.facts import ALL, Dimension, Fact, Grade, Witness, asked

Box = Mapping[sp.Symbol, tuple[object, object]]
PRECISION = 96  # bits; far more than the boxes' own width ever needs


def enclose(expression: sp.Expr, box: Box, bits: int = PRECISION) -> Any | None:
    """A ball that contains every value of the expression on the box, or None where none can be given (a pole,
    say).

    `box` maps each free symbol to rational end points (low, high). Raises ValueError for a function without a
    ball rule or a symbol without an interval.
    """
    with flint.ctx.workprec(bits):
        intervals = {symbol: _interval(low, high) for symbol, (low, high) in box.items()}
        ball = _evaluate(sp.sympify(expression), intervals)
        return ball if ball.is_finite() else None


@asked
def certify(
    says: str,
    expression: sp.Expr,
    box: Box,
    *,
    dimension: Dimension = ALL,
    most_boxes: int = 4000,
    shows: tuple[str, ...] = (),
) -> Fact:
    """Certifies expression > 0 on the whole box by bisection; refuted at a point where it is certainly <= 0.

    Undecided when `most_boxes` boxes do not settle it (an inequality that is attained on the box never
    settles).
    """
    where = ", ".join(f"{symbol} in [{low}, {high}]" for symbol, (low, high) in box.items())
    pending, used = [dict(box)], 0
    while pending:
        used += 1
        if used > most_boxes:
            return Fact(says, None, Grade.NONE, f"ball arithmetic on {where}", dimension, shows)
        current = pending.pop()
        ball = enclose(expression, current)
        if ball is not None and ball > 0:
            continue
        middle = {
            symbol: (sp.Rational(low) + sp.Rational(high)) / 2 for symbol, (low, high) in current.items()
        }
        at_middle = enclose(expression, {symbol: (value, value) for symbol, value in middle.items()})
        if at_middle is not None and at_middle <= 0:
            point = {str(symbol): value for symbol, value in middle.items()}
            witness = Witness(point, expression.subs(middle), ">", sp.Integer(0))
            return Fact(
                says, False, Grade.CERTIFIED, f"ball arithmetic on {where}", dimension, shows, witness
            )
        pending.extend(_halves(current))
    lines = (*shows, f"{used} boxes of {where}")
    return Fact(says, True, Grade.CERTIFIED, f"ball arithmetic on {where}", dimension, lines)


def _halves(box: Box) -> list[dict[sp.Symbol, tuple[object, object]]]:
    symbol = max(box, key=lambda s: sp.Rational(box[s][1]) - sp.Rational(box[s][0]))
    low, high = (sp.Rational(end) for end in box[symbol])
    middle = (low + high) / 2
    return [{**box, symbol: (low, middle)}, {**box, symbol: (middle, high)}]


def _interval(low: object, high: object) -> Any:
    left, right = _evaluate(sp.sympify(low), {}), _evaluate(sp.sympify(high), {})
    return left.union(right)


def _evaluate(expression: sp.Expr, intervals: Mapping[sp.Symbol, Any]) -> Any:
    if expression.is_Rational:
        return flint.arb(flint.fmpq(int(expression.p), int(expression.q)))
    if expression.is_Symbol:
        if expression not in intervals:
            raise ValueError(
                f"expression has the symbol {expression}, for which the box gives no interval; add one"
            )
        return intervals[expression]
    if expression in CONSTANTS:
        return CONSTANTS[expression]()
    parts = [_evaluate(part, intervals) for part in expression.args]
    if expression.is_Add or expression.is_Mul:
        total = parts[0]
        for part in parts[1:]:
            total = total + part if expression.is_Add else total * part
        return total
    if expression.is_Pow:
        return _power(parts[0], expression.exp, parts[1])
    if expression.func in FUNCTIONS:
        return FUNCTIONS[expression.func](*parts)
    known = ", ".join(sorted(function.__name__ for function in FUNCTIONS))
    raise ValueError(
        f"expression has {expression.func.__name__}, which has no ball rule; the known functions are {known}"
    )


def _power(base: Any, exponent: sp.Expr, ball: Any) -> Any:
    if exponent.is_Integer and exponent > 0 and base.contains(0):
        # A power of a ball around 0 is none of flint's strengths (it may be nan): its ends are powers of its ends.
        farthest = base.abs_upper() ** int(exponent)
        return (flint.arb(0) if exponent % 2 == 0 else -farthest).union(farthest)
    if exponent.is_Integer:
        return base ** int(exponent)
    if exponent == sp.S.Half:
        return base.sqrt()
    if exponent == -sp.S.Half:
        return base.rsqrt()
    return base**ball


CONSTANTS = {sp.pi: flint.arb.pi, sp.E: lambda: flint.arb(1).exp()}
FUNCTIONS = {
    sp.exp: lambda ball: ball.exp(),
    sp.log: lambda ball: ball.log(),
    sp.sin: lambda ball: ball.sin(),
    sp.cos: lambda ball: ball.cos(),
    sp.tanh: lambda ball: ball.tanh(),
    sp.erf: lambda ball: ball.erf(),
    sp.erfc: lambda ball: ball.erfc(),
    sp.Abs: abs,
    sp.Max: lambda *balls: _extreme(balls, "max"),
    sp.Min: lambda *balls: _extreme(balls, "min"),
}


def _extreme(balls: tuple[Any, ...], name: str) -> Any:
    total = balls[0]
    for ball in balls[1:]:
        total = getattr(total, name)(ball)
    return total

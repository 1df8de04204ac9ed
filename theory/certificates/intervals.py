"""A second route for comparisons of explicit numbers: mpmath's interval arithmetic on their text."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from mpmath import iv, mpi

from theory.certificates.checker import name_of, read

DIGITS = 60
MOST_TERMS = 400  # of the series of erf
HOLDS = {"<": lambda d: d < 0, "<=": lambda d: d <= 0, ">": lambda d: d > 0, ">=": lambda d: d >= 0}


def decided(left: str, relation: str, right: str, at: Mapping[str, str] | None = None) -> bool | None:
    """Whether left relation right, with the numbers `at` for names, as far as the interval of left - right
    decides it; None where it does not."""
    earlier, iv.dps = iv.dps, DIGITS
    try:
        numbers = {name: value(read(number), {}) for name, number in (at or {}).items()}
        difference = value(read(left), numbers) - value(read(right), numbers)
    except (ValueError, ZeroDivisionError):
        return None
    finally:
        iv.dps = earlier
    if relation in ("=", "!="):
        return (relation == "!=") if difference > 0 or difference < 0 else None
    return HOLDS[relation](difference)


def value(node: ast.expr, at: Mapping[str, Any]) -> Any:
    """An interval that contains the number a tree of `checker.read` stands for.

    Raises ValueError for anything but numbers, E, pi and known functions.
    """
    match node:
        case ast.Constant(value=int(n)):
            return iv.mpf(n)
        case ast.Name(id=name) if name_of(name) in at:
            return at[name_of(name)]
        case ast.Name(id="E"):
            return iv.exp(1)
        case ast.Name(id="pi"):
            return iv.pi
        case ast.UnaryOp(op=ast.USub(), operand=inner):
            return -value(inner, at)
        case ast.Call(func=ast.Name(id=name), args=arguments) if name in FUNCTIONS:
            return FUNCTIONS[name](*(value(argument, at) for argument in arguments))
        case ast.BinOp(left=left, op=ast.Pow(), right=ast.Constant(value=int(n))):
            return value(left, at) ** n
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in ARITHMETIC:
            return ARITHMETIC[type(operator)](value(left, at), value(right, at))
    raise ValueError(f"{ast.unparse(node)} has no interval rule")


def erf(x: Any) -> Any:
    """erf by its alternating series: from the first term that is smaller than the one before, the tail is at most the
    next term."""
    total, term, n = iv.mpf(0), x, 0
    while n < MOST_TERMS:
        total += (-1) ** n * term / (2 * n + 1)
        n += 1
        following = term * x * x / n
        if n > x * x and abs(following) < iv.mpf(10) ** -DIGITS:
            bound = abs(following).b
            return 2 / iv.sqrt(iv.pi) * (total + mpi(-bound, bound))
        term = following
    raise ValueError("erf of so large a number")


FUNCTIONS = {
    "exp": iv.exp,
    "log": iv.log,
    "sqrt": iv.sqrt,
    "Abs": abs,
    "erf": erf,
    "erfc": lambda x: 1 - erf(x),
    "tanh": lambda x: (iv.exp(x) - iv.exp(-x)) / (iv.exp(x) + iv.exp(-x)),
}
ARITHMETIC = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.Div: lambda a, b: a / b,
    ast.Pow: lambda a, b: a**b,
}

"""Three-valued decisions on exact expressions, and exact linear solves, for the calculus of Lemmas 1-5.

True and False are decided; None means undecided. Nothing that is merely not simplified counts as decided.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import sympy
from sympy import Expr, Matrix, Rational, zeros

NUMERIC_ZERO = Rational(1, 10**12)
"""Absolute size below which an expression that holds floating-point numbers counts as zero."""


def solve(matrix: Matrix, right: Matrix, name: str = "matrix") -> Matrix:
    """`matrix^{-1} right`, exact, through adjugate and determinant (no pivot whose vanishing would go
    unnoticed).

    Raises: ValueError naming the matrix when its determinant is zero.
    """
    if matrix.rows == 0:
        return zeros(0, right.cols)
    determinant = matrix.det(method="berkowitz")
    if is_zero(determinant):
        raise ValueError(
            f"{name} is singular (determinant 0); the implicit function theorem does not apply: "
            "the solution is not isolated or not differentiable here, choose another point"
        )
    return matrix.adjugate(method="berkowitz") * right / determinant


def is_zero(expression: Any) -> bool | None:
    """Whether an expression is identically zero: True and False are decided, None means undecided.

    Zero is decided by algebra: the numerator over a common denominator expands to 0, where exponentials of
    commensurable arguments are powers of one symbol. Nonzero is decided by a number's significant digits.
    """
    expr = sympy.sympify(expression)
    if expr.free_symbols:
        return True if expr.is_zero or _numerator_expands_to_zero(expr) else expr.equals(0)
    if expr.has(sympy.Float):
        value = _number(expr)
        return None if value is None else bool(abs(value) <= NUMERIC_ZERO)
    if _number(expr, effort=30) is not None:
        return False
    if _numerator_expands_to_zero(expr):
        return True
    if _number(expr) is not None:
        return False
    # On nested exponentials of radicals sympy's equals may run for minutes.
    return None if expr.atoms(sympy.exp, sympy.log) else expr.equals(0)


def sign_of(expression: Any) -> int | None:
    """The sign 1, 0 or -1 where it is decided (by assumptions or by evaluating a number), None otherwise."""
    expr = sympy.sympify(expression)
    if not expr.free_symbols:
        value = _number(expr)
        if value is not None:
            small = expr.has(sympy.Float) and abs(value) <= NUMERIC_ZERO
            return 0 if small else int(sympy.sign(value))
        return 0 if is_zero(expr) else None
    for candidate in (expr, sympy.factor(expr)):
        if candidate.is_zero:
            return 0
        if candidate.is_positive:
            return 1
        if candidate.is_negative:
            return -1
    return 0 if is_zero(expr) else None


def is_negative_definite(matrix: Matrix) -> bool | None:
    """Whether a symmetric matrix is negative definite, by Sylvester's criterion on -matrix; None when a
    sign is undecided.

    A 0 x 0 matrix is negative definite (the condition is empty): a boundary point at d = 1, or a corner of
    the box.
    """
    minors = (sign_of((-matrix[:k, :k]).det(method="berkowitz")) for k in range(1, matrix.rows + 1))
    return all_of([None if sign is None else sign > 0 for sign in minors])


def all_of(values: Iterable[bool | None]) -> bool | None:
    """Kleene's conjunction: False if any is False, otherwise None if any is undecided."""
    seen = list(values)
    if False in seen:
        return False
    return None if None in seen else True


def _number(expr: Expr, effort: int = 100) -> Expr | None:
    """A real number to 15 digits, or None where `effort` working digits find no significant one."""
    value = expr.evalf(15, maxn=effort)
    if value.is_Float and value._prec > 1:
        return value
    return value if value.is_Rational and (value != 0 or expr.has(sympy.Float)) else None


def _numerator_expands_to_zero(expr: Expr) -> bool:
    numerator = sympy.fraction(sympy.together(_exponentials_as_symbols(expr)))[0]
    return sympy.expand(numerator) == 0 or sympy.expand(sympy.radsimp(numerator)) == 0


def _exponentials_as_symbols(expr: Expr) -> Expr:
    """Each exp(r a), r rational, as a power of one positive symbol: exp(a / common denominator of the r)."""
    families: list[tuple[Expr, list[tuple[Expr, Expr]]]] = []
    for atom in sorted(expr.atoms(sympy.exp), key=str):
        argument = sympy.expand(sympy.radsimp(atom.args[0]))
        for base, members in families:
            ratio = sympy.radsimp(argument / base)
            if ratio.is_Rational:
                members.append((atom, ratio))
                break
        else:
            families.append((argument, [(atom, sympy.Integer(1))]))
    replaced: dict[Expr, Expr] = {}
    for _, members in families:
        symbol = sympy.Dummy("e", positive=True)
        scale = math.lcm(*[int(ratio.q) for _, ratio in members])
        replaced.update({atom: symbol ** (ratio * scale) for atom, ratio in members})
    return expr.xreplace(replaced)

"""The question that `python -m theory check` answers, read and validated: a loss, its symbols, a ball and a
parameter."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import sympy
from sympy import Expr, Rational, Symbol

from theory.cli import fraction_or_float, name_list
from theory.deciders.expressions import FUNCTIONS, parse, real_symbols

NORMS = ("l2", "linf")
SMOOTH = tuple(f for f in FUNCTIONS.values() if isinstance(f, type))  # the others are built from these


@dataclass(frozen=True)
class LossProblem:
    """A loss l(x, theta) in real symbols with every other symbol set, and the ball `||x' - center|| <=
    epsilon` at theta = at.

    All numbers are exact rationals.
    """

    loss: Expr
    x: tuple[Symbol, ...]
    theta: tuple[Symbol, ...]
    center: tuple[Rational, ...]
    at: tuple[Rational, ...]
    epsilon: Rational
    norm: str
    values: Mapping[str, Rational]

    @property
    def at_theta(self) -> Expr:
        """The loss with theta substituted: an expression in x alone."""
        return self.loss.subs(dict(zip(self.theta, self.at, strict=True)))


def read_problem(
    loss: str | Expr,
    x: str | Sequence[Any],
    theta: str | Sequence[Any],
    *,
    center: Iterable[Any],
    at: Iterable[Any],
    epsilon: Any,
    norm: str = "l2",
    values: Mapping[str, Any] | None = None,
) -> LossProblem:
    """Read and validate the arguments of `theory.own_loss.check_loss`; see there.

    Raises: ValueError, one line, naming the argument, its value, what is required and what to do.
    """
    x_names, theta_names = _names("x", x), _names("theta", theta)
    settings = {str(name): _exact("values", value) for name, value in (values or {}).items()}
    _check_disjoint(x_names, theta_names, tuple(settings))
    table = real_symbols([*x_names, *theta_names, *settings])
    expression = _expression(loss, table)
    for role, names in (("x", x_names), ("theta", theta_names), ("values", tuple(settings))):
        missing = [name for name in names if table[name] not in expression.free_symbols]
        if missing:
            raise ValueError(
                f"{role} names {missing[0]!r}, which does not occur in the loss {expression}; "
                "remove it or correct the loss"
            )
    if norm not in NORMS:
        raise ValueError(f"norm = {norm!r} is unknown; choose one of {', '.join(NORMS)}")
    radius = _exact("epsilon", epsilon)
    if radius <= 0:
        raise ValueError(
            f"epsilon = {epsilon}; the radius of the attack must be > 0: pass for example 0.6 or 8/255"
        )
    fixed = expression.subs({table[name]: value for name, value in settings.items()})
    problem = LossProblem(
        loss=fixed,
        x=tuple(table[name] for name in x_names),
        theta=tuple(table[name] for name in theta_names),
        center=_vector("center", center, x_names),
        at=_vector("at", at, theta_names),
        epsilon=radius,
        norm=norm,
        values=settings,
    )
    _check_smooth(problem.loss)
    _check_smooth(problem.at_theta)
    return problem


def kink_at(loss: Expr, point: Mapping[Symbol, Any], digits: int = 30) -> str | None:
    """The first subexpression that may spoil smoothness at the point, or None: the loss is then analytic
    near it.

    Checked are the arguments of log and of fractional powers (positive), of negative powers and of tan's
    cosine (not zero); every other operation of the language is analytic everywhere.
    """
    for node in sympy.preorder_traversal(loss):
        if isinstance(node, sympy.log):
            inner, strict = node.args[0], True
        elif isinstance(node, sympy.tan):
            inner, strict = sympy.cos(node.args[0]), False
        elif node.is_Pow and not (node.exp.is_Integer and node.exp > 0) and node.base.free_symbols:
            inner, strict = node.base, not node.exp.is_Integer
        else:
            continue
        value = inner.subs(point).evalf(digits)
        size = 1 + max((abs(sympy.Float(v)) for v in point.values()), default=0)
        if (
            not value.is_real
            or abs(value) <= size * sympy.Float(10) ** (8 - digits)
            or (strict and value < 0)
        ):
            return f"{node} (its argument is {sympy.N(value, 6)})"
    return None


def _names(role: str, given: str | Sequence[Any]) -> tuple[str, ...]:
    names = name_list(given) if isinstance(given, str) else tuple(str(name) for name in given)
    if not names:
        raise ValueError(
            f"{role} names no symbol; list at least one, such as {'x1,x2' if role == 'x' else 't1,t2'}"
        )
    repeated = [name for name in names if names.count(name) > 1]
    if repeated:
        raise ValueError(f"{role} names {repeated[0]!r} twice; give each name once")
    return names


def _check_disjoint(x: Sequence[str], theta: Sequence[str], values: Sequence[str]) -> None:
    for first, second, pair in (
        (x, theta, "x and theta"),
        (x, values, "x and values"),
        (theta, values, "theta and values"),
    ):
        both = [name for name in first if name in second]
        if both:
            raise ValueError(
                f"{both[0]!r} occurs in both {pair}; a symbol has one role: remove it from one of them"
            )


def _expression(loss: str | Expr, table: Mapping[str, Symbol]) -> Expr:
    if isinstance(loss, str):
        return parse(loss, table)
    expression = sympy.sympify(loss)
    unknown = sorted(str(s) for s in expression.free_symbols if str(s) not in table)
    if unknown:
        raise ValueError(
            f"loss contains the symbol {unknown[0]!r}, which is unknown; known are {', '.join(table)}: "
            f"list it among x or theta, or give it a value ({unknown[0]}=1)"
        )
    return expression.subs({symbol: table[str(symbol)] for symbol in expression.free_symbols})


def _check_smooth(expression: Expr) -> None:
    for function in sorted(expression.atoms(sympy.Function), key=str):
        if not isinstance(function, SMOOTH):
            raise ValueError(
                f"loss contains {function}, which is not known to be twice differentiable; "
                "the lemmas need a C^1 gradient (sqrt(u**2) is |u|): "
                f"use only {', '.join(f.__name__ for f in SMOOTH)} and powers"
            )
    if expression.has(sympy.I) or expression.has(sympy.nan, sympy.zoo, sympy.oo):
        raise ValueError(
            f"loss becomes {expression} with the given values, which is not real and finite; "
            "correct the values or the loss"
        )


def _vector(role: str, given: Iterable[Any], names: Sequence[str]) -> tuple[Rational, ...]:
    entries = tuple(_exact(role, value) for value in (given.split(",") if isinstance(given, str) else given))
    if len(entries) != len(names):
        kind = "x" if role == "center" else "theta"
        raise ValueError(
            f"{role} has {len(entries)} numbers and {kind} has {len(names)} symbols ({','.join(names)}); "
            "the dimensions must agree: give one number per symbol"
        )
    return entries


def _exact(role: str, value: Any) -> Rational:
    """The exact rational that a number denotes; a float is read as the decimal it prints."""
    if isinstance(value, str):
        try:
            return fraction_or_float(value.strip())
        except ValueError as error:
            raise ValueError(f"{role}: {error}") from None
    if isinstance(value, float):
        return _exact(role, repr(value))
    if isinstance(value, Fraction):
        return Rational(value.numerator, value.denominator)
    number = sympy.sympify(value)
    if not isinstance(number, Rational):
        raise ValueError(
            f"{role} contains {value!r}, which is not a rational number; write a decimal or a fraction"
        )
    return number

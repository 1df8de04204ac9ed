"""Looks for a point that meets given conditions, with coordinates as plain as may be (z3): the certificate of "the
hypotheses do not contradict each other" and of a refutation. Nobody trusts what it finds; the checker decides.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import sympy as sp
import z3

from theory.certificates.checker import system, variables

PLAIN = [Fraction(n) for n in (1, 2, 0, -1, 3)] + [
    Fraction(1, 2),
    Fraction(-2),
    Fraction(1, 4),
    Fraction(4),
    Fraction(3, 5),
]
PATIENCE = 3000  # milliseconds for one question of z3's
DIGITS = 40


def point(question: dict, *, negated: bool) -> dict | None:
    """A point as the checker wants it, or None: it meets the signs, what is given, and not (where `negated`) what
    follows."""
    names = list(question["variables"])
    for case in system(question, negated, variables(names)):
        solver, symbols = z3.Solver(), {name: z3.Real(name) for name in names}
        solver.set("timeout", PATIENCE)
        for p, sign in case:
            left = z3.RealVal(0) + _term(p, list(symbols.values()))
            solver.add({">": left > 0, ">=": left >= 0, "=": left == 0}[sign])
        if solver.check() != z3.sat:
            continue
        for symbol in symbols.values():
            _pin(solver, symbol)
        solver.check()
        model = solver.model()
        found = _written(
            {name: model.eval(symbol, model_completion=True) for name, symbol in symbols.items()}
        )
        if found is not None:
            return found
    return None


def _pin(solver: z3.Solver, symbol: z3.ArithRef) -> None:
    """Fixes the variable to the first plain value that leaves the conditions possible."""
    for value in PLAIN:
        solver.push()
        solver.add(symbol == z3.RealVal(str(value)))
        if solver.check() == z3.sat:
            return
        solver.pop()


def _term(p: Any, symbols: list[z3.ArithRef]) -> z3.ArithRef:
    total = z3.RealVal(0)
    for powers, coefficient in p.to_dict().items() if hasattr(p, "to_dict") else [((), p)]:
        term = z3.RealVal(str(coefficient))
        for symbol, power in zip(symbols, powers, strict=False):
            for _ in range(power):
                term = term * symbol
        total = total + term
    return total


def _written(values: dict[str, z3.ArithRef]) -> dict | None:
    """The values as polynomials in one algebraic number."""
    exact = {name: _exact(value) for name, value in values.items()}
    irrational = [value for value in exact.values() if not value.is_Rational]
    if not irrational:
        return {"at": {name: str(value) for name, value in exact.items()}}
    a = sp.Symbol("a")
    if len(set(irrational)) == 1:
        number, powers = irrational[0], {irrational[0]: a}
        minimal = sp.minimal_polynomial(number, a)
    else:
        minimal, combination, forms = sp.primitive_element(list(dict.fromkeys(irrational)), a, ex=True)
        number = sum(c * v for c, v in zip(combination, dict.fromkeys(irrational), strict=True))
        forms = [sum(c * a ** (len(form) - 1 - k) for k, c in enumerate(form)) for form in forms]
        powers = dict(zip(dict.fromkeys(irrational), forms, strict=True))
    near = sp.Rational(str(sp.N(number, DIGITS)))
    width = sp.Rational(1, 10)
    while sp.Poly(minimal, a).count_roots(near - width, near + width) != 1:
        width /= 10
    low, high = (
        sp.Rational(int(sp.floor(end / width)), 1) * width for end in (near - width, near + 2 * width)
    )
    at = {name: str(sp.expand(powers.get(value, value))).replace("**", "^") for name, value in exact.items()}
    return {"a": [str(minimal).replace("**", "^"), str(low), str(high)], "at": at}


def _exact(value: z3.ArithRef) -> sp.Expr:
    if z3.is_rational_value(value):
        return sp.Rational(value.numerator_as_long(), value.denominator_as_long())
    x = sp.Symbol("x")
    coefficients = [sp.Rational(c.numerator_as_long(), c.denominator_as_long()) for c in value.poly()]
    near = value.approx(DIGITS)
    about = sp.Rational(near.numerator_as_long(), near.denominator_as_long())
    roots = sp.Poly(coefficients[::-1], x).real_roots()
    return min(roots, key=lambda root: abs(sp.N(root, DIGITS) - about))

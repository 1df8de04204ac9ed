"""The exact numbers and the names that theory, numerics and figures take, on the command line (`8/255`, `-1,0.5`) and
from Python."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from numbers import Integral, Real
from typing import Any

import mpmath
import sympy
from sympy import Rational

from support.options import BadValue

NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
MINUS = re.compile("[\u2010-\u2015\u2212]")  # what word processors make of it
MOST_DIGITS = 400  # of a number on the command line, exponent included: longer ones are slips or mischief


def fraction_or_float(text: str) -> Rational:
    """The exact rational that `8/255`, `0.6`, `-3`, `1e-3` or `-.5/2` denotes; 0.6 is 3/5.

    Raises: BadValue (a ValueError) for anything else: words, nan, inf, a zero denominator, more than 400
    digits.
    """
    parts = [part.strip() for part in str(text).split("/")]
    if len(parts) > 2 or not all(NUMBER.fullmatch(part) for part in parts):
        hint = "; the minus sign is -" if MINUS.search(str(text)) else ""
        raise BadValue(
            f"{text!r} is not a number{hint}; write a decimal such as 0.6 or a fraction such as 8/255"
        )
    if any(_digits(part) > MOST_DIGITS for part in parts):
        raise BadValue(
            f"{str(text)[:20]!r}... has more than {MOST_DIGITS} digits, written out; write a number of ordinary size"
        )
    numerator, denominator = Rational(parts[0]), Rational(parts[1] if len(parts) == 2 else 1)
    if denominator == 0:
        raise BadValue(f"{text!r} divides by zero; give a nonzero denominator")
    return Rational(numerator, denominator)


def given_number(value: Any) -> Rational | None:
    """The rational that a number denotes: a float of any width is read as the decimal it prints, so 0.6 is 3/5; a
    string as on the command line (8/255). None for what is no number: a symbol, an expression, a truth value, an array.

    Raises: ValueError for nan, infinities, and strings that are no number.
    """
    if getattr(value, "shape", None) == () and hasattr(value, "dtype") and hasattr(value, "__getitem__"):
        value = value[()]  # an array without axes is its number
    if isinstance(value, bool) or type(value).__name__ == "bool":
        return None
    if isinstance(value, Rational):
        return value
    if isinstance(value, str):
        return fraction_or_float(value.strip())
    if isinstance(value, Integral):
        return Rational(int(value))
    if isinstance(value, mpmath.mpf):
        return _dyadic(value)
    if isinstance(value, sympy.Float):
        return fraction_or_float(str(value))
    if isinstance(value, Real | Decimal) and not isinstance(value, sympy.Basic):
        numerator, denominator = getattr(value, "numerator", None), getattr(value, "denominator", None)
        if numerator is not None and denominator is not None:
            return Rational(int(numerator), int(denominator))
        # Not repr, which numpy writes as np.float64(0.6).
        return fraction_or_float(str(value))
    return None


def number_list(text: str) -> tuple[Rational, ...]:
    """The exact rationals of a comma separated list such as `-1,0.5,8/255`, at least one.

    Raises: BadValue (a ValueError) naming the entry that is not a number.
    """
    return tuple(fraction_or_float(entry) for entry in _entries(text, "-1,0.5"))


def name_list(text: str) -> tuple[str, ...]:
    """The names of a comma separated list such as `x1,x2`, at least one, each a Python-like identifier, no
    repeats.

    Raises: BadValue (a ValueError) naming the entry that is not a name, or that occurs twice.
    """
    names = [plain_name(entry) for entry in _entries(text, "x1,x2")]
    for name in names:
        if not name.isidentifier():
            raise BadValue(f"{name!r} in {text!r} is not a name; use letters, digits and _, such as x1,x2")
        if names.count(name) > 1:
            raise BadValue(f"{name!r} occurs twice in {text!r}; give each name once")
    return tuple(names)


def assignments(text: str) -> dict[str, Rational]:
    """The mapping of a comma separated list such as `y=1,k=-0.5`, at least one pair.

    Raises: BadValue (a ValueError) for an entry that is not `name=number`, or a name set twice.
    """
    values: dict[str, Rational] = {}
    for entry in _entries(text, "y=1"):
        name, equals, number = (part.strip() for part in entry.partition("="))
        name = plain_name(name)
        if not equals or not name.isidentifier():
            raise BadValue(f"{entry!r} in {text!r} is not name=number; write for example y=1")
        if name in values:
            raise BadValue(f"{name!r} is set twice in {text!r}; set each name once")
        values[name] = fraction_or_float(number)
    return values


def plain_name(name: str) -> str:
    """A name in the one spelling that stands for its look-alikes: the micro sign is the Greek letter."""
    return unicodedata.normalize("NFKC", name)


def _entries(text: str, example: str) -> list[str]:
    entries = [entry.strip() for entry in str(text).split(",")]
    if not all(entries):
        raise BadValue(f"{text!r} has an empty entry; write a comma separated list such as {example}")
    return entries


def _digits(number: str) -> int:
    mantissa, _, exponent = number.lower().partition("e")
    return len(mantissa) + (
        abs(int(exponent)) if len(exponent) < 8 and exponent else MOST_DIGITS * len(exponent)
    )


def _dyadic(value: mpmath.mpf) -> Rational:
    if not mpmath.isfinite(value):
        return fraction_or_float(str(value))
    sign, man, exponent, _ = value._mpf_
    return Rational((-1) ** sign * int(man)) * Rational(2) ** int(exponent)

"""A second route for identities with exp, log, sqrt, erf and symbolic powers, beside sympy's simplify: sums of products
of powers, in which the rules below are the only ones, and whatever is then left over counts as not equal.

A form is a sum of c * base^exponent * ...; c is rational, an exponent is a form itself, a base a symbol, a prime
number, e, pi, a sum such as 1 + x, or a function of a form that no rule opens. Rules: b^p b^q = b^(p+q);
(u v)^p = u^p v^p and (b^p)^q = b^(pq) for u, v, b > 0 or whole exponents; a sum to a whole power is expanded, a
negative one multiplied away; exp(u) = e^u; e^(c log b) = b^c; log of a product of positive bases is a sum; tanh,
cosh and sinh are exponentials; |u| = sqrt(u^2); erf is odd. Nothing else is taken for zero.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from fractions import Fraction
from math import floor
from typing import Any

from theory.certificates.checker import name_of, read

Form = dict  # {monomial: coefficient}; a monomial is a sorted tuple of (base, exponent), the exponent a sorted tuple
PASSES = 12  # of clearing denominators, one for each level of nesting
MOST_TERMS = 4000
LARGEST_POWER = 30
LARGEST_OF_NUMBERS = 10_000
LARGEST_FACTORED = 10**6


class GivenUp(ValueError):
    """The rules do not apply, or the form grows too large."""


class Algebra:
    """Reads text into forms; knows which bases are positive and what a base that is a sum stands for."""

    def __init__(self, signs: Mapping[str, str]) -> None:
        self.signs = signs
        self.sums: dict[str, Form] = {}
        self.positive = {"e", "pi"}

    def zero(self, form: Form) -> bool:
        """Whether the form is 0 by the rules."""
        return not self.cleared(form)

    def cleared(self, form: Form, *, by_positive: bool = False) -> Form:
        """The form times bases that are sums, so that none stands to a negative whole power, and expanded; with
        `by_positive` these bases must be positive."""
        for _ in range(PASSES):
            form = self.primes(self.alike(form))
            open_bases = sorted({b for m in form for b, e in m if b in self.sums and whole_part(e)}, key=len)
            if not open_bases:
                return form
            base = open_bases[-1]
            lowest = min(whole_part(dict(m).get(base, ())) for m in form)
            if by_positive and lowest < 0 and base not in self.positive:
                raise GivenUp(f"the sign of {base}")
            total: Form = {}
            for monomial, c in form.items():
                exponent = dict(monomial).get(base, ())
                k = whole_part(exponent)
                rest = with_power(monomial, base, plus(dict(exponent), constant(-k)))
                total = plus(total, times({rest: c}, self.expanded(self.sums[base], k - lowest)))
            form = total
        raise GivenUp("nested too deeply")

    def alike(self, form: Form) -> Form:
        """The same form with exponents that are equal by the rules, such as 1 - 1/(1 + h) and h/(1 + h), made one."""
        every = {exponent for monomial in form for _, exponent in monomial}
        plain = {e for e in every if not any(b in self.sums for m, _ in e for b, _ in m)}
        seen: list[tuple] = [(), *sorted(plain, key=repr)]
        total: Form = {}
        for monomial, c in form.items():
            for base, exponent in monomial:
                if exponent not in plain:
                    same = (e for e in seen if self.zero(plus(dict(exponent), times(constant(-1), dict(e)))))
                    found = next(same, None)
                    if found is None:
                        seen.append(exponent)
                    else:
                        monomial = with_power(monomial, base, dict(found))
            total = plus(total, {monomial: c})
        return total

    def primes(self, form: Form) -> Form:
        """Whole powers of prime numbers moved into the coefficient."""
        total: Form = {}
        for monomial, c in form.items():
            for base, exponent in monomial:
                if base.startswith("#") and (k := whole_part(exponent)):
                    c *= Fraction(int(base[1:])) ** k
                    monomial = with_power(monomial, base, plus(dict(exponent), constant(-k)))
            total = plus(total, {monomial: c})
        return total

    def expanded(self, form: Form, power: int) -> Form:
        """A form to a whole power >= 0."""
        if power > LARGEST_POWER:
            raise GivenUp(f"power {power}")
        total = constant(1)
        for _ in range(power):
            total = times(total, form)
        return total

    def is_positive(self, form: Form) -> bool:
        """Whether every coefficient and every base is positive."""
        return bool(form) and all(c > 0 and all(b in self.positive for b, _ in m) for m, c in form.items())

    def power(self, form: Form, exponent: Form) -> Form:
        """form^exponent."""
        n = number(exponent)
        whole = int(n) if n is not None and n.denominator == 1 else None
        is_whole = whole is not None
        if whole == 0:
            return constant(1)
        if not form:
            raise GivenUp("a power of 0")
        if whole is not None and 0 < whole <= LARGEST_POWER:
            return self.expanded(form, whole)
        c, monomial, rest = self.split(form, is_whole)
        outside = {tuple((b, key(times(dict(e), exponent))) for b, e in monomial): Fraction(1)}
        outside = times(outside, self.number_power(c, exponent, is_whole))
        if rest == constant(1):
            return outside
        base = "(" + spelled(rest) + ")"
        self.sums[base] = rest
        if self.is_positive(rest):
            self.positive.add(base)
        return times(outside, {((base, key(exponent)),): Fraction(1)})

    def split(self, form: Form, is_whole: bool) -> tuple[Fraction, tuple, Form]:
        """form = c * monomial * rest, where c > 0 and the monomial's bases are positive unless the power is whole."""
        first = max(form, key=repr)
        c = form[first] if is_whole else abs(form[first])
        common = [
            (b, e)
            for b, e in first
            if (is_whole or b in self.positive) and all(dict(m).get(b) == e for m in form)
        ]
        inverse = {tuple((b, key(times(dict(e), constant(-1)))) for b, e in common): 1 / c}
        return c, tuple(common), times(form, inverse)

    def number_power(self, c: Fraction, exponent: Form, is_whole: bool) -> Form:
        """c^exponent, by the primes of c."""
        if is_whole:
            whole = int(number(exponent) or 0)
            if abs(whole) > LARGEST_OF_NUMBERS and abs(c) != 1:
                raise GivenUp(f"a number to the power {whole:.0e}")
            return constant(c**whole)
        total = constant(1)
        for p, k in [*factored(c.numerator), *((p, -k) for p, k in factored(c.denominator))]:
            self.positive.add(f"#{p}")
            total = times(total, {((f"#{p}", key(times(constant(k), exponent))),): Fraction(1)})
        return total

    def log(self, form: Form) -> Form:
        """log of a form that is positive."""
        c, monomial, rest = self.split(form, False)
        total: Form = {}
        for p, k in [*factored(c.numerator), *((p, -k) for p, k in factored(c.denominator))]:
            total = plus(total, times(constant(k), self.opaque("log", [constant(p)])))
        for base, exponent in monomial:
            inner = (
                constant(1)
                if base == "e"
                else self.opaque("log", [{((base, key(constant(1))),): Fraction(1)}])
            )
            total = plus(total, times(dict(exponent), inner))
        return total if rest == constant(1) else plus(total, self.opaque("log", [rest]))

    def exp(self, exponent: Form) -> Form:
        """e^exponent, with e^(c log b) = b^c."""
        left, total = dict(exponent), constant(1)
        for monomial, c in exponent.items():
            if len(monomial) == 1 and monomial[0][0].startswith("log[") and number(dict(monomial[0][1])) == 1:
                total = times(total, self.power(self.sums_of_log[monomial[0][0]], constant(c)))
                del left[monomial]
        return times(total, {((("e", key(left)),)): Fraction(1)} if left else constant(1))

    @property
    def sums_of_log(self) -> dict[str, Form]:
        """What the log of each unopened logarithm is of."""
        return self.__dict__.setdefault("_logs", {})

    def opaque(self, name: str, arguments: list[Form]) -> Form:
        """A function that no rule opens, as a base."""
        base = f"{name}[{'; '.join(spelled(argument) for argument in arguments)}]"
        if name == "log":
            self.sums_of_log[base] = arguments[0]
        return {((base, key(constant(1))),): Fraction(1)}

    def call(self, name: str, nodes: list[ast.expr]) -> Form:
        """A function of forms, by its rule."""
        if name not in RULES:
            return self.opaque(name, [self.argument(node) for node in nodes])
        return RULES[name](self, *(self.form(node) for node in nodes))

    def argument(self, node: ast.expr) -> Form:
        if isinstance(node, ast.Tuple):
            return self.opaque("tuple", [self.argument(part) for part in node.elts])
        return self.form(node)

    def form(self, node: ast.expr) -> Form:
        """The form of a tree of `checker.read`."""
        match node:
            case ast.Constant(value=int(n)):
                return constant(n)
            case ast.Name(id=name):
                return self.symbol(name_of(name))
            case ast.Call(func=ast.Name(id=name), args=arguments):
                return self.call(name, arguments)
            case ast.UnaryOp(op=ast.USub(), operand=inner):
                return times(constant(-1), self.form(inner))
            case ast.BinOp(left=left, op=operator, right=right):
                a, b = self.form(left), self.form(right)
                match operator:
                    case ast.Add():
                        return plus(a, b)
                    case ast.Sub():
                        return plus(a, times(constant(-1), b))
                    case ast.Mult():
                        return times(a, b)
                    case ast.Div():
                        return times(a, self.power(b, constant(-1)))
                    case ast.Pow():
                        return self.exp(b) if a == E else self.power(a, b)
        raise GivenUp(ast.unparse(node))

    def symbol(self, name: str) -> Form:
        """A symbol, or one of the numbers E and pi."""
        sign = self.signs.get(name, "real")
        if sign == "matrix" or name in ("I", "oo", "zoo", "nan"):
            raise GivenUp(name)
        if name == "E" and name not in self.signs:
            return E
        if sign.startswith("positive"):
            self.positive.add(name)
        return {((name, key(constant(1))),): Fraction(1)}


def constant(value: Any) -> Form:
    return {(): Fraction(value)} if value else {}


def key(form: Form) -> tuple:
    """A form as a tuple, to be an exponent."""
    return tuple(sorted(form.items(), key=repr))


E = {(("e", key(constant(1))),): Fraction(1)}


def plus(a: Form, b: Form) -> Form:
    total = dict(a)
    for monomial, c in b.items():
        total[monomial] = total.get(monomial, 0) + c
    return {monomial: c for monomial, c in total.items() if c}


def times(a: Form, b: Form) -> Form:
    if len(a) * len(b) > MOST_TERMS:
        raise GivenUp("too many terms")
    total: Form = {}
    for left, c in a.items():
        for right, d in b.items():
            monomial = left
            for base, exponent in right:
                monomial = with_power(
                    monomial, base, plus(dict(dict(monomial).get(base, ())), dict(exponent))
                )
            total[monomial] = total.get(monomial, 0) + c * d
    return {monomial: c for monomial, c in total.items() if c}


def with_power(monomial: tuple, base: str, exponent: Form) -> tuple:
    """The monomial with another exponent of one base."""
    powers = {**dict(monomial), base: key(exponent)}
    return tuple(sorted(((b, e) for b, e in powers.items() if e), key=lambda power: power[0]))


def number(form: Form) -> Fraction | None:
    """The rational number a form is, None where it is none."""
    return Fraction(0) if not form else form[()] if set(form) == {()} else None


def whole_part(exponent: tuple) -> int:
    """The whole number below the constant part of an exponent."""
    return floor(dict(exponent).get((), 0))


def factored(n: int) -> list[tuple[int, int]]:
    """The prime powers of n >= 1, by trial division."""
    if n > LARGEST_FACTORED:
        raise GivenUp(f"the factors of {n}")
    found, p = [], 2
    while n > 1:
        k = 0
        while n % p == 0:
            n, k = n // p, k + 1
        if k:
            found.append((p, k))
        p += 1
    return found


def spelled(form: Form) -> str:
    """A text that two forms share only where they are the same."""
    return repr(key(form))


def _cosh(algebra: Algebra, u: Form) -> Form:
    return times(constant(Fraction(1, 2)), plus(algebra.exp(u), algebra.exp(times(constant(-1), u))))


def _sinh(algebra: Algebra, u: Form) -> Form:
    return times(
        constant(Fraction(1, 2)),
        plus(algebra.exp(u), times(constant(-1), algebra.exp(times(constant(-1), u)))),
    )


def _odd(algebra: Algebra, u: Form) -> Form:
    first = u[max(u, key=repr)] if u else Fraction(1)
    sign = constant(1 if first > 0 else -1)
    return times(sign, algebra.opaque("erf", [times(sign, u)])) if u else {}


RULES = {
    "exp": lambda algebra, u: algebra.exp(u),
    "log": lambda algebra, u: algebra.log(u),
    "sqrt": lambda algebra, u: algebra.power(u, constant(Fraction(1, 2))),
    "Abs": lambda algebra, u: (
        u if algebra.is_positive(u) else algebra.power(times(u, u), constant(Fraction(1, 2)))
    ),
    "cosh": _cosh,
    "sinh": _sinh,
    "tanh": lambda algebra, u: times(_sinh(algebra, u), algebra.power(_cosh(algebra, u), constant(-1))),
    "erf": _odd,
    "erfc": lambda algebra, u: plus(constant(1), times(constant(-1), _odd(algebra, u))),
}


def same(left: str, right: str, signs: Mapping[str, str]) -> bool:
    """Whether two expressions are the same by the rules alone."""
    algebra = Algebra(signs)
    try:
        return algebra.zero(plus(algebra.form(read(left)), times(constant(-1), algebra.form(read(right)))))
    except GivenUp:
        return False


def positive(expression: str, signs: Mapping[str, str]) -> bool:
    """Whether an expression is a sum of products of powers of positive bases with positive coefficients."""
    algebra = Algebra(signs)
    try:
        return algebra.is_positive(algebra.cleared(algebra.form(read(expression)), by_positive=True))
    except GivenUp:
        return False

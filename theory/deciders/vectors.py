"""Vectors without coordinates: linear combinations of named vectors of any dimension d, whose inner products
are scalars.

An assertion about finitely many vectors that uses only sums, multiples and inner products is an assertion
about their Gram matrix, and every positive semidefinite Gram matrix of k vectors occurs in each dimension d
>= k. So what is proved here for all Gram matrices is proved for every d; in d < k the Gram matrices are
fewer, so a proved statement still holds, while a refutation needs d >= k.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import combinations

import sympy as sp


class Vector:
    """A linear combination of named vectors; coefficients are sympy scalars."""

    def __init__(self, coefficients: Mapping[str, sp.Expr]) -> None:
        self.coefficients = {name: sp.sympify(value) for name, value in coefficients.items() if value != 0}

    def __add__(self, other: Vector) -> Vector:
        names = self.coefficients | other.coefficients
        return Vector(
            {name: self.coefficients.get(name, 0) + other.coefficients.get(name, 0) for name in names}
        )

    def __sub__(self, other: Vector) -> Vector:
        return self + (-1) * other

    def __rmul__(self, factor: object) -> Vector:
        return Vector({name: sp.sympify(factor) * value for name, value in self.coefficients.items()})

    def __truediv__(self, divisor: object) -> Vector:
        return (1 / sp.sympify(divisor)) * self

    def map(self, change: Callable[[sp.Expr], sp.Expr]) -> Vector:
        """The vector with `change` applied to each coefficient."""
        return Vector({name: change(value) for name, value in self.coefficients.items()})

    def __str__(self) -> str:
        return " + ".join(f"({value}) {name}" for name, value in self.coefficients.items()) or "0"


class Space:
    """Named vectors of one Euclidean space and the symbols of their inner products.

    `length(a)` is |a| > 0 and `product(a, b)` is <a, b>, a real symbol; `known` fixes some of them, e.g.
    {("n", "n"): 1, ("n", "v"): 0} for a unit vector n orthogonal to v (keys in the order of `names`).
    """

    def __init__(self, *names: str, known: Mapping[tuple[str, str], object] | None = None) -> None:
        self.names = names
        self.known = {pair: sp.sympify(value) for pair, value in (known or {}).items()}
        strangers = {name for pair in self.known for name in pair} - set(names)
        if strangers:
            raise ValueError(
                f"known = {', '.join(sorted(strangers))} must be among {', '.join(names)}; name them too"
            )

    def vectors(self) -> tuple[Vector, ...]:
        """The named vectors themselves, in the order given."""
        return tuple(Vector({name: sp.Integer(1)}) for name in self.names)

    def length(self, name: str) -> sp.Expr:
        """|name|: a positive symbol, or the root of what `known` says."""
        if (name, name) in self.known:
            return sp.sqrt(self.known[name, name])
        return sp.Symbol(f"|{name}|", positive=True)

    def product(self, one: str, other: str) -> sp.Expr:
        """<one, other>, with <a, a> = |a|^2."""
        if one == other:
            return self.length(one) ** 2
        first, second = sorted((one, other), key=self.names.index)
        return self.known.get((first, second), sp.Symbol(f"<{first},{second}>", real=True))

    def inner(self, a: Vector, b: Vector) -> sp.Expr:
        """The inner product of two combinations, expanded bilinearly."""
        return sp.Add(
            *(
                p * q * self.product(i, j)
                for i, p in a.coefficients.items()
                for j, q in b.coefficients.items()
            )
        )

    def norm(self, a: Vector) -> sp.Expr:
        """The Euclidean norm sqrt(<a, a>)."""
        return sp.sqrt(sp.expand(self.inner(a, a)))

    def derivative(self, field: Callable[[Vector], Vector], at: Vector, along: Vector) -> Vector:
        """D field(at)[along], the directional derivative d/dt field(at + t along) at t = 0."""
        t = sp.Symbol("t", real=True)
        return field(at + t * along).map(lambda value: sp.simplify(sp.diff(value, t).subs(t, 0)))

    def gram_conditions(self, names: Iterable[str] | None = None) -> list[sp.Basic]:
        """The inequalities that make the Gram matrix positive semidefinite: every principal minor of order >=
        2 is >= 0."""
        chosen = tuple(names or self.names)
        conditions: list[sp.Basic] = []
        for order in range(2, len(chosen) + 1):
            for subset in combinations(chosen, order):
                minor = sp.Matrix(order, order, lambda i, j, s=subset: self.product(s[i], s[j])).det()
                if not minor.is_nonnegative:
                    conditions.append(sp.Ge(sp.expand(minor), 0))
        return conditions

"""Looks for a certificate that a list of polynomial conditions has no common point, by linear programs over products
of the conditions; what it returns is exact, and is trusted by nobody: `theory.certificates.checker` decides.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations, combinations_with_replacement
from typing import Any

import flint
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import coo_matrix

from numerics.certificates.exact_solution import solve_on

# Most factors, degree above the conditions' own, and whether squares are offered.
LEVELS = (
    (1, 0, 1),
    (2, 0, 1),
    (2, 2, 0),
    (3, 2, 0),
    (2, 2, 1),
    (3, 3, 0),
    (4, 4, 0),
    (3, 4, 1),
    (4, 4, 1),
    (5, 6, 0),
)
MOST_COLUMNS = 12_000
SECONDS = 60.0  # for one linear program
WEIGHT_SEEN = 1e-9  # a weight of the floating point solution below this is taken for 0


@dataclass(frozen=True)
class Term:
    """A product of conditions times the square of `square` (None for 1), or a multiple of an equation."""

    polynomial: Any
    factors: tuple[int, ...]
    square: Any = None
    equation: bool = False
    strict: bool = False


def certificate(
    case: Sequence[tuple[Any, str]], names: Sequence[str], most: int = MOST_COLUMNS
) -> dict | None:
    """The `sum` and `equations` of a certificate for one case (conditions p > 0, p >= 0, p = 0), or None.

    A condition whose sign is empty keeps its number and is not used.
    """
    ring = flint.fmpq_mpoly_ctx.get(list(names) or ["unused"], flint.Ordering.lex)
    case = [(ring.constant(0) + p, sign) for p, sign in case]
    own = max([int(p.total_degree()) for p, sign in case if sign], default=0)
    nothing = next((index for index, (p, sign) in enumerate(case) if sign == ">" and p == 0), None)
    if nothing is not None:
        return {"sum": [["1", [nothing]]]}
    terms = list(sparse_candidates(case, ring, most))
    found = weigh(terms) if len(terms) <= most else None
    if found is not None:
        return found
    tried = 0
    for factors, above, squares in LEVELS:
        terms = list(candidates(case, ring, factors, own + above, squares, most))
        if len(terms) > most or len(terms) == tried:
            continue
        tried = len(terms)
        found = weigh(terms)
        if found is not None:
            return found
    return None


def candidates(
    case: Sequence[tuple[Any, str]], ring: Any, most_factors: int, degree: int, with_squares: int, most: int
) -> Iterator[Term]:
    """Products of at most `most_factors` conditions, times squares, and multiples of the equations, up to the degree;
    it stops soon after `most`."""
    ranked = sorted(enumerate(case), key=lambda numbered: (numbered[1][1] == ">", -numbered[0]))
    inequalities = sorted({str(p): index for index, (p, sign) in ranked if sign[:1] == ">"}.values())
    count = 0
    squares = [None, *(square_bases(ring, degree // 2) if with_squares else ())]
    for size in range(most_factors + 1):
        for factors in combinations_with_replacement(inequalities, size):
            product = ring.constant(1)
            for index in factors:
                product = product * case[index][0]
            for square in squares:
                whole = product if square is None else product * square * square
                if whole == 0 or int(whole.total_degree()) > degree:
                    continue
                strict = square is None and all(case[index][1] == ">" for index in factors)
                yield Term(whole, factors, square, strict=strict)
                count += 1
                if count > most:
                    return
    for index, (p, sign) in enumerate(case):
        if sign == "=" and p != 0:
            for monomial in monomials(ring, degree - int(p.total_degree())):
                yield Term(p * monomial, (index,), monomial, equation=True)
                count += 1
                if count > most:
                    return


def sparse_candidates(case: Sequence[tuple[Any, str]], ring: Any, most: int) -> Iterator[Term]:
    """Products of at most two conditions with one monomial that occurs in the conditions, whatever its degree, and
    the equations times such monomials; it stops soon after `most`."""
    own = {
        str(m): m for p, sign in case if sign for m in [ring.from_dict({powers: 1}) for powers in p.to_dict()]
    }
    own |= {str(m): m for m in (ring.constant(1), *ring.gens())}
    carriers = [carrier for m in own.values() if (carrier := _as_product(case, m)) is not None]
    inequalities = [index for index, (_, sign) in enumerate(case) if sign[:1] == ">"]
    count = 0
    for size in (0, 1, 2):
        for factors in combinations_with_replacement(inequalities, size):
            for monomial, signed, square in carriers:
                whole = monomial
                for index in factors:
                    whole = whole * case[index][0]
                together = tuple(sorted((*factors, *signed)))
                strict = square is None and all(case[index][1] == ">" for index in together)
                yield Term(whole, together, square, strict=strict)
                count += 1
                if count > most:
                    return
    pairs = {str(m * n): m * n for m in own.values() for n in [ring.constant(1), *ring.gens()]}
    for index, (p, sign) in enumerate(case):
        if sign == "=":
            for monomial in pairs.values():
                yield Term(p * monomial, (index,), monomial, equation=True)
                count += 1
                if count > most:
                    return


def _as_product(case: Sequence[tuple[Any, str]], monomial: Any) -> tuple[Any, list[int], Any] | None:
    """A monomial as a product of conditions and a square, None where it is no such product."""
    ring = monomial.context()
    known = {str(p): index for index, (p, sign) in reversed([*enumerate(case)]) if sign[:1] == ">"}
    (powers,) = monomial.to_dict()
    signed: list[int] = []
    square, squared = ring.constant(1), False
    for variable, power in zip(ring.gens(), powers, strict=True):
        if str(variable) in known:
            signed += [known[str(variable)]] * power
        elif power % 2:
            return None
        elif power:
            square, squared = square * variable ** (power // 2), True
    return monomial, signed, square if squared else None


def monomials(ring: Any, degree: int) -> Iterator[Any]:
    """All monomials up to the degree."""
    for size in range(max(degree, -1) + 1):
        for chosen in combinations_with_replacement(ring.gens(), size):
            product = ring.constant(1)
            for variable in chosen:
                product = product * variable
            yield product


def square_bases(ring: Any, degree: int) -> Iterator[Any]:
    """Polynomials whose squares are offered: monomials of degree 1 and 2, sums and differences of two variables."""
    generators = ring.gens()
    if degree >= 1:
        yield from generators
        for x, y in combinations(generators, 2):
            yield x - y
            yield x + y
        for x in generators:
            yield x - 1
            yield x + 1
    if degree >= 2:
        yield from (x * y for x, y in combinations_with_replacement(generators, 2))


def weigh(terms: Sequence[Term]) -> dict | None:
    """Nonnegative weights (any, for equations) under which the terms add up to 0 and a strict one counts; exact."""
    if not any(term.strict for term in terms):
        return None
    table = Table(terms)
    cost = [0.0 if term.equation else 1.0 + len(term.factors) for term in terms]
    answer = linprog(
        cost,
        A_eq=table.matrix,
        b_eq=table.right,
        bounds=[(None, None) if term.equation else (0, None) for term in terms],
        method="highs-ds",
        options={"time_limit": SECONDS},
    )
    return table.exact(answer.x) if answer.x is not None and answer.status == 0 else None


class Table:
    """The linear equations on the weights of the terms: a row for each monomial, which must vanish, and a last one,
    in which the weights of the strict terms add up to 1; columns scaled to entries of at most 1."""

    def __init__(self, terms: Sequence[Term]) -> None:
        self.terms = terms
        self.rows: dict[tuple, int] = {}
        self.entries = [
            (self.rows.setdefault(monomial, len(self.rows)), column, coefficient)
            for column, term in enumerate(terms)
            for monomial, coefficient in term.polynomial.to_dict().items()
        ]
        self.scale = np.full(len(terms), 1e-300)
        for _, column, coefficient in self.entries:
            self.scale[column] = max(self.scale[column], abs(float(coefficient)))
        self.last = len(self.rows)
        self.entries += [
            (self.last, column, flint.fmpq(1)) for column, term in enumerate(terms) if term.strict
        ]
        values = [
            1.0 if row == self.last else float(c) / self.scale[column] for row, column, c in self.entries
        ]
        places = [entry[0] for entry in self.entries], [entry[1] for entry in self.entries]
        self.matrix = coo_matrix((values, places), shape=(self.last + 1, len(terms))).tocsc()
        self.right = np.eye(self.last + 1)[self.last]

    def exact(self, weights: Any) -> dict | None:
        """The certificate near a floating point solution, None where elimination finds no nonnegative one."""
        support = [index for index, weight in enumerate(weights) if abs(weight) > WEIGHT_SEEN]
        near = [weights[index] / self.scale[index] for index in support]
        found = solve_on(self.entries, support, self.last, near)
        if found is None or any(
            w < 0 and not self.terms[i].equation for i, w in zip(support, found, strict=True)
        ):
            return None
        return written(self.terms, support, found)


def written(terms: Sequence[Term], support: Sequence[int], weights: Sequence[Any]) -> dict:
    """The certificate as it is stored."""
    total: list[list] = []
    multiples: dict[int, Any] = {}
    for index, weight in zip(support, weights, strict=True):
        term = terms[index]
        if weight == 0:
            continue
        if term.equation:
            multiples[term.factors[0]] = multiples.get(term.factors[0], 0) + weight * term.square
        else:
            square = [] if term.square is None else [spelled(term.square)]
            total.append([str(weight), list(term.factors), *square])
    found: dict[str, Any] = {"sum": total}
    if multiples:
        found["equations"] = [[spelled(p), index] for index, p in sorted(multiples.items())]
    return found


def spelled(p: Any) -> str:
    """A polynomial as text, names that are no identifiers in braces."""
    names = p.context().names()
    parts = []
    for powers, coefficient in p.to_dict().items():
        factors = [
            spoken(name) + (f"^{power}" if power > 1 else "")
            for name, power in zip(names, powers, strict=True)
            if power
        ]
        parts.append(
            "*".join([f"({coefficient})" if "/" in str(coefficient) else str(coefficient), *factors])
        )
    return " + ".join(parts).replace("+ -", "- ").replace(" 1*", " ").removeprefix("1*") or "0"


def spoken(name: str) -> str:
    """The name as the stored text has it."""
    import keyword

    plain = (
        name.isidentifier() and name.isascii() and not keyword.iskeyword(name) and not name.startswith("_")
    )
    return name if plain else f"{{{name}}}"

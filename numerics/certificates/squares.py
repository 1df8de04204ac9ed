"""Looks for a certificate with squares of any polynomial: a semidefinite program by cutting planes, each plane a square
with rational coefficients, so that the last linear program is exact again.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations_with_replacement
from typing import Any

import flint
import numpy as np
from scipy.optimize import linprog
from scipy.sparse import eye, hstack

from numerics.certificates.linear import SECONDS, Table, Term, candidates, monomials, weigh

ROUNDS = 60
MOST_ENTRIES = 40  # of a basis whose squares are offered
NEGATIVE = 1e-7  # an eigenvalue of a moment matrix below minus this calls for another square
SETTLED = 1e-7  # residual below which exact weights are looked for
DENOMINATORS = (1, 2, 6, 60)


def certificate_with_squares(
    case: Sequence[tuple[Any, str]], names: Sequence[str], factors: int, above: int, most: int
) -> dict | None:
    """As `linear.certificate`, with squares found on the way; products of at most `factors` conditions, up to the
    degree `above` that of the conditions."""
    ring = flint.fmpq_mpoly_ctx.get(list(names) or ["unused"], flint.Ordering.lex)
    case = [(ring.constant(0) + p, sign) for p, sign in case]
    degree = max([int(p.total_degree()) for p, sign in case if sign], default=0) + above
    terms = list(candidates(case, ring, factors, degree, 1, most))
    if len(terms) > most or not any(term.strict for term in terms):
        return None
    blocks = [block for block in multipliers(case, ring, degree) if 1 <= len(block[2]) <= MOST_ENTRIES]
    for _ in range(ROUNDS):
        table = Table(terms)
        residual, dual = nearest(table)
        if residual is None:
            return None
        if residual < SETTLED:
            found = weigh(terms)
            if found is not None:
                return found
        fresh = [term for block in blocks for term in squares_against(block, dual, table.rows)]
        known = {(term.factors, str(term.square)) for term in terms}
        fresh = [term for term in fresh if (term.factors, str(term.square)) not in known]
        if not fresh:
            return None
        terms += fresh
    return None


def multipliers(
    case: Sequence[tuple[Any, str]], ring: Any, degree: int
) -> list[tuple[Any, tuple[int, ...], list[Any]]]:
    """1, each inequality, each product of two: with the monomials whose squares it may multiply."""
    inequalities = [index for index, (_, sign) in enumerate(case) if sign[:1] == ">"]
    found = []
    for size in (0, 1, 2):
        for factors in combinations_with_replacement(inequalities, size):
            product = ring.constant(1)
            for index in factors:
                product = product * case[index][0]
            if product != 0 and len(set(factors)) == size:
                left = (degree - int(product.total_degree())) // 2
                found.append((product, factors, list(monomials(ring, left)) if left >= 1 else []))
    return found


def nearest(table: Table) -> tuple[float | None, Any]:
    """How near (in the sum of absolute values) the terms come to adding up to 0, and the functional that says so."""
    count, height = len(table.terms), table.last + 1
    slack = eye(height, format="csc")[:, : table.last]
    matrix = hstack([table.matrix, slack, -slack], format="csc")
    bounds = [(None, None) if term.equation else (0, None) for term in table.terms] + [(0, None)] * (
        2 * table.last
    )
    cost = np.concatenate([np.zeros(count), np.ones(2 * table.last)])
    answer = linprog(
        cost, A_eq=matrix, b_eq=table.right, bounds=bounds, method="highs-ds", options={"time_limit": SECONDS}
    )
    if answer.status != 0:
        return None, None
    return answer.fun, answer.eqlin.marginals


def squares_against(
    block: tuple[Any, tuple[int, ...], list[Any]], dual: Any, rows: dict[tuple, int]
) -> list[Term]:
    """Squares whose product with the block's multiplier has the wrong sign under the functional."""
    product, factors, basis = block
    size = len(basis)
    moments = np.zeros((size, size))
    for i, left in enumerate(basis):
        for j in range(i + 1):
            entry = sum(
                float(c) * (-dual[rows[m]] if m in rows else 0.0)
                for m, c in (product * left * basis[j]).to_dict().items()
            )
            moments[i, j] = moments[j, i] = entry
    values, vectors = np.linalg.eigh(moments)
    found = []
    for value, vector in zip(values, vectors.T, strict=True):
        if value > -NEGATIVE:
            break
        for denominator in DENOMINATORS:
            root = rounded(vector, basis, denominator)
            if root != 0:
                found.append(Term(product * root * root, factors, root))
    return found


def rounded(vector: Any, basis: Sequence[Any], denominator: int) -> Any:
    """The combination of the basis with coefficients rounded to the denominator, the largest one 1."""
    scaled = vector / vector[np.argmax(np.abs(vector))]
    weights = [Fraction(round(float(entry) * denominator), denominator) for entry in scaled]
    return sum(
        (flint.fmpq(w.numerator, w.denominator) * b for w, b in zip(weights, basis, strict=True) if w),
        0 * basis[0],
    )

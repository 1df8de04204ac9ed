"""Makes a floating point solution of a linear program exact: rational elimination on its support."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

import flint

LARGEST_DENOMINATOR = 1000  # of a weight that elimination leaves free


def solve_on(
    entries: Sequence[tuple[int, int, Any]], support: Sequence[int], last_row: int, near: Sequence[float]
) -> list[Any] | None:
    """Exact x with sum of entries[row, column] x[column] = 0 in every row, 1 in `last_row`, over the columns of the
    support; where elimination leaves a weight free it is the one near `near`. None where there is no solution."""
    place = {column: position for position, column in enumerate(support)}
    kept = [(row, place[column], value) for row, column, value in entries if column in place]
    rows = {row: number for number, row in enumerate(sorted({row for row, _, _ in kept} | {last_row}))}
    width = len(support)
    table = flint.fmpq_mat(len(rows), width + 1)
    for row, column, value in kept:
        table[rows[row], column] = table[rows[row], column] + value
    table[rows[last_row], width] = 1
    reduced, rank = table.rref()
    pivots: list[int] = []
    for row in range(rank):
        pivots.append(next(column for column in range(width + 1) if reduced[row, column] != 0))
    if width in pivots:
        return None
    solution = [flint.fmpq(0)] * width
    for column in set(range(width)) - set(pivots):
        free = Fraction(near[column]).limit_denominator(LARGEST_DENOMINATOR)
        solution[column] = flint.fmpq(free.numerator, free.denominator)
    for row, pivot in enumerate(pivots):
        rest = sum(
            (reduced[row, c] * solution[c] for c in range(pivot + 1, width) if reduced[row, c] != 0),
            flint.fmpq(0),
        )
        solution[pivot] = reduced[row, width] - rest
    return solution

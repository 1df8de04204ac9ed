"""Numeric linear algebra in mpmath's current precision, for `python -m theory check`: spectra and bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import flint
import mpmath
from mpmath import mpf

from theory.own_loss.evaluate import as_ball, middle

Matrix = Any  # an mpmath matrix


GUARD_BITS = 80  # beyond mpmath's own
DOUBT = (
    mpf(10) ** -35
)  # relative size of what entries are not known to, when a matrix is tested for its condition
FLAT = mpf(10) ** -20  # relative: much smaller eigenvalues count as 0 in a step
SHIFT = mpf(10) ** -15  # relative: how far from an eigenvalue inverse iteration solves
TRUSTED = mpf(10) ** -10  # relative doubt of a solution that is taken


@dataclass(frozen=True)
class Spectrum:
    """A symmetric matrix, its determinant, ascending eigenvalues and smallest singular value."""

    matrix: Matrix
    determinant: mpf
    eigenvalues: tuple[mpf, ...]
    smallest_singular_value: mpf | None

    @property
    def negative_definite(self) -> bool:
        """Whether every eigenvalue is negative; true of a 0 x 0 matrix."""
        return all(e < 0 for e in self.eigenvalues)


def spectrum(matrix: Matrix) -> Spectrum:
    """Determinant, eigenvalues and smallest singular value of a symmetric mpmath matrix; determinant 1 when
    it is 0 x 0.

    An eigenvalue or entry in the last ten working digits of the largest is rounding and counts as 0.
    """
    if matrix.rows == 0:
        return Spectrum(matrix, mpf(1), (), None)
    matrix = from_entries(chopped((matrix + matrix.T) / 2), matrix.cols)
    eigenvalues = tuple(chopped(eigenvalues_of(matrix)))
    return Spectrum(matrix, mpmath.fprod(eigenvalues), eigenvalues, min(abs(e) for e in eigenvalues))


def chopped(values: Iterable[mpf]) -> list[mpf]:
    """The same numbers, with 0 for those in the last ten working digits of the largest."""
    entries = list(values)
    floor = mpf(10) ** (10 - mpmath.mp.dps) * max(map(abs, entries))
    return [entry if abs(entry) > floor else mpf(0) for entry in entries]


def from_entries(entries: Sequence[Any], columns: int) -> Matrix:
    """The matrix with those entries, row by row, as real numbers."""
    numbers = [mpf(entry) for entry in entries]
    return mpmath.matrix([numbers[i : i + columns] for i in range(0, len(numbers), columns)])


def eigenvalues_of(matrix: Matrix) -> list[mpf]:
    """Ascending eigenvalues of a symmetric matrix, in mpmath's current precision."""
    if matrix.rows == 0:
        return []
    with flint.ctx.workprec(mpmath.mp.prec + GUARD_BITS):
        found = balls(matrix).eig(algorithm="approx")
        return sorted(+middle(value.real) for value in found)


def top_direction(matrix: Matrix, largest: mpf) -> Matrix:
    """A unit eigenvector of the largest eigenvalue of a symmetric matrix, by inverse iteration."""
    size = matrix.rows
    with flint.ctx.workprec(mpmath.mp.prec + GUARD_BITS):
        step = (abs(largest) + max(abs(entry) for entry in matrix)) * SHIFT
        shifted = balls(matrix - (largest + step) * mpmath.eye(size))
        vector = flint.arb_mat([[1 + i % 3] for i in range(size)])
        for _ in range(2):
            vector = shifted.solve(vector)
        found = from_entries([middle(entry) for entry in vector.entries()], 1)
    return found / mpmath.norm(found)


def solved_but_for_flat_directions(matrix: Matrix, right: Matrix) -> Matrix:
    """`matrix^{-1} right` in the directions in which a symmetric matrix is not singular, about 0 in the others: with
    `matrix (matrix^2 + FLAT^2)^{-1}` for its inverse, FLAT relative to its entries."""
    level = max((abs(entry) for entry in matrix), default=mpf(0)) * FLAT
    if level == 0:
        return mpmath.zeros(right.rows, right.cols)
    with flint.ctx.workprec(2 * mpmath.mp.prec + GUARD_BITS):
        own = balls(matrix)
        found = own * (own * own + balls(level**2 * mpmath.eye(matrix.rows))).solve(balls(right))
        return from_entries([middle(entry) for entry in found.entries()], right.cols)


def solved(matrix: Matrix, right: Matrix) -> Matrix | None:
    """`matrix^{-1} right` for a symmetric matrix, or None where its condition number is beyond 1e25 or so."""
    doubt = max((abs(entry) for entry in matrix), default=mpf(0)) * DOUBT
    with flint.ctx.workprec(mpmath.mp.prec + GUARD_BITS):
        radius = flint.arb(0, as_ball(doubt))
        left = flint.arb_mat([[as_ball(entry) + radius for entry in row] for row in matrix.tolist()])
        try:
            found = left.solve(balls(right))
        except ZeroDivisionError:
            return None
        size = max(abs(middle(entry)) for entry in found.entries())
        if not all(entry.is_finite() and middle(entry.rad()) <= TRUSTED * size for entry in found.entries()):
            return None
        return from_entries([middle(entry) for entry in found.entries()], right.cols)


def times(first: Matrix, *others: Matrix) -> Matrix:
    """The product of mpmath matrices, computed by flint."""
    with flint.ctx.workprec(mpmath.mp.prec + GUARD_BITS):
        result = first
        for factor in others:
            if 0 in (result.rows, factor.rows, factor.cols):
                result = mpmath.zeros(result.rows, factor.cols)
            else:
                entries = (balls(result) * balls(factor)).entries()
                result = from_entries([middle(entry) for entry in entries], factor.cols)
        return result


def spectral_norm(matrix: Matrix) -> mpf:
    """sigma_1 of an mpmath matrix; 0 when it has no rows or no columns."""
    if 0 in (matrix.rows, matrix.cols):
        return mpf(0)
    wide = matrix.T if matrix.rows > matrix.cols else matrix
    return mpmath.sqrt(max(mpf(0), *eigenvalues_of(times(wide, wide.T))))


def balls(matrix: Matrix) -> Any:
    """The same matrix for flint, exactly."""
    return flint.arb_mat([[as_ball(entry) for entry in row] for row in matrix.tolist()])


def tangent_basis(normal: Sequence[mpf]) -> Matrix:
    """An orthonormal basis of the hyperplane orthogonal to a nonzero vector, shape (d, d - 1)."""
    if len(normal) == 1:
        return mpmath.matrix(1, 0)
    n = mpmath.matrix(list(normal))
    size, length = n.rows, mpmath.norm(n)
    pivot = max(range(size), key=lambda i: abs(n[i]))
    v = n.copy()
    v[pivot] += mpmath.sign(n[pivot]) * length
    scaled = 2 * v / mpmath.fdot(v, v)
    columns = [j for j in range(size) if j != pivot]
    return mpmath.matrix([[int(i == j) - v[i] * scaled[j] for j in columns] for i in range(size)])


def coordinate_basis(size: int, chosen: Sequence[int]) -> Matrix:
    """Those columns of the identity, shape (size, number chosen)."""
    basis = mpmath.zeros(size, len(chosen))
    for column, i in enumerate(chosen):
        basis[i, column] = 1
    return basis

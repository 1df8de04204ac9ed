"""Numeric linear algebra in mpmath's current precision, for `python -m theory check`: spectra and bases."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import mpmath
from mpmath import mpf

Matrix = Any  # an mpmath matrix


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
    eigenvalues = tuple(chopped(mpmath.eigsy(matrix, eigvals_only=True)))
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


def eigensystem(matrix: Matrix) -> tuple[list[mpf], Matrix]:
    """Ascending eigenvalues and orthonormal eigenvectors (columns) of the symmetric part, nothing rounded."""
    if matrix.rows == 0:
        return [], matrix
    eigenvalues, vectors = mpmath.eigsy((matrix + matrix.T) / 2)
    return list(eigenvalues), vectors


def spectral_norm(matrix: Matrix) -> mpf:
    """sigma_1 of an mpmath matrix; 0 when it has no rows or no columns."""
    if 0 in (matrix.rows, matrix.cols):
        return mpf(0)
    return max(mpmath.svd_r(matrix, compute_uv=False))


def tangent_basis(normal: Sequence[mpf]) -> Matrix:
    """An orthonormal basis of the hyperplane orthogonal to a nonzero vector, shape (d, d - 1)."""
    n = mpmath.matrix(list(normal))
    size, length = n.rows, mpmath.norm(n)
    pivot = max(range(size), key=lambda i: abs(n[i]))
    v = n.copy()
    v[pivot] += mpmath.sign(n[pivot]) * length
    reflection = mpmath.eye(size) - 2 * v * v.T / mpmath.fdot(v, v)
    return reflection * coordinate_basis(size, [j for j in range(size) if j != pivot])


def coordinate_basis(size: int, chosen: Sequence[int]) -> Matrix:
    """Those columns of the identity, shape (size, number chosen)."""
    basis = mpmath.zeros(size, len(chosen))
    for column, i in enumerate(chosen):
        basis[i, column] = 1
    return basis

"""Polishing for `python -m theory check`: Newton's method on each smooth piece of the unit ball, to 30
digits, and the second-order test of what it reaches.

Work is done in u = (x' - center)/epsilon. The pieces of the L2 ball are its inside and its sphere; those of
the box are its inside and its faces of every dimension.
"""

from __future__ import annotations

import math
from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

import mpmath
from mpmath import mpf

from theory.own_loss.evaluate import Unresolved
from theory.own_loss.matrices import (
    Matrix,
    coordinate_basis,
    eigenvalues_of,
    solved,
    solved_but_for_flat_directions,
    tangent_basis,
    times,
    top_direction,
)
from theory.own_loss.objective import Objective

SINGULAR = mpf(10) ** -20  # eigenvalues and multipliers below this fraction of the loss's scale count as 0
CONVERGED = mpf(10) ** -40  # relative length of the last Newton step
STATIONARY = mpf(10) ** -30  # of the loss's scale: a larger slope along a piece belongs to no maximum on it
SAME = mpf(10) ** -15  # two maxima this close, in u, are one
ON_BOUNDARY = 1e-6  # an ascent that ends this close to the unit sphere or a face may lie on it


@dataclass(frozen=True)
class Maximum:
    """A local maximum of the loss on the unit ball: u, its case, the active faces {i: side}, and its loss.

    `basis` spans the directions in which u may move (the whole space, the tangent space of the sphere, the
    free coordinates of the box), its columns orthonormal; `eigenvalues`, ascending, are those of the
    Lagrangian's Hessian in u on it. `multipliers` are the normal derivatives: `u . grad` on the sphere,
    `side_i grad_i` on each active face of the box. `scale` is the largest derivative seen on the ball.
    """

    u: tuple[mpf, ...]
    case: str
    active: dict[int, int]
    value: mpf
    basis: Matrix
    eigenvalues: tuple[mpf, ...]
    multipliers: tuple[mpf, ...]
    scale: mpf
    released_singular: bool

    @property
    def strict(self) -> bool:
        """Strict complementarity: whether every multiplier is positive; true inside the ball."""
        return all(m > SINGULAR * self.scale for m in self.multipliers)

    @property
    def flat(self) -> bool:
        """Whether the restricted Hessian is singular."""
        return bool(min((abs(e) for e in self.eigenvalues), default=self.scale) <= SINGULAR * self.scale)

    @property
    def singular(self) -> bool:
        """Whether it is, also with boundaries of zero multiplier released."""
        return self.flat or bool(not self.strict and self.released_singular)


def polish(
    objective: Objective, norm: str, start: Sequence[float], scale: mpf, known: Sequence[Maximum] = ()
) -> tuple[Maximum | None, list[list[mpf]]]:
    """The maximum near `start`, or None and, at a saddle, the two directions in which the loss rises; None also where
    it is one of the `known`.

    Args: `norm` "l2" or "linf"; `start` a point of the unit ball; `scale` the largest derivative seen on it.
    """
    for held in _possible_pieces(objective, norm, start, scale):
        piece = _Piece(norm, len(start), held)
        u = _newton(objective, piece, [mpf(entry) for entry in start])
        if u is None or distance(u, start) > mpf("0.05") or piece.leaves(u):
            continue
        if any(distance(u, other.u) < SAME for other in known):
            return None, []
        slope, curvature = objective.precise_derivatives(u)
        multipliers = piece.multipliers(u, slope)
        if min(multipliers, default=mpf(0)) < -SINGULAR * scale:
            continue
        basis = piece.basis(u)
        if max((abs(entry) for entry in times(basis.T, slope)), default=mpf(0)) > STATIONARY * scale:
            continue
        bends = piece.reduced(basis, piece.lagrangian(u, slope, curvature))
        eigenvalues = eigenvalues_of(bends)
        if max(eigenvalues, default=-scale) > SINGULAR * scale:
            direction = list(basis * top_direction(bends, eigenvalues[-1]))
            return None, [direction, [-entry for entry in direction]]
        released = piece.released(multipliers, scale)
        curvatures = [-scale]
        if min(multipliers, default=scale) <= SINGULAR * scale:
            curvatures = eigenvalues_of(times(released.T, curvature, released))
        maximum = Maximum(
            u=tuple(u),
            case=piece.case,
            active=piece.active,
            value=objective.precise_value(u),
            basis=basis,
            eigenvalues=tuple(eigenvalues),
            multipliers=tuple(multipliers),
            scale=scale,
            released_singular=bool(min(map(abs, curvatures), default=scale) <= SINGULAR * scale),
        )
        return maximum, []
    return None, []


def distance(a: Sequence[Any], b: Sequence[Any]) -> Any:
    """The largest difference of two coordinates."""
    return max(abs(s - t) for s, t in zip(a, b, strict=True))


@dataclass(frozen=True)
class _Piece:
    """A smooth piece of the unit ball on which the maximum may lie: `held` is None inside the L2 ball, {} on
    its sphere, and the faces {i: side} of the box."""

    norm: str
    size: int
    held: dict[int, int] | None

    @property
    def case(self) -> str:
        if self.norm == "l2":
            return "interior" if self.held is None else "sphere"
        return "box" if self.held else "interior"

    @property
    def active(self) -> dict[int, int]:
        return dict(self.held or {})

    def place(self, u: Sequence[mpf]) -> list[mpf]:
        if self.case == "sphere":
            length = mpmath.norm(mpmath.matrix(list(u)))
            return [entry / length for entry in u]
        return [mpf(self.active.get(i, entry)) for i, entry in enumerate(u)]

    def leaves(self, u: Sequence[mpf]) -> bool:
        """Whether a point of the piece lies outside the ball, or on a boundary that is not held."""
        if self.case == "sphere":
            return False
        if self.norm == "l2":
            return bool(mpmath.norm(mpmath.matrix(list(u))) >= 1 - SINGULAR)
        return any(abs(entry) >= 1 - SINGULAR for i, entry in enumerate(u) if i not in self.active)

    def basis(self, u: Sequence[mpf]) -> Matrix:
        """Orthonormal columns that span the directions in which u may move on the piece."""
        return tangent_basis(u) if self.case == "sphere" else self._beside(self.active)

    def multipliers(self, u: Sequence[mpf], slope: Matrix) -> list[mpf]:
        if self.case == "sphere":
            return [mpmath.fdot(u, slope)]
        return [side * slope[i] for i, side in self.active.items()]

    def released(self, multipliers: Sequence[mpf], scale: mpf) -> Matrix:
        """A basis of the directions that are free once the boundaries with a zero multiplier are released."""
        if self.case != "box":
            return self._beside({})
        return self._beside(
            {i for i, m in zip(self.active, multipliers, strict=True) if m > SINGULAR * scale}
        )

    def lagrangian(self, u: Sequence[mpf], slope: Matrix, curvature: Matrix) -> Matrix:
        """The Hessian of the loss, minus mu times the unit sphere's curvature where u lies on it."""
        if self.case != "sphere":
            return curvature
        return curvature - self.multipliers(u, slope)[0] * mpmath.eye(self.size)

    def reduced(self, basis: Matrix, matrix: Matrix) -> Matrix:
        """`basis^T matrix basis`."""
        if self.case == "sphere":
            return times(basis.T, matrix, basis)
        free = [i for i in range(self.size) if i not in self.active]
        return mpmath.matrix([[matrix[i, j] for j in free] for i in free]) if free else mpmath.matrix(0, 0)

    def _beside(self, coordinates: Container[int]) -> Matrix:
        return coordinate_basis(self.size, [i for i in range(self.size) if i not in coordinates])


def _possible_pieces(
    objective: Objective, norm: str, start: Sequence[float], scale: mpf
) -> Iterator[dict[int, int] | None]:
    """The pieces to try, in order: first with weakly held boundaries released, then with all of them held."""
    if norm == "l2":
        on_sphere = math.hypot(*start) >= 1 - ON_BOUNDARY
        yield from ((None, {}) if on_sphere else (None,))
        return
    slope = objective.slope(start)
    touched = {i: 1 if entry > 0 else -1 for i, entry in enumerate(start) if abs(entry) >= 1 - ON_BOUNDARY}
    weak = [i for i, side in touched.items() if side * slope[i] <= 1e-7 * float(scale / objective.unit)][:6]
    for released in sorted(product((True, False), repeat=len(weak)), key=lambda r: -sum(r)):
        freed = {i for i, free in zip(weak, released, strict=True) if free}
        yield {i: side for i, side in touched.items() if i not in freed}


def _newton(objective: Objective, piece: _Piece, start: Sequence[mpf], most: int = 250) -> list[mpf] | None:
    """Newton's method on the piece; flat directions are left alone, so a continuum is reached too."""
    u = piece.place(start)
    smallest = mpf("inf")
    for iteration in range(most):
        try:
            slope, curvature = objective.precise_derivatives(u)
        except Unresolved:
            return None
        basis = piece.basis(u)
        if basis.cols == 0:
            return u
        bends = piece.reduced(basis, piece.lagrangian(u, slope, curvature))
        pull = times(basis.T, slope)
        move = solved(bends, pull)
        step = -times(basis, solved_but_for_flat_directions(bends, pull) if move is None else move)
        length = mpmath.norm(step)
        u = piece.place([a + b for a, b in zip(u, step, strict=True)])
        if length <= CONVERGED:
            return u
        smallest = min(smallest, length)
        if length > 1 or (iteration > 20 and length > 100 * smallest):
            return None
    return u if smallest < mpf(10) ** -12 else None

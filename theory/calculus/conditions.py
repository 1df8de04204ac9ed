"""First and second order conditions of the attack, and D_theta x' (Lemmas 4 and 5): interior, sphere, box."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Expr, Matrix, Symbol, zeros

from theory.calculus.derivatives import (
    At,
    at_point,
    gradient,
    hessian,
    lagrangian_hessian,
    mixed,
    norm_gradient,
    norm_hessian,
    offset_from,
    tangent_basis,
)
from theory.deciders.decisions import all_of, is_negative_definite, is_zero, sign_of, solve


@dataclass(frozen=True)
class Conditions:
    """First and second order conditions of the attack at one point.

    Every truth value is True, False or None (undecided). `residual` must vanish (first order), `multipliers`
    must be >= 0, and > 0 for strict complementarity, and `reduced_hessian` must be negative definite (second
    order, sufficient). `active` maps a coordinate at a face of the box to its side, +1 or -1. `normal` and
    `basis` are set on a sphere.
    """

    case: str
    gradient: Matrix
    residual: Matrix
    multipliers: Matrix
    reduced_hessian: Matrix
    first_order: bool | None
    strict_complementarity: bool | None
    second_order: bool | None
    normal: Matrix | None = None
    basis: Matrix | None = None
    active: Mapping[int, int] = field(default_factory=dict)

    @property
    def strict_local_maximum(self) -> bool | None:
        """Whether the sufficient conditions hold; None is undecided, False does not exclude a maximum."""
        return all_of([self.first_order, self.strict_complementarity, self.second_order])


def interior_conditions(loss: Any, x: Sequence[Symbol], at: At | None = None) -> Conditions:
    """Conditions at an interior point: `grad_x l = 0` and `grad_x^2 l < 0` (Sec. 3.2.1, Lemma 4)."""
    slope = at_point(gradient(loss, x), at)
    curvature = at_point(hessian(loss, x), at)
    return Conditions(
        case="interior",
        gradient=slope,
        residual=slope,
        multipliers=zeros(0, 1),
        reduced_hessian=curvature,
        first_order=_vanishes(slope),
        strict_complementarity=True,
        second_order=is_negative_definite(curvature),
    )


def sphere_conditions(
    loss: Any, x: Sequence[Symbol], center: Sequence[Any], at: At | None = None, norm: Any = 2
) -> Conditions:
    """Conditions on the L_p sphere: `grad_x l = mu n`, `mu >= 0`, tangent Hessian < 0 (Lemma 5).

    `mu = n . grad_x l / |n|_2^2`. The point is taken to lie on the sphere; its radius is ||x - center||.
    """
    offset = offset_from(x, center)
    slope = at_point(gradient(loss, x), at)
    normal = at_point(norm_gradient(offset, norm), at)
    multiplier = (normal.T * slope)[0] / (normal.T * normal)[0]
    basis = tangent_basis(normal)
    curvature = at_point(hessian(loss, x), at) - multiplier * at_point(norm_hessian(offset, norm), at)
    reduced = basis.T * curvature * basis
    residual = slope - multiplier * normal
    return Conditions(
        case="sphere",
        gradient=slope,
        residual=residual,
        multipliers=Matrix([multiplier]),
        reduced_hessian=reduced,
        first_order=all_of([_vanishes(residual), _at_least(multiplier, 0)]),
        strict_complementarity=_at_least(multiplier, 1),
        second_order=is_negative_definite(reduced),
        normal=normal,
        basis=basis,
    )


def box_conditions(
    loss: Any,
    x: Sequence[Symbol],
    center: Sequence[Any],
    epsilon: Any,
    at: At | None = None,
    active: Mapping[int, int] | None = None,
) -> Conditions:
    """Conditions in the L_infinity ball: `s_i dl/dx_i >= 0` if active, gradient 0 and `H_FF < 0` if free.

    Args: `active` the coordinates at `center_i + s_i epsilon` with s_i in {-1, 1}; read off the point when
    omitted.
    Raises: ValueError when the active set cannot be decided from the point.
    """
    offset = [at_point(Matrix([entry]), at)[0] for entry in offset_from(x, center)]
    sides = dict(active) if active is not None else _active_set(offset, sympy.sympify(epsilon))
    free = [i for i in range(len(x)) if i not in sides]
    slope = at_point(gradient(loss, x), at)
    reduced = at_point(hessian(loss, x), at).extract(free, free)
    multipliers = Matrix(len(sides), 1, [side * slope[i] for i, side in sides.items()])
    residual = Matrix(len(free), 1, [slope[i] for i in free])
    return Conditions(
        case="box",
        gradient=slope,
        residual=residual,
        multipliers=multipliers,
        reduced_hessian=reduced,
        first_order=all_of([_vanishes(residual), *[_at_least(m, 0) for m in multipliers]]),
        strict_complementarity=all_of([_at_least(m, 1) for m in multipliers]),
        second_order=is_negative_definite(reduced),
        active=sides,
    )


def attack_jacobian(
    loss: Any,
    x: Sequence[Symbol],
    theta: Sequence[Symbol],
    *,
    case: str,
    center: Sequence[Any] | None = None,
    multiplier: Any = None,
    norm: Any = 2,
    active: Iterable[int] = (),
    at: At | None = None,
) -> Matrix:
    """`D_theta x'`, shape (d, number of parameters); `B = grad_theta grad_x l` has the same shape.

    `case="interior"`: `-H^{-1} B`. `case="sphere"`: `-T (T^T H_J T)^{-1} T^T B` with H_J from
    `lagrangian_hessian`; the multiplier is `n . grad_x l / |n|^2` when omitted. `case="box"`: zero rows on
    the `active` coordinates, `-H_FF^{-1} B_F` on the free ones. On sphere and box strict complementarity is
    assumed, not checked.

    Raises: ValueError for an unknown case, a missing center, or a singular matrix (the attack is then not
    differentiable by this argument). Source: Eqs. (39) and (44), derived; the sphere case is the x-block of
    Eq. (44).
    """
    cross = at_point(mixed(loss, x, theta), at)
    if case == "interior":
        return -solve(at_point(hessian(loss, x), at), cross, name="the Hessian in x")
    if case == "box":
        return _box_jacobian(at_point(hessian(loss, x), at), cross, set(active))
    if case != "sphere":
        raise ValueError(f"case = {case!r} is unknown; choose one of interior, sphere, box")
    if center is None:
        raise ValueError("center = None; the sphere case needs the center of the ball: pass center=...")
    normal = at_point(norm_gradient(offset_from(x, center), norm), at)
    if multiplier is None:
        multiplier = (normal.T * at_point(gradient(loss, x), at))[0] / (normal.T * normal)[0]
    basis = tangent_basis(normal)
    reduced = basis.T * lagrangian_hessian(loss, x, center, multiplier, norm, at) * basis
    return -basis * solve(reduced, basis.T * cross, name="the Hessian of the Lagrangian on the tangent space")


def _active_set(offset: Sequence[Expr], epsilon: Expr) -> dict[int, int]:
    active: dict[int, int] = {}
    for i, entry in enumerate(offset):
        distances = {side: sign_of(epsilon - side * entry) for side in (1, -1)}
        if None in distances.values() or -1 in distances.values():
            raise ValueError(
                f"coordinate {i} has x'_{i} - center_{i} = {entry}, which is not known to lie in "
                f"[-{epsilon}, {epsilon}]; give a point inside the ball or pass active={{index: side}}"
            )
        for side, sign in distances.items():
            if sign == 0:
                active[i] = side
    return active


def _box_jacobian(curvature: Matrix, cross: Matrix, active: set[int]) -> Matrix:
    free = [i for i in range(curvature.rows) if i not in active]
    columns = list(range(cross.cols))
    moved = solve(
        curvature.extract(free, free),
        cross.extract(free, columns),
        name="the Hessian in the free coordinates",
    )
    result = zeros(curvature.rows, cross.cols)
    for row, i in enumerate(free):
        for j in columns:
            result[i, j] = -moved[row, j]
    return result


def _vanishes(matrix: Matrix) -> bool | None:
    return all_of([is_zero(entry) for entry in matrix])


def _at_least(value: Any, least_sign: int) -> bool | None:
    """Whether the sign of value is known to be at least 0 (non-negative) or 1 (positive)."""
    sign = sign_of(value)
    if sign is None:
        expr = sympy.sympify(value)
        return True if least_sign == 0 and expr.is_nonnegative else None
    return sign >= least_sign

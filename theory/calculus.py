"""Calculus of the attack for any twice differentiable loss, for Lemmas 1-5, Eqs. (20)-(22), (32), (39)-(45).

The attack maximises `loss(x', theta)` over the ball of radius epsilon around `center`. Signs are those of
Eq. (20), `J = l - mu (||x' - center||_p - epsilon)`, so that a maximum on the boundary has
`grad_x l = mu n` with `mu >= 0`, where `n = grad_x' ||x' - center||_p`. Nothing here is copied from the
paper: every matrix comes from differentiation.

A point is given as `at`, a mapping from symbols to values, applied after differentiation. Exact values give
exact results; with floating-point values a quantity below `NUMERIC_ZERO` counts as zero.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import sympy
from sympy import Abs, Dummy, Expr, Matrix, Symbol, eye, sqrt, zeros

from theory.decisions import all_of, is_negative_definite, is_zero, sign_of, solve

At = Mapping[Any, Any]


def gradient(f: Any, variables: Sequence[Symbol]) -> Matrix:
    """The column `(df/dv_1, ..., df/dv_n)` of a scalar expression, shape (n, 1)."""
    return Matrix([sympy.diff(sympy.sympify(f), v) for v in variables])


def jacobian(F: Iterable[Any], variables: Sequence[Symbol]) -> Matrix:
    """The matrix `dF_i/dv_j` of a vector of expressions, shape (len(F), len(variables))."""
    rows = [sympy.sympify(f) for f in F]
    return Matrix(len(rows), len(variables), lambda i, j: sympy.diff(rows[i], variables[j]))


def hessian(f: Any, variables: Sequence[Symbol]) -> Matrix:
    """The symmetric matrix `d^2 f / dv_i dv_j`, each pair differentiated once (f is taken to be C^2)."""
    return _symmetric_second_derivatives(sympy.sympify(f), variables)


def mixed(f: Any, rows: Sequence[Symbol], columns: Sequence[Symbol]) -> Matrix:
    """The matrix `d^2 f / d rows_i d columns_j`; `mixed(l, x, theta)` is B in `D_theta x' = -H^{-1} B`."""
    return jacobian(gradient(f, rows), columns)


def implicit_jacobian(
    F: Iterable[Any], unknowns: Sequence[Symbol], parameters: Sequence[Symbol], at: At | None = None
) -> Matrix:
    """`-(D_u F)^{-1} D_p F`, the derivative of the solution u(p) of F(u, p) = 0 (implicit function theorem).

    Args: `F` as many expressions as unknowns; `at` optionally a point, substituted after differentiation.
    Raises: ValueError when F and unknowns differ in number, or when D_u F is singular.
    Source: Eqs. (39) and (44), derived.
    """
    equations = list(F)
    if len(equations) != len(unknowns):
        raise ValueError(
            f"F has {len(equations)} equations for {len(unknowns)} unknowns; the implicit function theorem "
            "needs as many equations as unknowns: add or drop equations"
        )
    inner = _at(jacobian(equations, unknowns), at)
    return -solve(inner, _at(jacobian(equations, parameters), at), name="D_u F")


def p_norm(vector: Iterable[Any], norm: Any = 2) -> Expr:
    """`||v||_p = (sum |v_i|^p)^(1/p)` for a finite p > 1 and real entries; no absolute values at even p.

    Raises: ValueError for a norm that is not a finite number above 1 (the sphere is then not smooth).
    """
    p = _finite_exponent(norm)
    entries = [sympy.sympify(v) for v in vector]
    if p.is_Integer and p % 2 == 0:
        return sympy.Add(*[v**p for v in entries]) ** (1 / p)
    return sympy.Add(*[Abs(v) ** p for v in entries]) ** (1 / p)


def norm_gradient(vector: Iterable[Any], norm: Any = 2) -> Matrix:
    """`n = grad_v ||v||_p` for a finite p > 1 at v != 0, derived; its dual norm is one (`|n|_2` at p = 2)."""
    return _norm_derivatives(list(vector), norm)[0]


def norm_hessian(vector: Iterable[Any], norm: Any = 2) -> Matrix:
    """`grad_v^2 ||v||_p` for a finite p > 1 at v != 0, derived; at p < 2 it needs every v_i nonzero."""
    return _norm_derivatives(list(vector), norm)[1]


def lagrangian(
    loss: Any, x: Sequence[Symbol], center: Sequence[Any], norm: Any, epsilon: Any, multiplier: Any
) -> Expr:
    """`J = l - mu (||x - center||_p - epsilon)`, Eq. (20): MINUS mu, so that mu >= 0 at a maximum.

    Args: `x` the symbols of the perturbed input x'; `center` the clean input; `norm` a finite p > 1. For its
    Hessian use `bordered_hessian`: with a single real x, sqrt((x - c)^2) is |x - c| to sympy.
    """
    distance = p_norm(_offset(x, center), norm)
    return sympy.sympify(loss) - multiplier * (distance - sympy.sympify(epsilon))


def lagrangian_hessian(
    loss: Any,
    x: Sequence[Symbol],
    center: Sequence[Any],
    multiplier: Any,
    norm: Any = 2,
    at: At | None = None,
) -> Matrix:
    """`H_J = grad_x^2 l - mu grad_x^2 ||x - center||_p`, shape (d, d): the x-block of Eq. (20)'s Hessian."""
    curvature = norm_hessian(_offset(x, center), norm)
    return _at(hessian(loss, x) - multiplier * curvature, at)


def bordered_hessian(
    loss: Any,
    x: Sequence[Symbol],
    center: Sequence[Any],
    multiplier: Any,
    norm: Any = 2,
    at: At | None = None,
) -> Matrix:
    """The Hessian of Eq. (20)'s J in the variables (mu, x), by differentiation, shape (d + 1, d + 1).

    Its border is `-n`, because J contains `-mu ||x - center||`; Eqs. (22) and (43) print the border `+n`.
    The two differ by the similarity diag(-1, 1, ..., 1), so determinant, eigenvalues and singular values
    are the same; the mu-row of the inverse changes sign, the x-block does not.

    Args: `multiplier` a symbol (or a value, then only the x-block depends on it).
    """
    mu = Dummy("mu", real=True)
    if _is_even(norm):
        # Symbols not assumed real keep sqrt(v^2) from becoming |v| at d = 1, with a delta in its Hessian.
        plain = [Dummy(str(symbol)) for symbol in x]
        there = dict(zip(x, plain, strict=True))
        stand_in = lagrangian(sympy.sympify(loss).subs(there), plain, center, norm, 0, mu)
        matrix = hessian(stand_in, [mu, *plain]).subs(dict(zip(plain, x, strict=True)))
    else:
        normal = norm_gradient(_offset(x, center), norm)
        matrix = bordered_matrix(lagrangian_hessian(loss, x, center, mu, norm), normal)
    return _at(matrix.subs(mu, multiplier), at)


def bordered_matrix(block: Matrix, normal: Matrix, border_sign: int = -1) -> Matrix:
    """`[[0, s n^T], [s n, block]]`; s = -1 is the Hessian of Eq. (20), s = +1 the sign printed in Eq. (22).

    For either sign, any symmetric block and any n != 0: `det = -|n|_2^2 det(T^T block T)`, T from
    `tangent_basis(n)`. A strict maximum has a negative definite T^T block T of size d - 1, hence
    `sign det = (-1)^d`.
    """
    size = block.rows
    border = border_sign * Matrix(normal)
    return Matrix.vstack(
        Matrix.hstack(zeros(1, 1), border.T), Matrix.hstack(border, block).reshape(size, size + 1)
    )


def tangent_basis(normal: Iterable[Any]) -> Matrix:
    """An exact orthonormal basis T of the hyperplane orthogonal to `normal`, shape (d, d - 1).

    `T^T T = I`, `T^T n = 0`, by one Householder reflection. A pivot coordinate k whose sign is known is
    used; T consists of the columns j != k of `I - v v^T / (|n| (|n| + |n_k|))`, `v = n + sign(n_k) |n| e_k`.
    With symbols of unknown sign k is the first coordinate and sign +1 is used: then the basis is valid
    wherever n is not a negative multiple of e_1.

    Raises: ValueError when the normal is zero.
    """
    n = Matrix([sympy.sympify(entry) for entry in normal])
    signs = [sign_of(entry) for entry in n]
    if all(sign == 0 for sign in signs):
        raise ValueError("normal is zero; a tangent space needs a nonzero normal: is x' equal to the center?")
    pivot = next((k for k, sign in enumerate(signs) if sign in (1, -1)), 0)
    sign = signs[pivot] or 1
    length = sqrt(sympy.Add(*[entry**2 for entry in n]))
    v = n.copy()
    v[pivot] += sign * length
    reflection = eye(n.rows) - v * v.T / (length * (length + sign * n[pivot]))
    keep = [j for j in range(n.rows) if j != pivot]
    # Plain radicals instead of quotients of them keep what is built from the basis short.
    return reflection[:, keep].applyfunc(lambda entry: entry if entry.free_symbols else sympy.radsimp(entry))


def tangent_hessian(
    loss: Any,
    x: Sequence[Symbol],
    center: Sequence[Any],
    multiplier: Any,
    norm: Any = 2,
    at: At | None = None,
) -> Matrix:
    """`T^T (grad_x^2 l - mu grad_x^2 ||x - center||_p) T`, shape (d - 1, d - 1).

    T is `tangent_basis` of the normal at the point.
    At p = 2 with `||x - center|| = epsilon` it equals `T^T grad_x^2 l T - (mu/epsilon) I`.
    """
    basis = tangent_basis(_at(norm_gradient(_offset(x, center), norm), at))
    return basis.T * lagrangian_hessian(loss, x, center, multiplier, norm, at) * basis


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
    slope = _at(gradient(loss, x), at)
    curvature = _at(hessian(loss, x), at)
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
    offset = _offset(x, center)
    slope = _at(gradient(loss, x), at)
    normal = _at(norm_gradient(offset, norm), at)
    multiplier = (normal.T * slope)[0] / (normal.T * normal)[0]
    basis = tangent_basis(normal)
    curvature = _at(hessian(loss, x), at) - multiplier * _at(norm_hessian(offset, norm), at)
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
    offset = [_at(Matrix([entry]), at)[0] for entry in _offset(x, center)]
    sides = dict(active) if active is not None else _active_set(offset, sympy.sympify(epsilon))
    free = [i for i in range(len(x)) if i not in sides]
    slope = _at(gradient(loss, x), at)
    reduced = _at(hessian(loss, x), at).extract(free, free)
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
    cross = _at(mixed(loss, x, theta), at)
    if case == "interior":
        return -solve(_at(hessian(loss, x), at), cross, name="the Hessian in x")
    if case == "box":
        return _box_jacobian(_at(hessian(loss, x), at), cross, set(active))
    if case != "sphere":
        raise ValueError(f"case = {case!r} is unknown; choose one of interior, sphere, box")
    if center is None:
        raise ValueError("center = None; the sphere case needs the center of the ball: pass center=...")
    normal = _at(norm_gradient(_offset(x, center), norm), at)
    if multiplier is None:
        multiplier = (normal.T * _at(gradient(loss, x), at))[0] / (normal.T * normal)[0]
    basis = tangent_basis(normal)
    reduced = basis.T * lagrangian_hessian(loss, x, center, multiplier, norm, at) * basis
    return -basis * solve(reduced, basis.T * cross, name="the Hessian of the Lagrangian on the tangent space")


def _at(matrix: Matrix, at: At | None) -> Matrix:
    """Substitute the point, simultaneously: a value may contain the symbols themselves."""
    if not at:
        return matrix
    pairs = {key: sympy.sympify(value) for key, value in at.items()}
    return matrix.applyfunc(lambda entry: entry.xreplace(pairs))


def _offset(x: Sequence[Any], center: Sequence[Any]) -> list[Expr]:
    if len(x) != len(center):
        raise ValueError(
            f"center has {len(center)} entries and x has {len(x)}; both must have the dimension of the "
            "input: give one center value per x symbol"
        )
    return [sympy.sympify(a) - sympy.sympify(c) for a, c in zip(x, center, strict=True)]


def _symmetric_second_derivatives(f: Expr, variables: Sequence[Symbol]) -> Matrix:
    first = [sympy.diff(f, v) for v in variables]
    upper = {
        (i, j): sympy.diff(first[i], variables[j])
        for i in range(len(variables))
        for j in range(i, len(variables))
    }
    return Matrix(len(variables), len(variables), lambda i, j: upper[min(i, j), max(i, j)])


def _finite_exponent(norm: Any) -> Expr:
    p = sympy.sympify(norm)
    if p.is_number and (p.is_finite is False or not p.is_real or p <= 1):
        raise ValueError(
            f"norm = {norm}; the sphere is smooth only for a finite p > 1: use 2 or another such p, "
            "and box_conditions or case='box' for the L_infinity ball"
        )
    return p


def _is_even(norm: Any) -> bool:
    p = _finite_exponent(norm)
    return bool(p.is_Integer and p % 2 == 0)


def _norm_derivatives(vector: list[Any], norm: Any) -> tuple[Matrix, Matrix]:
    """Gradient and Hessian of the p-norm. Even p: plain differentiation.

    Otherwise differentiate in u_i = |v_i| > 0 on one orthant and apply the chain rule with dv_i = s_i du_i,
    s_i = sign(v_i): this avoids derivatives of Abs, and s_i^2 = 1 gives the correct limit on the diagonal
    at v_i = 0 when p >= 2.
    """
    v = [sympy.sympify(entry) for entry in vector]
    size = len(v)
    if _is_even(norm):
        stand_in = [Dummy(f"v{i}") for i in range(size)]  # not real: see bordered_hessian
        length = p_norm(stand_in, norm)
        values = dict(zip(stand_in, v, strict=True))
        return gradient(length, stand_in).subs(values), hessian(length, stand_in).subs(values)
    u = [Dummy(f"u{i}", positive=True) for i in range(size)]
    length = sympy.Add(*[entry ** _finite_exponent(norm) for entry in u]) ** (1 / _finite_exponent(norm))
    values = {entry: Abs(value) for entry, value in zip(u, v, strict=True)}
    signs = [sympy.sign(entry) for entry in v]
    first, second = gradient(length, u), hessian(length, u)
    slope = Matrix(size, 1, lambda i, _: signs[i] * sympy.powsimp(first[i]).subs(values))
    curvature = Matrix(
        size,
        size,
        lambda i, j: (1 if i == j else signs[i] * signs[j]) * sympy.powsimp(second[i, j]).subs(values),
    )
    return slope, curvature


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

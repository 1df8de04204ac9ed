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
from typing import Any

import sympy
from sympy import Abs, Dummy, Expr, Matrix, Symbol, eye, sqrt, zeros

from theory.deciders.decisions import sign_of, solve

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
    inner = at_point(jacobian(equations, unknowns), at)
    return -solve(inner, at_point(jacobian(equations, parameters), at), name="D_u F")


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
    distance = p_norm(offset_from(x, center), norm)
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
    curvature = norm_hessian(offset_from(x, center), norm)
    return at_point(hessian(loss, x) - multiplier * curvature, at)


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
        normal = norm_gradient(offset_from(x, center), norm)
        matrix = bordered_matrix(lagrangian_hessian(loss, x, center, mu, norm), normal)
    return at_point(matrix.subs(mu, multiplier), at)


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
    basis = tangent_basis(at_point(norm_gradient(offset_from(x, center), norm), at))
    return basis.T * lagrangian_hessian(loss, x, center, multiplier, norm, at) * basis


def at_point(matrix: Matrix, at: At | None) -> Matrix:
    """Substitute the point, simultaneously: a value may contain the symbols themselves."""
    if not at:
        return matrix
    pairs = {key: sympy.sympify(value) for key, value in at.items()}
    return matrix.applyfunc(lambda entry: entry.xreplace(pairs))


def offset_from(x: Sequence[Any], center: Sequence[Any]) -> list[Expr]:
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

"""Lemmas 4 and 5 written out in d coordinates for one loss each (Eqs. 22, 39, 43, 44), for `show --dim d`."""

from __future__ import annotations

from collections.abc import Iterator

import sympy as sp

from theory.calculus.conditions import attack_jacobian, sphere_conditions
from theory.calculus.derivatives import (
    bordered_hessian,
    bordered_matrix,
    gradient,
    hessian,
    implicit_jacobian,
    lagrangian,
    mixed,
    norm_gradient,
    tangent_hessian,
)
from theory.deciders.decisions import is_negative_definite
from theory.deciders.exact import compare, identity
from theory.deciders.facts import Fact, Grade


def lemma4_coordinates(d: int) -> Iterator[Fact]:
    """l = sum_i i theta_i x_i - |x|^2 - (x_1 + ... + x_d)^2/2: Hessian -(2I + ones), written out in d
    coordinates.

    Raises ValueError unless 1 <= d <= 6.
    """
    if not 1 <= d <= 6:
        raise ValueError(
            f"d = {d} must be between 1 and 6, so that the matrices fit a screen; choose such a dimension"
        )
    x, theta = sp.symbols(f"x1:{d + 1}", real=True), sp.symbols(f"theta1:{d + 1}", real=True)
    weights = sp.diag(*range(1, d + 1))
    loss = sum(theta[i] * (i + 1) * x[i] for i in range(d)) - sum(e**2 for e in x) - sum(x) ** 2 / 2
    slope = [sp.diff(loss, e) for e in x]
    curvature, cross = hessian(loss, x), mixed(loss, x, theta)
    moved = implicit_jacobian(slope, x, theta)
    where, z = (d,), sp.Symbol("lambda")
    closed = (sp.eye(d) - sp.ones(d, d) / (d + 2)) * weights / 2
    yield identity(
        "the Jacobian -H^{-1} B by linear solving is (I - ones/(d + 2)) B / 2 (Sherman-Morrison)",
        moved,
        closed,
        dimension=where,
        shows=(
            f"loss l = {loss}",
            f"grad_x l = {slope} = 0 at the attack",
            *_rows("H = grad_x^2 l", curvature),
            *_rows("B = grad_theta grad_x l", cross),
            *_rows("D x' = -H^(-1) B", moved),
        ),
    )
    yield identity(
        "the eigenvalue of H is -3"
        if d == 1
        else f"the eigenvalues of H are -2 ({d - 1} times) and -{d + 2}",
        curvature.charpoly(z).as_expr(),
        sp.expand((z + 2) ** (d - 1) * (z + d + 2)),
        dimension=where,
        shows=(
            f"det(lambda I - H) = {sp.factor(curvature.charpoly(z).as_expr())}",
            f"det H = {curvature.det()}",
        ),
    )
    c = sp.Integer(3) if d == 1 else sp.Integer(2)
    bound = sp.Integer(d) / c
    excess = moved.T * moved - bound**2 * sp.eye(d)
    attained = d == 1 and excess[0] == 0
    yield Fact(
        f"the spectral norm of D x' is at most C_theta_x/c = {bound}"
        + (" (equal at d = 1)" if d == 1 else ""),
        True if attained else is_negative_definite(excess),
        Grade.PROVED,
        "Sylvester's criterion on (C_theta_x/c)^2 I - D^T D",
        where,
        (
            f"c = -max eigenvalue = {c}, C_theta_x = max singular value of B = {d}",
            *_rows("D^T D - (C_theta_x/c)^2 I", excess),
        ),
    )


def lemma5_coordinates(d: int) -> Iterator[Fact]:
    """l = sum_i i theta_i x_i - (3/2 x_1^2 + 2 x_2^2 + ... + d x_d^2)/2 around 0, epsilon = 1, theta =
    (5/2, 0, ..., 0): x' = e_1, mu = 1.

    Raises ValueError unless 1 <= d <= 6.
    """
    if not 1 <= d <= 6:
        raise ValueError(
            f"d = {d} must be between 1 and 6, so that the matrices fit a screen; choose such a dimension"
        )
    x, theta = sp.symbols(f"x1:{d + 1}", real=True), sp.symbols(f"theta1:{d + 1}", real=True)
    mu, z = sp.Symbol("mu", real=True), sp.Symbol("lambda")
    weights = [sp.Rational(3, 2), *range(2, d + 1)]
    loss = sum((i + 1) * theta[i] * x[i] - weights[i] * x[i] ** 2 / 2 for i in range(d))
    center, where = [0] * d, (d,)
    at = {**dict.fromkeys(theta, 0), **dict.fromkeys(x, 0), theta[0]: sp.Rational(5, 2), x[0]: 1, mu: 1}
    conditions = sphere_conditions(loss, x, center, at)
    yield identity(
        "grad_x l = mu n with mu = 1: x' = e_1 is stationary for J",
        conditions.gradient,
        norm_gradient([1, *center[1:]]) * 1,
        dimension=where,
        shows=(
            f"loss l = {loss}",
            "x = 0, epsilon = 1, theta = (5/2, 0, ..., 0), x' = e_1, n = e_1",
            f"mu = {conditions.multipliers[0]} > 0",
        ),
    )
    bordered = bordered_hessian(loss, x, center, mu, at=at)
    printed = bordered_matrix(bordered[1:, 1:], conditions.normal, +1)
    flip = sp.diag(-1, sp.eye(d))
    yield identity(
        "the derived bordered Hessian is S times the printed one times S, S = diag(-1, I): only the "
        "border's sign differs",
        flip * printed * flip,
        bordered,
        dimension=where,
        shows=(*_rows("derived from Eq. (20)", bordered), *_rows("as printed in Eq. (22)", printed)),
    )
    eigenvalues = [sp.Rational(1, 2), -2, *[-(q + 1) for q in weights[1:]]]
    yield identity(
        "its eigenvalues are 1/2, -2" + "".join(f", {e}" for e in eigenvalues[2:]),
        bordered.charpoly(z).as_expr(),
        sp.expand(sp.prod(z - e for e in eigenvalues)),
        dimension=where,
        shows=("singular values " + ", ".join(str(abs(e)) for e in eigenvalues) + ", so c = 1/2 in Lemma 5",),
    )
    determinant = bordered.det()
    yield identity(
        "det = -|n|^2 det(T^T H_J T)",
        determinant,
        -tangent_hessian(loss, x, center, 1, at=at).det(),
        dimension=where,
    )
    yield compare(
        f"the determinant has the sign (-1)^d = {(-1) ** d}, as at every nondegenerate maximum",
        (-1) ** d * determinant,
        ">",
        sp.Integer(0),
        dimension=where,
        shows=(
            f"det = {determinant}: Lemma 5's printed condition det > 0 "
            + (
                "holds"
                if determinant > 0
                else "FAILS at this strict maximum, and no other meets it, since d is odd"
            ),
        ),
    )
    reduced = conditions.reduced_hessian
    yield identity(
        "the tangent Hessian is -diag(3, ..., d + 1): negative definite (no condition at d = 1)",
        reduced,
        sp.diag(*[-(q + 1) for q in weights[1:]]) if d > 1 else sp.zeros(0, 0),
        dimension=where,
        shows=_rows("T^T H_J T", reduced) if d > 1 else ("T^T H_J T is the 0 x 0 matrix",),
    )
    J = lagrangian(loss, x, center, 2, 1, mu)
    whole = implicit_jacobian(gradient(J, [mu, *x]), [mu, *x], theta, at)
    moved = attack_jacobian(loss, x, theta, case="sphere", center=center, at=at)
    expected = sp.diag(0, *[sp.Rational(i, i + 1) for i in range(2, d + 1)])
    yield identity(
        "the x-rows of Eq. (44) are -T (T^T H_J T)^{-1} T^T B = diag(0, 2/3, 3/4, ...)",
        sp.Matrix.vstack(whole[1:, :], moved),
        sp.Matrix.vstack(expected, expected),
        dimension=where,
        shows=(
            *_rows("D g~ by Eq. (44), rows mu, x_1, ...", whole),
            *_rows("D x' on the tangent space", moved),
        ),
    )
    yield compare(
        f"|D x'| = {max(moved.singular_values())} <= C_theta_x/c = {2 * d}",
        max(moved.singular_values()),
        "<=",
        sp.Integer(d) / sp.Rational(1, 2),
        dimension=where,
        shows=(
            f"C_theta_x = {d}, c = 1/2; on the tangent space C_tangent/c_T = "
            f"{sp.Rational(d, 3) if d > 1 else 0}",
        ),
    )


def _rows(name: str, matrix: sp.Matrix) -> tuple[str, ...]:
    return (
        f"{name} =",
        *("    [" + ", ".join(str(entry) for entry in matrix.row(i)) + "]" for i in range(matrix.rows)),
    )

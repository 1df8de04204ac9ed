"""The calculus of the attack (theory/calculus/derivatives.py) against derivatives by hand, exact identities, and finite
differences at 40 digits."""

from __future__ import annotations

import random
from itertools import product

import mpmath
import pytest
import sympy
from mpmath import mpf
from sympy import Matrix, Rational, exp, eye, log, oo, simplify, sqrt, symbols, zeros

from theory.calculus import derivatives as calculus
from theory.deciders import decisions

X = symbols("x1:4", real=True)
T = symbols("t1:4", real=True)
FD_STEP = mpf(10) ** -15
# Central differences at 40 digits: an error of about step^2 = 1e-30 times third derivatives.
FD_ERROR = mpf(10) ** -25
# The logistic loss of the linear model in two dimensions.
LOGISTIC = log(1 + exp(-(X[0] * T[0] + X[1] * T[1])))


def test_derivatives_agree_with_those_of_a_polynomial_written_by_hand() -> None:
    f = X[0] ** 2 * X[1] + 3 * T[0] * X[1] ** 2
    assert calculus.gradient(f, X[:2]) == Matrix([2 * X[0] * X[1], X[0] ** 2 + 6 * T[0] * X[1]])
    assert calculus.hessian(f, X[:2]) == Matrix([[2 * X[1], 2 * X[0]], [2 * X[0], 6 * T[0]]])
    assert calculus.mixed(f, X[:2], T[:1]) == Matrix([0, 6 * X[1]])
    assert calculus.jacobian([X[0] * X[1], X[1]], X[:2]) == Matrix([[X[1], X[0]], [0, 1]])


def test_the_implicit_jacobian_of_a_circle_is_minus_p_over_u() -> None:
    u, p = symbols("u p", positive=True)
    found = calculus.implicit_jacobian([u**2 + p**2 - 1], [u], [p])
    assert simplify(found[0] - sympy.diff(sqrt(1 - p**2), p).subs(1 - p**2, u**2)) == 0


def test_a_singular_inner_derivative_is_named() -> None:
    u, v, p = symbols("u v p", real=True)
    with pytest.raises(ValueError, match="D_u F is singular"):
        calculus.implicit_jacobian([u + v + p, 2 * u + 2 * v - p], [u, v], [p])
    with pytest.raises(ValueError, match="2 equations for 1 unknowns"):
        calculus.implicit_jacobian([u, v], [u], [p])


@pytest.mark.parametrize("p", [Rational(3, 2), 2, 3, 4])
def test_the_derivatives_of_the_p_norm_agree_with_finite_differences(p: object) -> None:
    point = [mpf("0.3"), mpf("-0.7"), mpf("1.1")]
    values = dict(zip(X, [sympy.Float(v, 40) for v in point], strict=True))
    slope, curvature = calculus.norm_gradient(X, p).subs(values), calculus.norm_hessian(X, p).subs(values)
    with mpmath.workdps(40):
        q = mpf(sympy.Rational(p).p) / sympy.Rational(p).q

        def norm(v: list[mpf]) -> mpf:
            return mpmath.fsum(abs(entry) ** q for entry in v) ** (1 / q)

        def moved(i: int, sign: int, base: list[mpf]) -> list[mpf]:
            return [entry + sign * FD_STEP * (j == i) for j, entry in enumerate(base)]

        for i in range(3):
            first = (norm(moved(i, 1, point)) - norm(moved(i, -1, point))) / (2 * FD_STEP)
            assert abs(first - mpf(str(slope[i].evalf(35)))) < FD_ERROR
        step = mpf(10) ** -8  # second differences: error about step^2 plus 1e-40/step^2
        for i, j in product(range(3), repeat=2):
            corners = [
                a * b * norm([e + step * (a * (k == i) + b * (k == j)) for k, e in enumerate(point)])
                for a, b in product((1, -1), repeat=2)
            ]
            second = mpmath.fsum(corners) / (4 * step**2)
            assert abs(second - mpf(str(curvature[i, j].evalf(35)))) < mpf(10) ** -13


@pytest.mark.parametrize("p", [3, 4])
def test_the_p_norm_is_differentiated_correctly_where_a_coordinate_is_zero(p: int) -> None:
    # On the line (t, 0) with p > 2 the norm is flat in the second direction: |(t, s)|_p = t + O(s^p).
    found = calculus.norm_hessian([Rational(2), Rational(0)], p)
    assert found == zeros(2, 2)
    assert calculus.norm_gradient([Rational(2), Rational(0)], p) == Matrix([1, 0])


def test_the_p_norm_has_no_second_derivative_at_a_zero_coordinate_below_p_2() -> None:
    found = calculus.norm_hessian([Rational(2), Rational(0)], Rational(3, 2))
    assert found[1, 1] == sympy.zoo  # |(2, s)|_p = 2 + O(|s|^(3/2)), whose second derivative is infinite at 0


def test_general_and_even_exponents_give_the_same_bordered_hessian() -> None:
    values = {X[0]: Rational(1, 3), X[1]: Rational(-2, 5), T[0]: 1, T[1]: Rational(1, 2)}
    loss, center, mu = LOGISTIC, (Rational(1), Rational(2)), Rational(7, 5)
    even = calculus.bordered_hessian(loss, X[:2], center, mu, norm=4, at=values)
    normal = calculus.norm_gradient([Rational(-2, 3), Rational(-12, 5)], sympy.Integer(4))
    block = calculus.hessian(loss, X[:2]).subs(values) - mu * calculus.norm_hessian(
        [Rational(-2, 3), Rational(-12, 5)], 4
    )
    # sympy.Rational(4 + 1/10**9) takes the orthant route; the limit of exponents must be the even one.
    near = calculus.bordered_hessian(loss, X[:2], center, mu, norm=4 + Rational(1, 10**9), at=values)
    difference = even - calculus.bordered_matrix(block, normal)
    assert decisions.all_of(map(decisions.is_zero, difference)) is True
    assert max(abs((even - near).evalf(20))) < Rational(1, 10**7)


@pytest.mark.parametrize("size", [1, 2, 3, 4])
@pytest.mark.parametrize("border_sign", [1, -1])
def test_the_bordered_determinant_is_minus_the_normal_squared_times_the_tangent_determinant(
    size: int, border_sign: int
) -> None:
    draw = random.Random(size)
    block = Matrix(size, size, lambda i, j: 0)
    for i in range(size):
        for j in range(i, size):
            block[i, j] = block[j, i] = Rational(draw.randint(-9, 9), draw.randint(1, 5))
    normal = Matrix([Rational(draw.randint(1, 9), 2) for _ in range(size)])
    basis = calculus.tangent_basis(normal)
    left = calculus.bordered_matrix(block, normal, border_sign).det()
    right = -(normal.T * normal)[0] * (basis.T * block * basis).det()
    assert simplify(left - right) == 0


@pytest.mark.parametrize("normal", [(3, 4), (0, -5), (1, -2, 2), (0, 0, 7), (-1, 0, 0), (2,)])
def test_the_tangent_basis_is_orthonormal_and_orthogonal_to_the_normal(normal: tuple[int, ...]) -> None:
    basis = calculus.tangent_basis(normal)
    size = len(normal)
    assert basis.shape == (size, size - 1)
    assert simplify(basis.T * basis) == eye(size - 1)
    assert simplify(basis.T * Matrix(normal)) == zeros(size - 1, 1)


def test_the_tangent_basis_of_a_symbolic_normal_is_orthonormal_identically() -> None:
    basis = calculus.tangent_basis(X)
    assert simplify(basis.T * basis) == eye(2)
    assert simplify(basis.T * Matrix(X)) == zeros(2, 1)


def test_a_zero_normal_has_no_tangent_space() -> None:
    with pytest.raises(ValueError, match="normal is zero"):
        calculus.tangent_basis([0, 0])


@pytest.mark.parametrize("norm", [1, oo, Rational(1, 2), -2])
def test_norms_without_a_smooth_sphere_are_refused(norm: object) -> None:
    with pytest.raises(ValueError, match="finite p > 1"):
        calculus.lagrangian(LOGISTIC, X[:2], (-1, 1), norm, Rational(3, 5), 1)

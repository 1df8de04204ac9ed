"""The conditions of the attack and D_theta x' (theory/calculus/conditions.py) inside the ball, on its sphere and in
the box, on the linear model and on losses whose maximiser is known; the undecided stays undecided."""

from __future__ import annotations

import pytest
import sympy
from sympy import Matrix, Rational, exp, eye, log, simplify, sqrt, symbols, zeros

from theory.calculus import conditions
from theory.calculus import derivatives as calculus
from theory.calculus.attacks import linear_attack
from theory.deciders import decisions

X = symbols("x1:4", real=True)
T = symbols("t1:4", real=True)
# The margin is 0 at the attack in d = 3: every number rational.
CENTER = (Rational(-1), Rational(1), Rational(-2, 5))
EPSILON = Rational(3, 5)
THETA = (Rational(1), Rational(2), Rational(-2))  # lengths 1, sqrt(5), 3 for d = 1, 2, 3


def logistic(size: int, y: int = 1) -> sympy.Expr:
    return log(1 + exp(-y * sum(a * b for a, b in zip(X[:size], T[:size], strict=True))))


def l2_attack_point(size: int, y: int = 1) -> dict[sympy.Symbol, sympy.Expr]:
    delta = linear_attack(THETA[:size], y, EPSILON, 2)
    point = dict(zip(T[:size], THETA[:size], strict=True))
    point.update({X[i]: CENTER[i] + delta[i] for i in range(size)})
    return point


def lemma2_jacobian(size: int, y: int = 1) -> Matrix:
    theta = Matrix(THETA[:size])
    square = (theta.T * theta)[0]
    return -y * EPSILON / sqrt(square) * (eye(size) - theta * theta.T / square)


def vanishes(matrix: Matrix | sympy.Expr) -> bool | None:
    entries = matrix if isinstance(matrix, sympy.MatrixBase) else [matrix]
    return decisions.all_of(decisions.is_zero(entry) for entry in entries)


@pytest.mark.parametrize(("size", "y"), [(1, 1), (2, 1), (3, 1), (3, -1)])
def test_the_sphere_case_gives_lemma_2s_jacobian_on_the_linear_model(size: int, y: int) -> None:
    found = conditions.attack_jacobian(
        logistic(size, y),
        X[:size],
        T[:size],
        case="sphere",
        center=CENTER[:size],
        at=l2_attack_point(size, y),
    )
    assert vanishes(found - lemma2_jacobian(size, y)) is True


@pytest.mark.parametrize("size", [2, 3])
def test_the_sphere_case_is_the_x_block_of_the_bordered_implicit_function_solution(size: int) -> None:
    x, theta, point = X[:size], T[:size], l2_attack_point(size)
    mu = sympy.Symbol("mu", real=True)
    point[mu] = conditions.sphere_conditions(logistic(size), x, CENTER[:size], point).multipliers[0]
    stationary = calculus.gradient(
        calculus.lagrangian(logistic(size), x, CENTER[:size], 2, EPSILON, mu), [mu, *x]
    )
    whole = calculus.implicit_jacobian(stationary, [mu, *x], theta, at=point)
    assert vanishes(whole[1:, :] - lemma2_jacobian(size)) is True
    assert vanishes(whole[0, :]) is False  # mu moves too: Eq. (45) drops a row that is not zero


def test_a_jacobian_with_a_constant_off_by_one_percent_is_not_lemma_2s() -> None:
    found = conditions.attack_jacobian(logistic(3), X, T, case="sphere", center=CENTER, at=l2_attack_point(3))
    assert vanishes(found - lemma2_jacobian(3) * Rational(101, 100)) is False
    assert vanishes(found + lemma2_jacobian(3)) is False


def test_the_interior_case_follows_the_known_maximiser_of_a_quadratic() -> None:
    loss = -((X[0] - T[0]) ** 2) - 3 * (X[1] - T[0] * T[1]) ** 2
    found = conditions.attack_jacobian(loss, X[:2], T[:2], case="interior")
    assert found == calculus.jacobian([T[0], T[0] * T[1]], T[:2])


def test_the_box_case_moves_the_free_coordinate_along_its_own_maximiser() -> None:
    # At x2 = -1 the maximiser in x1 solves -2 (x1 - t1) - 2 t2 (t2 x1 + 1) = 0.
    loss = -((X[0] - T[0]) ** 2) - (T[1] * X[0] - X[1]) ** 2
    known = (T[0] - T[1]) / (1 + T[1] ** 2)
    at = {X[1]: -1, X[0]: known}
    found = conditions.attack_jacobian(loss, X[:2], T[:2], case="box", active=[1], at=at)
    assert simplify(found[0, :] - calculus.jacobian([known], T[:2])) == zeros(1, 2)
    assert found[1, :] == zeros(1, 2)


def test_attack_jacobian_refuses_unknown_cases_missing_centers_and_singular_hessians() -> None:
    with pytest.raises(ValueError, match="interior, sphere, box"):
        conditions.attack_jacobian(logistic(2), X[:2], T[:2], case="l2")
    with pytest.raises(ValueError, match="center = None"):
        conditions.attack_jacobian(logistic(2), X[:2], T[:2], case="sphere")
    with pytest.raises(ValueError, match="Hessian in x is singular"):
        conditions.attack_jacobian(logistic(2), X[:2], T[:2], case="interior")
    with pytest.raises(ValueError, match="center has 3 entries and x has 2"):
        conditions.attack_jacobian(logistic(2), X[:2], T[:2], case="sphere", center=CENTER)


@pytest.mark.parametrize("size", [1, 2, 3])
def test_the_bordered_hessian_has_border_minus_n_and_a_determinant_that_does_not_know_its_sign(
    size: int,
) -> None:
    x, point = X[:size], l2_attack_point(size)
    met = conditions.sphere_conditions(logistic(size), x, CENTER[:size], point)
    mu = met.multipliers[0]
    assert met.normal is not None
    found = calculus.bordered_hessian(logistic(size), x, CENTER[:size], mu, at=point)
    printed = calculus.bordered_matrix(
        calculus.lagrangian_hessian(logistic(size), x, CENTER[:size], mu, at=point),
        met.normal,
        border_sign=1,
    )
    assert vanishes(found[0, 1:] + met.normal.T) is True
    assert vanishes(found[1:, 1:] - printed[1:, 1:]) is True
    assert vanishes(found.det() - printed.det()) is True
    assert vanishes(found.det() + met.reduced_hessian.det()) is True
    assert (
        decisions.sign_of(found.det()) == (-1) ** size
    )  # a strict maximum: Lemma 5's "> 0" needs an even dimension


def test_the_tangent_hessian_at_p_2_is_the_losss_minus_mu_over_epsilon() -> None:
    point, mu = l2_attack_point(3), Rational(5, 4)
    basis = calculus.tangent_basis(linear_attack(THETA, 1, EPSILON, 2))
    found = calculus.tangent_hessian(logistic(3), X, CENTER, mu, at=point)
    restricted = basis.T * calculus.hessian(logistic(3), X).subs(point) * basis
    assert vanishes(found - restricted + mu / EPSILON * eye(2)) is True


def test_the_conditions_hold_at_the_l2_attack_and_fail_at_the_opposite_point() -> None:
    attack = conditions.sphere_conditions(logistic(3), X, CENTER, l2_attack_point(3))
    assert attack.strict_local_maximum is True
    opposite = {
        **l2_attack_point(3),
        **{X[i]: CENTER[i] - linear_attack(THETA, 1, EPSILON, 2)[i] for i in range(3)},
    }
    minimum = conditions.sphere_conditions(logistic(3), X, CENTER, opposite)
    assert minimum.residual.applyfunc(simplify) == zeros(3, 1)  # stationary, but with mu < 0
    assert minimum.strict_complementarity is False
    assert minimum.strict_local_maximum is False


def test_a_point_off_the_attack_is_not_stationary() -> None:
    off = {**l2_attack_point(2), X[0]: CENTER[0] + EPSILON, X[1]: CENTER[1]}
    assert conditions.sphere_conditions(logistic(2), X[:2], CENTER[:2], off).first_order is False


def test_interior_conditions_tell_a_maximum_from_a_saddle() -> None:
    maximum = conditions.interior_conditions(
        -(X[0] ** 2) - X[0] * X[1] - X[1] ** 2, X[:2], {X[0]: 0, X[1]: 0}
    )
    assert maximum.strict_local_maximum is True
    saddle = conditions.interior_conditions(
        -(X[0] ** 2) - 3 * X[0] * X[1] - X[1] ** 2, X[:2], {X[0]: 0, X[1]: 0}
    )
    assert saddle.first_order is True
    assert saddle.second_order is False


def test_box_conditions_read_the_active_set_off_the_point() -> None:
    theta = dict(zip(T[:2], (Rational(1), Rational(-2)), strict=True))
    corner = {X[0]: CENTER[0] - EPSILON, X[1]: CENTER[1] + EPSILON, **theta}
    found = conditions.box_conditions(logistic(2), X[:2], CENTER[:2], EPSILON, corner)
    assert found.active == {0: -1, 1: 1}
    assert found.strict_local_maximum is True
    wrong = {**corner, X[1]: CENTER[1] - EPSILON}
    assert conditions.box_conditions(logistic(2), X[:2], CENTER[:2], EPSILON, wrong).first_order is False


def test_a_zero_weight_breaks_strict_complementarity_in_the_box() -> None:
    theta = {T[0]: 1, T[1]: 0}
    corner = {X[0]: CENTER[0] - EPSILON, X[1]: CENTER[1] + EPSILON, **theta}
    found = conditions.box_conditions(logistic(2), X[:2], CENTER[:2], EPSILON, corner)
    assert found.first_order is True
    assert found.strict_complementarity is False


def test_an_undecided_active_set_and_a_point_outside_the_box_are_refused() -> None:
    with pytest.raises(ValueError, match="active="):
        conditions.box_conditions(logistic(2), X[:2], CENTER[:2], EPSILON)
    outside = {X[0]: CENTER[0] + 1, X[1]: CENTER[1], T[0]: 1, T[1]: 1}
    with pytest.raises(ValueError, match="inside the ball"):
        conditions.box_conditions(logistic(2), X[:2], CENTER[:2], EPSILON, outside)


def test_undecided_signs_stay_undecided() -> None:
    assert decisions.sign_of(X[0]) is None
    assert decisions.sign_of(X[0] ** 2 + 1) == 1
    assert decisions.sign_of(sqrt(2) + sqrt(3) - sqrt(5 + 2 * sqrt(6))) == 0
    assert decisions.is_negative_definite(Matrix([[X[0]]])) is None
    assert decisions.is_negative_definite(Matrix([[-2, 1], [1, -2]])) is True
    assert decisions.is_negative_definite(Matrix([[-2, 3], [3, -2]])) is False
    assert decisions.is_negative_definite(zeros(0, 0)) is True


def test_floating_point_input_is_decided_numerically() -> None:
    point = {key: sympy.Float(value, 30) for key, value in l2_attack_point(3).items()}
    found = conditions.sphere_conditions(logistic(3), X, CENTER, point)
    assert found.strict_local_maximum is True
    assert decisions.is_zero(sympy.Float("1e-20")) is True
    assert decisions.is_zero(sympy.Float("1e-3")) is False

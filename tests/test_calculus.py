"""The calculus of the attack and the linear attacks (theory/calculus.py, theory/attacks.py) against
closed forms, exact identities, brute force over the ball, and finite differences at 40 digits."""

from __future__ import annotations

import random
from itertools import product

import mpmath
import pytest
import sympy
from mpmath import mpf
from sympy import Matrix, Rational, exp, eye, log, oo, simplify, sqrt, symbols, zeros

from theory import calculus, conditions, decisions
from theory.attacks import adversarial_loss, dual_exponent, dual_norm, linear_attack, worst_margin

X = symbols("x1:4", real=True)
T = symbols("t1:4", real=True)
CENTER = (
    Rational(-1),
    Rational(1),
    Rational(-2, 5),
)  # margin 0 at the attack in d = 3: every number rational
EPSILON = Rational(3, 5)
THETA = (Rational(1), Rational(2), Rational(-2))  # lengths 1, sqrt(5), 3 for d = 1, 2, 3
FD_STEP = mpf(10) ** -15
FD_ERROR = (
    mpf(10) ** -25
)  # central differences at 40 digits: error about step^2 = 1e-30 times third derivatives


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
    loss, center, mu = logistic(2), (Rational(1), Rational(2)), Rational(7, 5)
    even = calculus.bordered_hessian(loss, X[:2], center, mu, norm=4, at=values)
    normal = calculus.norm_gradient([Rational(-2, 3), Rational(-12, 5)], sympy.Integer(4))
    block = calculus.hessian(loss, X[:2]).subs(values) - mu * calculus.norm_hessian(
        [Rational(-2, 3), Rational(-12, 5)], 4
    )
    # sympy.Rational(4 + 1/10**9) takes the orthant route; the limit of exponents must be the even one.
    near = calculus.bordered_hessian(loss, X[:2], center, mu, norm=4 + Rational(1, 10**9), at=values)
    assert vanishes(even - calculus.bordered_matrix(block, normal)) is True
    assert max(abs((even - near).evalf(20))) < Rational(1, 10**7)


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


def test_the_tangent_hessian_at_p_2_is_the_losss_minus_mu_over_epsilon() -> None:
    point, mu = l2_attack_point(3), Rational(5, 4)
    basis = calculus.tangent_basis(linear_attack(THETA, 1, EPSILON, 2))
    found = calculus.tangent_hessian(logistic(3), X, CENTER, mu, at=point)
    restricted = basis.T * calculus.hessian(logistic(3), X).subs(point) * basis
    assert vanishes(found - restricted + mu / EPSILON * eye(2)) is True


@pytest.mark.parametrize("norm", [1, oo, Rational(1, 2), -2])
def test_norms_without_a_smooth_sphere_are_refused(norm: object) -> None:
    with pytest.raises(ValueError, match="finite p > 1"):
        calculus.lagrangian(logistic(2), X[:2], CENTER[:2], norm, EPSILON, 1)


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


EXPONENTS = [1, Rational(4, 3), Rational(3, 2), 2, 3, 7, oo]


@pytest.mark.parametrize("p", EXPONENTS)
@pytest.mark.parametrize("y", [1, -1])
def test_the_linear_attack_lies_on_the_ball_and_reaches_the_dual_norm(p: sympy.Expr, y: int) -> None:
    theta = Matrix([Rational(3), Rational(-1), Rational(0), Rational(2)])
    delta = linear_attack(theta, y, EPSILON, p)
    sizes = [abs(entry) for entry in delta]
    length = max(sizes) if p == oo else sum(size**p for size in sizes) ** (1 / sympy.sympify(p))
    assert decisions.is_zero(length - EPSILON) or abs((length - EPSILON).evalf(40)) < Rational(1, 10**35)
    reached = y * (theta.T * delta)[0] + EPSILON * dual_norm(theta, p)
    assert abs(sympy.N(reached, 40)) < Rational(1, 10**35)


@pytest.mark.parametrize("p", EXPONENTS)
def test_no_point_of_the_ball_beats_the_linear_attack(p: sympy.Expr) -> None:
    theta, draw = (1.5, -0.4, 0.9), random.Random(7)
    delta = [float(entry) for entry in linear_attack(theta, 1, 1, p)]
    best = -sum(t * d for t, d in zip(theta, delta, strict=True))
    closest = 0.0
    for spread in (1.0, 0.01):  # over the whole sphere, and close to the attack
        for _ in range(2000):
            trial = [(spread == 0.01) * d + spread * draw.gauss(0, 1) for d in delta]
            size = (
                max(map(abs, trial)) if p == oo else sum(abs(t) ** float(p) for t in trial) ** (1 / float(p))
            )
            value = -sum(t * d / size for t, d in zip(theta, trial, strict=True))
            assert value <= best + 1e-12  # rounding of doubles
            closest = max(closest, value)
    assert closest > 0.99 * best  # an attack that claimed one percent more would be out of reach
    assert float(dual_norm(theta, p)) == pytest.approx(best, abs=1e-12)


def test_the_attack_at_p_2_and_infinity_is_the_one_of_lemmas_2_and_3() -> None:
    assert linear_attack(THETA, 1, EPSILON, 2) == -EPSILON * Matrix(THETA) / 3
    assert linear_attack((3, -4, 0), 1, EPSILON, "inf") == Matrix([-EPSILON, EPSILON, 0])
    assert linear_attack((3, -4), -1, EPSILON, float("inf")) == Matrix([EPSILON, -EPSILON])


def test_ties_at_p_1_go_to_the_lowest_index() -> None:
    assert linear_attack((1, -2, 2), 1, 1, 1) == Matrix([0, 1, 0])


def test_the_symbolic_l2_attack_differentiates_to_lemma_2s_jacobian() -> None:
    epsilon = sympy.Symbol("epsilon", positive=True)
    theta = Matrix(T[:2])
    square = (theta.T * theta)[0]
    expected = -epsilon / sqrt(square) * (eye(2) - theta * theta.T / square)
    found = calculus.jacobian(linear_attack(T[:2], 1, epsilon, 2), T[:2])
    assert simplify(found - expected) == zeros(2, 2)


@pytest.mark.parametrize("p", EXPONENTS)
def test_dual_exponents_are_conjugate_and_duality_is_an_involution(p: sympy.Expr) -> None:
    q = dual_exponent(p)
    assert 1 / sympy.sympify(p) + 1 / q == 1
    assert dual_exponent(q) == p


@pytest.mark.parametrize("p", [1, Rational(3, 2), 2, oo])
def test_the_worst_margin_is_the_margin_at_the_attack(p: sympy.Expr) -> None:
    theta, x = (Rational(1), Rational(-3)), (Rational(2), Rational(1))
    delta = linear_attack(theta, -1, EPSILON, p)
    margin = -sum(t * (a + d) for t, a, d in zip(theta, x, delta, strict=True))
    assert abs(sympy.N(worst_margin(theta, x, -1, EPSILON, p) - margin, 40)) < Rational(1, 10**35)
    loss = log(1 + exp(-margin))
    assert abs(sympy.N(adversarial_loss(theta, x, -1, EPSILON, p) - loss, 40)) < Rational(1, 10**35)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (((1, 2), 1, 1, Rational(1, 2)), "1 <= p <= inf"),
        (((1, 2), 1, 1, "two"), "1 <= p <= inf"),
        (((1, 2), 1, 0, 2), "epsilon = 0"),
        (((1, 2), 1, -1, 2), "epsilon = -1"),
        (((1, 2), 1, float("inf"), 2), "must be finite"),
        (((1, 2), 0, 1, 2), "y = 0"),
        (((0, 0), 1, 1, 2), "any delta in the ball is optimal"),
        ((T[:2], 1, 1, 1), "which |theta_i| is largest"),
    ],
)
def test_bad_arguments_of_the_linear_attack_are_named(arguments: tuple[object, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message.replace("|", r"\|")):
        linear_attack(*arguments)  # type: ignore[arg-type]
    if "which" not in message and "optimal" not in message:
        with pytest.raises(ValueError, match=message):
            worst_margin(arguments[0], (1, 1), *arguments[1:])  # type: ignore[arg-type]

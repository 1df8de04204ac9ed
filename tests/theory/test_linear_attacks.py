"""The closed-form attacks on the linear model (theory/calculus/attacks.py), every p in [1, inf], against the dual
norm, points of the ball, and Lemmas 2 and 3."""

from __future__ import annotations

import random

import pytest
import sympy
from sympy import Matrix, Rational, exp, eye, log, oo, simplify, sqrt, symbols, zeros

from theory.calculus import derivatives as calculus
from theory.calculus.attacks import adversarial_loss, dual_exponent, dual_norm, linear_attack, worst_margin
from theory.deciders import decisions

T = symbols("t1:4", real=True)
EPSILON = Rational(3, 5)
THETA = (Rational(1), Rational(2), Rational(-2))  # lengths 1, sqrt(5), 3 for d = 1, 2, 3
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

"""The deciders under every verdict: identities, comparisons, limits, z3, ball arithmetic and vectors without
coordinates."""

from __future__ import annotations

import itertools

import mpmath
import pytest
import sympy as sp
from hypothesis import given, settings
from hypothesis import strategies as st

from theory.deciders.balls import certify, enclose
from theory.deciders.exact import compare, identity, limit
from theory.deciders.facts import ALL, Fact, Finding, Grade, place
from theory.deciders.reals import implies
from theory.deciders.vectors import Space, Vector

X, Y = sp.symbols("x y", real=True)
T = sp.Symbol("t", positive=True)
RADIUS_ROUNDING = 1e-6  # radii of balls carry 30 bits and are rounded up
SMALL = st.fractions(min_value=-3, max_value=3, max_denominator=16).map(sp.Rational)


def test_an_identity_that_needs_trigonometry_is_established() -> None:
    assert identity("", sp.sin(2 * X), 2 * sp.sin(X) * sp.cos(X)).holds is True


def test_a_false_identity_comes_with_a_rational_point_at_which_it_fails() -> None:
    fact = identity("", (X + 1) ** 2, X**2 + 2 * X + sp.Rational(101, 100))
    assert fact.holds is False
    assert fact.witness is not None
    assert fact.witness.left - fact.witness.right == sp.Rational(-1, 100)


def test_an_identity_on_the_positive_axis_only_uses_the_assumption() -> None:
    assert identity("", sp.sqrt(T**2), T).holds is True
    assert identity("", sp.sqrt(X**2), X).holds is False


def test_products_of_blocks_do_not_commute() -> None:
    a, b = sp.symbols("A B", commutative=False)
    assert identity("", (a + b) * (a - b), a**2 - a * b + b * a - b**2).holds is True
    assert identity("", (a + b) * (a - b), a**2 - b**2).holds is not True


def test_matrices_of_different_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"have shapes \(1, 2\) and \(2, 1\)"):
        identity("", sp.Matrix([[1, 2]]), sp.Matrix([1, 2]))


@pytest.mark.parametrize("relation", ["==", "<=", "<", ">=", ">"])
@given(left=SMALL, right=SMALL)
@settings(max_examples=40, deadline=None, derandomize=True)
def test_comparisons_of_rationals_agree_with_python(
    relation: str, left: sp.Rational, right: sp.Rational
) -> None:
    expected = {
        "==": left == right,
        "<=": left <= right,
        "<": left < right,
        ">=": left >= right,
        ">": left > right,
    }
    assert compare("", left, relation, right).holds is bool(expected[relation])


def test_equal_surds_and_nearly_equal_surds_are_told_apart() -> None:
    nested = sp.sqrt(3 + 2 * sp.sqrt(2))
    assert compare("", nested, "==", 1 + sp.sqrt(2)).holds is True
    assert compare("", nested, "<", 1 + sp.sqrt(2) + sp.Rational(1, 10**40)).holds is True


def test_a_comparison_with_a_transcendental_number_is_graded_certified() -> None:
    assert compare("", sp.exp(1), "<", sp.pi).grade is Grade.CERTIFIED
    assert compare("", sp.sqrt(2), "<", sp.Rational(3, 2)).grade is Grade.PROVED


def test_a_point_at_a_pole_is_passed_over() -> None:
    fact = identity("", 1 / (T - 1) + 1, T / (T - 1) + sp.Rational(1, 100))
    assert fact.holds is False
    assert identity("", 1 / (T - 1) + 1, T / (T - 1)).holds is True


def test_a_limit_and_its_wrong_value() -> None:
    assert limit("", sp.sin(X) / X, X, 0, 1).holds is True
    assert limit("", sp.sin(X) / X, X, 0, sp.Rational(101, 100)).holds is False
    assert limit("", 1 / T, T, 0, sp.oo).holds is True


def test_z3_proves_the_inequality_of_the_means_and_refutes_its_twin() -> None:
    a, b = sp.symbols("a b", positive=True)
    assert implies("", [], sp.Le(4 * a * b, (a + b) ** 2)).holds is True
    twin = implies("", [], sp.Le(sp.Rational(404, 100) * a * b, (a + b) ** 2))
    assert twin.holds is False
    assert twin.witness is not None
    assert twin.witness.left > twin.witness.right


def test_a_quotient_keeps_the_sign_of_its_denominator() -> None:
    assert implies("", [sp.Lt(X, 0)], sp.Lt(1 / X, 0)).holds is True
    assert implies("", [sp.Ne(X, 0)], sp.Gt(1 / X, 0)).holds is False


def test_hypotheses_that_contradict_each_other_prove_nothing() -> None:
    with pytest.raises(ValueError, match="contradict each other"):
        implies("", [sp.Gt(X, 1), sp.Lt(X, 0)], sp.Gt(X, 5))


def test_a_conclusion_that_is_true_without_its_hypotheses_carries_no_verdict() -> None:
    assert implies("", [sp.Gt(X, 0)], sp.Le(T, 2 * T)).holds is None


def test_a_conclusion_without_symbols_is_refuted() -> None:
    assert implies("", [], sp.false).holds is False
    assert implies("", [sp.Gt(X, 0)], sp.false).holds is False


def test_a_root_must_be_named() -> None:
    with pytest.raises(ValueError, match="name each root by a symbol"):
        implies("", [], sp.Le(sp.sqrt(T), T))


@given(value=SMALL)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_a_ball_contains_the_value_that_mpmath_finds_at_twice_the_precision(value: sp.Rational) -> None:
    expression = sp.log(1 + sp.exp(-X)) + sp.tanh(X) * sp.sqrt(X**2 + 1) - sp.erf(X) / (2 + sp.cos(X))
    ball = enclose(expression, {X: (value, value)})
    assert ball is not None
    with mpmath.workdps(60):
        reference = sp.lambdify(X, expression, "mpmath")(mpmath.mpf(value.p) / value.q)
        assert abs(mpmath.mpf(str(ball.mid().str(50, radius=False))) - reference) < mpmath.mpf(10) ** -25
    assert float(ball.rad()) < 1e-25


@given(low=SMALL, width=st.fractions(min_value=0, max_value=1, max_denominator=8).map(sp.Rational))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_a_ball_over_an_interval_contains_the_values_at_both_ends_and_between(
    low: sp.Rational, width: sp.Rational
) -> None:
    expression = X**3 - 2 * X * sp.exp(X) + sp.Abs(X)
    ball = enclose(expression, {X: (low, low + width)})
    for step in range(5):
        point = low + width * sp.Rational(step, 4)
        inside = enclose(expression, {X: (point, point)})
        assert ball is not None
        assert inside is not None
        assert ball.contains(inside.mid())


def test_a_certificate_fails_where_the_inequality_does() -> None:
    assert certify("", sp.exp(X) - X - sp.Rational(99, 100), {X: (-1, 1)}).holds is True
    refuted = certify("", sp.exp(X) - X - sp.Rational(101, 100), {X: (-1, 1)})
    assert refuted.holds is False
    assert refuted.grade is Grade.CERTIFIED


def test_an_inequality_that_is_attained_is_left_undecided() -> None:
    assert certify("", X**2, {X: (-1, 2)}, most_boxes=200).holds is None


@pytest.mark.parametrize(("power", "low", "high"), [(2, 0, 4), (3, -8, 8), (4, 0, 16)])
def test_a_power_of_an_interval_around_zero_is_enclosed(power: int, low: int, high: int) -> None:
    ball = enclose(X**power, {X: (-2, 1)})
    assert ball is not None
    assert float(ball.lower()) == pytest.approx(low, abs=RADIUS_ROUNDING)
    assert float(ball.upper()) == pytest.approx(high, abs=RADIUS_ROUNDING)


def test_a_pole_gives_no_enclosure() -> None:
    assert enclose(1 / X, {X: (-1, 1)}) is None


def test_a_function_without_a_ball_rule_is_named() -> None:
    with pytest.raises(ValueError, match="zeta, which has no ball rule"):
        enclose(sp.zeta(X), {X: (2, 3)})


@given(st.lists(SMALL, min_size=6, max_size=6))
@settings(max_examples=40, deadline=None, derandomize=True)
def test_inner_products_without_coordinates_equal_those_in_three_coordinates(
    numbers: list[sp.Rational],
) -> None:
    a, b = sp.Matrix(numbers[:3]), sp.Matrix(numbers[3:])
    space = Space("a", "b", known={("a", "a"): a.dot(a), ("b", "b"): b.dot(b), ("a", "b"): a.dot(b)})
    va, vb = space.vectors()
    combination = 2 * va - vb / 3
    assert space.inner(combination, va + vb) == (2 * a - b / 3).dot(a + b)


def test_a_directional_derivative_without_coordinates_equals_the_jacobian_in_three() -> None:
    space = Space("a", "v")
    a, v = space.vectors()
    derived = space.derivative(lambda at: at / space.norm(at) ** 3, a, v)
    theta, along = sp.symbols("theta1:4", real=True), sp.symbols("v1:4", real=True)
    field = sp.Matrix(theta) / sp.Matrix(theta).norm() ** 3
    reference = field.jacobian(theta) * sp.Matrix(along)
    values = dict(zip((*theta, *along), (1, 2, -2, 3, sp.Rational(1, 2), 1), strict=True))
    lengths = {space.length("a"): 3, space.product("a", "v"): 3 + 1 - 2}
    in_coordinates = sum(
        (
            coefficient.subs(lengths) * sp.Matrix({"a": theta, "v": along}[name]).subs(values)
            for name, coefficient in derived.coefficients.items()
        ),
        sp.zeros(3, 1),
    )
    assert in_coordinates == reference.subs(values).applyfunc(sp.simplify)


def test_gram_conditions_of_three_vectors_are_the_seven_minors_less_the_lengths() -> None:
    space = Space("a", "b", "c")
    assert len(space.gram_conditions()) == 4
    orthonormal = Space("n", "v", known={("n", "n"): 1, ("n", "v"): 0})
    assert orthonormal.gram_conditions() == []


def test_unknown_vectors_in_known_are_named() -> None:
    with pytest.raises(ValueError, match="known = c must be among a, b"):
        Space("a", "b", known={("a", "c"): 0})


def test_a_vector_prints_as_a_combination() -> None:
    assert str(Vector({"a": sp.Integer(2)})) == "(2) a"
    assert str(Vector({})) == "0"


def test_a_finding_is_as_weak_as_its_weakest_fact() -> None:
    grades = (Grade.PROVED, Grade.CERTIFIED, Grade.SAMPLED)
    for first, second in itertools.product(grades, grades):
        finding = Finding.of([Fact("", True, first, "m"), Fact("", True, second, "m")])
        assert finding.grade is max(first, second, key=grades.index)


def test_one_refuted_fact_refutes_and_one_undecided_fact_leaves_open() -> None:
    true, false, open_ = (Fact("", holds, Grade.PROVED, "m") for holds in (True, False, None))
    assert Finding.of([true, open_, false]).holds is False
    assert Finding.of([true, open_]).holds is None
    assert Finding.of([true, open_]).grade is Grade.NONE
    assert Finding.of([]).holds is None


def test_an_example_can_refute_but_limits_nothing() -> None:
    general = Fact("", True, Grade.PROVED, "m")
    instance = Fact("", True, Grade.CERTIFIED, "m", (2,)).as_example()
    assert Finding.of([general, instance]).dimension == ALL
    assert Finding.of([general, instance]).grade is Grade.PROVED
    assert Finding.of([instance]).dimension == (2,)
    assert Finding.of([general, Fact("", False, Grade.PROVED, "m", (2,)).as_example()]).holds is False


def test_a_point_prints_its_relations_without_a_second_sign() -> None:
    assert place({"theta": ">= 1", "d": "2"}) == "theta >= 1, d = 2"


def test_the_dimension_of_a_finding_is_where_all_its_facts_were_checked() -> None:
    everywhere, few = Fact("", True, Grade.PROVED, "m", ALL), Fact("", True, Grade.PROVED, "m", (2, 3))
    assert Finding.of([everywhere, few]).dimension == (2, 3)
    assert Finding.of([everywhere]).dimension == ALL

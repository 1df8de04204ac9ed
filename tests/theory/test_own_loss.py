"""What `python -m theory check` computes (theory/own_loss/): losses of one's own against closed forms, a
brute-force grid, finite differences of the re-solved attack, and other algorithms."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import Any

import mpmath
import pytest
import sympy
from mpmath import mpf
from sympy import Rational

from theory.calculus import derivatives as calculus
from theory.calculus.attacks import linear_attack
from theory.own_loss import LossReport, check_loss

LINEAR = "log(1+exp(-y*(t1*x1+t2*x2)))"
SWISH = "log(1+exp(-y*swish(t1*x1+t2*x2)))"
CURVED = (
    "sin(x1*t1)+cos(2*x2)*t2+x1*x2/3"  # asymmetric; its attack moves from inside to the boundary with epsilon
)
DIGITS = mpf(10) ** -30  # promised accuracy
FD_STEP = Rational(1, 10**8)
FD_ERROR = (
    mpf(10) ** -12
)  # central differences: step^2 = 1e-16 times third derivatives of the attack, at most 1e4 here


def linear(
    at: Sequence[Any] = (1, Rational(1, 2)), epsilon: Any = "3/5", norm: str = "l2", y: int = 1
) -> LossReport:
    return check_loss(
        LINEAR, "x1,x2", "t1,t2", center=(-1, 1), at=at, epsilon=epsilon, norm=norm, values={"y": y}
    )


def curved(
    epsilon: Any, norm: str, at: Sequence[Any] = ("13/10", "7/10"), center: Sequence[Any] = (1, "1/5")
) -> LossReport:
    return check_loss(CURVED, "x1,x2", "t1,t2", center=center, at=at, epsilon=epsilon, norm=norm)


def distance(a: Sequence[Any], b: Sequence[Any]) -> Any:
    return max(abs(mpf(s) - mpf(t)) for s, t in zip(a, b, strict=True))


@pytest.mark.parametrize("y", [1, -1])
@pytest.mark.parametrize(("norm", "p"), [("l2", 2), ("linf", "inf")])
def test_the_attack_on_the_linear_model_is_the_closed_form_to_30_digits(norm: str, p: object, y: int) -> None:
    report = linear(norm=norm, y=y)
    delta = linear_attack((1, Rational(1, 2)), y, Rational(3, 5), p)
    with mpmath.workdps(45):
        expected = [mpf(str(sympy.N(c + d, 45))) for c, d in zip((-1, 1), delta, strict=True)]
        assert distance(report.attack, expected) < DIGITS


@pytest.mark.parametrize("y", [1, -1])
def test_d_theta_x_on_the_linear_model_is_lemma_2s_jacobian(y: int) -> None:
    report = linear(y=y)
    with mpmath.workdps(45):
        theta = mpmath.matrix([1, mpf(1) / 2])
        length = mpmath.norm(theta)
        expected = -y * mpf(3) / 5 / length * (mpmath.eye(2) - theta * theta.T / length**2)
        assert mpmath.mnorm(report.attack_jacobian - expected, 1) < DIGITS
        assert abs(report.lipschitz - mpf(3) / 5 / length) < DIGITS
        assert abs(report.lipschitz - mpf("1.01") * 3 / 5 / length) > mpf("1e-3")


def test_an_attack_on_a_corner_does_not_move() -> None:
    report = linear(norm="linf")
    assert report.active == {0: -1, 1: -1}
    assert report.lipschitz == 0
    assert mpmath.mnorm(report.attack_jacobian, 1) == 0


def test_the_adversarial_loss_derivatives_are_those_of_the_closed_form() -> None:
    t = sympy.symbols("t1 t2", real=True)
    margin = -t[0] + t[1] - Rational(3, 5) * sympy.sqrt(t[0] ** 2 + t[1] ** 2)
    closed = sympy.log(1 + sympy.exp(-margin))
    here = dict(zip(t, (1, Rational(1, 2)), strict=True))
    report = linear()
    assert report.adversarial_hessian is not None
    assert report.smoothness is not None
    slope, curvature = calculus.gradient(closed, t).subs(here), calculus.hessian(closed, t).subs(here)
    assert distance(report.adversarial_gradient, [str(e.evalf(40)) for e in slope]) < mpf(10) ** -14
    assert distance(report.adversarial_hessian, [str(e.evalf(40)) for e in curvature]) < mpf(10) ** -14
    largest = max(abs(e) for e in curvature.evalf(30).eigenvals(multiple=True))
    assert abs(report.smoothness - mpf(str(largest))) < mpf(10) ** -14
    assert report.smoothness < report.lemma1_bound


@pytest.mark.parametrize(
    ("norm", "epsilon", "case"),
    [("l2", "1/5", "sphere"), ("linf", "1/5", "box"), ("l2", "1/2", "interior"), ("linf", 2, "box")],
)
def test_d_theta_x_agrees_with_finite_differences_of_the_re_solved_attack(
    norm: str, epsilon: Any, case: str
) -> None:
    at = (Rational(13, 10), Rational(7, 10))
    report = curved(epsilon, norm)
    assert report.case == case
    assert report.attack_jacobian is not None
    for j in range(2):
        above, below = (
            curved(
                epsilon, norm, [value + (sign * FD_STEP if i == j else 0) for i, value in enumerate(at)]
            ).attack
            for sign in (1, -1)
        )
        with mpmath.workdps(40):
            for i in range(2):
                slope = (above[i] - below[i]) / (2 * mpf(10) ** -8)
                assert abs(slope - report.attack_jacobian[i, j]) < FD_ERROR
    assert mpmath.mnorm(report.attack_jacobian, 1) > 0.1  # so that a wrong derivative could not pass as zero


@pytest.mark.parametrize("norm", ["l2", "linf"])
@pytest.mark.parametrize("center", [(1, "1/5"), (-2, 3), (0, -1)])
def test_no_point_of_a_fine_grid_beats_the_attack(norm: str, center: Sequence[Any]) -> None:
    epsilon, steps = 1.5, 120
    report = curved("3/2", norm, center=center)
    c = [float(sympy.Rational(v)) for v in center]
    best = -math.inf
    for i in range(-steps, steps + 1):
        for j in range(-steps, steps + 1):
            u, v = epsilon * i / steps, epsilon * j / steps
            if norm == "linf" or math.hypot(u, v) <= epsilon:
                x, y = c[0] + u, c[1] + v
                best = max(best, math.sin(1.3 * x) + math.cos(2 * y) * 0.7 + x * y / 3)
    assert best <= float(report.loss) + 1e-12  # rounding of doubles
    assert float(report.loss) - best < 0.02 * abs(
        float(report.loss)
    )  # grid spacing 1/80 misses at most a little


def test_many_local_maxima_do_not_hide_the_global_one() -> None:
    report = check_loss(
        "sin(7*x1)*cos(9*x2)+x1/10+t1", "x1,x2", "t1", center=(0, 0), at=(0,), epsilon=1, norm="linf"
    )
    # The largest x1 with |sin(7 x1)| near 1 is 3 pi/14, where sin is -1, so cos(9 x2) = -1: x2 = -pi/9, pi/9.
    assert len(report.other_maxima) > 5
    assert abs(7 * mpmath.cos(7 * report.attack[0]) - mpf(1) / 10) < mpf(10) ** -13
    assert abs(report.attack[0] - 3 * mpmath.pi / 14) < mpf("0.01")
    assert abs(report.attack[1] + mpmath.pi / 9) < mpf(10) ** -14
    assert abs(report.ties[0][1] - mpmath.pi / 9) < mpf(10) ** -14


def test_the_bordered_system_and_the_tangent_space_give_the_same_movement() -> None:
    report = curved("1/5", "l2")
    assert report.bordered is not None
    with mpmath.workdps(45):
        right = mpmath.zeros(3, 2)
        right[1:3, 0:2] = report.mixed
        whole = mpmath.zeros(3, 2)
        for j in range(2):
            whole[:, j] = -mpmath.lu_solve(report.bordered.matrix, right[:, j])
        assert mpmath.mnorm(whole[1:3, 0:2] - report.attack_jacobian, 1) < DIGITS
        assert abs(report.bordered.determinant + report.reduced.determinant) < DIGITS


@pytest.mark.parametrize(("epsilon", "norm"), [("1/5", "l2"), ("1/2", "l2"), ("1/5", "linf"), (2, "linf")])
def test_the_constants_are_ordered_as_proved(epsilon: Any, norm: str) -> None:
    report = curved(epsilon, norm)
    assert report.lipschitz is not None
    assert 0 < report.lipschitz <= report.reduced_bound * (1 + mpf(10) ** -14)
    lemma = report.lemmas[0] if report.case == "interior" else report.lemmas[1]
    if lemma.c is not None:
        assert report.reduced_bound <= lemma.bound * (1 + mpf(10) ** -14)
        assert abs(lemma.bound * lemma.c - report.c_theta_x) < mpf(10) ** -14
    if report.case == "sphere":
        assert report.reduced_bound < lemma.bound  # the tangent constant is strictly sharper here


def test_the_report_compares_the_bound_with_a_lemma_only_where_there_is_one_to_compare_with() -> None:
    # l = t x - x^2 at t = 1/4: the attack 1/8 is inside, and both constants are 1/2.
    inside = check_loss("t*x-x**2", "x", "t", center=(0,), at=("1/4",), epsilon="1/2", norm="linf")
    assert inside.lemmas[0].bound == inside.reduced_bound == mpf(1) / 2
    assert "0.5 = sigma_1(T^T B)/min|eigenvalue|, never worse than C_thetax/c" in " ".join(
        str(inside).split()
    )
    on_a_face = check_loss("t*x-x**2", "x", "t", center=(0,), at=(2,), epsilon="1/2", norm="linf")
    assert all(lemma.bound is None for lemma in on_a_face.lemmas)
    assert "C_thetax/c" not in str(on_a_face)


@pytest.mark.parametrize(("epsilon", "norm"), [("1/5", "l2"), ("1/2", "l2"), ("1/5", "linf"), (2, "linf")])
def test_the_first_order_conditions_hold_to_30_digits(epsilon: Any, norm: str) -> None:
    report = curved(epsilon, norm)
    with mpmath.workdps(45):
        t, (u, v) = (mpf(13) / 10, mpf(7) / 10), report.attack
        slope = [t[0] * mpmath.cos(u * t[0]) + v / 3, -2 * t[1] * mpmath.sin(2 * v) + u / 3]  # by hand
        assert distance(report.gradient, slope) < DIGITS
        assert max((abs(entry) for entry in report.residual), default=0) < DIGITS
        if report.case == "sphere":
            offset = [u - 1, v - mpf(1) / 5]
            assert abs(mpmath.norm(offset) - mpf(1) / 5) < DIGITS
            assert abs(slope[0] * offset[1] - slope[1] * offset[0]) < DIGITS  # parallel
            assert abs(report.multipliers[0] - mpmath.norm(slope)) < DIGITS
        if report.case == "box":
            assert (
                distance(report.multipliers, [side * slope[i] for i, side in report.active.items()]) < DIGITS
            )


def test_lemma_4_holds_inside_and_its_c_is_the_smallest_curvature() -> None:
    report = check_loss(
        "-(x1-t1)**2-3*(x2-t2)**2", "x1,x2", "t1,t2", center=(0, 0), at=("1/10", "-1/5"), epsilon=1
    )
    lemma4, lemma5 = report.lemmas
    assert report.case == "interior"
    assert lemma4.holds
    assert (lemma4.c, lemma4.bound) == (2, 3)  # eigenvalues -2 and -6, B = diag(2, 6): C/c = 3, while D = I
    assert report.lipschitz == 1
    assert not lemma5.holds
    assert lemma5.c is None


@pytest.mark.parametrize("size", [1, 2, 3, 4])
def test_lemma_5_as_printed_holds_at_a_strict_maximum_in_even_dimensions_only(size: int) -> None:
    x, t = [f"x{i}" for i in range(size)], [f"t{i}" for i in range(size)]
    loss = f"log(1+exp(-({'+'.join(f'{a}*{b}' for a, b in zip(x, t, strict=True))})))"
    report = check_loss(loss, x, t, center=[1] * size, at=[1, -2, 3, Rational(1, 2)][:size], epsilon="1/4")
    assert report.reduced.negative_definite
    assert report.bordered is not None
    holds = {a.says.split(":")[0]: a.holds for a in report.lemmas[1].assumptions}
    assert holds["as printed"] is (size % 2 == 0)
    assert holds["corrected"] is True
    assert mpmath.sign(report.bordered.determinant) == (-1) ** size


def test_a_maximum_that_only_touches_the_boundary_has_no_strict_complementarity() -> None:
    report = check_loss("-(x1-t1)**2-x2**2", "x1,x2", "t1", center=(-1, 0), at=("-1/2",), epsilon="1/2")
    assert report.case == "sphere"
    assert not report.strict_complementarity
    assert report.attack_jacobian is None
    assert report.as_dict()["attack_jacobian"] is None
    assert "complementarity FAILS" in str(report)


def test_a_maximum_one_part_in_a_million_inside_is_told_from_one_on_the_boundary() -> None:
    inside = check_loss("-(x1-t1)**2", "x1", "t1", center=(0,), at=("0.999999",), epsilon=1)
    outside = check_loss("-(x1-t1)**2", "x1", "t1", center=(0,), at=("1.000001",), epsilon=1)
    assert (inside.case, outside.case) == ("interior", "sphere")
    assert abs(inside.distance_to_boundary - mpf("1e-6")) < mpf(10) ** -14


def test_two_attacks_with_one_loss_are_reported_as_a_kink() -> None:
    report = check_loss("(x1-t1)**2", "x1", "t1", center=(0,), at=(0,), epsilon=1)
    assert len(report.ties) == 1
    assert sorted([report.attack[0], report.ties[0][0]]) == [-1, 1]
    assert not report.differentiable  # l_epsilon = (1 + |theta|)^2
    assert report.as_dict()["adversarial_loss"]["gradient"] is None
    near = check_loss("(x1-t1)**2", "x1", "t1", center=(0,), at=("1e-9",), epsilon=1)
    assert near.ties == ()
    assert near.differentiable


def test_two_attacks_with_equal_gradients_are_no_kink() -> None:
    report = check_loss("t1*x1**2", "x1", "t1", center=(0,), at=(1,), epsilon=1)
    assert len(report.ties) == 1
    assert report.differentiable


@pytest.mark.parametrize("norm", ["l2", "linf"])
def test_a_loss_too_small_or_a_ball_too_small_for_doubles_is_still_attacked(norm: str) -> None:
    for center, epsilon in (((1000, 1000), 10), ((-1, 1), Rational(1, 10**9))):
        report = check_loss(
            LINEAR,
            "x1,x2",
            "t1,t2",
            center=center,
            at=(1, "1/2"),
            epsilon=epsilon,
            norm=norm,
            values={"y": 1},
        )
        delta = linear_attack((1, Rational(1, 2)), 1, epsilon, 2 if norm == "l2" else "inf")
        with mpmath.workdps(45):
            expected = [mpf(str(sympy.N(c + d, 45))) for c, d in zip(center, delta, strict=True)]
            assert distance(report.attack, expected) < DIGITS * 1000
        assert report.loss > report.loss_at_center
        json.loads(report.to_json())


SINGULAR_CASES = {
    "a segment of maximisers inside (one-layer swish)": (
        SWISH,
        (-1, 1),
        ("1.5", "-1.2"),
        "0.6",
        "linf",
        "interior",
    ),
    "an edge of maximisers (a zero weight)": (LINEAR, (-1, 1), (1, 0), "0.6", "linf", "zero multiplier"),
    "a loss that ignores x (zero weights)": (LINEAR, (-1, 1), (0, 0), "0.6", "l2", "does not change with x"),
    "a circle of maximisers": (
        "y*(x1**2+x2**2)+t1*0*x1+t2*(x1-x1**3/3)*0+t1+t2",
        (0, 0),
        (1, 1),
        1,
        "l2",
        "tangent",
    ),
    "a flat fourth-order top": ("-y*(x1-t1)**4-(x2-t2)**2", (0, 0), (0, 0), 1, "l2", "interior"),
}


@pytest.mark.parametrize("name", SINGULAR_CASES)
def test_singular_hessians_are_diagnosed_in_one_line(name: str) -> None:
    loss, center, at, epsilon, norm, where = SINGULAR_CASES[name]
    with pytest.raises(ValueError, match="singular") as caught:
        check_loss(loss, "x1,x2", "t1,t2", center=center, at=at, epsilon=epsilon, norm=norm, values={"y": 1})
    assert where in str(caught.value)
    assert "choose another theta" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_swish_attack_on_the_sphere_is_not_singular() -> None:
    report = check_loss(
        SWISH, "x1,x2", "t1,t2", center=(-1, 1), at=("1.5", "-1.2"), epsilon="0.6", values={"y": 1}
    )
    assert report.case == "sphere"
    with mpmath.workdps(40):  # u = theta.x' rises with x' here, and x' = center + epsilon theta/|theta|
        length = mpmath.sqrt(mpf("1.5") ** 2 + mpf("1.2") ** 2)
        expected = [-1 + mpf("0.6") * mpf("1.5") / length, 1 - mpf("0.6") * mpf("1.2") / length]
        assert distance(report.attack, expected) < DIGITS

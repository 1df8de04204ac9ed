"""The exact attacks of numerics/attacks.py (Lemmas 2-4, Fig. 2) and whether they are the only ones.

Second sources: brute force over the ball, exact sympy attacks, projections, second maximisers built by hand.
"""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import optimize

from numerics.attacks import Attack, describe_attack, exact_attack
from numerics.norms import dual_exponent
from numerics.problem import MODELS, SWISH_MINIMISER, Problem, output, single_point, softplus, swish
from theory.calculus.attacks import linear_attack

EXPONENTS = (1.0, 1.25, 1.5, 2.0, 3.0, np.inf)
ROUNDING = 1e-13  # a few dozen roundings of numbers of size 1 to 100
MESH = 64  # the brute-force ball has MESH directions and MESH / 4 radii
EPSILON = 0.6
EIGHTHS = st.integers(-16, 16).map(lambda k: k / 8)


def ball(p: float, radius: float = EPSILON) -> np.ndarray:
    """Points of the L_p ball in two dimensions, shape (M, 2): on rays, corners among them."""
    angles = 2 * np.pi * np.arange(MESH) / MESH
    rays = np.stack([np.cos(angles), np.sin(angles)], axis=-1)
    rays /= np.linalg.norm(rays, p, axis=-1, keepdims=True)
    radii = radius * np.arange(MESH // 4 + 1) / (MESH // 4)
    return (radii[:, None, None] * rays).reshape(-1, 2)


def losses(problem: Problem, theta: Any, delta: np.ndarray) -> np.ndarray:
    """The loss of the first data point at many perturbations, shape (M, d) -> (M,), from its definition."""
    score = (problem.X[0] + delta) @ np.asarray(theta, dtype=float)
    return softplus(-problem.y[0] * output(problem.model, score))


def optimal(problem: Problem, theta: Any, delta: np.ndarray) -> bool:
    """Whether delta is in the ball and no point of the brute-force ball is worse."""
    inside = np.linalg.norm(delta, problem.p) <= problem.epsilon + ROUNDING
    worst = losses(problem, theta, ball(problem.p, problem.epsilon)).max()
    return bool(inside and losses(problem, theta, delta[None])[0] >= worst - ROUNDING)


@settings(derandomize=True, max_examples=150, deadline=None)
@given(
    theta=st.tuples(EIGHTHS, EIGHTHS),
    x=st.tuples(EIGHTHS, EIGHTHS),
    y=st.sampled_from([-1, 1]),
    p=st.sampled_from(EXPONENTS),
    model=st.sampled_from(MODELS),
)
def test_no_point_of_the_ball_is_worse_than_the_exact_attack(theta, x, y, p, model):
    problem = Problem(np.array([x]), np.array([y]), EPSILON, p, model)
    attack = exact_attack(problem, theta)
    assert optimal(problem, theta, attack.delta[0])
    assert float(attack.loss[0]) == pytest.approx(float(problem.loss(theta)), abs=ROUNDING)
    assert float(attack.loss[0]) == pytest.approx(losses(problem, theta, attack.delta)[0], abs=ROUNDING)
    assert float(attack.score[0]) == pytest.approx(np.dot(theta, x + attack.delta[0]), abs=ROUNDING)
    # The loss has slope at most 1.1 ||theta||, so that the mesh comes within that times its spacing.
    widest = 1.1 * np.linalg.norm(theta) * 2 * np.pi * 2 * EPSILON / MESH
    assert float(attack.loss[0]) <= losses(problem, theta, ball(p)).max() + widest


@settings(derandomize=True, max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32 - 1), size=st.integers(1, 7), p=st.floats(1, 20), y=st.sampled_from([-1, 1]))
def test_random_perturbations_in_many_dimensions_are_no_worse(seed, size, p, y):
    random = np.random.default_rng(seed)
    theta, x = random.normal(size=(2, size))
    others = random.normal(size=(300, size))
    others *= EPSILON * random.uniform(0.5, 1, (300, 1)) / np.linalg.norm(others, p, axis=-1, keepdims=True)
    for model in MODELS:
        problem = Problem(x[None], np.array([y]), EPSILON, p, model)
        attack = exact_attack(problem, theta)
        assert np.linalg.norm(attack.delta[0], p) <= EPSILON + ROUNDING
        assert losses(problem, theta, others).max() <= float(attack.loss[0]) + ROUNDING


@pytest.mark.parametrize("y", [-1, 1])
@pytest.mark.parametrize("p", [1, Fraction(3, 2), 2, 3, math.inf])
@pytest.mark.parametrize("theta", ["3/4,-1/2", "0,5/3", "-2,2", "1/3,-2/7,5/6", "1,0,-1,1/9"])
def test_the_linear_attack_is_the_exact_one_of_sympy(theta, p, y):
    weights = [sympy.Rational(entry) for entry in theta.split(",")]
    exponent = sympy.oo if p == math.inf else sympy.Rational(Fraction(p).numerator, Fraction(p).denominator)
    exact = linear_attack(weights, y, sympy.Rational(3, 5), exponent)
    problem = Problem(np.ones((1, len(weights))), np.array([y]), 0.6, float(p))
    found = exact_attack(problem, [float(w) for w in weights]).delta[0]
    assert found == pytest.approx(np.array([float(entry.evalf(30)) for entry in exact]), abs=ROUNDING)


@pytest.mark.parametrize("model", MODELS)
@pytest.mark.parametrize("p", [1.25, 1.5, 3.0])
def test_false_attacks_are_refuted(model, p):
    theta, q = np.array([1.0, -0.5]), dual_exponent(p)
    problem = Problem(np.array([[0.25, 0.75]]), np.array([1]), EPSILON, p, model)
    length = np.linalg.norm(theta, q)

    def attack(sign: float, exponent: float, norm: Any, radius: float) -> np.ndarray:
        return sign * radius * np.sign(theta) * (np.abs(theta) / norm) ** exponent

    assert optimal(problem, theta, attack(-1, q - 1, length, EPSILON))
    assert not optimal(problem, theta, attack(1, q - 1, length, EPSILON))  # a flipped sign
    assert not optimal(problem, theta, attack(-1, q, length, EPSILON))  # the exponent q
    assert not optimal(problem, theta, attack(-1, q - 1, np.linalg.norm(theta, p), EPSILON))  # a wrong norm
    assert not optimal(problem, theta, attack(-1, q - 1, length, 1.01 * EPSILON))  # one per cent out
    assert not optimal(problem, theta, attack(-1, q - 1, length, 0.9 * EPSILON))  # well inside


def test_attacks_worked_by_hand():
    linf = exact_attack(single_point("linf", (-1, 1), 1, 0.6), (1.0, -1.0))
    assert linf.delta.tolist() == [[-0.6, 0.6]]
    assert float(linf.score[0]) == pytest.approx(-3.2)
    assert linf.signs.tolist() == [[-1, 1]]
    l1 = exact_attack(single_point("l1", (-1, 1), -1, 0.6), (1.0, -2.0))
    assert l1.delta.tolist() == [[0.0, -0.6]]
    assert l1.signs.tolist() == [[0, -1]]
    l2 = exact_attack(single_point("l2", (-1, 1), 1, 0.5), (3.0, 4.0))
    assert l2.delta[0] == pytest.approx([-0.3, -0.4])
    # Fig. 2(f) at theta = (3/2, -3/2): the centre is at -3, the minimiser at place (u* + 3) / 1.8.
    inner = exact_attack(single_point("linf", (-1, 1), 1, 0.6, "swish"), (1.5, -1.5))
    assert float(inner.score[0]) == SWISH_MINIMISER
    assert float(inner.place[0]) == pytest.approx((SWISH_MINIMISER + 3) / 1.8)
    assert float(inner.loss[0]) == pytest.approx(math.log(1 + math.exp(-1 - SWISH_MINIMISER)))


POINTS: dict[str, tuple[Any, ...]] = {
    # loss, epsilon, model, y, theta, position, reason
    "p = inf": ("linf", 0.6, "linear", 1, (1, -2), "boundary", ""),
    "p = inf, on an axis": ("linf", 0.6, "linear", 1, (0, -2), "boundary", "theta_i is zero"),
    "p = inf, equal weights": ("linf", 0.6, "linear", -1, (1, 1), "boundary", ""),
    "p = 1": ("l1", 0.6, "linear", 1, (1, -2), "boundary", ""),
    "p = 1, on an axis": ("l1", 0.6, "linear", 1, (0, -2), "boundary", ""),
    "p = 1, on a diagonal": ("l1", 0.6, "linear", 1, (2, -2), "boundary", "largest |theta_i| tie"),
    "p = 2, on a diagonal": ("l2", 0.6, "linear", 1, (2, -2), "boundary", ""),
    "p = 2, on an axis": ("l2", 0.6, "swish", -1, (0, -2), "boundary", ""),
    "p = 1.5, on an axis": ("l1.5", 0.6, "linear", -1, (0, -2), "boundary", ""),
    "theta = 0": ("l2", 0.6, "linear", 1, (0, 0), "free", "theta is zero"),
    "theta = 0, swish": ("l1.5", 0.6, "swish", -1, (0, 0), "free", "theta is zero"),
    "epsilon = 0": ("clean", 0.6, "linear", 1, (1, 2), "none", ""),
    "epsilon = 0, theta = 0": ("linf", 0.0, "swish", 1, (0, 0), "none", ""),
    "interior": ("linf", 0.6, "swish", 1, (1.5, -1.5), "interior", "interior"),
    "interior, p = 2": ("l2", 0.6, "swish", 1, (1.25, -0.5), "interior", "interior"),
    "interior, on an axis": ("linf", 0.6, "swish", 1, (1.25, 0), "interior", "interior"),
    "swish, lower end": ("linf", 0.6, "swish", 1, (0.25, -0.5), "boundary", ""),
    "swish, upper end": ("linf", 0.6, "swish", 1, (3, -3), "boundary", ""),
    "swish, on an axis": ("linf", 0.6, "swish", -1, (0, 2), "boundary", "theta_i is zero"),
    "swish, one dimension": ("linf", 0.6, "swish", 1, (1.5,), "interior", ""),
}


@pytest.mark.parametrize("name", POINTS)
def test_positions_and_reasons_are_those_of_the_geometry(name):
    loss, epsilon, model, y, theta, position, reason = POINTS[name]
    problem = single_point(loss, (-1, 1)[: len(theta)], y, epsilon, model)
    attack = exact_attack(problem, theta)
    assert (str(attack.position[0]), str(attack.reason[0])) == (position, reason)
    assert bool(attack.unique[0]) == (reason == "")
    if attack.position[0] != "interior":
        assert abs(float(attack.place[0])) == (1 if position == "boundary" else 0)


@pytest.mark.parametrize("name", [name for name in POINTS if len(POINTS[name][4]) == 2])
def test_an_attack_is_unique_where_no_other_perturbation_of_the_ball_is_as_bad(name):
    loss, epsilon, model, y, theta, _, reason = POINTS[name]
    problem = single_point(loss, (-1, 1), y, epsilon, model)
    attack = exact_attack(problem, theta)
    # Other perturbations with the same score: along the line orthogonal to theta.
    along = np.array([-theta[1], theta[0]]) if any(theta) else np.array([1.0, 0.0])
    steps = np.array([-0.1, -0.01, 0.01, 0.1])[:, None] * along / np.linalg.norm(along)
    sizes = np.linalg.norm(attack.delta[0] + steps, problem.p, axis=-1)
    if reason:
        assert sizes.min() <= problem.epsilon + ROUNDING
        return
    assert sizes.min() > problem.epsilon + 1e-6
    # Other scores: a mesh of the ball, at a distance from the attack.
    found = losses(problem, theta, ball(problem.p, problem.epsilon))
    away = np.linalg.norm(ball(problem.p, problem.epsilon) - attack.delta[0], axis=-1) > EPSILON / 2
    assert epsilon == 0 or loss == "clean" or found[away].max() < found.max() - 0.01 * np.ptp(found)


def test_the_zero_weights_and_tied_weights_leave_other_attacks_just_as_bad():
    linf = single_point("linf", (-1, 1), 1, 0.6)
    for free in (-0.6, 0.1, 0.6):
        assert losses(linf, (0, -2), np.array([[free, 0.6]]))[0] == pytest.approx(float(linf.loss((0, -2))))
    l1 = single_point("l1", (-1, 1), 1, 0.6)
    for share in (0.0, 0.25, 1.0):
        mixed = np.array([[-0.6 * share, 0.6 * (1 - share)]])
        assert losses(l1, (2, -2), mixed)[0] == pytest.approx(float(l1.loss((2, -2))))


@pytest.mark.parametrize("loss_name", ["l1", "l2", "linf", "l3"])
def test_the_interior_attack_has_the_least_norm_on_its_line(loss_name):
    problem = single_point(loss_name, (-1, 1), 1, 0.6, "swish")
    theta = np.array([1.25, -0.75])
    attack = exact_attack(problem, theta)
    assert attack.position.tolist() == ["interior"]
    along = np.array([0.75, 1.25])  # orthogonal to theta
    norm = optimize.minimize_scalar(
        lambda t: np.linalg.norm(attack.delta[0] + t * along, problem.p), (-1, 1)
    ).fun
    assert np.linalg.norm(attack.delta[0], problem.p) <= norm + ROUNDING
    moved = attack.delta[0] + 0.01 * along
    assert losses(problem, theta, moved[None])[0] == pytest.approx(float(attack.loss[0]), abs=ROUNDING)
    assert np.linalg.norm(moved, problem.p) < 0.6


def switch(problem: Problem) -> float:
    """The t at which both ends of the interval are equally bad for theta = (t, -t), by a root finder."""

    def lead(t: float) -> float:
        reach = problem.epsilon * np.linalg.norm((t, -t), dual_exponent(problem.p))
        centre = float(problem.X[0] @ (t, -t))
        return float(swish(np.array(centre + reach)) - swish(np.array(centre - reach)))

    return optimize.brentq(lead, 0.5, 1.5, xtol=1e-16, rtol=1e-15)


@pytest.mark.parametrize("loss_name", ["l1", "l2", "linf"])
def test_ends_tie_for_the_other_label_on_a_switch_and_nowhere_beside_it(loss_name):
    problem = single_point(loss_name, (-1, 1), -1, 0.6, "swish")
    # For p = 1 the whole diagonal has another reason, which comes first.
    t = switch(problem)
    theta = np.array([t, -t])
    at = exact_attack(problem, theta)
    assert at.reason.tolist() == ["largest |theta_i| tie" if loss_name == "l1" else "ends tie"]
    mirrored = -at.delta[0]
    assert losses(problem, theta, mirrored[None])[0] == pytest.approx(float(at.loss[0]), abs=ROUNDING)
    before, after = (exact_attack(problem, theta * scale) for scale in (1 - 1e-6, 1 + 1e-6))
    assert (float(before.place[0]), float(after.place[0])) == (1.0, -1.0)
    assert "ends tie" not in before.reason.tolist() + after.reason.tolist()
    # With y = 1 the same interval has one attack score, inside.
    other = exact_attack(single_point(loss_name, (-1, 1), 1, 0.6, "swish"), theta)
    assert other.position.tolist() == ["interior"]


def test_a_tie_needs_the_minimiser_between_the_ends():
    # A ball so small that swish is the same at both ends in floats: right of the minimiser the upper is worse.
    small = exact_attack(single_point("l2", (0.75,), -1, 1e-17, "swish"), (1.0,))
    assert (small.reason.tolist(), small.place.tolist()) == ([""], [1.0])
    # So far left that swish is 0 in floats at both ends: the lower end is worse, in exact arithmetic.
    attack = exact_attack(single_point("l2", (-1000.0,), -1, 1.0, "swish"), (1.0,))
    assert (attack.reason.tolist(), attack.place.tolist()) == ([""], [-1.0])


def test_weights_so_small_that_the_reach_underflows_still_have_an_attack():
    attack = exact_attack(single_point("linf", (-1, 1), 1, 0.1), (5e-324, -5e-324))
    assert attack.delta.tolist() == [[-0.1, 0.1]]
    assert attack.position.tolist() == ["boundary"]


def test_the_attack_keeps_the_axes_of_theta_and_of_the_data():
    problem = Problem(
        np.array([[1.0, 0.5, -1], [0.25, 2, 0], [-1, -1, 1], [3, 0, 0]]),
        np.array([1, -1, 1, -1]),
        0.3,
        2,
        "swish",
    )
    theta = np.random.default_rng(1).normal(size=(5, 2, 3))
    attack = exact_attack(problem, theta)
    assert attack.delta.shape == (5, 2, 4, 3) == attack.signs.shape
    for part in (attack.score, attack.loss, attack.place, attack.position, attack.reason, attack.unique):
        assert part.shape == (5, 2, 4)
    assert attack.loss.mean(axis=-1) == pytest.approx(problem.loss(theta), abs=ROUNDING)
    single = exact_attack(problem, theta[3, 1])
    assert isinstance(single, Attack)
    assert single.delta == pytest.approx(attack.delta[3, 1], abs=ROUNDING)
    assert single.position.tolist() == attack.position[3, 1].tolist()


def test_the_description_says_where_the_attack_is_in_one_line_a_point():
    problem = Problem(np.array([[-1.0, 1.0], [2.0, 3.0]]), np.array([1, -1]), 0.6, np.inf, "swish")
    first, second = describe_attack(problem, (1.5, -1.5)).splitlines()
    assert first == (
        "x = (-1, 1), y = +1: delta = (0.573845, -0.573845), signs + -, inside the ball at s = 0.956409, "
        "not unique (interior), score -1.27846, loss 0.842041"
    )
    assert second == (
        "x = (2, 3), y = -1: delta = (0.6, -0.6), signs + -, on the boundary, s = +1, unique, score 0.3, "
        "loss 0.783021"
    )
    assert "theta = 0, any attack of the ball is as good" in describe_attack(problem, (0, 0))
    clean = single_point("clean", (-1, 1), 1, 0.0)
    assert "epsilon = 0, no attack, unique" in describe_attack(clean, (1, 1))


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([1.0], r"theta has shape \(1,\); its last axis must have the 2 weights"),
        ([1.0, np.nan], "theta has entries that are not finite"),
        ([[1.0, 2.0]], r"theta has shape \(1, 2\); the description is of one point"),
    ],
)
def test_what_cannot_be_described_is_refused(theta, message):
    with pytest.raises(ValueError, match=message):
        describe_attack(single_point("l2", (-1, 1), 1, 0.6), theta)

"""Property tests of the Lipschitz statements: random admissible points in many dimensions, and false twins refuted.

Each constant is the one `theory/` proves; the attacks are computed here or by `numerics.norms`. A twin is the same
statement with its constant one per cent smaller, at a pair that attains it, or with an assumption dropped.
"""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from lipschitz_properties_tools import (
    APART,
    DIMENSIONS,
    EPSILONS,
    LESS,
    SLACK,
    farthest_input,
    moved,
    pairs,
    problems,
    vectors,
)

from numerics.admissible import Box, LevelSet
from numerics.bounds import from_theory
from numerics.bounds.fixtures import mixed_constant
from numerics.bounds.linf_attacks import orthant_constant
from numerics.norms import dual_exponent, dual_norm, steepest_direction
from numerics.problem import Problem


@given(st.data(), DIMENSIONS, EPSILONS, st.floats(0.05, 2))
def test_l2_attacks_obey_lemma_2_and_its_exact_form(data, d: int, epsilon: float, theta_min: float) -> None:
    a, b = data.draw(pairs(d, theta_min, 4.0))
    gap = epsilon * moved(steepest_direction(a, 2.0), steepest_direction(b, 2.0))
    assert gap <= from_theory("lemma2", epsilon=epsilon, theta_min=theta_min) * moved(a, b) + SLACK
    one, other = np.linalg.norm(a), np.linalg.norm(b)
    exact = epsilon**2 * (moved(a, b) ** 2 - (one - other) ** 2) / (one * other)
    assert gap**2 == pytest.approx(exact, abs=1e-12)


@given(st.data(), st.integers(2, 8), EPSILONS, st.floats(0.05, 2))
def test_the_twins_of_lemma_2_fail(data, d: int, epsilon: float, theta_min: float) -> None:
    direction, other = data.draw(vectors(d, 1, 1)), data.draw(vectors(d, 1, 1))
    assume(moved(direction, other) > 0.01)
    a, b = theta_min * direction, theta_min * other  # equal lengths attain the constant
    gap = epsilon * moved(steepest_direction(a, 2.0), steepest_direction(b, 2.0))
    constant = epsilon / theta_min
    assert gap > LESS * constant * moved(a, b)
    closer = 0.5  # without ||theta|| >= theta_min the same directions refute it at half the length
    assert gap > constant * moved(closer * a, closer * b)


@given(st.data(), DIMENSIONS, EPSILONS)
def test_k_flipped_signs_move_the_linf_attack_by_two_epsilon_root_k(data, d: int, epsilon: float) -> None:
    signs = np.array(
        data.draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=2 * d, max_size=2 * d))
    ).reshape(2, d)
    a, b = signs * data.draw(arrays(float, (2, d), elements=st.floats(0.1, 3)))
    k = int((signs[0] != signs[1]).sum())
    gap = epsilon * moved(steepest_direction(a, np.inf), steepest_direction(b, np.inf))
    assert gap == pytest.approx(2 * epsilon * np.sqrt(k), rel=1e-12)
    if k:
        theta_min = np.abs([a, b]).min()
        assert gap <= epsilon / theta_min * moved(a, b) * (1 + 1e-12)  # Lemma 3, corrected
    if k > 1:
        assert gap > 2 * epsilon  # the printed bound in the proof of Theorem 2


@given(st.data(), DIMENSIONS, EPSILONS, st.sampled_from([1.1, 1.3, 1.7, 2.0]), st.floats(0.1, 2))
def test_lp_attacks_obey_their_constant_on_half_spaces(
    data, d: int, epsilon: float, p: float, least: float
) -> None:
    normal = data.draw(vectors(d, 1, 1))
    normal /= dual_norm(
        normal, dual_exponent(p)
    )  # now ||n||_p = 1, so n.theta >= least gives ||theta||_q >= least
    points = [v + max(least - normal @ v, 0.0) * normal / (normal @ normal) for v in data.draw(pairs(d))]
    assume(moved(*points) >= APART)
    gap = epsilon * moved(*(steepest_direction(point, p) for point in points))
    constant = from_theory("beyond.p-below-2", h=dual_exponent(p) - 1, epsilon=epsilon, theta_min=least)
    assert gap <= constant * moved(*points) + SLACK


@given(st.integers(2, 8), EPSILONS, st.floats(1.1, 2), st.floats(0.1, 2))
def test_the_twin_of_the_lp_constant_fails_at_two_equal_weights(
    d: int, epsilon: float, p: float, least: float
) -> None:
    centre, step = np.zeros(d), np.zeros(d)
    centre[:2] = least / 2 ** (1 / dual_exponent(p))
    step[:2] = np.array([1.0, -1.0]) * 1e-4 * least
    gap = epsilon * moved(steepest_direction(centre + step, p), steepest_direction(centre - step, p))
    constant = from_theory("beyond.p-below-2", h=dual_exponent(p) - 1, epsilon=epsilon, theta_min=least)
    assert gap > LESS * constant * np.linalg.norm(2 * step)


@given(st.integers(2, 8), st.floats(2.2, 20), st.floats(1, 1e3))
def test_no_constant_serves_lp_attacks_for_p_above_2(d: int, p: float, constant: float) -> None:
    q = dual_exponent(p)
    t = (4 * constant) ** (1 / (q - 2))  # the gap is about 2 t^(q - 1) over a distance of 2 t
    assume(t > 1e-200)
    a, b = np.zeros(d), np.zeros(d)
    a[:2], b[:2] = (1, t), (1, -t)
    assert moved(steepest_direction(a, p), steepest_direction(b, p)) > constant * moved(a, b)


@given(st.data(), st.sampled_from(["linear", "swish"]))
def test_adversarial_losses_are_lipschitz_for_every_p(data, model: str) -> None:
    problem = data.draw(problems(model=model))
    a, b = data.draw(pairs(problem.dimension))
    constant = farthest_input(problem) * (
        1 if model == "linear" else 1.0998393194967
    )  # the largest slope of swish
    assert abs(problem.loss(a) - problem.loss(b)) <= constant * moved(a, b) + SLACK


@given(st.data(), DIMENSIONS, EPSILONS)
def test_the_twin_of_eq_8_fails_far_out_against_the_data_point(data, d: int, epsilon: float) -> None:
    x = data.draw(vectors(d, 0.5, 2))
    problem = Problem(x[None], np.ones(1), epsilon, 2.0)
    a, b = (-t * x / np.linalg.norm(x) for t in (20.0, 21.0))
    assert problem.loss(b) - problem.loss(a) > LESS * (np.linalg.norm(x) + epsilon) * moved(a, b)


@given(st.data())
def test_gradients_obey_the_corrected_eq_9_for_every_p(data) -> None:
    problem = data.draw(problems())
    a, b = data.draw(pairs(problem.dimension))
    reach, bound = farthest_input(problem), float(np.linalg.norm([a, b], axis=1).max())
    width = problem.dimension ** max(0.0, 0.5 - 1 / problem.p)
    jump = 2 * problem.epsilon * width * mixed_constant(bound * reach)
    gap = moved(problem.gradient(a), problem.gradient(b))
    assert gap <= reach**2 / 4 * moved(a, b) + jump + SLACK


@given(st.integers(2, 8), EPSILONS, st.floats(2.5, 50), st.floats(0.01, 5))
def test_eq_9_as_printed_fails_for_p_above_2(d: int, epsilon: float, p: float, t: float) -> None:
    """l = ||theta||^2/2 + theta.x around 0, C_tt = C_tx = 1, at two opposite corners; the corrected one is attained."""
    a = t * np.ones(d)
    gap = 2 * np.linalg.norm(a + epsilon * steepest_direction(a, p))
    assert gap > moved(a, -a) + 2 * epsilon
    assert gap == pytest.approx(moved(a, -a) + 2 * epsilon * d ** (0.5 - 1 / p), rel=1e-12)


@given(st.data())
def test_the_l2_gradient_obeys_theorem_1_printed_and_sharpened(data) -> None:
    problem = data.draw(problems(p=st.just(2.0)))
    a, b = data.draw(pairs(problem.dimension, 0.1))
    gap = moved(problem.gradient(a), problem.gradient(b))
    theta_min, bound = (float(f(np.linalg.norm([a, b], axis=1))) for f in (np.min, np.max))
    radius, reach = farthest_input(problem) - problem.epsilon, farthest_input(problem)
    values = {"epsilon": problem.epsilon, "theta_min": theta_min}
    printed = from_theory(
        "theorem1", C_theta_theta=reach**2 / 4, C_theta_x=mixed_constant(bound * reach), **values
    )
    assert gap <= printed * moved(a, b) + SLACK
    nearest = np.clip(a @ (a - b) / moved(a, b) ** 2, 0, 1)
    values["theta_min"] = float(np.linalg.norm(a + nearest * (b - a)))  # of the segment, which is convex
    assume(values["theta_min"] > 1e-3)
    sharp = from_theory("theorem1", "constant", "sharpest", R=radius, B=bound, **values)
    assert gap <= sharp * moved(a, b) + SLACK


@given(st.data(), st.floats(1, 1e4))
def test_no_constant_serves_the_l2_gradient_at_the_origin(data, constant: float) -> None:
    problem = data.draw(problems(p=st.just(2.0)))
    close = problem.epsilon / (4 * constant + 4 * farthest_input(problem) ** 2)
    v = close * data.draw(vectors(problem.dimension, 1, 1))
    assert moved(problem.gradient(v), problem.gradient(-v)) > constant * moved(v, -v)


@given(st.data())
def test_the_linf_gradient_obeys_theorem_2_on_every_orthant(data) -> None:
    problem = data.draw(problems(p=st.just(np.inf)))
    d = problem.dimension
    signs = np.array(data.draw(st.lists(st.sampled_from([-1.0, 1.0]), min_size=d, max_size=d)))
    a, b = signs * data.draw(arrays(float, (2, d), elements=st.floats(1e-4, 3)))
    assume(moved(a, b) >= APART)
    constant = orthant_constant(problem, signs)
    radius = float(np.linalg.norm(problem.X, axis=1).max())
    assert (
        constant
        <= from_theory("theorem2", "constant", "sharpest", R=radius, d=d, epsilon=problem.epsilon) + SLACK
    )
    assert moved(problem.gradient(a), problem.gradient(b)) <= constant * moved(a, b) + SLACK
    # Near the corner of the orthant, along the leading eigenvector, the constant is reached.
    attacked = problem.X - problem.epsilon * problem.y[:, None] * signs
    lead = np.linalg.eigh(attacked.T @ attacked)[1][:, -1]
    base, step = 1e-3 * signs, 1e-4 * lead
    gap = moved(problem.gradient(base + step), problem.gradient(base - step))
    assert gap > LESS * constant * np.linalg.norm(2 * step) - SLACK


@given(st.data(), st.floats(1, 1e4))
def test_no_constant_serves_the_linf_gradient_across_an_axis(data, constant: float) -> None:
    problem = data.draw(problems(p=st.just(np.inf)))
    theta = data.draw(vectors(problem.dimension, 0, 1))
    theta[0] = 1e-9 / constant
    other = theta * np.array([-1.0, *np.ones(problem.dimension - 1)])
    assert moved(problem.gradient(theta), problem.gradient(other)) > constant * moved(theta, other)


@given(st.data(), st.integers(1, 6))
def test_level_sets_keep_theta_min_and_the_smoothness_that_follows(data, d: int) -> None:
    x = data.draw(vectors(d, 0.5, 2))
    length = float(np.linalg.norm(x))
    epsilon = data.draw(st.floats(0.05, 0.9)) * length
    problem = Problem(x[None], np.ones(1), epsilon, 2.0)
    start = x / length * data.draw(st.floats(0.2, 2)) + 0.1 * data.draw(vectors(d, 0, 1))
    level = float(problem.loss(start))
    assume(level < np.log(2) - 1e-3)
    anchor = start + 0.5 * x / length  # the loss falls along x
    chosen = LevelSet(problem.loss, level, anchor, Box(np.full(d, -6), np.full(d, 6)))
    a, b = chosen.project(np.stack(data.draw(pairs(d, most=5.0))))
    assume(moved(a, b) >= APART)
    spare = {"L_0": level, "w": length - epsilon}
    least = from_theory("beyond.theta-min", "theta_min", **spare)
    assert min(np.linalg.norm(a), np.linalg.norm(b)) >= least * (1 - 1e-9)
    constant = from_theory("beyond.level-set", R=length, epsilon=epsilon, **spare)
    assert moved(problem.gradient(a), problem.gradient(b)) <= constant * moved(a, b) + SLACK

"""Holds the minimisers of L and of -F to searches that use values alone, to symmetry and to conditions of `theory/`."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest

from numerics.local_entropy import local_entropy_surface
from numerics.optima import Optimum, entropy_optimum, entropy_path, optimum
from numerics.problem import Problem, named, normal_data, single_point

SEARCHED = 1e-6  # of a search by values: near a smooth minimum these are flat to half the digits
ZOOMS = 40


def labelled(loss: str, epsilon: float, weights: tuple[float, float], points: int = 60) -> Problem:
    """Gaussian points labelled by sign(weights.x), so that the minimum lies off the axes."""
    X = np.random.default_rng(8).standard_normal((points, 2))
    return Problem(X, np.sign(X @ np.array(weights)), *named(loss, epsilon))


def searched(
    value: Callable[[np.ndarray, np.ndarray], np.ndarray], reach: float = 8.0, zooms: int = ZOOMS
) -> np.ndarray:
    """The minimiser of a convex function of two weights from its values on shrinking grids."""
    centre = np.zeros(2)
    for _ in range(zooms):
        axes = [place + reach * np.linspace(-1, 1, 9) for place in centre]
        height = value(*axes)
        i, j = np.unravel_index(int(np.argmin(height)), height.shape)
        centre, reach = np.array([axes[0][i], axes[1][j]]), reach * 0.6
    return centre


def loss_on(problem: Problem) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
    return lambda first, second: problem.loss(np.stack(np.meshgrid(first, second, indexing="ij"), axis=-1))


CASES = [
    normal_data("l2"),
    normal_data("linf"),
    normal_data("linf", 0.3, points=40, seed=5),
    labelled("l2", 0.5, (1, -0.7)),
    labelled("linf", 0.5, (1, -0.7)),
    labelled("linf", 0.5, (-0.2, -1)),
]


@pytest.mark.parametrize("problem", CASES)
def test_no_searched_value_is_below_the_minimum_and_the_search_ends_there(problem):
    best = optimum(problem)
    place = searched(loss_on(problem))
    assert float(problem.loss(place)) >= best.value - 1e-15
    assert np.abs(place - best.theta).max() <= SEARCHED
    assert best.error <= 1e-9


@pytest.mark.parametrize("problem", CASES)
def test_a_minimiser_one_per_cent_off_is_no_minimiser(problem):
    best = optimum(problem)
    assert float(problem.loss(1.01 * best.theta)) > best.value
    assert np.abs(searched(loss_on(problem)) - 1.01 * best.theta).max() > SEARCHED


def test_the_linf_minimum_of_fig_4_lies_exactly_on_the_kink_and_the_l2_minimum_does_not():
    assert optimum(normal_data("linf")).theta[1] == 0
    assert abs(optimum(normal_data("l2")).theta[1]) > 0.04


def test_the_linf_minimum_leaves_the_kink_where_the_condition_of_the_ledger_turns():
    # Claim appc.linf-theta2: theta_2 = 0 is best for a given theta_1 if and only if |mean s y x_2| <= epsilon mean s.
    problem = normal_data("linf")
    small = Problem(problem.X, problem.y, 0.02)
    for case in (problem, small):
        best = optimum(case)
        first = best.theta[0] if best.theta[1] == 0 else searched_on_axis(case)
        push = 1 / (1 + np.exp(case.y * case.X[:, 0] * first - case.epsilon * abs(first)))
        holds = abs((push * case.y * case.X[:, 1]).mean()) <= case.epsilon * push.mean()
        assert holds == (best.theta[1] == 0)
    assert optimum(problem).theta[1] == 0
    assert optimum(small).theta[1] != 0


def searched_on_axis(problem: Problem) -> float:
    """The theta_1 of the least loss at theta_2 = 0."""
    return float(searched(lambda first, second: loss_on(problem)(first, 0 * second), reach=40.0)[0])


@pytest.mark.parametrize("loss", ["l2", "linf"])
def test_labels_without_a_pattern_and_a_large_radius_put_the_minimum_at_zero(loss):
    X = np.random.default_rng(2).standard_normal((50, 2))
    best = optimum(Problem(X, np.where(np.arange(50) % 2 == 0, 1.0, -1.0), *named(loss, 0.9)))
    assert np.array_equal(best.theta, [0, 0])
    assert best.value == pytest.approx(np.log(2), abs=1e-15)


@pytest.mark.parametrize(
    ("problem", "message"),
    [
        (single_point("l2", (-1, 1), 1, 0.6), "has no minimum, it falls along a ray"),
        (single_point("linf", (-1, 1), 1, 0.6), "has no minimum"),
        (normal_data("clean"), "has no minimum"),
        (single_point("l2", (-1, 1), 1, 0.6, "swish"), "model = 'swish'"),
        (normal_data("l1.5"), "p = 1.5"),
        (Problem(np.ones((2, 3)), np.array([1.0, -1.0]), 0.5), "d = 3"),
    ],
)
def test_a_loss_without_a_minimum_or_outside_the_method_is_refused(problem, message):
    with pytest.raises(ValueError, match=message):
        optimum(problem)


@pytest.mark.parametrize(
    ("problem", "gamma", "beta"),
    [(normal_data("linf", points=20), 10.0, 1.0), (labelled("l2", 0.5, (1, -0.7), 12), 4.0, 2.5)],
)
def test_the_minimum_of_minus_f_is_where_a_search_by_values_ends(problem, gamma, beta):
    found = entropy_optimum(problem, gamma, beta=beta)

    def minus_f(first: np.ndarray, second: np.ndarray) -> np.ndarray:
        return local_entropy_surface(problem, (first, second), gamma=gamma, beta=beta).value

    place = found.theta + searched(
        lambda a, b: minus_f(found.theta[0] + a, found.theta[1] + b), reach=0.01, zooms=20
    )
    assert np.abs(place - found.theta).max() <= SEARCHED
    assert found.error <= 1e-8


def test_the_minimum_does_not_depend_on_where_newton_begins():
    ends = [
        entropy_optimum(CASES[4], 3.0, start=np.array(start)).theta for start in ((0, 0), (3, -2), (-1, 2))
    ]
    assert np.ptp(ends, axis=0).max() <= 1e-9


def test_a_mirror_image_of_the_data_mirrors_the_minimum():
    problem = CASES[3]
    mirrored = Problem(problem.X * [1, -1], problem.y, problem.epsilon, problem.p)
    here, there = (entropy_optimum(each, 5.0).theta for each in (problem, mirrored))
    assert here == pytest.approx(there * [1, -1], abs=1e-9)


def test_the_minimum_of_minus_f_tends_to_that_of_the_loss_and_is_not_it():
    # App. C's sentence (claim appc.optimal-points), and what is left of it for gamma to infinity.
    problem = normal_data("linf", points=30)
    best = optimum(problem)
    distances = [
        float(np.linalg.norm(each.theta - best.theta))
        for each in entropy_path(problem, np.array([1.0, 30.0, 3000.0]))
    ]
    assert distances[0] > 10 * distances[2] > 0
    assert distances[2] < 0.02


def test_a_path_is_the_minimum_at_each_gamma_in_the_order_asked():
    problem, gammas = normal_data("l2", points=20), np.array([3.0, 40.0, 0.8])
    path = entropy_path(problem, gammas)
    assert all(isinstance(each, Optimum) for each in path)
    for each, gamma in zip(path, gammas, strict=True):
        assert each.theta == pytest.approx(entropy_optimum(problem, float(gamma)).theta, abs=1e-8)


def test_minus_f_of_a_single_point_has_no_minimum():
    with pytest.raises(ValueError, match="no minimum of -F at gamma = 1"):
        entropy_optimum(single_point("linf", (-1, 1), 1, 0.6), 1.0, start=np.zeros(2))

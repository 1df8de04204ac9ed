"""Holds the gradient jumps to closed forms, to gradients on both sides, and to the numbers of `theory/`."""

from __future__ import annotations

import numpy as np
import pytest

from numerics.autodiff import value_and_gradient
from numerics.bounds import from_theory
from numerics.jumps import (
    Kink,
    jump,
    jump_along_axis,
    jump_at_origin,
    jumps_along_path,
    measured_jump,
    one_sided_gradient,
)
from numerics.problem import Problem, single_point

EPSILON = 0.6
X = np.array([[1.0, -0.5], [-0.3, 0.8], [0.9, 0.4]])
Y = np.array([1.0, -1.0, 1.0])
MEASURED = 1e-10  # of the extrapolation from ten steps


def sigmoid(value):
    return 1 / (1 + np.exp(-value))


def data(p: float, model: str = "linear", x: np.ndarray = X, y: np.ndarray = Y) -> Problem:
    return Problem(x, y, EPSILON, p, model)


def test_the_l2_gradient_jumps_by_epsilon_along_every_direction_at_the_origin() -> None:
    angles = np.linspace(0, 2 * np.pi, 9)[:-1]
    v = np.stack([np.cos(angles), np.sin(angles)], axis=1)
    assert from_theory("beyond.origin-jump", "jump", epsilon=EPSILON) == pytest.approx(EPSILON)
    for problem in (data(2.0), single_point("l2", (-1, 1), 1, EPSILON)):
        assert jump_at_origin(problem, v) == pytest.approx(np.full(8, EPSILON), rel=1e-14)
        closed = jump(problem, np.zeros(2), v)
        assert closed == pytest.approx(EPSILON * v, abs=1e-14)
        for direction, vector in zip(v, closed, strict=True):
            assert measured_jump(problem, [0, 0], direction) == pytest.approx(vector, abs=MEASURED)


def test_the_linf_gradient_jumps_by_two_epsilon_mean_sigmoid_across_an_axis() -> None:
    t = np.array([-2.0, -0.7, 0.4, 1.9])
    theta = np.stack([np.zeros(4), t], axis=1)
    exponents = -Y * (theta @ X.T) + EPSILON * np.abs(t)[:, None]
    expected = 2 * EPSILON * sigmoid(exponents).mean(axis=1)
    assert jump_along_axis(data(np.inf), 0, t) == pytest.approx(expected, rel=1e-13)
    factor = from_theory("theorem2.inference", "size", "corrected", epsilon=EPSILON)
    assert factor == pytest.approx(2 * EPSILON)  # of the mean sigmoid
    for point, size in zip(theta, expected, strict=True):
        assert measured_jump(data(np.inf), point, [1, 0]) == pytest.approx([size, 0], abs=MEASURED)


def test_a_jump_one_per_cent_off_is_told_apart() -> None:
    point = [0.0, 0.4]
    measured = measured_jump(data(np.inf), point, [1, 0])[0]
    assert measured != pytest.approx(1.01 * jump_along_axis(data(np.inf), 0, [0.4])[0], rel=1e-3)


def test_at_the_origin_the_diagonal_crosses_all_axes_at_once() -> None:
    problem = Problem(np.array([[0.3, -0.2, 0.1]]), np.ones(1), EPSILON, np.inf)
    assert jump_at_origin(problem, [[1, 1, 1]])[0] == pytest.approx(EPSILON * np.sqrt(3))
    assert jump_at_origin(problem, [[1, 0, 0]])[0] == pytest.approx(EPSILON)
    assert jump_along_axis(problem, 1, [[0.0, 0.0]])[0] == pytest.approx(EPSILON)


@pytest.mark.parametrize("model", ["linear", "swish"])
@pytest.mark.parametrize("p", [1.0, 1.3, 2.0, 3.0, np.inf])
def test_closed_and_measured_jumps_agree_along_paths(p: float, model: str) -> None:
    problem = data(p, model)
    through = jumps_along_path(problem, [-1.0, 0.5], [1.5, -0.75])
    beside = jumps_along_path(problem, [-1.0, 0.5], [1.5, -0.3])
    assert [kink.t for kink in through] == pytest.approx([0.4])  # the origin
    expected = {1.0: [0.5 / 1.7, 1.5 / 3.3], np.inf: [0.4, 0.625]}.get(p, [])
    assert [kink.t for kink in beside] == pytest.approx(expected)
    for kink in (*through, *beside):
        assert kink.measured == pytest.approx(kink.closed, abs=MEASURED)
        assert np.linalg.norm(kink.closed) > 0.1


@pytest.mark.parametrize("y", [-1.0, 1.0])
def test_swish_jumps_agree_on_both_sides_of_its_minimum(y: float) -> None:
    problem = single_point("linf", (-1, 1), y, EPSILON, "swish")
    for t in (-3.0, -1.2, -0.4, 0.5, 2.0):
        closed = jump(problem, [0, t], [1, 0])
        assert closed == pytest.approx(measured_jump(problem, [0, t], [1, 0]), abs=MEASURED)
        assert closed[0] >= -1e-15  # a maximum over attacks has convex kinks
    assert jump_at_origin(problem, [[0, 1]])[0] == pytest.approx(EPSILON / 2)  # swish has the slope 1/2 at 0


def test_an_attack_inside_the_ball_leaves_no_kink() -> None:
    """Fig. 2(f): where u* = -1.278... is within reach, the L-infinity swish loss is smooth across the axis."""
    problem = single_point("linf", (-1, 1), 1, EPSILON, "swish")
    assert jump_along_axis(problem, 0, [-1.2]) == pytest.approx([0])
    assert jump_along_axis(problem, 0, [-0.5])[0] > 0.05


def test_automatic_gradients_on_both_sides_give_the_same_jump() -> None:
    problem = data(np.inf)
    _, slopes = value_and_gradient(problem)(np.array([[1e-9, 0.7], [-1e-9, 0.7]]))
    assert slopes[0] - slopes[1] == pytest.approx(jump(problem, [0, 0.7], [1, 0]), abs=1e-7)


def test_where_the_loss_is_differentiable_there_is_no_jump() -> None:
    for p in (1.0, 1.5, 2.0, np.inf):
        assert jump(data(p), [0.7, -0.3], [1, 2]) == pytest.approx([0, 0])
    assert jump_along_axis(data(2.0), 0, [-1.0, 0.5]) == pytest.approx([0, 0])
    assert jumps_along_path(Problem(X, Y, 0.0), [-1, -1], [1, 1]) == []
    theta, v = np.array([0.7, -0.3]), np.array([1.0, 2.0])
    assert one_sided_gradient(data(2.0), theta, v) == pytest.approx(data(2.0).gradient(theta), abs=MEASURED)


def test_a_kink_on_a_path_lies_on_the_path() -> None:
    start, end = np.array([-0.3, 0.7]), np.array([1.1, -0.4])
    kinks = jumps_along_path(data(np.inf), start, end)
    assert all(isinstance(kink, Kink) for kink in kinks)
    for kink in kinks:
        assert kink.theta == pytest.approx(start + kink.t * (end - start), abs=1e-12)
        assert np.abs(kink.theta).min() == 0


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: jump_along_axis(data(np.inf), 2, [0.5]), "i = 2; the weights are numbered 0 to 1"),
        (lambda: jump_along_axis(data(np.inf), 0, [[0.5, 1, 2]]), "t_values has shape"),
        (lambda: jump_at_origin(data(2.0), [[0, 0]]), "direction is 0"),
        (lambda: jump_at_origin(data(2.0), [[0, np.nan]]), "finite"),
        (lambda: jumps_along_path(data(2.0), [1, 1], [1, 1]), "two different ends"),
    ],
)
def test_bad_arguments_are_refused(make, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()

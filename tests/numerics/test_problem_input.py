"""Bad problems, weights, grids and names are refused in one line."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numerics.autodiff import value_and_gradient
from numerics.problem import (
    Problem,
    finite_array,
    named,
)
from numerics.surfaces import square_axes

GOOD: dict[str, Any] = {"X": [[1.0, 2.0]], "y": [1], "epsilon": 0.5, "p": 2.0, "model": "linear"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"X": [[1.0, np.nan]]}, "X has entries that are not finite"),
        ({"X": [[1.0, np.inf]]}, "X has entries that are not finite"),
        ({"X": [1.0, 2.0]}, "X has 1 axes; it must have 2"),
        ({"X": np.zeros((1, 0))}, r"X has shape \(1, 0\)"),
        ({"X": np.zeros((0, 2)), "y": []}, r"X has shape \(0, 2\)"),
        ({"X": [["a", "b"]]}, r"X = \[\['a', 'b'\]\] is not an array of numbers"),
        ({"X": [[1.0, 2.0], [3.0]]}, "X = .* is not an array of numbers"),
        ({"y": [1, 1]}, r"X has shape \(1, 2\) and y \(2,\)"),
        ({"y": 1}, "y has 0 axes; it must have 1"),
        ({"y": [0]}, "y has the entry 0; every label must be -1 or 1"),
        ({"y": [2]}, "y has the entry 2; every label must be -1 or 1"),
        ({"y": [np.nan]}, "y has entries that are not finite"),
        ({"epsilon": -0.1}, "epsilon = -0.1; the radius of the attack must be finite and >= 0"),
        ({"epsilon": np.nan}, "epsilon = nan; the radius"),
        ({"epsilon": np.inf}, "epsilon = inf; the radius"),
        ({"p": 0.5}, "p = 0.5; the norm of the ball must have 1 <= p <= inf"),
        ({"p": np.nan}, "p = nan; the norm of the ball"),
        ({"model": "relu"}, "model = 'relu' is unknown; the known ones are linear, swish"),
    ],
)
def test_a_bad_problem_is_refused_in_one_line(changes, message):
    with pytest.raises(ValueError, match=message) as caught:
        Problem(**{**GOOD, **changes})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("theta", [0.5, [1.0], [[1.0, 2.0, 3.0]]])
def test_weights_of_another_length_are_refused(theta):
    for use in (Problem(**GOOD).loss, Problem(**GOOD).gradient, value_and_gradient(Problem(**GOOD))):
        with pytest.raises(ValueError, match=r"theta has shape .* must have the 2 weights of the model"):
            use(theta)


@pytest.mark.parametrize(
    ("theta", "message"),
    [
        ([1.0, np.nan], "theta has entries that are not finite"),
        ([1.0, -np.inf], "theta has entries that are not finite"),
        ("0.3, x", "theta = '0.3, x' is not an array of numbers"),
        ([[1.0, 2.0], [3.0]], "theta = .* is not an array of numbers"),
    ],
)
def test_weights_that_are_no_finite_numbers_are_refused(theta, message):
    with pytest.raises(ValueError, match=message):
        Problem(**GOOD).loss(theta)


@pytest.mark.parametrize("loss_name", ["l0.5", "L2", "", "l", "lnan", "linfinity", "hinge"])
def test_an_unknown_loss_names_the_known_ones(loss_name):
    with pytest.raises(ValueError, match=r"is unknown; the known ones are clean, l1, l2, linf and l<p>"):
        named(loss_name, 0.6)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1,), "size = 1; a grid needs at least 2 points"),
        ((5, 0.0), "half_width = 0.0; it must be finite and > 0"),
        ((5, np.nan), "half_width = nan; it must be finite and > 0"),
    ],
)
def test_a_grid_of_no_width_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        square_axes(*arguments)


def test_the_data_of_a_problem_are_a_copy():
    X = np.array([[1.0, 2.0]])
    problem = Problem(X, np.ones(1), 0.5)
    X[0, 0] = 9
    assert problem.X[0, 0] == 1
    with pytest.raises(ValueError, match="v has 1 axes; it must have 2"):
        finite_array("v", [1.0], 2)

"""Rounding a certified -F to floats is held against the tolerance, and what is printed keeps every digit of it."""

from __future__ import annotations

import flint
import numpy as np
import pytest

from numerics.__main__ import main
from numerics.local_entropy.certified import certified_local_entropy, certified_surface, certified_value
from numerics.local_entropy.result import QuadratureFailure
from numerics.problem import single_point

PROBLEM = single_point("linf", (-1.0, 1.0), 1.0, 0.6)
TOLERANCE = 1e-12


@pytest.mark.parametrize("far", [1.0, 1e2, 1e4, 1e6, 1e8])
def test_a_float_is_within_the_tolerance_of_the_ball_or_there_is_none(far: float) -> None:
    theta = (far, 2.0)
    ball = certified_value(PROBLEM, theta, radius=TOLERANCE)
    assert ball.radius <= TOLERANCE
    spacing = np.spacing(float(ball.value.mid()))
    if spacing / 2 <= TOLERANCE:
        found = certified_local_entropy(PROBLEM, theta, tolerance=TOLERANCE)
        assert float((ball.value - flint.arb(found.value)).abs_upper()) <= found.error <= TOLERANCE
    else:
        with pytest.raises(QuadratureFailure, match="float64 rounds -F more coarsely"):
            certified_local_entropy(PROBLEM, theta, tolerance=TOLERANCE)


def test_a_surface_with_one_theta_too_far_for_floats_is_refused() -> None:
    near, far = np.array([0.5, 1.0]), np.array([1e6, 1e6 + 0.5])
    assert certified_surface(PROBLEM, (near, near), radius=TOLERANCE).error.max() <= TOLERANCE
    with pytest.raises(QuadratureFailure, match="float64 rounds -F more coarsely"):
        certified_surface(PROBLEM, (far, near), radius=TOLERANCE)


def test_the_command_refuses_what_floats_cannot_hold(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local-entropy", "--method", "certified", "--theta", "1e8,2"]) == 2
    printed = capsys.readouterr()
    assert (printed.out, printed.err.count("\n")) == ("", 1)
    assert "where tolerance = 1e-12 was asked" in printed.err


def test_the_printed_double_is_within_the_error_printed_with_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["local-entropy", "--method", "certified", "--theta", "1e4,2"]) == 0
    lines = capsys.readouterr().out.splitlines()
    value, error = float(lines[0].split()[-1]), float(lines[4].split()[1])
    ball = certified_value(PROBLEM, (1e4, 2.0), radius=1e-20)
    with flint.ctx.workprec(200):
        assert float((ball.value - flint.arb(value)).abs_upper()) <= error

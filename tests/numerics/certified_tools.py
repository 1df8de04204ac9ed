"""What the tests of certified share."""

from __future__ import annotations

from typing import Any

import flint
import numpy as np

from numerics.local_entropy.certified import (
    Enclosure,
)
from numerics.problem import Problem

arb, acb = flint.arb, flint.acb


THETA = (0.32, -0.68)


THREE = Problem(np.array([[1.2, -0.4], [-0.3, 0.9], [0.5, 1.1]]), np.array([1.0, -1.0, 1.0]), 0.3, 2.0)


def entries(ball: Enclosure) -> list[Any]:
    return [ball.value, *ball.gradient, *ball.hessian[0], *ball.hessian[1]]


def distance(ball: Any, number: float) -> float:
    return float((ball - arb(number)).abs_upper())

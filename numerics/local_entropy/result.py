"""One evaluation of -F(theta) of Eq. (10) by whatever route: its numbers, their error, or the failure to reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from numerics.problem import Problem

LARGEST_PRECISION = 1e150  # of the Gaussian, beta gamma
LARGEST_DATA = (
    1e100  # of an entry of X, and of epsilon: products with weights and their squares stay within floats
)


@dataclass(frozen=True, eq=False)
class LocalEntropy:
    """-F at one theta, with -F(theta) = -log of the integral over theta' in R^2 of
    exp(-beta L(theta') - (beta gamma/2) ||theta - theta'||^2).

    `value` is -F; `gradient` (2,) is -grad F = beta gamma (theta - E[theta']) and `hessian` (2, 2) is -Hess F =
    beta gamma I - (beta gamma)^2 Cov, with moments under the density of Eq. (12). `error` bounds, as far as the
    method can tell, the absolute error of `value`; `derivative_error` that of the largest entry of gradient and
    Hessian. `seconds` is wall time. Source: Eqs. (10), (11), (53), there for beta = 1.
    """

    value: float
    gradient: np.ndarray
    hessian: np.ndarray
    error: float
    derivative_error: float
    method: str
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The fields as plain numbers and lists, ready for json.dumps."""
        return {
            "value": self.value,
            "gradient": self.gradient.tolist(),
            "hessian": self.hessian.tolist(),
            "error": self.error,
            "derivative_error": self.derivative_error,
            "method": self.method,
            "seconds": self.seconds,
        }


class QuadratureFailure(ValueError):
    """A route did not reach the error that was asked of it; `reached` (inf when nothing is known) and `asked` say
    how far it came, in the units of -F."""

    def __init__(self, method: str, reached: float, asked: float, reason: str) -> None:
        bound = f"an error of {reached:.2g}" if np.isfinite(reached) else "no bound on the error"
        super().__init__(
            f"{method} reached {bound} in -F where tolerance = {asked:.2g} was asked: {reason}; ask for less or take "
            "another method"
        )
        self.method, self.reached, self.asked, self.reason = method, reached, asked, reason

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickled by its four parts, so that a worker process can hand it on."""
        return type(self), (self.method, self.reached, self.asked, self.reason)


def check_arguments(problem: Problem, theta: Any, gamma: Any, beta: Any) -> tuple[np.ndarray, float, float]:
    """(theta, gamma, beta) as a float array of shape (2,) and two floats.

    Raises ValueError unless the problem has two weights, theta is finite of shape (2,), gamma and beta are finite
    and positive, the square of beta gamma, which the Hessian has, is within float range, no data exceed LARGEST_DATA.
    """
    if problem.dimension != 2:
        raise ValueError(
            f"problem has {problem.dimension} weights; the integral of Eq. (10) is computed for 2: pass data X of "
            "shape (N, 2)"
        )
    largest = max(float(np.abs(problem.X).max()), problem.epsilon)
    if largest > LARGEST_DATA:
        raise ValueError(
            f"X or epsilon has the size {largest:g}; beyond {LARGEST_DATA:g} squares overflow: rescale the data"
        )
    centre = problem.checked(theta)
    if centre.shape != (2,):
        raise ValueError(f"theta has shape {centre.shape}; it must be (2,): pass one point at a time")
    gamma, beta = positive("gamma", gamma), positive("beta", beta)
    if not 1 / LARGEST_PRECISION < beta * gamma < LARGEST_PRECISION:
        raise ValueError(
            f"gamma = {gamma:g} and beta = {beta:g}; beta gamma must lie between {1 / LARGEST_PRECISION:g} and "
            f"{LARGEST_PRECISION:g}, or its square overflows: rescale theta"
        )
    return centre, gamma, beta


def positive(name: str, value: Any) -> float:
    """The number, a float; ValueError that names it unless it is finite and positive."""
    try:
        number = float(value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name} = {value!r} is not a number: pass a positive one") from error
    if not 0 < number < np.inf:
        raise ValueError(f"{name} = {number:g}; it must be finite and > 0: pass a positive number")
    return number

"""A loss at its attack, for `python -m theory check`: derivatives in x and theta there, to 50 digits."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import flint
import mpmath
from mpmath import mpf

from theory.own_loss.derivatives import cross, gradient, upper_triangle
from theory.own_loss.evaluate import Balls, as_ball
from theory.own_loss.matrices import Matrix, from_entries
from theory.own_loss.objective import WORKING_DIGITS, exact
from theory.own_loss.problem import LossProblem, fraction

BORDER = "multiplier of the sphere"  # a symbol that no user can name


class Local:
    """The loss's derivatives at x' = center + epsilon u and theta = at, of which `x` and `theta` are the symbols."""

    def __init__(self, problem: LossProblem) -> None:
        self.problem, self.graph, self.root = problem, problem.graph, problem.root
        self.x = [self.graph.symbol(name) for name in problem.x]
        self.theta = [self.graph.symbol(name) for name in problem.theta]
        self.names = [*problem.x, *problem.theta]
        self._x_slopes = gradient(self.graph, self.root, self.x)
        self._theta_slopes = gradient(self.graph, self.root, self.theta)
        self._x_bends = upper_triangle(self.graph, self._x_slopes, self.x)
        self._theta_bends = upper_triangle(self.graph, self._theta_slopes, self.theta)
        self._cross = cross(self.graph, self._x_slopes, self.theta)

    def slope(self, u: Sequence[mpf], scale: mpf) -> Matrix:
        """grad_x l, d x 1, to 50 digits of `scale`, which is in the units of the loss."""
        return self._column(self._x_slopes, u, scale / exact(self.problem.epsilon))

    def bends(self, u: Sequence[mpf], scale: mpf) -> Matrix:
        """grad_x^2 l, d x d."""
        return _symmetric(
            self._numbers(self._x_bends, u, scale / exact(self.problem.epsilon) ** 2), len(self.x)
        )

    def cross(self, u: Sequence[mpf]) -> Matrix:
        """B = grad_theta grad_x l, d x m."""
        return from_entries(self._numbers(self._cross, u), len(self.theta))

    def theta_slope(self, u: Sequence[mpf]) -> Matrix:
        """grad_theta l, m x 1."""
        return self._column(self._theta_slopes, u, None)

    def theta_bends(self, u: Sequence[mpf]) -> Matrix:
        """grad_theta^2 l, m x m."""
        return _symmetric(self._numbers(self._theta_bends, u), len(self.theta))

    def bordered(self, u: Sequence[mpf], multiplier: mpf, scale: mpf) -> Matrix:
        """The Hessian of Eq. (20)'s `J = l - mu (||x' - center||_2 - epsilon)` in (mu, x'), by differentiating J; to 50
        digits of `scale`, in the units of grad_x^2 l, or of the border where that is smaller."""
        graph, problem = self.graph, self.problem
        mu = graph.symbol(BORDER)
        offsets = [
            graph.sub(one, graph.number(fraction(c))) for one, c in zip(self.x, problem.center, strict=True)
        ]
        length = graph.apply("sqrt", graph.total(graph.mul(one, one) for one in offsets))
        excess = graph.sub(length, graph.number(fraction(problem.epsilon)))
        lagrangian = graph.sub(self.root, graph.mul(mu, excess))
        variables = [mu, *self.x]
        slopes = gradient(graph, lagrangian, variables)
        bends = upper_triangle(graph, slopes, variables)
        balls = Balls(graph, bends, [BORDER, *self.names])
        numbers = balls.at(
            lambda: [as_ball(multiplier), *self.place(u)],
            WORKING_DIGITS,
            min(scale, mpf(1)),
            differences=True,
        )
        return _symmetric(numbers, len(variables))

    def _numbers(self, roots: Sequence[int], u: Sequence[mpf], scale: mpf | None = None) -> list[mpf]:
        return Balls(self.graph, roots, self.names).at(lambda: self.place(u), WORKING_DIGITS, scale)

    def _column(self, roots: Sequence[int], u: Sequence[mpf], scale: mpf | None) -> Matrix:
        return mpmath.matrix(self._numbers(roots, u, scale))

    def place(self, u: Sequence[mpf], around: Any = None) -> list[Any]:
        """Balls around x' and theta in flint's precision; x' with the radius `around` beside."""
        radius = _rational(self.problem.epsilon)
        centres = map(_rational, self.problem.center)
        attack = [c + radius * as_ball(one) for c, one in zip(centres, u, strict=True)]
        if around is not None:
            attack = [one + flint.arb(0, around) for one in attack]
        return [*attack, *map(_rational, self.problem.at)]


def _symmetric(upper: Sequence[mpf], size: int) -> Matrix:
    matrix, entries = mpmath.matrix(size, size), iter(upper)
    for i in range(size):
        for j in range(i, size):
            matrix[i, j] = matrix[j, i] = next(entries)
    return matrix


def _rational(value: Any) -> Any:
    number = fraction(value)
    return flint.arb(flint.fmpq(number.numerator, number.denominator))

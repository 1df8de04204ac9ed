"""A loss on the unit ball, for `python -m theory check`: fast in doubles, to 50 digits in balls."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from typing import Any

import flint
import mpmath
from mpmath import mpf

from theory.own_loss.clock import Clock
from theory.own_loss.derivatives import gradient, upper_triangle
from theory.own_loss.evaluate import Balls, Unresolved, as_ball, double_function
from theory.own_loss.matrices import Matrix
from theory.own_loss.problem import LossProblem, fraction

DIGITS = 30  # promised of every number that is reported
WORKING_DIGITS = 50  # of Newton's method and of everything computed from the attack
DOUBLE_DIGITS = 17
SMALLEST = mpf(2) ** -1022  # of a double with all its digits


class Objective:
    """The loss as a function of u = (x' - center)/epsilon at fixed theta: value, gradient and Hessian in u.

    The float versions are those of `(loss - base)/unit`; base = 0 and unit = 1, unless `rescale` is called because
    doubles cannot resolve the loss (a tiny ball, a saturated loss): then they are rounded from balls. `scale`, once it
    is known, is the size of a derivative below which digits do not matter.
    """

    def __init__(self, problem: LossProblem, clock: Clock) -> None:
        self.problem, self.clock = problem, clock
        self.size = len(problem.x)
        self.base, self.unit, self.rescaled = mpf(0), mpf(1), False
        self.scale: mpf | None = None
        self.graph, self.root = graph, root = problem.on_unit_ball()
        self.names = [f"u{i}" for i in range(self.size)]
        graph.watch = lambda: clock.step("differentiating the loss")
        symbols = [graph.symbol(name) for name in self.names]
        slopes = gradient(graph, root, symbols)
        bends = upper_triangle(graph, slopes, symbols)
        self._value = Balls(graph, [root], self.names)
        self._slope = Balls(graph, slopes, self.names)
        self._derivatives = Balls(graph, [*slopes, *bends], self.names)
        self._fast_value = double_function(graph, [root], self.names)
        self._fast_slope = double_function(graph, slopes, self.names)

    def rescale(self, base: mpf, unit: mpf) -> None:
        """From now on evaluate `(loss - base)/unit` through balls: doubles do not resolve the loss."""
        self.base, self.unit, self.rescaled = base, unit, True

    def rescaled_value(self, loss: mpf) -> float:
        """`(loss - base)/unit` as a float, comparable with `value`."""
        return _double((loss - self.base) / self.unit)

    def value(self, u: Sequence[float]) -> float:
        """The loss at u, less base, over unit; nan where it is not real and finite."""
        self.clock.step("climbing")
        if not self.rescaled:
            found = _in_doubles(self._fast_value, u)
            if found is not None:
                return found[0]
        try:
            if self.rescaled:
                return self.rescaled_value(self.precise_value(u, DOUBLE_DIGITS))
            number = float(self._value.at(_at(u), DOUBLE_DIGITS, SMALLEST)[0])
            return number if math.isfinite(number) else math.nan
        except Unresolved:
            return math.nan

    def slope(self, u: Sequence[float]) -> list[float]:
        """The gradient in u over unit; nan where it is not real and finite."""
        if not self.rescaled:
            found = _in_doubles(self._fast_slope, u)
            if found is not None:
                return list(found)
        scale = self.scale if self.rescaled else max(self.scale or SMALLEST, SMALLEST)
        try:
            return [_double(one / self.unit) for one in self._slope.at(_at(u), DOUBLE_DIGITS, scale)]
        except Unresolved:
            return [math.nan] * self.size

    def precise_value(self, u: Sequence[Any], digits: int = WORKING_DIGITS) -> mpf:
        """The loss, with so many digits that differences of the size of `scale` have them. Raises: Unresolved."""
        return self._value.at(_at(u), digits, self.scale, differences=True)[0]

    def precise_derivatives(
        self, u: Sequence[Any], digits: int = WORKING_DIGITS, scale: mpf | None = None
    ) -> tuple[Matrix, Matrix]:
        """Gradient (d x 1) and Hessian (d x d) in u. Raises: Unresolved."""
        self.clock.step("polishing")
        entries = self._derivatives.at(_at(u), digits, self.scale if scale is None else scale)
        slope, curvature = mpmath.matrix(entries[: self.size]), mpmath.matrix(self.size, self.size)
        upper = iter(entries[self.size :])
        for i in range(self.size):
            for j in range(i, self.size):
                curvature[i, j] = curvature[j, i] = next(upper)
        return slope, curvature

    def point(self, u: Sequence[Any]) -> list[mpf]:
        """x' = center + epsilon u in mpmath's current precision."""
        center, epsilon = self.problem.center, exact(self.problem.epsilon)
        return [exact(c) + epsilon * entry for c, entry in zip(center, u, strict=True)]


def exact(value: Any) -> mpf:
    """A rational in mpmath's current precision."""
    number = fraction(value)
    return mpf(number.numerator) / mpf(number.denominator)


def _at(u: Sequence[Any]) -> Callable[[], list[Any]]:
    return lambda: [as_ball(mpf(entry)) if isinstance(entry, mpf) else flint.arb(entry) for entry in u]


def _in_doubles(function: Callable[..., tuple[float, ...]], u: Sequence[float]) -> tuple[float, ...] | None:
    """None where an intermediate number overflows, such as exp(1000): that is no fault of the loss."""
    try:
        found = function(*u)
    except (ArithmeticError, ValueError):
        return None
    return found if all(map(math.isfinite, found)) else None


def _double(value: mpf) -> float:
    """The nearest double; the largest one where the number is larger, which keeps the order."""
    number = float(value) if mpmath.isfinite(value) else math.nan
    return math.copysign(sys.float_info.max, number) if math.isinf(number) else number

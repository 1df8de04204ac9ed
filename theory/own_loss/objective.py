"""A loss on the unit ball, for `python -m theory check`: fast in doubles, to 50 digits in mpmath."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import mpmath
import sympy
from mpmath import mpf
from sympy.codegen.cfunctions import log1p

from theory.calculus.derivatives import gradient, hessian
from theory.own_loss.matrices import Matrix

DIGITS = 30  # promised of every number that is reported
WORKING_DIGITS = 50  # of Newton's method and of everything computed from the attack
MOST_EXTRA_DIGITS = 3000


class Objective:
    """The loss as a function of u at fixed theta: value, gradient and Hessian, in floats or in mpmath's
    precision.

    The float versions are those of `(loss - base)/unit`; base = 0 and unit = 1, unless `rescale` is called
    because doubles cannot resolve the loss (a tiny ball, a saturated loss): then they are computed in
    mpmath and rounded.

    Args: `expression` in the symbols `x` alone; `center` and `epsilon` exact rationals.
    """

    def __init__(self, expression: Any, x: Sequence[Any], center: Sequence[Any], epsilon: Any) -> None:
        self.x = list(x)
        self.center = [sympy.Rational(c) for c in center]
        self.epsilon = sympy.Rational(epsilon)
        size = len(self.x)
        self.upper = [(i, j) for i in range(size) for j in range(i, size)]
        curvature = hessian(expression, self.x)
        parts = [[expression], list(gradient(expression, self.x)), [curvature[i, j] for i, j in self.upper]]
        parts = [[resolve_small(entry) for entry in part] for part in parts]
        self._fast = [sympy.lambdify(self.x, part, modules="math", cse=True) for part in parts]
        self._precise = [sympy.lambdify(self.x, part, modules="mpmath", cse=True) for part in parts]
        self._floats = ([float(c) for c in self.center], float(self.epsilon))
        self.base, self.unit, self.rescaled = mpf(0), mpf(1), False
        self.digits = WORKING_DIGITS

    def resolve(self, scale: mpf) -> None:
        """Work with as many digits beyond 50 as the loss's scale has zeros, to resolve it beside 1."""
        self.digits = WORKING_DIGITS + min(MOST_EXTRA_DIGITS, int(abs(mpmath.log10(scale))))

    def rescale(self, base: mpf, unit: mpf) -> None:
        """From now on evaluate `(loss - base)/unit` through mpmath: doubles do not resolve the loss."""
        self.base, self.unit, self.rescaled = base, unit, True

    def rescaled_value(self, loss: mpf) -> float:
        """`(loss - base)/unit` as a float, comparable with `value`."""
        return _double((loss - self.base) / self.unit)

    def value(self, u: Sequence[float]) -> float:
        """The loss at center + epsilon u, less base, over unit; nan where it is not real and finite."""
        if self.rescaled:
            with mpmath.workdps(WORKING_DIGITS):
                return self.rescaled_value(self.precise_value([mpf(e) for e in u]))
        return self._float_part(0, u)[0]

    def slope(self, u: Sequence[float]) -> list[float]:
        """The gradient in u over unit, `epsilon grad_x l / unit`; nan where it is not real and finite."""
        if self.rescaled:
            with mpmath.workdps(WORKING_DIGITS):
                entries = self._precise_part(1, [mpf(e) for e in u])
                return [_double(exact(self.epsilon) * entry / self.unit) for entry in entries]
        return [self._floats[1] * entry for entry in self._float_part(1, u)]

    def precise_value(self, u: Sequence[Any]) -> mpf:
        """The loss in mpmath's current precision."""
        return self._precise_part(0, u)[0]

    def precise_derivatives(self, u: Sequence[Any]) -> tuple[Matrix, Matrix]:
        """Gradient (d x 1) and Hessian (d x d) in u, in mpmath's current precision."""
        epsilon, size = exact(self.epsilon), len(self.x)
        slope = mpmath.matrix([epsilon * entry for entry in self._precise_part(1, u)])
        curvature = mpmath.matrix(size, size)
        for (i, j), entry in zip(self.upper, self._precise_part(2, u), strict=True):
            curvature[i, j] = curvature[j, i] = epsilon**2 * entry
        return slope, curvature

    def point(self, u: Sequence[Any]) -> list[mpf]:
        """x' = center + epsilon u in mpmath's current precision."""
        return [exact(c) + exact(self.epsilon) * entry for c, entry in zip(self.center, u, strict=True)]

    def _float_part(self, part: int, u: Sequence[float]) -> list[float]:
        center, epsilon = self._floats
        try:
            entries = self._fast[part](*[c + epsilon * entry for c, entry in zip(center, u, strict=True)])
        except (OverflowError, ZeroDivisionError, ValueError):
            entries = [math.nan]
        if all(isinstance(entry, float | int) and math.isfinite(entry) for entry in entries):
            return [float(entry) for entry in entries]
        # Overflow of an intermediate such as exp(1000) inside log(1 + exp(1000)) is no fault of the loss.
        return [_double(entry) for entry in self._precise_part(part, [mpf(entry) for entry in u])]

    def _precise_part(self, part: int, u: Sequence[Any]) -> list[mpf]:
        try:
            entries = self._precise[part](*self.point(u))
        except (OverflowError, ZeroDivisionError, ValueError):
            entries = [mpf("nan")] * (1, len(self.x), len(self.upper))[part]
        return [_real(entry) for entry in entries]


def resolve_small(expression: Any) -> Any:
    """The same expression with each log(1 + v) written log1p(v), which keeps its digits when v is small."""
    return sympy.sympify(expression).replace(
        lambda e: isinstance(e, sympy.log) and isinstance(e.args[0], sympy.Add) and 1 in e.args[0].args,
        lambda e: log1p(e.args[0] - 1),
    )


def exact(value: Any) -> mpf:
    """A rational in mpmath's current precision."""
    number = sympy.Rational(value)
    return mpf(int(number.p)) / mpf(int(number.q))


def _real(value: Any) -> mpf:
    if isinstance(value, mpmath.mpc) and value.imag == 0:
        value = value.real
    return mpf("nan") if isinstance(value, mpmath.mpc | complex) else mpf(value)


def _double(value: mpf) -> float:
    number = float(value) if mpmath.isfinite(value) else math.nan
    return number if math.isfinite(number) else math.nan

"""Closed-form attacks of the linear model, for Lemmas 2 and 3 and every L_p ball with p in [1, inf] (Sec.
3.1).

The loss is `log(1 + exp(-y theta.(x + delta)))` or any other decreasing function of the margin `y theta.(x
+ delta)`, so the attack minimises `y theta.delta` over `||delta||_p <= epsilon`. By Hoelder's inequality
the minimum is `-epsilon ||theta||_q`, `1/p + 1/q = 1`, and the perturbations below attain it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import sympy
from sympy import Abs, Expr, Matrix, oo, sign

from theory.calculus.derivatives import sign_of
from theory.cli import given_number


def linear_attack(theta: Iterable[Any], y: int, epsilon: Any, p: Any) -> Matrix:
    """A maximiser delta of the loss over `||delta||_p <= epsilon`, exact, shape (d, 1).

    - 1 < p < inf: `delta_i = -y epsilon sign(theta_i) |theta_i|^(q-1) / ||theta||_q^(q-1)`, q = p/(p-1);
      unique.
      At p = 2 this is `-y epsilon theta / ||theta||_2` (Lemma 2).
    - p = inf: `delta = -y epsilon sign(theta)` with sign(0) = 0 (Lemma 3); unique if and only if no theta_i
      is zero.
    - p = 1: all of epsilon on a coordinate of largest |theta_i|; among ties the lowest index is taken, one
      of several maximisers.

    Args: `theta` real numbers or real symbols, not all zero; `y` -1 or 1; `epsilon` > 0 (a number, or a
    symbol declared positive); `p` in [1, inf], written `sympy.oo`, `float("inf")` or `"inf"` at infinity.
    Numbers may be numpy's. A float is read as the decimal it prints, so 0.6 is 3/5.
    Raises: ValueError outside those ranges; at theta = 0, where every delta of the ball is optimal; and at
    p = 1 when symbols leave the largest coordinate undecided.
    """
    weights, label, radius = _weights(theta), _label(y), _radius(epsilon)
    exponent = _exponent(p)
    if exponent == 1:
        largest = _largest_coordinate(weights)
        return Matrix([-label * radius * sign(w) if i == largest else 0 for i, w in enumerate(weights)])
    if exponent == oo:
        return Matrix([-label * radius * sign(w) for w in weights])
    if exponent == 2:
        length = dual_norm(weights, 2)
        return Matrix([-label * radius * w / length for w in weights])
    q = dual_exponent(exponent)
    length = dual_norm(weights, exponent)
    return Matrix([-label * radius * sign(w) * Abs(w) ** (q - 1) / length ** (q - 1) for w in weights])


def worst_margin(theta: Iterable[Any], x: Sequence[Any], y: int, epsilon: Any, p: Any) -> Expr:
    """`min over ||delta||_p <= epsilon of y theta.(x + delta) = y theta.x - epsilon ||theta||_q`; also
    right at theta = 0.

    Raises: ValueError as `linear_attack` for y, epsilon and p, and when x and theta differ in length.
    """
    weights = [_exact("theta", entry) for entry in theta]
    point = [_exact("x", entry) for entry in x]
    if len(weights) != len(point):
        raise ValueError(
            f"x has {len(point)} entries and theta has {len(weights)}; they must agree: pass equal lengths"
        )
    clean = sympy.Add(*[w * a for w, a in zip(weights, point, strict=True)])
    return _label(y) * clean - _radius(epsilon) * dual_norm(weights, p)


def adversarial_loss(theta: Iterable[Any], x: Sequence[Any], y: int, epsilon: Any, p: Any) -> Expr:
    """`l_epsilon = log(1 + exp(-worst_margin))`, the inner maximum of Sec. 3.1 in closed form."""
    return sympy.log(1 + sympy.exp(-worst_margin(theta, x, y, epsilon, p)))


def dual_exponent(p: Any) -> Expr:
    """q in [1, inf] with `1/p + 1/q = 1`: q = inf at p = 1, q = 1 at p = inf, p/(p-1) between.

    Raises: ValueError for p < 1 or p that is no number.
    """
    exponent = _exponent(p)
    if exponent == 1:
        return oo
    return sympy.S.One if exponent == oo else exponent / (exponent - 1)


def dual_norm(theta: Iterable[Any], p: Any) -> Expr:
    """`||theta||_q` with q dual to p: the steepest decrease of theta.delta over the unit L_p ball."""
    weights = [_exact("theta", entry) for entry in theta]
    q = dual_exponent(p)
    if q == oo:
        return sympy.Max(*[Abs(w) for w in weights])
    if q == 1:
        return sympy.Add(*[Abs(w) for w in weights])
    powers = [w**q if q.is_Integer and q % 2 == 0 else Abs(w) ** q for w in weights]
    return sympy.Add(*powers) ** (1 / q)


def _exact(name: str, value: Any) -> Expr:
    """A number as the rational it denotes; symbols and expressions as they are."""
    try:
        number = value if isinstance(value, sympy.Basic) else given_number(value)
    except ValueError as error:
        raise ValueError(f"{name}: {error}") from None
    if not isinstance(number, Expr):
        raise ValueError(
            f"{name} contains {value!r}, which is neither a number nor a symbol; pass one number an entry"
        )
    return number


def _weights(theta: Iterable[Any]) -> list[Expr]:
    weights = [_exact("theta", entry) for entry in theta]
    if all(sign_of(w) == 0 for w in weights):
        raise ValueError(
            "theta is zero; the loss is then the same for every delta and any delta in the ball is optimal: "
            "there is no attack to compute, pass a nonzero theta"
        )
    return weights


def _label(y: int) -> Expr:
    label = given_number(y)
    if label is None or abs(label) != 1:
        raise ValueError(f"y = {y}; a binary label must be -1 or 1: recode the labels")
    return label


def _radius(epsilon: Any) -> Expr:
    radius = _exact("epsilon", epsilon) if epsilon not in (float("inf"), float("-inf")) else oo
    if sign_of(radius) != 1 or radius.is_finite is False:
        raise ValueError(
            f"epsilon = {epsilon}; the radius of the attack must be finite and > 0: pass a positive number, "
            "or a symbol declared positive=True"
        )
    return radius


def _exponent(p: Any) -> Expr:
    try:
        exponent = oo if p in ("inf", float("inf")) else _exact("p", p)
    except ValueError:
        exponent = sympy.nan
    if not exponent.is_number or not exponent.is_extended_real or not exponent >= 1:
        raise ValueError(
            f"p = {p}; the norm of the ball must have 1 <= p <= inf: pass a number from 1 on, or 'inf'"
        )
    return exponent


def _largest_coordinate(weights: Sequence[Expr]) -> int:
    largest = 0
    for i in range(1, len(weights)):
        comparison = sign_of(Abs(weights[i]) - Abs(weights[largest]))
        if comparison is None:
            raise ValueError(
                f"theta = {list(weights)}; p = 1 needs to know which |theta_i| is largest: "
                "pass numbers instead of symbols"
            )
        largest = i if comparison == 1 else largest
    return largest

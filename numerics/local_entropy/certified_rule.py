"""The quadrature rule of a certified -F(theta): which panels, how many nodes, how many bits.

The choice needs no proof, as `certified_bounds` proves what comes of it. Gauss-Legendre panels cover a box, a
tensor grid that all theta share. For clean and L-infinity losses panels end at the axes. For L2 the loss has a cone
at the origin and is analytic elsewhere: the square |t_1|, |t_2| <= core is left out of the grid and cut into four
triangles (s u, u v) and (u v, s u), s = +-1, u in [0, core], v in [-1, 1], where u times a function of v is all
that is left of the cone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, inf, log, log1p, pi, sqrt
from typing import Any

import flint
import numpy as np

from numerics.local_entropy.certified_bounds import Panels, Side, log_gauss, steepest
from numerics.local_entropy.certified_frame import Frame, best_weights
from numerics.local_entropy.result import QuadratureFailure

arb = flint.arb
MOST_ORDER = 120  # Gauss nodes a panel
STRIPS = 24  # sizes of the complex domain that are tried
WIDEST_STRIP = 4.0  # where the loss sets no limit (x = 0 and epsilon = 0)
SHARES = log(16.0)  # each of at most 8 truncation errors gets 1/16 of what is allowed
GUARD_BITS = 32
SMALLEST = 1e-100  # beta gamma: squares of lengths stay within floats
FAR = 1e9  # standard deviations from the origin: beyond, floats no longer resolve the box
CORE = 1.0  # half-width of the core, in the smaller of a standard deviation and 1/(largest slope of a margin)


@dataclass(frozen=True)
class Plan:
    """A rule and the bits to sum it with."""

    panels: Panels
    bits: int


def plan(frame: Frame, theta: np.ndarray, radius: float, most_evaluations: float) -> Plan:
    """The cheapest rule found that keeps the radius of -F within about `radius` at each theta (P, 2), and those of
    gradient and Hessian within ten times that.

    Raises QuadratureFailure when its nodes times the N data points would be more than `most_evaluations`, or where
    floats cannot lay out the box.
    """
    kappa = float(frame.kappa)
    if not SMALLEST < kappa < 1 / SMALLEST:
        reason = f"beta gamma = {kappa:g} is not between {SMALLEST:g} and {1 / SMALLEST:g}"
        raise QuadratureFailure("certified", inf, radius, reason)
    centres = _centres(frame, theta)
    origin = (centres.max(axis=0) + centres.min(axis=0)) / 2
    spread = float(np.hypot(*(centres - origin).T).max())
    if not np.hypot(*origin) + spread <= FAR / sqrt(kappa):
        reason = f"theta lies more than {FAR:g} standard deviations of the Gaussian from the origin"
        raise QuadratureFailure("certified", inf, radius, reason)
    size = spread + 10 / sqrt(kappa)
    for _ in range(3):  # the size of the box and the error allowed depend on each other, weakly
        share = max(log(2), log(kappa * size / 5), log(0.4 * (kappa * size) ** 2))
        allowed = log(radius) + _log_mass(frame) - share - SHARES
        distance = sqrt(2 / kappa * (4 - allowed))
        size = spread + 2 * distance
    ends = np.stack([centres.min(axis=0) - distance, centres.max(axis=0) + distance], axis=1)
    core = _core(frame, ends)
    if core > 0:
        ends = np.stack([np.minimum(ends[:, 0], -core), np.maximum(ends[:, 1], core)], axis=1)
    panels = _panels(frame, ends, core, (float(origin[0]), float(origin[1])), allowed - log(kappa / (2 * pi)))
    many = len(frame.margins)
    if not panels.nodes * many <= most_evaluations:
        reason = f"it needs {panels.nodes:.2g} nodes for {many} data points, most_evaluations = {most_evaluations:.2g}"
        raise QuadratureFailure("certified", inf, radius, reason)
    bits = GUARD_BITS + ceil((-allowed + 2 * log1p(kappa * size**2)) / log(2))
    return Plan(panels, bits)


def _centres(frame: Frame, theta: np.ndarray) -> np.ndarray:
    """The minorants' centres in floats."""
    weights, directions = best_weights(frame, theta)
    slopes = (weights[..., None] * -frame.signed).mean(axis=1)
    slopes += float(frame.epsilon) * weights.mean(axis=1)[:, None] * directions
    return theta - slopes / float(frame.gamma)


def _log_mass(frame: Frame) -> float:
    """About log(kappa/(2 pi) integral/top), from below: around its maximum the exponent falls at most like
    2 beta G s + kappa s^2/2, and the smoothing of the norm costs little."""
    kappa, widest = float(frame.kappa), float(np.hypot(*frame.signed.T).mean())
    steep = widest + float(frame.epsilon) * (1 if frame.kinks == "origin" else sqrt(2))
    reach = min(1 / sqrt(kappa), 1 / (2 * float(frame.beta) * steep) if steep > 0 else inf)
    return log(kappa * reach**2 / 2) - 2


def _core(frame: Frame, ends: np.ndarray) -> float:
    """Half-width of the square around the origin that is treated apart; 0 where the box keeps away from it."""
    if frame.kinks != "origin":
        return 0.0
    slope = max(float(steepest(frame, axis)) for axis in (0, 1))
    width = CORE * min(1 / sqrt(float(frame.kappa)), 1 / slope)
    clear = max(max(low, -high) for low, high in ends)
    return 0.0 if clear >= width else width


def _panels(
    frame: Frame, ends: np.ndarray, core: float, origin: tuple[float, float], allowed: float
) -> Panels:
    """Sides whose errors each stay below exp(allowed) once multiplied by the length of the other axis."""
    marks = [0.0] if frame.kinks == "axes" else [-core, core] if core else []
    sides: list[tuple[Side, ...]] = []
    for axis in (0, 1):
        low, high = (float(end) for end in ends[axis])
        cuts = [low, *(mark for mark in marks if low < mark < high), high]
        other = log(float(ends[1 - axis, 1] - ends[1 - axis, 0]))
        clear = max(float(ends[1 - axis, 0]), -float(ends[1 - axis, 1]), 0.0)
        slope = steepest(frame, axis)
        part = []
        for a, b in pairwise(cuts):
            gap = core if core and (a, b) == (-core, core) else 0.0 if core else clear
            part.append(_side(frame, (a, b), 1.0, slope, gap, allowed - other))
        sides.append(tuple(part))
    if not core:
        return Panels(origin, (sides[0], sides[1]))
    slope = steepest(frame, 0).max(steepest(frame, 1))
    across = _side(frame, (-1.0, 1.0), core, slope, core, allowed - log(8 * core))
    ray = _side(frame, (0.0, core), sqrt(2), steepest(frame, None), None, allowed - log(16 * core))
    return Panels(origin, (sides[0], sides[1]), core, ray, across)


def _side(
    frame: Frame,
    ends: tuple[float, float],
    scale: float,
    slope: Any,
    gap: float | None,
    allowed: float,
) -> Side:
    """The cheapest side whose error stays below exp(allowed), or one of infinitely many nodes.

    `scale` is the length of a unit of the variable, `gap` as in `log_gauss`.
    """
    low, high = ends
    best = Side(low, high, 1, inf, 1.0)
    if not low < high:
        return best
    away = max(low, -high, 0.0)
    for panels in _counts():
        half = scale * (high - low) / (2 * panels)
        for strip in _strips(float(slope) * half):
            growth = float(log_gauss(frame, arb(half), slope, 0, strip, gap, away))
            excess = growth + log((high - low) / 2) - allowed
            order = max(2, ceil(excess / (2 * strip))) if np.isfinite(excess) else inf
            if order <= MOST_ORDER and panels * order < best.nodes:
                best = Side(low, high, panels, order, strip)
        if 2 * panels > min(best.nodes, 1e9):
            return best
    raise AssertionError("the counts do not end")


def _counts() -> Iterator[int]:
    count = 1
    while True:
        yield count
        count = max(count + 1, int(1.25 * count))


def _strips(slope: float) -> list[float]:
    """Sizes of a complex domain to try: sinh of the largest, times the slope, stays below pi."""
    largest = WIDEST_STRIP if slope == 0 else min(WIDEST_STRIP, float(np.arcsinh(0.97 * pi / slope)))
    return [largest * (index + 1) / STRIPS for index in range(STRIPS)]

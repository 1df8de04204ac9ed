"""Proved bounds for everything the quadrature of a certified -F(theta) leaves out.

All rest on the minorant of `certified_frame`: for real t the integrand f is at most `top` times the Gaussian of
precision kappa = beta gamma around `centre`, hence at most `top`.

*One variable made complex*, z = x + i s with |s| <= b, the other real, on a panel of an axis. Every margin m_n has
|Im m_n| <= G |s| with G = max |x_n| + epsilon along that axis:
- where L is analytic on the panel because panels end at the kinks, m_n is affine there;
- for L2, r = sqrt(z^2 + w^2), w the other variable, has |r|^2 <= (|z + i w|^2 + |z - i w|^2)/2 = x^2 + s^2 + w^2
  and Re r^2 = x^2 + w^2 - s^2, hence (Im r)^2 = (|r|^2 - Re r^2)/2 <= s^2. It is analytic off the cut x = 0,
  |s| >= |w|, which a domain avoids if x keeps its sign or |s| stays below all |w|.
With c = cos(G b/2), |1 + exp(-m)|^2 = (1 + e^{-Re m})^2 - 2 e^{-Re m} (1 - cos Im m) >= c^2 (1 + e^{-Re m})^2: the
growth of |exp(-beta L)| over its value at the margins Re m_n is at most c^{-beta}. Those margins exceed the ones of
the real point x by little: affine ones continued across a kink by d, 2 epsilon d; for L2, (Re r)^2 = x^2 + w^2 - s^2
+ (Im r)^2 puts Re r between sqrt(x^2 + w^2) - |s| and sqrt(x^2 + w^2), so epsilon b. As log(1 + exp(-m)) is
1-Lipschitz this costs at most exp(2 beta epsilon d) or exp(beta epsilon b); the Gaussian costs exp(kappa b^2/2).
*Along a ray* from the origin, t = z e with a unit vector e, m_n is affine with slope at most ||x_n|| + epsilon, and
x < 0 is the point -x on the opposite ray: the first case again, d being how far z leaves the panel.

*Gauss-Legendre* with k >= 2 nodes on a panel of half-width h, |f| <= M in the Bernstein ellipse with semi-axes
h cosh(tau) and b = h sinh(tau): the Chebyshev coefficients are at most 2 M e^{-j tau}; those of degree below 2k and
of odd degree leave no error, the others at most 2 + 2/(j^2 - 1) <= 32/15 each. The error is at most h (64/15) M
e^{-2k tau}/(1 - e^{-2 tau}) (Trefethen, Approximation Theory and Approximation Practice, Thm 19.3). In two
variables, I1 I2 - Q1 Q2 = I2 (I1 - Q1) + Q1 (I2 - Q2), and the positive weights sum to the length.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf
from typing import Any

import flint

from numerics.local_entropy.certified_frame import Frame

arb = flint.arb


@dataclass(frozen=True)
class Side:
    """Composite Gauss-Legendre on [low, high]: `panels` equal panels of `order` nodes, the error bounded with the
    Bernstein ellipse tau = `strip`. An infinite order says that no such rule was found."""

    low: float
    high: float
    panels: int
    order: int | float
    strip: float

    @property
    def half(self) -> Any:
        """Half the width of a panel, in a ball."""
        return (arb(self.high) - arb(self.low)) / (2 * self.panels)

    @property
    def nodes(self) -> int | float:
        """Nodes on the whole side."""
        return self.panels * self.order

    @property
    def away(self) -> float:
        """The distance of [low, high] from 0."""
        return max(self.low, -self.high, 0.0)


@dataclass(frozen=True)
class Panels:
    """The tensor grid of two rows of sides; with core > 0 without the square |t_1|, |t_2| <= core, which is cut
    into triangles with `ray` for u in [0, core] and `across` for v in [-1, 1]. Moments are about `origin`."""

    origin: tuple[float, float]
    sides: tuple[tuple[Side, ...], tuple[Side, ...]]
    core: float = 0.0
    ray: Side | None = None
    across: Side | None = None

    @property
    def nodes(self) -> float:
        """All nodes, infinite where a side has no rule."""
        grid = [sum(float(side.nodes) for side in part) for part in self.sides]
        core = 4.0 * self.ray.nodes * self.across.nodes if self.ray and self.across else 0.0
        return grid[0] * grid[1] + core

    def in_core(self, side: Side) -> bool:
        """Whether this side is the one that meets the core."""
        return self.core > 0 and (side.low, side.high) == (-self.core, self.core)

    def gap(self, axis: int, side: Side) -> float:
        """The least |w| of the other variable over the cells of the grid with this side."""
        others = self.sides[1 - axis]
        cells = [other.away for other in others if not (self.in_core(side) and self.in_core(other))]
        return min(cells, default=inf)


def steepest(frame: Frame, axis: int | None) -> Any:
    """G: a bound on the slope of every margin along an axis, or along a ray (axis None)."""
    largest = arb(0)
    for first, second in frame.margins:
        size = length(first, second) if axis is None else (first, second)[axis].abs_upper()
        largest = largest.max(size)
    return largest + frame.epsilon


def log_gauss(
    frame: Frame, half: Any, slope: Any, order: int | float, strip: float, gap: float | None, away: float
) -> Any:
    """log of (64/15) (M/top) e^{-2k tau}/(1 - e^{-2 tau}), or infinity where the ellipse allows no bound.

    `half` and `slope` are h and G, order k >= 2 (other k give a number to plan with). For L2 along an axis, `gap`
    is the least |w| of the other variable and `away` the panels' distance from 0; gap None says along a ray.
    """
    tau = arb(strip)
    height, beyond = half * tau.sinh(), half * (tau.cosh() - 1)
    turned = (height * slope / 2).cos()
    if not (height * slope < arb.pi() and turned > 0):
        return arb.pos_inf()
    growth = frame.kappa * height * height / 2 - frame.beta * turned.log()
    if frame.kinks == "origin" and gap is not None:
        if not (beyond < away or height < gap):
            return arb.pos_inf()
        growth += frame.beta * frame.epsilon * height
    elif frame.kinks != "none":
        growth += 2 * frame.beta * frame.epsilon * beyond
    return growth + (arb(64) / 15).log() - 2 * order * tau - (-(-2 * tau).expm1()).log()


def quadrature_error(frame: Frame, panels: Panels) -> tuple[Any, Any]:
    """(E, T): the rule's moments of total order j err by at most top E T^j, tails apart.

    T bounds |t_i - origin_i| on every ellipse, each within e^tau h of its panel.
    """
    total, size = arb(0), arb(0)
    lengths = [arb(part[-1].high) - arb(part[0].low) for part in panels.sides]
    for axis, part in enumerate(panels.sides):
        start = arb(panels.origin[axis])
        for side in part:
            gap = panels.gap(axis, side)
            bound = _gauss(frame, side, arb(1), steepest(frame, axis), gap, side.away)
            total += side.half * side.panels * bound * lengths[1 - axis]
            reach = abs(arb(side.low) - start).max(abs(arb(side.high) - start))
            size = size.max(reach + side.half * arb(side.strip).exp())
    if panels.core > 0:
        error, reach = _core_error(frame, panels)
        total += error
        for place in panels.origin:
            size = size.max(reach + abs(arb(place)))
    return total, size


def _core_error(frame: Frame, panels: Panels) -> tuple[Any, Any]:
    """The error of the four triangles, and a bound on |t_i| on their ellipses.

    At a fixed u, (u, u v) runs along {u} x [-u, u], so that v is the variable of an axis in units of u <= core with
    the cut at |s| >= u; the area is u du dv. At a fixed v, (u, u v) runs along a ray in units of at most sqrt(2).
    """
    ray, across, core = panels.ray, panels.across, arb(panels.core)
    if ray is None or across is None:
        raise ValueError(f"core = {panels.core}; a core needs the sides ray and across: pass them")
    slope = steepest(frame, 0).max(steepest(frame, 1))
    over_v = _gauss(frame, across, core, slope, panels.core, 0.0)
    over_u = _gauss(frame, ray, arb(2).sqrt(), steepest(frame, None), None, 0.0)
    farthest = core + ray.half * arb(ray.strip).exp()
    # v has length 2, the weights of u times u sum to core^2/2, and |u| <= farthest on its ellipses.
    error = 4 * (2 * core / 2 * over_u * farthest + core * core / 2 * over_v)
    return error, farthest * (1 + across.half * arb(across.strip).exp())


def _gauss(frame: Frame, side: Side, scale: Any, slope: Any, gap: float | None, away: float) -> Any:
    if not side.order >= 2:
        return arb.pos_inf()
    return log_gauss(frame, scale * side.half, slope, side.order, side.strip, gap, away).exp()


def tail_errors(frame: Frame, panels: Panels, centre: tuple[Any, Any]) -> list[Any]:
    """For j = 0, 1, 2: what lies outside the box of a moment of total order j, over `top`.

    The box holds the disc of radius D around the centre. With q = ||centre - origin||, E = exp(-kappa D^2/2) and
    D' = D + 1/(kappa D), the integral of (s + q)^j e^{-kappa s^2/2} 2 pi s over s > D is at most (2 pi/kappa) E
    times 1, D' + q and D D' + 1/kappa + 2 q D' + q^2.
    """
    kappa, inside = frame.kappa, arb.pos_inf()
    for part, c in zip(panels.sides, centre, strict=True):
        inside = inside.min((arb(part[-1].high) - c).lower()).min((c - arb(part[0].low)).lower())
    if not inside > 0:
        return [arb.pos_inf()] * 3
    shift = length(*(c - arb(o) for c, o in zip(centre, panels.origin, strict=True)))
    share, reach = 2 * arb.pi() / kappa * (-kappa * inside * inside / 2).exp(), inside + 1 / (kappa * inside)
    orders = [arb(1), reach + shift, inside * reach + 1 / kappa + 2 * shift * reach + shift * shift]
    return [share * order for order in orders]


def length(first: Any, second: Any) -> Any:
    """At least the Euclidean length of a vector of balls. (The root of a ball's square may be undefined at 0.)"""
    a, b = first.abs_upper(), second.abs_upper()
    return (a * a + b * b).sqrt().upper()

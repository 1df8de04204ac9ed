"""The search for the attack on a loss of one's own, for `python -m theory check`: projected gradient ascent
from many starts, then `newton` to 30 digits.

The search is deterministic and global in intent, not certified. Work is done in u = (x' - center)/epsilon, so
that the ball is the unit ball and derivatives in u have comparable sizes.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice, product
from typing import Any

import mpmath
import sympy
from mpmath import mpf, nstr

from theory.own_loss.evaluate import Unresolved
from theory.own_loss.kinks import explained
from theory.own_loss.newton import Maximum, distance, polish
from theory.own_loss.objective import WORKING_DIGITS, Objective

TIE = mpf(10) ** -30  # relative difference of two losses that count as equal
SEED = 20210301
SCALED = 40  # samples, and starts, that the loss's scale is taken from
MOST_SHOWN = 8  # coordinates in a message
COARSE_DIGITS = 17  # of the derivatives there


@dataclass(frozen=True)
class SearchResult:
    """The best maximum, those that tie with it, the number of starts, and lower local maxima's losses."""

    best: Maximum
    ties: tuple[Maximum, ...]
    starts: int
    other_values: tuple[float, ...]


def find_attack(objective: Objective, norm: str) -> SearchResult:
    """The largest maximum found over the unit ball, polished by Newton's method, with every maximum that
    ties with it.

    Args: `norm` "l2" or "linf".
    Raises: ValueError when the loss is not real and finite on the ball, when it is constant there, or when
    Newton's method does not confirm the best point (a kink, say).
    """
    ball = _Ball(objective.size, norm)
    samples = list(ball.samples())
    values = [objective.value(u) for u in samples]
    _check_finite(objective, samples, values)
    with mpmath.workdps(WORKING_DIGITS):
        scale = _scale(objective, [*samples[:SCALED], *islice(ball.starts(), SCALED)])
        objective.scale = scale
        if max(values) - min(values) <= 1e-7 * max(map(abs, values)):
            objective.rescale(objective.precise_value([0.0] * ball.size), scale)
            values = [objective.value(u) for u in samples]
        starts = [*ball.starts(), *_promising(samples, values)]
        climbed = [ball.ascend(objective, start) for start in starts]
        ends = sorted(((objective.value(u), u) for u in climbed), reverse=True)
        spread = max(max(values), ends[0][0]) - min(values)
        scale = objective.scale = max(scale, _steepness(objective, ends[0][1]))
        polished = []
        for maximum in _polished(objective, ball, _apart((u for _, u in ends), 1e-4, 24), scale):
            polished.append(maximum)
            if maximum.singular and objective.rescaled_value(maximum.value) >= ends[0][0] - 1e-9 * spread:
                break  # one of a continuum, whose other points are no news
        best = max(polished, key=lambda m: m.value) if polished else None
        reached = objective.rescaled_value(best.value) if best else -math.inf
        if best is None or reached < ends[0][0] - 1e-9 * spread:
            raise _unconfirmed(objective, ends[0][1], len(starts))
        size = max(abs(best.value), spread * objective.unit)
        ties = [m for m in polished if best.value - m.value <= TIE * size]
        ordered = sorted(ties, key=lambda m: (not m.singular, [float(e) for e in m.u]))
        others = tuple(sorted((float(m.value) for m in polished if m not in ties), reverse=True))
    return SearchResult(ordered[0], tuple(ordered[1:]), len(starts), others)


class _Ball:
    """The unit ball of "l2" or "linf" in a given dimension: projection, samples, starts and ascent."""

    def __init__(self, size: int, norm: str) -> None:
        self.size = size
        self.norm = norm

    def project(self, u: Sequence[float]) -> list[float]:
        if self.norm == "linf":
            return [min(1.0, max(-1.0, entry)) for entry in u]
        length = math.hypot(*u)
        return list(u) if length <= 1 else [entry / length for entry in u]

    def samples(self) -> Iterator[list[float]]:
        """The centre, then Halton points of the cube; those outside the L2 ball are drawn to its sphere."""
        yield [0.0] * self.size
        bases = [int(sympy.prime(i + 1)) for i in range(self.size)]
        for index in range(1, min(1000, 200 * self.size) + 1):
            yield self.project([2 * _halton(index, base) - 1 for base in bases])

    def starts(self) -> Iterator[list[float]]:
        yield [0.0] * self.size
        if self.norm == "linf" and 3**self.size <= 243:
            yield from (
                [float(s) for s in face] for face in product((-1, 0, 1), repeat=self.size) if any(face)
            )
            return
        if self.size == 2:
            yield from ([math.cos(math.pi * k / 16), math.sin(math.pi * k / 16)] for k in range(32))
            return
        for i in range(self.size):
            yield from ([float(s) if j == i else 0.0 for j in range(self.size)] for s in (1, -1))
        draw = random.Random(SEED)
        for _ in range(12 * self.size if self.size > 1 else 0):
            direction = [draw.gauss(0, 1) for _ in range(self.size)]
            length = max(map(abs, direction)) if self.norm == "linf" else math.hypot(*direction)
            yield [entry / length for entry in direction]
            if self.norm == "linf":
                yield [math.copysign(1.0, entry) for entry in direction]

    def ascend(self, objective: Objective, start: Sequence[float], most: int = 300) -> list[float]:
        """Projected gradient ascent, Barzilai-Borwein steps, Armijo's rule; never ends below its start."""
        u, value, slope = list(start), objective.value(start), objective.slope(start)
        step = 1 / (max(map(abs, slope)) or 1.0)
        for _ in range(most):
            if not all(map(math.isfinite, slope)):
                return u
            moved = self._armijo(objective, u, value, slope, step)
            if moved is None:
                return u
            new, new_value = moved
            new_slope = objective.slope(new)
            shift = [a - b for a, b in zip(new, u, strict=True)]
            bend = -sum(s * (a - b) for s, a, b in zip(shift, new_slope, slope, strict=True))
            length = sum(s * s for s in shift)
            u, value, slope = new, new_value, new_slope
            if length < 1e-24:
                return u
            step = min(length / bend, 1e6 * step) if bend > 0 else 4 * step
        return u

    def _armijo(
        self, objective: Objective, u: list[float], value: float, slope: list[float], step: float
    ) -> tuple[list[float], float] | None:
        for _ in range(50):
            new = self.project([a + step * g for a, g in zip(u, slope, strict=True)])
            rise = sum(g * (a - b) for g, a, b in zip(slope, new, u, strict=True))
            if rise <= 0:
                return None
            new_value = objective.value(new)
            if new_value >= value + 1e-4 * rise - 1e-16 * abs(value):
                return new, new_value
            step /= 4
        return None


def _unconfirmed(objective: Objective, u: Sequence[float], starts: int) -> ValueError:
    why = explained(objective, u) or "check that it is twice differentiable there"
    return ValueError(
        f"loss has no maximum that Newton's method confirms; the best of {starts} starts ended near x' = "
        f"({place_of(objective, u)}): {why}; change theta, center or epsilon"
    )


def _halton(index: int, base: int) -> float:
    result, fraction = 0.0, 1.0
    while index:
        fraction /= base
        index, digit = divmod(index, base)
        result += fraction * digit
    return result


def _check_finite(objective: Objective, samples: Sequence[Sequence[float]], values: Sequence[float]) -> None:
    for u, value in zip(samples, values, strict=True):
        if not math.isfinite(value):
            where = "inside the ball" if any(u) else "at the center"
            raise ValueError(
                f"loss is not a finite real double {where}, at x' = ({place_of(objective, u)}); "
                "it must be on the whole ball: change center, theta or epsilon, or the loss"
            )


def _scale(objective: Objective, samples: Sequence[Sequence[float]]) -> mpf:
    """The largest first or second derivative in u among some samples: what singular is measured against."""
    largest = mpf(0)
    failed: Unresolved | None = None
    done = 0
    for u in samples:
        try:
            parts = objective.precise_derivatives(u, COARSE_DIGITS)
        except Unresolved as error:
            failed = error  # a kink
            continue
        done += 1
        largest = max([largest, *(abs(entry) for part in parts for entry in part)])
    if failed is not None and not done:
        raise failed
    if largest == 0:
        raise ValueError(
            "loss does not change with x on the ball at this theta: every point of the ball is a maximiser, "
            "its Hessian in x is singular (zero) and D_theta x' does not exist; choose another theta"
        )
    return largest


def _steepness(objective: Objective, u: Sequence[float]) -> mpf:
    """The largest derivative at a point, 0 at a kink."""
    try:
        parts = objective.precise_derivatives(u, COARSE_DIGITS)
    except Unresolved:
        return mpf(0)
    return max(abs(entry) for part in parts for entry in part)


def _promising(samples: Sequence[list[float]], values: Sequence[float], most: int = 12) -> list[list[float]]:
    """The samples of largest loss that keep apart from each other."""
    ranked = sorted(zip(values, samples, strict=True), reverse=True)
    return _apart((u for _, u in ranked), 0.1, most)


def _apart(points: Iterable[list[float]], least: float, most: int) -> list[list[float]]:
    """The first `most` of the points that keep a distance from the ones kept before."""
    kept: list[list[float]] = []
    for u in points:
        if len(kept) == most:
            break
        if all(distance(u, other) > least for other in kept):
            kept.append(u)
    return kept


def _polished(objective: Objective, ball: _Ball, points: list[list[float]], scale: mpf) -> Iterator[Maximum]:
    """The distinct maxima that Newton's method reaches from the points; at a saddle it climbs on."""
    found: list[Maximum] = []
    queue = [(u, 0) for u in points]
    while queue:
        start, escapes = queue.pop(0)
        maximum, ascending = polish(objective, ball.norm, start, scale, found)
        if ascending and escapes < 3:
            for direction in ascending:
                pushed = ball.project([a + 1e-2 * float(b) for a, b in zip(start, direction, strict=True)])
                queue.append((ball.ascend(objective, pushed), escapes + 1))
        if maximum is None:
            continue
        found.append(maximum)
        yield maximum


def place_of(objective: Objective, u: Sequence[Any]) -> str:
    """x' at u, the first MOST_SHOWN coordinates of it, for messages."""
    point = objective.point([mpf(e) for e in u])
    shown = ", ".join(nstr(entry, 6) for entry in point[:MOST_SHOWN])
    return shown + (", ..." if len(point) > MOST_SHOWN else "")

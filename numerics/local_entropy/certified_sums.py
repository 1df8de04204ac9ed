"""The sums behind a certified -F(theta): exp(-beta L) in balls on a rule's nodes, once for all theta, and the six
moments of Eq. (10)'s integrand as products of ball matrices."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import flint

from numerics.local_entropy.certified_bounds import Panels, Side
from numerics.local_entropy.certified_frame import Frame

arb, arb_mat = flint.arb, flint.arb_mat
STEPS = 10  # reports of progress

Node = tuple[Any, Any]  # place and weight
Moments = dict[tuple[int, int], Any]  # (i, j) -> a matrix


class Meter:
    """Counts nodes and tells `progress` after every tenth of `total`."""

    def __init__(self, total: float, progress: Callable[[str], None] | None) -> None:
        self.total, self.done, self.step = total, 0.0, 1
        self.progress, self.started = progress, time.perf_counter()

    def add(self, count: int) -> None:
        """`count` more nodes are done."""
        self.done += count
        if self.progress is None or self.done < self.total * self.step / STEPS:
            return
        share = min(1.0, self.done / self.total)
        self.step = int(share * STEPS) + 1
        spent = time.perf_counter() - self.started
        self.progress(f"{share:.0%} after {spent:.1f} s, about {spent * (1 / share - 1):.1f} s to go")


def moments(
    frame: Frame, panels: Panels, first: list[Any], second: list[Any], paired: bool, meter: Meter
) -> Moments:
    """Sums of w exp(-beta L - (kappa/2) ||t - theta||^2) (t - origin)^(i, j) over all nodes, for i + j <= 2.

    The theta are (first[a], second[b]), a matrix of them, or (first[a], second[a]), one row, if `paired`.
    """
    columns, owners = _nodes(panels.sides[1])
    right = [_transposed(kernel) for kernel in _kernels(columns, second, panels.origin[1], frame.kappa)]
    factors = _factors(frame, 1, columns)
    outside = [not panels.in_core(side) for side in owners]
    totals: Moments = {}
    for side in panels.sides[0]:
        used = outside if panels.in_core(side) else [True] * len(columns)
        for panel in gauss_panels(side):
            loss = arb_mat(_loss_rows(frame, panel, columns, factors, used))
            left = _kernels(panel, first, panels.origin[0], frame.kappa)
            for j, kernel in enumerate(right):
                partial = loss * kernel
                for i in range(3 - j):
                    _add(totals, (i, j), _contracted(left[i], partial, paired))
            meter.add(len(panel) * len(columns))
    for batch in _triangles(frame, panels, meter):
        left = _kernels([(t, weight) for t, _, weight in batch], first, panels.origin[0], frame.kappa)
        ones = [(t, arb(1)) for _, t, _ in batch]
        right = [_transposed(kernel) for kernel in _kernels(ones, second, panels.origin[1], frame.kappa)]
        for j, kernel in enumerate(right):
            for i in range(3 - j):
                _add(totals, (i, j), _contracted(left[i], kernel, paired))
    return totals


def gauss_panels(side: Side) -> Iterator[list[Node]]:
    """(node, weight) of each panel of a side, the roots of the Legendre polynomial as proved enclosures."""
    order, half = int(side.order), side.half
    roots = [arb.legendre_p_root(order, k, weight=True) for k in range(order)]
    for index in range(side.panels):
        middle = arb(side.low) + (2 * index + 1) * half
        yield [(middle + half * node, half * weight) for node, weight in roots]


def _nodes(sides: tuple[Side, ...]) -> tuple[list[Node], list[Side]]:
    """All nodes of an axis, and for each the side it belongs to."""
    pairs = [(node, side) for side in sides for panel in gauss_panels(side) for node in panel]
    return [node for node, _ in pairs], [side for _, side in pairs]


def _factors(frame: Frame, axis: int, nodes: list[Node]) -> list[list[Any]]:
    """For each data point, the factor of exp(-m_n) that depends on this axis alone, at the nodes.

    With kinks on the axes -m_n = sum over i of (epsilon sign(t_i) - y_n x_ni) t_i on a quadrant; no node is 0, as
    panels end there.
    """
    pull = [arb(0)] * len(nodes)
    if frame.kinks == "axes":
        pull = [frame.epsilon * abs(t) for t, _ in nodes]
    return [
        [(p - margin[axis] * t).exp() for p, (t, _) in zip(pull, nodes, strict=True)]
        for margin in frame.margins
    ]


def _loss_rows(
    frame: Frame, panel: list[Node], columns: list[Node], factors: list[list[Any]], used: list[bool]
) -> list[list[Any]]:
    """exp(-beta L) = (product over n of 1 + exp(-m_n))^(-beta/N) at the nodes panel x columns, 0 where unused."""
    power, one = -frame.beta / len(frame.margins), arb(1)
    rows = []
    for (place, _), *own in zip(panel, *_factors(frame, 0, panel), strict=True):
        pull = [one] * len(columns)
        if frame.kinks == "origin":
            square = place * place
            pull = [(frame.epsilon * (square + t * t).sqrt()).exp() for t, _ in columns]
        row = pull
        for index, (value, line) in enumerate(zip(own, factors, strict=True)):
            terms = [one + value * p * factor for p, factor in zip(pull, line, strict=True)]
            row = [a * b for a, b in zip(row, terms, strict=True)] if index else terms
        rows.append([total**power if use else arb(0) for total, use in zip(row, used, strict=True)])
    return rows


def _triangles(frame: Frame, panels: Panels, meter: Meter) -> Iterator[list[tuple[Any, Any, Any]]]:
    """(t_1, t_2, weight exp(-beta L)) on the four triangles of the core, a panel of u and a triangle at a time."""
    if panels.ray is None or panels.across is None:
        return
    power = -frame.beta / len(frame.margins)
    rays = [node for panel in gauss_panels(panels.across) for node in panel]
    for along in (0, 1):
        for sign in (1, -1):
            slopes = []
            for v, _ in rays:
                e = (arb(sign), v) if along == 0 else (v, arb(sign))
                length = frame.epsilon * (1 + v * v).sqrt()
                slopes.append((e, [length - a * e[0] - b * e[1] for a, b in frame.margins]))
            for panel in gauss_panels(panels.ray):
                batch = []
                for u, weight in panel:
                    for (_, own), (e, scores) in zip(rays, slopes, strict=True):
                        product = arb(1)
                        for score in scores:
                            product *= 1 + (u * score).exp()
                        batch.append((u * e[0], u * e[1], u * weight * own * product**power))
                meter.add(len(batch))
                yield batch


def _kernels(nodes: list[Node], centres: list[Any], origin: float, kappa: Any) -> list[list[list[Any]]]:
    """w (t - origin)^k exp(-(kappa/2) (t - centre)^2) for k = 0, 1, 2 and each (centre, node)."""
    rate, start = -kappa / 2, arb(origin)
    shifts = [t - start for t, _ in nodes]
    kernels: list[list[list[Any]]] = [[], [], []]
    for centre in centres:
        distances = [t - centre for t, _ in nodes]
        row = [w * (rate * d * d).exp() for d, (_, w) in zip(distances, nodes, strict=True)]
        for kernel in kernels:
            kernel.append(row)
            row = [value * shift for value, shift in zip(row, shifts, strict=True)]
    return kernels


def _transposed(rows: list[list[Any]]) -> Any:
    return arb_mat([list(column) for column in zip(*rows, strict=True)])


def _contracted(left: list[list[Any]], right: Any, paired: bool) -> Any:
    """left * right, or its diagonal as one row."""
    if not paired:
        return arb_mat(left) * right
    columns = zip(*right.table(), strict=True)
    return arb_mat(
        [[sum(map(arb.__mul__, row, col), arb(0)) for row, col in zip(left, columns, strict=True)]]
    )


def _add(totals: Moments, order: tuple[int, int], piece: Any) -> None:
    totals[order] = totals[order] + piece if order in totals else piece

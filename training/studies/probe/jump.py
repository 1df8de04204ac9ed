"""Serves the probe: where the adversarial loss has a corner on a segment of weights, as the attack leaves one local
maximum for another (Sec. 3.2.3), and how far its gradient jumps there."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from training.studies.probe.loss import Losses
from training.studies.probe.region import Region
from training.studies.probe.search import APART, find_attack, polish

HALVINGS = 30


@dataclass(frozen=True)
class Jumps:
    """On the segment from theta to theta + length * direction, for each of n examples.

    settled : (n,), the attacks at both ends converged, and with them what follows; nan and False where they did not
    moved   : (n,), the best attack leaps on the way: its maximum ends, or another one becomes the best
    refaced : (n,), another set of constraints presses at the far end
    place   : (n,), the share of the segment at which it leaps, nan where it does not
    leap    : (n,), the distance between the two attacks there
    jump    : (n,), ||the gradients of l_eps on both sides of the place, by theta, subtracted||
    """

    settled: Tensor
    moved: Tensor
    refaced: Tensor
    place: Tensor
    leap: Tensor
    jump: Tensor


def jumps(
    losses: Losses,
    region: Region,
    delta: Tensor,
    direction: Tensor,
    length: float,
    *,
    restarts: int,
    seed: int,
    plain: tuple[float, int],
) -> Jumps:
    """From the attacks delta (n, d), the best ones at theta; direction (m,) of length 1."""
    every = torch.arange(len(losses))
    with losses.displaced(direction, length):
        there = find_attack(losses, region, restarts=restarts, seed=seed, plain=plain)
        far, followed = _better(losses, region, (delta, there.delta), every)
        faces_there = _face_of(losses, region, far, every)
    near, _ = _better(losses, region, (far, delta), every)
    settled = there.converged & followed
    refaced = settled & (faces_there != _face_of(losses, region, near, every)).any(1)
    found = torch.full((3, len(losses)), torch.nan, dtype=torch.float64)
    for row in torch.nonzero(settled).flatten().tolist():
        one = torch.tensor([row])
        found[:, row] = torch.tensor(_leap(losses, region, (near[one], far[one]), one, direction, length))
    return Jumps(settled, ~torch.isnan(found[0]), refaced, *found)


def _leap(
    losses: Losses,
    region: Region,
    ends: tuple[Tensor, Tensor],
    row: Tensor,
    direction: Tensor,
    length: float,
) -> tuple[float, float, float]:
    """Halves the segment, keeping the half in which the best attack goes further, until the way left is none: what the
    attack still goes there it leaps. Nan where that is nothing; a second leap beside the first is not found."""
    low, high = 0.0, 1.0
    near, far = ends
    for _ in range(HALVINGS):
        if _apart(near, far) <= APART * region.epsilon:
            return math.nan, math.nan, math.nan
        middle = (low + high) / 2
        with losses.displaced(direction, middle * length):
            between, _ = _better(losses, region, (near, far), row)
        if _apart(near, between) < _apart(between, far):
            low, near = middle, between
        else:
            high, far = middle, between
    with losses.displaced(direction, low * length):
        change = losses.weight_gradient(near, row) - losses.weight_gradient(far, row)
    return low, _apart(near, far), float(torch.linalg.vector_norm(change))


def _better(
    losses: Losses, region: Region, starts: tuple[Tensor, Tensor], rows: Tensor
) -> tuple[Tensor, Tensor]:
    """The better of two attacks for each example, both followed to the weights as they are; whether both settled."""
    (first, slope, limit), (second, other, _) = (
        polish(losses, region, start.clone(), rows) for start in starts
    )
    ahead = losses.values(first, rows).detach() > losses.values(second, rows).detach()
    return torch.where(ahead.unsqueeze(1), first, second), (slope <= limit) & (other <= limit)


def _apart(one: Tensor, other: Tensor) -> float:
    return float(torch.linalg.vector_norm(one - other))


def _face_of(losses: Losses, region: Region, delta: Tensor, rows: Tensor) -> Tensor:
    face = region.of(rows).face(delta, losses.values_and_gradients(delta, rows)[1])
    return torch.cat([face.free, face.sphere.unsqueeze(1)], dim=1)

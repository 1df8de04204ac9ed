"""Serves the probe: where the adversarial loss has a corner on a segment of weights, because the attack there leaves one
local maximum for another (Sec. 3.2.3), and how far its gradient jumps."""

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
    moved   : (n,), the best attack at theta, followed to the far end, is not the best one there
    refaced : (n,), another set of constraints presses at the far end
    place   : (n,), the share of the segment at which the best maximum changes or ends, nan without a jump
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
        followed, slope, limit = polish(losses, region, delta.clone(), every)
        better = losses.values(followed, every).detach() > there.loss
        far = torch.where((better & (slope <= limit)).unsqueeze(1), followed, there.delta)
        faces_there = _face_of(losses, region, far, every)
    settled = there.converged & (slope <= limit)
    moved = settled & (torch.linalg.vector_norm(followed - far, dim=1) > APART * region.epsilon)
    refaced = settled & (faces_there != _face_of(losses, region, delta, every)).any(1)
    found = torch.full((3, len(losses)), torch.nan, dtype=torch.float64)
    for row in torch.nonzero(moved).flatten().tolist():
        one = torch.tensor([row])
        found[:, row] = torch.tensor(_crossing(losses, region, (delta[one], far[one]), one, direction, length))
    moved &= ~torch.isnan(found[0])
    return Jumps(settled, moved, refaced, *found)


def _crossing(
    losses: Losses,
    region: Region,
    ends: tuple[Tensor, Tensor],
    row: Tensor,
    direction: Tensor,
    length: float,
) -> tuple[float, float, float]:
    """Where the better of two maxima changes, by bisection, the distance between them and the gradients' jump; nan where
    the far one is the better all along, which is then no jump but a maximum the search had missed."""
    low, high = 0.0, 1.0
    near, far = ends
    for halving in range(HALVINGS + 1):
        middle = (low + high) / 2 if halving else 0.0
        with losses.displaced(direction, middle * length):
            first, second = (polish(losses, region, point.clone(), row)[0] for point in (near, far))
            lead = float((losses.values(first, row) - losses.values(second, row)).detach())
        if _apart(first, second) <= APART * region.epsilon:
            # One of the two has ended before here and led over into the other: the one that went further.
            stays = _apart(first, near) <= _apart(second, far)
        else:
            stays = lead >= 0
        if not halving and not stays:
            return NOWHERE
        low, high, near, far = (middle, high, first, far) if stays else (low, middle, near, second)
    with losses.displaced(direction, low * length):
        change = losses.weight_gradient(near, row) - losses.weight_gradient(far, row)
    return low, _apart(near, far), float(torch.linalg.vector_norm(change))


NOWHERE = (math.nan, math.nan, math.nan)


def _apart(one: Tensor, other: Tensor) -> float:
    return float(torch.linalg.vector_norm(one - other))


def _face_of(losses: Losses, region: Region, delta: Tensor, rows: Tensor) -> Tensor:
    face = region.of(rows).face(delta, losses.values_and_gradients(delta, rows)[1])
    return torch.cat([face.free, face.sphere.unsqueeze(1)], dim=1)

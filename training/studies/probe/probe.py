"""How smooth a net's adversarial loss is at a batch, and why: `probe(model, x, y, epsilon=..., norm="l2")`.

For every example it finds the attack as exactly as float64 has it, says which constraints hold it, how curved the loss
is there, how fast the attack moves with the weights beside the constants of Lemmas 4 and 5, and for the batch how fast
the gradient of L_eps turns. What has not converged is counted, and enters no mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.studies.probe.curvature import DENSE, SecondOrder, second_order
from training.studies.probe.jump import Jumps, jumps
from training.studies.probe.loss import ExampleLoss, Losses, cross_entropy
from training.studies.probe.region import Face, Region
from training.studies.probe.search import TOLERANCE, Attack, find_attack
from training.studies.probe.smoothness import Smoothness, smoothness

RESTARTS = 4
PLAIN_STEPS = 10
STRICT = 1e-6  # a multiplier below this share of the largest slope counts as zero
POSITIONS = ("interior", "sphere", "faces", "corner", "kink", "unresolved")


@dataclass(frozen=True)
class Probe:
    """What was found for the n examples of a batch; tensors of shape (n,), or (n, d) where said.

    attack     : the attack itself (`Attack`)
    position   : a word of POSITIONS for each example: "sphere" the L2 ball presses, perhaps with some pixels; "faces"
                 some coordinates are at bounds that press and no ball; "corner" no direction is left; "kink" the
                 search ended on a kink of the loss, where there is no second order; "unresolved" it did not converge
    multiplier : mu, of the L2 ball; 0 where it does not press
    at_ball    : share of the coordinates that the ball's box holds ("linf")
    at_pixels  : share that the pixel box holds; the paper's constraint is the ball alone
    strict     : whether every constraint that is touched presses with a multiplier that is not 0
    second     : `SecondOrder` of each example whose attack converged, None for the others
    smoothness : of the mean over the examples in `smooth`, None where there are none or it was not asked for
    jumps      : along `segment` (`Jumps`), None where no segment was asked for
    """

    attack: Attack
    position: tuple[str, ...]
    multiplier: Tensor
    at_ball: Tensor
    at_pixels: Tensor
    strict: Tensor
    second: tuple[SecondOrder | None, ...]
    smooth: Tensor
    smoothness: Smoothness | None
    jumps: Jumps | None

    @property
    def delta(self) -> Tensor:
        """The attacks, (n, d)."""
        return self.attack.delta

    def shares(self) -> dict[str, float]:
        """Position -> share of the examples."""
        return {name: self.position.count(name) / len(self.position) for name in POSITIONS}


def probe(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    *,
    epsilon: float,
    norm: str,
    box: tuple[float, float] | None = (0.0, 1.0),
    loss: ExampleLoss = cross_entropy,
    parameters: Sequence[str] | None = None,
    restarts: int = RESTARTS,
    plain: tuple[float, int] | None = None,
    seed: int = 0,
    second: int | None = None,
    segment: tuple[Tensor, float] | None = None,
    whole: bool = True,
    dense: int = DENSE,
    report: Callable[[str, int, int], None] = lambda what, done, of: None,
) -> Probe:
    """Measures a model at a batch, on a copy in float64, in eval mode and on the CPU; the model stays as it is.

    x, y       : (n, ...), inside the box, and what `loss` takes, labels (n,) for the cross-entropy
    epsilon    : > 0, in the units of x; norm "linf" or "l2"; box : of the pixels, None for none
    loss       : (outputs, y) -> one loss an example
    parameters : names of the weights that count as theta; None for all
    restarts   : >= 1 starts of the search: plain PGD's end, x, random points
    plain      : (step size, steps) of the PGD that is compared with, default (epsilon / 4, 10)
    second     : for how many of the first examples B is measured, None for all; `whole` False leaves L_eps out
    segment    : (direction (m,), length): look for jumps of the gradient between theta and theta + length * direction
    dense      : coordinates up to which matrices are made whole; above, products with vectors alone are used
    report     : called with what is being done, how much of it is done, and of how much

    Memory: the graph of one backward pass of restarts * n examples, and 8 d m bytes for B, at most a gigabyte, of
    one example at a time; with `dense` also 8 n d^2.

    Raises: ValueError for arguments outside their range, in a line that says what to do.
    """
    if isinstance(restarts, bool) or restarts < 1:
        raise ValueError(f"restarts = {restarts}; the search needs at least 1")
    if second is not None and second < 0:
        raise ValueError(f"second = {second}; it must be a number of examples >= 0, or None for all")
    losses = Losses(model, x, y, loss, parameters)
    region = Region.around(losses.x, epsilon, norm, box)
    how: dict[str, Any] = {
        "restarts": restarts,
        "seed": seed,
        "plain": plain or (region.epsilon / 4, PLAIN_STEPS),
    }
    attack = find_attack(
        losses, region, tolerance=TOLERANCE, report=lambda done, of: report("attacks", done, of), **how
    )
    every = torch.arange(len(losses))
    face = region.face(attack.delta, losses.values_and_gradients(attack.delta, every)[1])
    orders = _orders(losses, attack, face, len(losses) if second is None else second, dense, report)
    smooth = torch.tensor([i for i, one in enumerate(orders) if one is not None and one.regular]).long()
    turning = None
    if whole and len(smooth):
        report("smoothness", 0, 1)
        turning = smoothness(losses, region, attack.delta[smooth], smooth, dense)
    found = None
    if segment is not None:
        report("jumps", 0, 1)
        found = jumps(losses, region, attack.delta, *_checked(segment, losses.size), **how)
    return Probe(
        attack=attack,
        position=_positions(attack, face),
        second=orders,
        smooth=smooth,
        smoothness=turning,
        jumps=found,
        **_pressing(region, attack, face),
    )


def _orders(
    losses: Losses,
    attack: Attack,
    face: Face,
    wanted: int,
    dense: int,
    report: Callable[[str, int, int], None],
) -> tuple[SecondOrder | None, ...]:
    n = len(losses)
    found: list[SecondOrder | None] = []
    for row in range(n):
        report("second order", row, min(n, wanted))
        if not bool(attack.converged[row]):
            found.append(None)
            continue
        one, cross = torch.tensor([row]), row < wanted
        found.append(second_order(losses, attack.delta[one], face.of(one), row, dense=dense, cross=cross))
    return tuple(found)


def _positions(attack: Attack, face: Face) -> tuple[str, ...]:
    words = []
    for row in range(len(attack.delta)):
        if not bool(attack.converged[row]):
            words.append("kink" if bool(attack.kink[row]) else "unresolved")
        elif not int(face.dimension[row]):
            words.append("corner")
        elif bool(face.sphere[row]):
            words.append("sphere")
        else:
            words.append("interior" if bool(face.free[row].all()) else "faces")
    return tuple(words)


def _pressing(region: Region, attack: Attack, face: Face) -> Mapping[str, Tensor]:
    """What holds each attack, and whether all that it touches presses."""
    pixels = region.touched_pixels(attack.delta)
    touched = (attack.delta <= region.lower) | (attack.delta >= region.upper)
    largest = face.excess.abs().amax(1, keepdim=True)
    multiplier = (face.pull * region.epsilon).squeeze(1) * face.sphere
    weak = touched & (~(face.excess.abs() > STRICT * largest) | face.free)
    on_ball = torch.linalg.vector_norm(attack.delta, dim=1) >= region.epsilon * (1 - STRICT)
    slack_ball = (region.norm == "l2") & on_ball & ~face.sphere
    return {
        "multiplier": multiplier,
        "at_ball": (~face.free & ~pixels).double().mean(1),
        "at_pixels": (~face.free & pixels).double().mean(1),
        "strict": ~weak.any(1) & ~slack_ball,
    }


def _checked(segment: tuple[Tensor, float], size: int) -> tuple[Tensor, float]:
    direction, length = segment
    if direction.shape != (size,) or not length > 0:
        raise ValueError(
            f"segment has a direction of shape {tuple(direction.shape)} and length {length}; need ({size},), one "
            "number a weight, and a length > 0"
        )
    direction = direction.detach().double().cpu()
    return direction / torch.linalg.vector_norm(direction), float(length)

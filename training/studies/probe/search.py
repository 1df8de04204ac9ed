"""Serves the probe: the attack as exactly as float64 has it, by PGD from several starts and then Newton's method on the
faces of the region, a trust region around every step.

The point that comes out has a slope along its face of at most `TOLERANCE`, or it is called not converged.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from training.methods.ascent import uniform_start
from training.methods.attacks import pgd
from training.studies.probe.loss import Expansion, Losses
from training.studies.probe.region import Face, Region

TOLERANCE = 1e-8  # of the slope, in units of loss per unit of x
RELATIVE = 1e-6  # and no more than this of the slope the search met on its way, which may itself be tiny
ITERATIONS = 60
GAIN = 1e-4  # share of the predicted gain that a step has to make
NOISE = 1e-14  # relative, of losses in float64: below it a step is judged by the slope it leaves
SMALLEST = 1e-13  # a trust region, relative to epsilon
SCHEDULE = (
    (0.25, 20),
    (0.05, 20),
)  # step size over epsilon, and steps, of the PGD that the starts begin with
APART = 1e-3  # of epsilon: two maxima further from each other than this are two
NEAR, KINK = (
    1e-4,
    1e-4,
)  # of epsilon, the way over which a jump of the gradient by this share is looked for, ...
DIRECTIONS = 8  # ... in so many directions


@dataclass(frozen=True)
class Attack:
    """The best attack found for each example of a batch of n.

    delta     : (n, d)
    loss      : (n,), at the attack; `plain` (n,) that of the plain PGD
    slope     : (n,), the first-order residual
    converged : (n,), whether it is at most the tolerance
    kink      : (n,), not converged, and the gradient jumps there: the search ended on a kink of the loss
    maxima    : (n,), different local maxima found that converged
    runner_up : (n,), the loss of the best less that of the next of them; nan where there is no other
    """

    delta: Tensor
    loss: Tensor
    plain: Tensor
    slope: Tensor
    converged: Tensor
    kink: Tensor
    maxima: Tensor
    runner_up: Tensor


def find_attack(
    losses: Losses,
    region: Region,
    *,
    restarts: int,
    seed: int,
    plain: tuple[float, int],
    tolerance: float = TOLERANCE,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> Attack:
    """The best of `restarts` polished starts: the end of the plain PGD, the example itself, and random points.

    plain : (step size, steps) of the plain PGD, which starts at random and is also compared with
    """
    n, every = len(losses), torch.arange(len(losses))
    generator = torch.Generator().manual_seed(seed)
    rough = _pgd(losses, region, _random(losses, region, generator), *plain)
    starts = [rough, torch.zeros_like(rough)]
    starts += [_random(losses, region, generator) for _ in range(restarts - 2)]
    first = torch.cat(starts[:restarts])
    rows = every.repeat(min(restarts, len(starts)))
    for share, steps in SCHEDULE:
        first = _pgd(losses, region, first, share * region.epsilon, steps, rows)
    delta, slope, limit = polish(losses, region, first, rows, tolerance, report)
    values = losses.values(delta, rows).detach()
    settled = slope <= limit
    return _best(losses, region, (delta, values, slope, settled), losses.values(rough, every).detach(), n)


def polish(
    losses: Losses,
    region: Region,
    delta: Tensor,
    rows: Tensor,
    tolerance: float = TOLERANCE,
    report: Callable[[int, int], None] = lambda done, of: None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Newton's method from every point: (delta, its slope, the limit the slope has to keep), (n, d), (n,) and (n,).

    A step maximises the quadratic model on the tangent space of the face within a trust region (Steihaug's conjugate
    gradients on Hessian-vector products), and is projected to the region; one that does not gain is refused.
    """
    region = region.of(rows)
    delta = region.project(delta)
    values, gradients = losses.values_and_gradients(delta, rows)
    slope = region.face(delta, gradients).slope
    limit = (RELATIVE * torch.linalg.vector_norm(gradients, dim=1)).clamp(max=tolerance)
    limit = torch.where(limit > 0, limit, tolerance)
    trust = torch.full_like(values, region.epsilon / 4)
    left = torch.nonzero(slope > limit).flatten()
    for _ in range(ITERATIONS):
        report(len(delta) - len(left), len(delta))
        if not len(left):
            break
        part = region.of(left)
        expansion = losses.at(delta[left], rows[left], weights=False)
        face = part.face(delta[left], expansion.gradient)
        step, predicted, edge = _newton_step(expansion, face, trust[left])
        trial = part.holding(delta[left], face.free).project(delta[left] + step)
        trial_values, trial_gradients = losses.values_and_gradients(trial, rows[left])
        trial_slope = part.face(trial, trial_gradients).slope
        gained = trial_values - values[left]
        lost_in_noise = predicted.abs() <= NOISE * (1 + values[left].abs())
        kept = torch.where(lost_in_noise, trial_slope < slope[left], gained > GAIN * predicted)
        good, poor = gained > 0.75 * predicted, ~lost_in_noise & (gained < 0.25 * predicted)
        shrink = poor | (lost_in_noise & ~kept)
        grown = torch.where(good & edge, 2 * trust[left], trust[left]).clamp(max=2 * region.epsilon)
        trust[left] = torch.where(shrink, torch.minimum(trust[left], _length(step)) / 4, grown)
        accepted = left[kept]
        delta[accepted], values[accepted], slope[accepted] = (
            trial[kept],
            trial_values[kept],
            trial_slope[kept],
        )
        open_ = (slope[left] > limit[left]) & (trust[left] > SMALLEST * region.epsilon)
        left = left[open_]
    return delta, slope, limit


def solve_tangent(
    apply: Callable[[Tensor], Tensor], face: Face, target: Tensor, tolerance: float, most: int
) -> Tensor:
    """z on the tangent space with -A z = target there, A negative definite, by conjugate gradients; (n, d)."""
    trust = torch.full_like(target[:, 0], torch.inf)
    return _steihaug(apply, face.tangent(target), trust, torch.full_like(trust, tolerance), most)[0]


def curvature(expansion: Expansion, face: Face) -> Callable[[Tensor], Tensor]:
    """v -> -A v, A = P (grad_x^2 l - kappa) P the Hessian of the Lagrangian on the tangent space, P onto it."""
    return lambda v: -face.tangent(expansion.hessian(v) - face.pull * v)


def _newton_step(expansion: Expansion, face: Face, trust: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """The step, what the quadratic model gains by it, and whether it ends at the edge of the trust region."""
    climb = face.tangent(face.excess)
    size = _length(climb)
    forcing = torch.minimum(torch.full_like(size, 0.1), size.sqrt())
    most = int(face.dimension.max()) + 3
    apply = curvature(expansion, face)
    step, bent, edge = _steihaug(apply, climb, trust, forcing, most)
    return step, (step * climb).sum(1) - (step * bent).sum(1) / 2, edge


def _steihaug(
    apply: Callable[[Tensor], Tensor], target: Tensor, trust: Tensor, forcing: Tensor, most: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Maximises target.s - s.apply(s)/2 in |s| <= trust for every row at once: (s, apply(s), whether |s| = trust).

    forcing : the share of |target| at which the residual of `apply(s) = target` is small enough
    """
    step, bent = torch.zeros_like(target), torch.zeros_like(target)
    residual, direction = target.clone(), target.clone()
    square = (residual**2).sum(1)
    enough = (forcing**2) * square
    edge = torch.zeros_like(square, dtype=torch.bool)
    going = square > 0
    for _ in range(most):
        if not bool(going.any()):
            break
        image = apply(direction)
        bend = (direction * image).sum(1)
        # Along a direction that does not bend down the model grows to the edge; where there is none the solve ends.
        falls = bend > 0
        going = going & (falls | torch.isfinite(trust))
        length = torch.where(falls, square / torch.where(falls, bend, 1.0), torch.inf)
        farthest = _to_the_edge(step, direction, trust)
        stops = going & (length >= farthest)
        length = torch.where(going, torch.minimum(length, farthest), torch.zeros_like(length)).unsqueeze(1)
        step, bent = step + length * direction, bent + length * image
        residual = residual - length * image
        edge |= stops
        fresh = (residual**2).sum(1)
        going = going & ~stops & (fresh > enough)
        ratio = torch.where(going, fresh / torch.where(square > 0, square, 1.0), 0.0).unsqueeze(1)
        direction = torch.where(going.unsqueeze(1), residual + ratio * direction, torch.zeros_like(direction))
        square = fresh
    return step, bent, edge


def _to_the_edge(step: Tensor, direction: Tensor, trust: Tensor) -> Tensor:
    """The t >= 0 with |step + t direction| = trust; inf for a direction of 0 or an infinite trust region."""
    a, b = (direction**2).sum(1), (step * direction).sum(1)
    c = ((step**2).sum(1) - trust**2).clamp(max=0)
    root = (b**2 - a * c).clamp(min=0).sqrt()
    return torch.where((a > 0) & torch.isfinite(trust), (root - b) / torch.where(a > 0, a, 1.0), torch.inf)


def _best(
    losses: Losses, region: Region, found: tuple[Tensor, Tensor, Tensor, Tensor], plain: Tensor, n: int
) -> Attack:
    """Of every example's starts the one with the largest loss; of several within rounding the one that converged."""
    delta, values, slope, settled = (part.unflatten(0, (-1, n)) for part in found)
    level = values + settled * 10 * NOISE * (1 + values.abs())
    chosen, every = level.argmax(0), torch.arange(n)
    best, converged = delta[chosen, every], settled[chosen, every]
    maxima, runner_up = _others(delta, values, settled, APART * region.epsilon)
    return Attack(
        delta=best,
        loss=values[chosen, every],
        plain=plain,
        slope=slope[chosen, every],
        converged=converged,
        kink=~converged & _kinked(losses, best, region.epsilon),
        maxima=maxima,
        runner_up=runner_up,
    )


def _others(delta: Tensor, values: Tensor, settled: Tensor, apart: float) -> tuple[Tensor, Tensor]:
    """How many different points the converged starts (restarts, n, d) end in, and the two best ones' difference."""
    n = delta.shape[1]
    maxima, runner_up = torch.zeros(n, dtype=torch.long), torch.full((n,), torch.nan, dtype=values.dtype)
    for example in range(n):
        kept: list[int] = []
        for start in values[:, example].argsort(descending=True).tolist():
            point = delta[start, example]
            new = all(float(torch.linalg.vector_norm(point - delta[one, example])) > apart for one in kept)
            if settled[start, example] and new:
                kept.append(start)
        maxima[example] = len(kept)
        if len(kept) > 1:
            runner_up[example] = values[kept[0], example] - values[kept[1], example]
    return maxima, runner_up


def _kinked(losses: Losses, delta: Tensor, epsilon: float) -> Tensor:
    """Whether the gradient jumps next to the point, (n,): it changes over a tiny way in some direction, and nearly as
    much over a tenth of it, where the change of a smooth one shrinks tenfold."""
    rows = torch.arange(len(delta))
    generator = torch.Generator().manual_seed(0)
    _, here = losses.values_and_gradients(delta, rows)
    jumps = torch.zeros(len(delta), dtype=torch.bool)
    for _ in range(DIRECTIONS):
        way = torch.randn(delta.shape, generator=generator, dtype=delta.dtype)
        way = NEAR * epsilon * way / _length(way).unsqueeze(1)
        far, near = (
            _length(losses.values_and_gradients(delta + share * way, rows)[1] - here) for share in (1, 0.1)
        )
        jumps |= (near > KINK * _length(here)) & (near > far / 2)
    return jumps


def _random(losses: Losses, region: Region, generator: torch.Generator) -> Tensor:
    return region.project(uniform_start(losses.x, region.epsilon, region.norm, generator))


def _pgd(
    losses: Losses, region: Region, start: Tensor, step_size: float, steps: int, rows: Tensor | None = None
) -> Tensor:
    """The end of `training.methods.attacks.pgd` from each start, (n, d)."""
    rows = torch.arange(len(losses)) if rows is None else rows
    x = losses.x[rows].unflatten(1, losses.shape)
    low = float((losses.x + region.pixel_lower).min())
    high = float((losses.x + region.pixel_upper).max())
    found = pgd(
        losses.model,
        x,
        losses.y[rows],
        epsilon=region.epsilon,
        step_size=step_size,
        steps=steps,
        norm=region.norm,
        start=start.unflatten(1, losses.shape),
        box=(max(low, -HUGE), min(high, HUGE)),
        loss=lambda outputs, y: losses.loss(outputs, y).sum(),
    )
    return region.of(rows).project(found.flatten(1))


HUGE = 1e300  # a box without bounds, for an attack that asks for finite ones


def _length(vectors: Tensor) -> Tensor:
    return torch.linalg.vector_norm(vectors, dim=1)

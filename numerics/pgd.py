"""PGD (Sec. 2.1, the update below Eq. (1)), and how far below the worst case it stays.

The paper drew Fig. 2(d)-(f) with PGD, so those surfaces carry the gap measured here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from numerics.norms import steepest_direction
from numerics.problem import Problem, output, output_slope, sigmoid, softplus
from numerics.surfaces import checked_axes, describe, grid

STARTS = ("random", "zero")
KEEPS = ("last", "best")
# Entries of theta, data points and coordinates attacked at once: 8 MiB an array.
BLOCK = 2**20


@dataclass(frozen=True)
class PgdOptions:
    """How PGD runs; the defaults are the paper's test attack (Secs. E.1, E.2).

    That is 20 steps of a quarter of epsilon (2/255 at epsilon = 8/255) from one random start. For Fig. 2 the
    paper gives no numbers.

    `steps` >= 1. `step_size` eta_P > 0 in the units of X, None for epsilon/4. `restarts` >= 1: runs of which
    the worst is kept. `start` "random", uniform in the ball, or "zero". `keep` "last", the final iterate of
    each run, or "best", the worst of all its iterates, the start included. `seed` of the random starts.
    Raises: ValueError outside those ranges, and for several restarts from zero, which would repeat one run.
    """

    steps: int = 20
    step_size: float | None = None
    restarts: int = 1
    start: str = "random"
    keep: str = "last"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("steps", "restarts"):
            value = getattr(self, name)
            if not (isinstance(value, int | np.integer) and value >= 1):
                raise ValueError(f"{name} = {value!r}; it must be a whole number >= 1: pass 1 or more")
        if self.step_size is not None and not 0 < self.step_size < np.inf:
            raise ValueError(
                f"step_size = {self.step_size}; it must be finite and > 0: pass a part of epsilon, or None"
            )
        for name, known in (("start", STARTS), ("keep", KEEPS)):
            if getattr(self, name) not in known:
                raise ValueError(
                    f"{name} = {getattr(self, name)!r} is unknown; the known ones are {', '.join(known)}"
                )
        if self.start == "zero" and self.restarts > 1:
            raise ValueError(
                f"restarts = {self.restarts} with start = 'zero' would repeat one run: pass restarts = 1 or "
                "start = 'random'"
            )
        if not (isinstance(self.seed, int | np.integer) and self.seed >= 0):
            raise ValueError(f"seed = {self.seed!r}; it must be a whole number >= 0: pass one")


@dataclass(frozen=True, eq=False)
class PgdAttack:
    """`delta` (..., N, d), the loss it reaches for each data point (..., N), and their mean `value` (...)."""

    delta: np.ndarray
    loss: np.ndarray
    value: np.ndarray


@dataclass(frozen=True, eq=False)
class PgdGap:
    """L - L_PGD on the grid theta = (axes[0][i], axes[1][j]); every array (n0, n1).

    `exact` and `pgd`: the two losses. `gap`: their difference, >= 0 up to `error`, the rounding of both.
    `fraction`: the share of grid points whose gap exceeds `tolerance`. `largest`, `at`: the largest gap and
    its theta. `provenance`: what was attacked and how, ready for JSON.
    """

    axes: tuple[np.ndarray, np.ndarray]
    exact: np.ndarray
    pgd: np.ndarray
    gap: np.ndarray
    error: np.ndarray
    tolerance: float
    fraction: float
    largest: float
    at: tuple[float, float]
    provenance: dict[str, Any] = field(default_factory=dict)


def pgd_attack(problem: Problem, theta: Any, options: PgdOptions | None = None) -> PgdAttack:
    """PGD at every theta, shape (..., d), and data point:

        delta <- P(delta + eta_P sign(g))       p = inf, P clips every coordinate to [-epsilon, epsilon];
        delta <- P(delta + eta_P g / ||g||_2)   p = 2, P scales delta back to the sphere if it is outside;

    with `g = d loss / d x' = -y sigmoid(-y z) z'(u) theta` at x' = x + delta. sign(0) = 0, and where g = 0
    the L2 step is 0 too: such a coordinate or point stays. No delta leaves the ball, but for one rounding.

    The random starts are those of the data points and restarts, the same for every theta: the loss PGD
    reaches is then a function of theta that does not depend on the grid.
    Raises: ValueError for p other than 2 and inf, and as `Problem.checked`.
    """
    options = options or PgdOptions()
    if problem.p not in (2.0, np.inf):
        raise ValueError(f"p = {problem.p}; PGD has steps for p = 2 and p = inf: pass one of them")
    theta = problem.checked(theta)
    starts = _starts(problem, options)
    flat = theta.reshape(-1, problem.dimension)
    block = max(1, BLOCK // problem.X.size)
    parts = [
        _worst_run(problem, flat[first : first + block], starts, options)
        for first in range(0, max(1, len(flat)), block)
    ]
    shape = (*theta.shape[:-1], len(problem.y))
    delta = np.concatenate([part[0] for part in parts]).reshape(*shape, problem.dimension)
    loss = np.concatenate([part[1] for part in parts]).reshape(shape)
    return PgdAttack(delta, loss, loss.mean(axis=-1))


def pgd_gap(
    problem: Problem,
    axes: tuple[np.ndarray, np.ndarray],
    options: PgdOptions | None = None,
    tolerance: float = 1e-6,
) -> PgdGap:
    """How much of the adversarial loss PGD misses, on a grid of two weights.

    Raises: ValueError as `pgd_attack`, and for a tolerance that is not finite and >= 0.
    """
    if not 0 <= tolerance < np.inf:
        raise ValueError(f"tolerance = {tolerance}; it must be finite and >= 0: pass a small number")
    options = options or PgdOptions()
    axes = checked_axes(axes)
    theta = grid(axes)
    exact, found = problem.loss(theta), pgd_attack(problem, theta, options).value
    gap = exact - found
    size = np.abs(theta) @ (np.abs(problem.X).max(axis=0) + problem.epsilon)
    error = 32 * np.finfo(float).eps * (1 + size)
    worst = np.unravel_index(np.argmax(gap), gap.shape)
    what = {
        "quantity": "L(theta) - L_PGD(theta)",
        "method": "closed form of the inner maximum against PGD",
        **describe(problem),
        "steps": options.steps,
        "step_size": _step_size(problem, options),
        "restarts": options.restarts,
        "start": options.start,
        "keep": options.keep,
        "seed": options.seed,
        "tolerance": tolerance,
    }
    at = (float(axes[0][worst[0]]), float(axes[1][worst[1]]))
    fraction = float((gap > tolerance).mean())
    return PgdGap(axes, exact, found, gap, error, tolerance, fraction, float(gap[worst]), at, what)


def _starts(problem: Problem, options: PgdOptions) -> np.ndarray:
    """The first iterates, shape (restarts, N, d); those of fewer restarts are the first of those of more."""
    if options.start == "zero":
        return np.zeros((1, *problem.X.shape))
    random = np.random.default_rng(options.seed)
    return np.stack([_random_start(problem, random) for _ in range(options.restarts)])


def _random_start(problem: Problem, random: np.random.Generator) -> np.ndarray:
    """Points drawn evenly from the ball, shape (N, d)."""
    if problem.p == np.inf:
        return random.uniform(-problem.epsilon, problem.epsilon, problem.X.shape)
    direction = random.standard_normal(problem.X.shape)
    direction /= np.linalg.norm(direction, axis=-1, keepdims=True)
    radius = random.uniform(size=(len(direction), 1)) ** (1 / problem.dimension)
    return problem.epsilon * radius * direction


def _worst_run(
    problem: Problem, theta: np.ndarray, starts: np.ndarray, options: PgdOptions
) -> tuple[np.ndarray, np.ndarray]:
    """delta (T, N, d) and loss (T, N) of the worst of all runs, for theta (T, d)."""
    delta, loss = _run(problem, theta, starts[0], options)
    for start in starts[1:]:
        other, reached = _run(problem, theta, start, options)
        worse = reached > loss
        delta, loss = np.where(worse[..., None], other, delta), np.where(worse, reached, loss)
    return delta, loss


def _run(
    problem: Problem, theta: np.ndarray, start: np.ndarray, options: PgdOptions
) -> tuple[np.ndarray, np.ndarray]:
    """delta (T, N, d) and loss (T, N) of one run from `start` (N, d)."""
    # g is a multiple of theta: its sign pattern and its normalised form are those of theta, up to sign.
    step = _step_size(problem, options) * steepest_direction(theta, problem.p, np)[..., None, :]
    delta = start + np.zeros((len(theta), 1, 1))
    kept, best = delta, np.full(delta.shape[:-1], -np.inf)
    for _ in range(options.steps):
        loss, slope = _loss_and_slope(problem, theta, delta)
        if options.keep == "best":
            kept, best = np.where((loss > best)[..., None], delta, kept), np.maximum(loss, best)
        delta = _projected(problem, delta + np.sign(slope)[..., None] * step)
    loss, _ = _loss_and_slope(problem, theta, delta)
    if options.keep == "last":
        return delta, loss
    return np.where((loss > best)[..., None], delta, kept), np.maximum(loss, best)


def _loss_and_slope(problem: Problem, theta: np.ndarray, delta: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The loss at x + delta and its derivative in the score u, both (T, N)."""
    score = (theta[:, None, :] * (problem.X + delta)).sum(axis=-1)
    z = output(problem.model, score, np)
    slope = -problem.y * sigmoid(-problem.y * z, np) * output_slope(problem.model, score, np)
    return softplus(-problem.y * z, np), slope


def _projected(problem: Problem, delta: np.ndarray) -> np.ndarray:
    """The nearest point of the ball."""
    if problem.p == np.inf:
        return np.clip(delta, -problem.epsilon, problem.epsilon)
    length = np.linalg.norm(delta, axis=-1, keepdims=True)
    outside = length > problem.epsilon
    return np.where(outside, delta * (problem.epsilon / np.where(outside, length, 1.0)), delta)


def _step_size(problem: Problem, options: PgdOptions) -> float:
    return problem.epsilon / 4 if options.step_size is None else options.step_size

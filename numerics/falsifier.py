"""The falsifier behind `results/bounds.md`: it looks for the worst pair of a Lipschitz statement.

Maximised is `||map(a) - map(b)|| / (||a - b|| K(a, b))` over an admissible set, by projected gradient ascent from
many starts, and besides the limit b -> a, where the ratio tends to `||J(a) v||`. A supremum found by search is a
lower bound on the constant: it can refute a statement, or show that a proved one cannot be improved.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from numerics.admissible import AdmissibleSet, Product, sphere
from numerics.autodiff import double_precision
from numerics.norms import Array

STAGES = ("pair", "limit")
# A ratio over a distance h carries a rounding error of about 2e-16/h: pairs of a continuous map stay this far apart,
# relative to the size of the set, and the limit stage covers what is closer.
CLOSEST = 1e-5
# A jump is followed down to this distance, where a gap of size 1 is still known to nine digits and more.
SMALLEST = 1e-9
# A gap this small against the map's values may be rounding, which looks like a jump.
ROUNDING = 1e-12
# A ratio that grows by this factor at every halving of the distance has no bound: a jump gives 2, |t|^s gives 2^(1-s).
GROWTH = 1.02
TIE = 1e-8  # scores this close, relatively, are the same; the first start is taken, so that reruns agree
NOTHING = -1e4  # stands for log 0; its exponential is exactly 0

# Points (n, k) to values (n,) and gradients (n, k).
Scored = Callable[[np.ndarray], tuple[np.ndarray, np.ndarray]]


@dataclass(frozen=True, eq=False)
class Worst:
    """The worst pair found.

    `ratio` = ||map(a) - map(b)||/||a - b|| and `score` = ratio/K(a, b), which was maximised (K = 1 unless given).
    `kind` tells where: "pair", attained at a and b; "limit", b -> a along `direction` (then b = a); "unbounded", the
    ratio grew without end as b was moved to a, and `gap` = ||map(a) - map(b)|| at the last distance is the size of a
    jump, or nearly 0 for a map that is continuous but not Lipschitz. `context` is what map and K were given besides,
    and `start` the index of the start that led here.
    """

    kind: str
    ratio: float
    score: float
    gap: float
    a: np.ndarray
    b: np.ndarray
    direction: np.ndarray
    context: np.ndarray
    start: int

    @property
    def distance(self) -> float:
        """||a - b||, 0 in the limit."""
        return float(np.linalg.norm(self.a - self.b))


def falsify(
    mapping: Callable[..., Array],
    admissible: AdmissibleSet,
    *,
    context: AdmissibleSet | None = None,
    modulus: Callable[..., Array] | None = None,
    stages: tuple[str, ...] = STAGES,
    starts: int = 32,
    steps: int = 200,
    seed: int = 0,
) -> Worst:
    """The pair of `admissible` with the largest `||map(a) - map(b)|| / (||a - b|| K(a, b))` found; deterministic.

    Args: `mapping(a)` or, with a `context`, `mapping(a, c)`: traceable by jax, shape (d,) to a scalar or (m,); the
    search moves c too. `modulus(a, b)` or `modulus(a, b, c)` is K, the constant claimed where it depends on the pair.
    `stages`: "pair", "limit" or both; the limit takes modulus(a, a). `starts`, `steps` >= 1.
    Raises ValueError for an unknown stage, for counts below 1, and for a map that is finite at no start.
    """
    if not stages or set(stages) - set(STAGES):
        raise ValueError(
            f"stages = {stages}; it must name one or both of {', '.join(STAGES)}: pass a tuple of them"
        )
    if starts < 1 or steps < 1:
        raise ValueError(f"starts = {starts}, steps = {steps}; both must be at least 1: raise them")
    with double_precision():
        search = _Search(mapping, modulus, admissible, context, starts, steps, seed)
        found = [search.pair() if stage == "pair" else search.limit() for stage in STAGES if stage in stages]
    return found[0] if len(found) == 1 else _preferred(*found)


class _Search:
    """One statement's search: its starts, the two scores, and the two stages.

    A state w is (a, b, c) in the pair stage and (a, v, c) in the limit stage, with v the direction of b.
    """

    def __init__(
        self,
        mapping: Callable[..., Array],
        modulus: Callable[..., Array] | None,
        admissible: AdmissibleSet,
        context: AdmissibleSet | None,
        starts: int,
        steps: int,
        seed: int,
    ) -> None:
        self.set, self.d, self.steps = admissible, admissible.dimension, steps
        self.extra = [context] if context else []
        self.map = mapping if context else (lambda a, c: mapping(a))
        self.modulus = (modulus if context else (lambda a, b, c: modulus(a, b))) if modulus else None
        rng = np.random.default_rng(seed)
        self.a, self.b = admissible.sample(rng, starts), admissible.sample(rng, starts)
        self.size = float(np.median(np.linalg.norm(self.a - self.b, axis=1))) or 1.0
        # A third of the pairs start opposite each other and a third close by: jumps sit at 0, suprema in limits.
        self.b[1::3] = admissible.project(-self.a[1::3])
        near = self.a[2::3] + 0.05 * self.size * rng.standard_normal(self.a[2::3].shape)
        self.b[2::3] = admissible.project(near)
        self.v = rng.standard_normal(self.a.shape)
        self.c = context.sample(rng, starts) if context else np.zeros((starts, 0))

    def pair(self) -> Worst:
        """Ascent on two points, then halving, which follows a jump, or a kink, to where the ratio is largest."""
        start = np.concatenate([self.a, self.b, self.c], axis=1)
        evaluate = _compiled(self._pair_score)
        w, score = self._ascend(evaluate, Product(self.set, self.set, *self.extra), start, self._far)
        w, score, unbounded = self._halved(evaluate, w, score)
        # Every other start of the limit stage is taken from here.
        self.a[1::2], self.v[1::2] = w[1::2, : self.d], (w[:, self.d : 2 * self.d] - w[:, : self.d])[1::2]
        best = _first_best(np.where(unbounded, score, -np.inf) if unbounded.any() else score)
        a, b, c = np.split(w[best], [self.d, 2 * self.d])
        apart = float(np.linalg.norm(a - b)) or np.inf
        ratio = float(np.exp(score[best])) * self._constant(a, b, c)
        kind = "unbounded" if unbounded.any() else "pair"
        gap = ratio * apart if ratio else 0.0
        return Worst(kind, ratio, float(np.exp(score[best])), gap, a, b, (b - a) / apart, c, best)

    def limit(self) -> Worst:
        """Ascent on one point and a direction: the ratio of b -> a is the norm of the directional derivative."""
        whole = Product(self.set, sphere(self.d), *self.extra)
        start = whole.project(np.concatenate([self.a, self.v, self.c], axis=1))
        w, score = self._ascend(_compiled(self._limit_score), whole, start)
        best = _first_best(score)
        a, v, c = np.split(w[best], [self.d, 2 * self.d])
        ratio = float(np.exp(score[best])) * self._constant(a, a, c)
        return Worst("limit", ratio, float(np.exp(score[best])), 0.0, a, a, v, c, best)

    def _pair_score(self, w: Array) -> Array:
        ends, c = w[: 2 * self.d].reshape(2, self.d), w[2 * self.d :]
        image = jax.vmap(self.map, (0, None))(ends, c).reshape(2, -1)
        return (
            _log_length(image[0] - image[1])
            - _log_length(ends[0] - ends[1])
            - self._log_constant(ends[0], ends[1], c)
        )

    def _limit_score(self, w: Array) -> Array:
        a, v, c = w[: self.d], w[self.d : 2 * self.d], w[2 * self.d :]
        _, moved = jax.jvp(lambda point: self.map(point, c), (a,), (v,))
        return _log_length(jnp.ravel(moved)) - _log_length(v) - self._log_constant(a, a, c)

    def _log_constant(self, a: Array, b: Array, c: Array) -> Array | float:
        return jnp.log(self.modulus(a, b, c)) if self.modulus else 0.0

    def _constant(self, a: np.ndarray, b: np.ndarray, c: np.ndarray) -> float:
        return float(self.modulus(jnp.asarray(a), jnp.asarray(b), jnp.asarray(c))) if self.modulus else 1.0

    def _far(self, w: np.ndarray, distance: float = CLOSEST) -> np.ndarray:
        return np.linalg.norm(w[:, : self.d] - w[:, self.d : 2 * self.d], axis=1) > distance * self.size

    def _ascend(
        self,
        evaluate: Scored,
        admissible: AdmissibleSet,
        start: np.ndarray,
        allowed: Callable[[np.ndarray], np.ndarray] = lambda w: np.ones(len(w), dtype=bool),
    ) -> tuple[np.ndarray, np.ndarray]:
        """Projected gradient ascent on all starts at once, uphill only.

        A step taken sets the next by Barzilai and Borwein's rule; a refused one is divided by 4, so that the last
        steps, ever shorter, polish.
        """
        w = start
        value, slope = evaluate(w)
        value = np.where(allowed(w), value, -np.inf)
        step = 0.1 * self.size / np.maximum(np.linalg.norm(slope, axis=1), 1e-300)
        for _ in range(self.steps):
            if (step * np.linalg.norm(slope, axis=1) < 1e-14 * self.size).all():
                break  # every step is below the rounding of w
            trial = admissible.project(w + step[:, None] * slope)
            new, new_slope = evaluate(trial)
            better = (new > value) & allowed(trial)
            move, turn = trial - w, slope - new_slope
            bend = (move * turn).sum(axis=1)
            long = np.where(bend > 0, (move * move).sum(axis=1) / np.where(bend > 0, bend, 1.0), 4 * step)
            step = np.where(better, np.clip(long, 1e-3 * step, 1e3 * step), step / 4)
            w, slope = np.where(better[:, None], trial, w), np.where(better[:, None], new_slope, slope)
            value = np.where(better, new, value)
        if not np.isfinite(value).any():
            raise ValueError("mapping is finite at no start: pass a map that is finite on the set")
        return w, value

    def _halved(
        self, evaluate: Scored, w: np.ndarray, score: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """(states, scores, whether the ratio has no bound): by the triangle inequality one half of a segment has at
        least the ratio of the whole, so the better half is kept.

        A segment stops where its middle leaves the set or its ratio grows by less than GROWTH. Where it still grows
        at SMALLEST it has no bound; the others come back as they were when last CLOSEST apart.
        """
        going = score > NOTHING / 2
        kept, kept_score = w, score
        while (going & self._far(w, SMALLEST)).any():
            a, b, c = np.split(w, [self.d, 2 * self.d], axis=1)
            middle = (a + b) / 2
            halves = [np.concatenate([a, middle, c], axis=1), np.concatenate([middle, b, c], axis=1)]
            scores = [evaluate(half)[0] for half in halves]
            better = scores[1] > scores[0]
            half, new = np.where(better[:, None], *halves[::-1]), np.where(better, *scores[::-1])
            far = self._far(w, SMALLEST)
            going = going & self.set.contains(middle) & (~far | (new > score + np.log(GROWTH)))
            moving = going & far
            w, score = np.where(moving[:, None], half, w), np.where(moving, new, score)
            keep = moving & self._far(w)
            kept, kept_score = np.where(keep[:, None], w, kept), np.where(keep, score, kept_score)
        unbounded = going & self._moved(w) if going.any() else going
        return np.where(unbounded[:, None], w, kept), np.where(unbounded, score, kept_score), unbounded

    def _moved(self, w: np.ndarray) -> np.ndarray:
        """Whether map(a) and map(b) differ by more than rounding."""
        a, b, c = np.split(w, [self.d, 2 * self.d], axis=1)
        image = jax.jit(jax.vmap(self.map))
        one, other = (np.asarray(image(end, c)).reshape(len(w), -1) for end in (a, b))
        size = np.linalg.norm(one, axis=1) + np.linalg.norm(other, axis=1)
        return np.linalg.norm(one - other, axis=1) > ROUNDING * size


def _compiled(score: Callable[[Array], Array]) -> Scored:
    """The score and its gradient for all starts, minus infinity and 0 where they are not finite."""
    run = jax.jit(jax.vmap(jax.value_and_grad(score)))

    def evaluate(w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        value, slope = (np.asarray(part) for part in run(w))
        return np.where(np.isfinite(value), value, -np.inf), np.where(np.isfinite(slope), slope, 0.0)

    return evaluate


def _log_length(vector: Array) -> Array:
    """log ||vector||, and NOTHING with gradient 0 at 0, so that a map that stands still has a score."""
    square = jnp.sum(vector**2)
    moving = square != 0  # true of nan, which must not pass for 0
    return jnp.where(moving, jnp.log(jnp.where(moving, square, 1.0)) / 2, NOTHING)


def _first_best(score: np.ndarray) -> int:
    return int(np.argmax(score >= score.max() - TIE))


def _preferred(pair: Worst, limit: Worst) -> Worst:
    """The larger score; on a tie the pair, unless its points are so close that it only imitates the limit."""
    if pair.kind == "unbounded":
        return pair
    if limit.score > pair.score * (1 + TIE):
        return limit
    imitates = limit.score > pair.score * (1 - TIE) and pair.distance < 0.01 * (1 + np.linalg.norm(pair.a))
    return limit if imitates else pair
